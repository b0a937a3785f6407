"""Numeric features as one: what goes with what is watched, and single features stay what they are."""

import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from monitor_scenes import exchange
from profile_tables import bytes_of, write_csv

from exporter.decode import Decoder
from exporter.errors import ConfigError, DataError
from exporter.monitor import Monitor
from exporter.profile import compare, document, show
from exporter.profile.build import Plan, build, build_frame, build_like, count_like
from exporter.profile.merge import merge
from exporter.profile.together import NAME, sampled
from exporter.reference import MISSING, Column, Profile
from exporter.scalars.together import Measure
from exporter.sections import Windows

FEATURES = tuple(f"x{place}" for place in range(10))
PLAN = Plan("train", ["p"], together=True)
WINDOWS = Windows(pane=1.0, lengths=(10.0,))


def frame(rows: int, seed: int) -> pd.DataFrame:
    """Three features go with each other, two say nearly the same, the others have nothing to do with any."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(rows, len(FEATURES)))
    values[:, :3] = 0.6 * values[:, :3] + 0.8 * random.normal(size=rows)[:, None]
    values[:, 4] = 0.95 * values[:, 3] + np.sqrt(1 - 0.95**2) * values[:, 4]
    found = pd.DataFrame(values * 10.0 ** np.arange(-5, 5) + 3, columns=FEATURES)
    found["town"] = random.choice(["a", "b"], rows)
    found["p"] = random.random(rows)
    found.loc[random.random(rows) < 0.02, "x7"] = np.nan
    return found


@pytest.fixture(scope="module")
def training() -> pd.DataFrame:
    return frame(20_000, 1)


@pytest.fixture(scope="module")
def profile(training: pd.DataFrame) -> Profile:
    return build_frame(training, PLAN)[0]


def watch(profile: Profile, rows: pd.DataFrame) -> Monitor:
    monitor = Monitor(profile, WINDOWS, ())
    fed = rows.drop(columns="p").astype(object)
    for start in range(0, len(fed), 500):
        part = fed.iloc[start : start + 500]
        seen = exchange(part.where(part.notna(), None).to_dict("records"), [0.5] * len(part), at=1.0)
        monitor.observe(seen, Decoder().decode(seen))
    monitor.flush()
    return monitor


def drifted(monitor: Monitor, profile: Profile) -> set[str]:
    features = monitor.snapshot(1.0).features
    assert features
    (scores,) = features.scores
    beyond = scores.values["psi"] > scores.critical["psi"]  # noqa: PD011 (no frame)
    return {column.name for column, one in zip(profile.features, beyond, strict=True) if one}


def of_all(profile: Profile) -> list[Column]:
    return [column for column in profile.features if column.origin == NAME]


def test_features_stay_columns_of_their_own_and_a_few_are_computed_of_them_together(
    training: pd.DataFrame, profile: Profile
) -> None:
    bare, _ = build_frame(training, replace(PLAN, together=False))
    assert profile.features[: len(bare.features)] == tuple(
        replace(column, importance=profile.features[place].importance) for place, column in enumerate(bare.features)
    )
    assert profile.inputs == bare.inputs
    assert [column.scalar for column in of_all(profile)] == ["residual", *(f"axis_{number}" for number in range(1, 6))]
    assert profile.together
    axes = np.array(profile.together.axes)
    assert axes @ axes.T == pytest.approx(np.eye(5), abs=1e-5)
    ranked = np.argsort(-np.abs(axes), axis=1)
    # Three that go together, two that say nearly the same, their difference, and the differences of the three.
    assert [{*places[:width].tolist()} for places, width in zip(ranked, (3, 2, 2), strict=False)] == [
        {0, 1, 2}, {3, 4}, {3, 4}
    ]  # fmt: skip
    assert {*ranked[3:, :2].ravel().tolist()} <= {0, 1, 2}
    assert all(8000 <= column.rows <= 8192 for column in of_all(profile))


def test_scalars_are_what_numpy_makes_of_the_rows(profile: Profile, training: pd.DataFrame) -> None:
    one = profile.together
    assert one
    values = training[list(FEATURES)].to_numpy()[:50].copy()
    values[0, 2], values[1] = np.inf, np.nan
    rows = np.clip((np.nan_to_num(values, nan=0.0, posinf=0.0) - one.centre) / one.scales, -8, 8)
    rows[~np.isfinite(values)] = 0
    along = rows @ np.array(one.axes).T
    rest = np.linalg.norm(rows - along @ np.array(one.axes), axis=1)
    found = Measure(one.centre, one.scales, one.axes)(values)
    assert np.isnan(found[1]).all()
    others = np.arange(50) != 1
    np.testing.assert_allclose(found[others], np.column_stack((rest, along))[others], rtol=1e-6, atol=1e-6)


def test_correlation_that_breaks_is_found_where_single_features_show_nothing(profile: Profile) -> None:
    found, alone = 0, 0
    for seed in range(50):
        rows = frame(1000, 100 + seed)
        order = np.random.default_rng(seed).permutation(1000)
        rows["x4"] = rows["x4"].to_numpy()[order]
        names = drifted(watch(profile, rows), profile)
        found += any(name.startswith(NAME) for name in names)
        alone += any(not name.startswith(NAME) for name in names)
    assert found == 50
    assert alone <= 3


def test_rows_like_those_of_the_training_data_are_quiet(profile: Profile) -> None:
    quiet = sum(not drifted(watch(profile, frame(1000, 500 + seed)), profile) for seed in range(50))
    assert quiet >= 47


@pytest.mark.parametrize("changes", [{"batch": 777}, {"seed": 3}, {"batch": 5000, "seed": 4}])
def test_neither_order_nor_batches_change_a_byte(
    tmp_path: Path, training: pd.DataFrame, profile: Profile, changes: dict[str, int]
) -> None:
    order = np.random.default_rng(changes["seed"]).permutation(len(training)) if "seed" in changes else slice(None)
    rows = training.iloc[order]
    size = changes.get("batch", len(rows))
    batches = [rows.iloc[start : start + size] for start in range(0, len(rows), size)]
    found, _ = build_frame(batches, PLAN)
    assert bytes_of(tmp_path / "a.json", found) == bytes_of(tmp_path / "b.json", profile)
    part = sampled(profile)
    assert part
    values = training[list(FEATURES)].to_numpy()
    halves = [pickle.loads(pickle.dumps(part)) for _ in range(2)]  # noqa: S301 (our own)
    for half, taken in zip(halves, (values[:999], values[999:]), strict=True):
        half.add(taken)
    halves[1].merge(halves[0])
    part.add(values)
    assert (halves[1].sample.vectors == part.sample.vectors).all()


def test_live_rows_fall_where_those_of_a_table_do(tmp_path: Path, profile: Profile) -> None:
    rows = frame(700, 9)
    path = write_csv(tmp_path / "t.csv", {name: [None if cell != cell else cell for cell in rows[name]] for name in rows})  # fmt: skip # noqa: E501, PLR0124
    like = build_like(Plan(path), profile)
    live = watch(profile, rows).snapshot(1.0).features
    assert live
    for place, column in enumerate(like.features):
        assert live.totals.bins[place][: len(column.counts)].tolist() == list(column.counts), column.name
    merged = merge([("a", profile), ("b", like)])
    assert [column.rows for column in of_all(merged)] == [column.rows + 700 for column in of_all(profile)]
    assert "not in the table" not in " ".join(compare.compare(profile, count_like(Plan(path), profile)))
    nothing = pd.DataFrame([dict.fromkeys(rows.columns)] * 3).assign(town="a")
    bins = watch(profile, nothing).snapshot(1.0).features
    assert bins
    assert bins.totals.bins[-1][MISSING] == 3


def test_the_document_says_it_all_and_faults_are_named(profile: Profile) -> None:
    node = document.describe(profile)
    assert document.parse(node) == replace(profile, digest=document.digest(profile))
    for change, words in (
        ({"fields": ["town", *FEATURES[1:]]}, "together.fields: one of them is no numeric feature"),
        ({"fields": [FEATURES[1], *FEATURES[1:]]}, "together.fields: must name every feature once"),
        ({"scales": [0.0] * 10}, "together.scales: must be above 0"),
        ({"centre": [0.0] * 9}, "together: centre, scales and axes must have 10 numbers"),
        ({"name": "x3"}, "together.name: 'x3' is a field's"),
        ({"axes": []}, "scalar: must be one of"),
    ):
        with pytest.raises(DataError, match=words):
            document.loads(document.canonical(node | {"together": node["together"] | change}), "p.json")


def test_few_features_or_few_rows_are_not_taken_together(training: pd.DataFrame) -> None:
    for table in (training[["x0", "x1", "town", "p"]], training[:499]):
        found, notes = build_frame(table, PLAN)
        assert found.together is None
        assert not of_all(found)
        assert [line for line in notes if "--together: it takes" in line]


def test_nothing_is_said_where_they_are_watched_as_one_or_nobody_asked(training: pd.DataFrame) -> None:
    for plan, table in ((PLAN, training[:2000]), (replace(PLAN, together=False), training[["x0", "town", "p"]])):
        assert not any("--together" in line for line in build_frame(table, plan)[1])


def test_a_table_that_is_read_once_says_why_nothing_is_watched_as_one(training: pd.DataFrame) -> None:
    found, notes = build_frame(iter([training[:1000]]), PLAN)
    assert found.together is None
    assert "can be read twice" in notes[-1]


def test_a_column_that_has_its_name_is_named(training: pd.DataFrame) -> None:
    _, notes = build_frame(training[:1000].rename(columns={"town": NAME}), PLAN)
    assert notes[-1] == "--together: a column is called '_numeric': no features are watched as one"


def test_people_see_what_is_watched_as_one(profile: Profile) -> None:
    page = show.page(profile, ["x0"])
    assert "together    10 numeric features as one, _numeric: along 5 axes, and off them" in page
    assert re.search(r"unusual     (1\.00|0\.\d\d)% of the rows, by their features all together", page)
    assert re.search(r"some \d\d,\d{3} different numbers", page)


def test_segments_are_not_counted_of_what_is_computed_of_rows(training: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="--together"):
        build_frame(training, replace(PLAN, segments={"town": ()}))


def test_a_file_is_read_as_a_frame_is(tmp_path: Path, training: pd.DataFrame, profile: Profile) -> None:
    rows = training[:2000]
    path = write_csv(tmp_path / "train", {name: [None if cell != cell else cell for cell in rows[name]] for name in rows})  # fmt: skip # noqa: E501, PLR0124
    found, _ = build(replace(PLAN, source=path))
    assert found.features == build_frame(rows, PLAN)[0].features
    assert found.together != profile.together
