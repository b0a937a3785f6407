"""What a profile says of columns together is what pandas says of the raw rows, however the rows come."""

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_tables import bytes_of, write_csv

from exporter.calibration.reference_error import reference_error
from exporter.errors import ConfigError, DataError
from exporter.profile import document
from exporter.profile.build import Plan, build, build_frame, build_like
from exporter.profile.cells import NumberCells, ObjectCells
from exporter.profile.clock import Clock
from exporter.profile.draft import Draft, Time
from exporter.profile.joint import Joint
from exporter.profile.merge import merge
from exporter.profile.pieces import Piece
from exporter.profile.texts import TextCells
from exporter.reference import Column, Profile
from exporter.sketch.binning import NumberBins

ZONE = "Europe/Berlin"
OUTPUTS = ["score", "risky", "class"]
PLAN = Plan("train", OUTPUTS, "y", model="m", version="1", time="at", zone=ZONE, influenced="ours")


def frame(rows: int = 20_000, seed: int = 1) -> pd.DataFrame:
    """Three weeks over the end of summer time, and a feature that the answers hang on."""
    random = np.random.default_rng(seed)
    amount = random.lognormal(3, 1, rows)
    score = 1 / (1 + np.exp(-(np.log(amount) - 3))) + random.normal(0, 0.05, rows)
    town = random.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1]).astype(object)
    town[::40] = None
    at = pd.Series(pd.to_datetime(random.integers(1_760_600_000, 1_762_400_000, rows), unit="s", utc=True))
    at[::100] = pd.NaT
    found = pd.DataFrame({
        "amount": amount, "noise": random.normal(size=rows), "town": town, "at": at,
        "ours": random.random(rows) < 0.25, "y": random.integers(0, 2, rows), "score": score,
        "risky": score > 0.7, "class": np.where(score > 0.8, "high", np.where(score > 0.3, "middle", "low")),
    })  # fmt: skip
    found.loc[::50, "amount"] = np.nan
    found.loc[::70, "score"] = np.nan
    return found


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return frame()


@pytest.fixture(scope="module")
def profile(table: pd.DataFrame) -> Profile:
    return build_frame(table, PLAN)[0]


def bins_of(column: Column, values: pd.Series) -> pd.Series:
    if column.ordered:
        numbers = values.to_numpy(float)[:, None]
        return pd.Series(NumberBins([column.edges]).place(numbers, np.isnan(numbers))[:, 0])
    names = values.map(lambda value: str(value).lower() if isinstance(value, bool | np.bool_) else value)
    places = {category: place for place, category in enumerate(column.categories)}
    return names.map(places).fillna(len(column.counts) - 1).astype(int)


def test_hours_of_the_week_are_those_of_pandas(table: pd.DataFrame, profile: Profile) -> None:
    local = table["at"].dt.tz_convert(ZONE)
    hours = (local.dt.day_of_week * 24 + local.dt.hour).dropna().astype(int)
    for column in (*profile.features, *profile.outputs):
        expected = pd.crosstab(hours, bins_of(column, table[column.name])[hours.index])
        expected = expected.reindex(index=range(168), columns=range(len(column.counts)), fill_value=0)
        assert np.array_equal(np.array(column.hours), expected.to_numpy()), column.name
    assert profile.time is not None
    assert (profile.time.column, profile.time.zone) == ("at", ZONE)
    assert (profile.time.first, profile.time.last) == (table["at"].min().timestamp(), table["at"].max().timestamp())


def test_mean_answers_by_bin_are_those_of_pandas(table: pd.DataFrame, profile: Profile) -> None:
    answers = {"score": table["score"], "risky": table["risky"].astype(float),
               "class": (table["class"] == table["class"].mode()[0]).astype(float)}  # fmt: skip
    for column in profile.features:
        bins = bins_of(column, table[column.name])
        assert [one.output for one in column.association] == OUTPUTS
        for one in column.association:
            grouped = answers[one.output].groupby(bins).agg(["count", "mean"]).reindex(range(len(column.counts)))
            assert list(one.counts) == grouped["count"].fillna(0).astype(int).tolist()
            np.testing.assert_allclose(one.means, grouped["mean"].fillna(0).to_numpy(), rtol=0, atol=1e-7)
    assert not any(output.association for output in profile.outputs)


def test_columns_of_time_influence_and_truth_are_no_features(profile: Profile, table: pd.DataFrame) -> None:
    assert [column.name for column in profile.features] == ["amount", "noise", "town"]
    assert profile.influenced == table["ours"].mean()


def test_importance_is_estimated_from_the_answers(profile: Profile) -> None:
    found = {column.name: column.importance for column in profile.features}
    assert profile.importance == "estimated"
    assert sum(filter(None, found.values())) == pytest.approx(1, abs=1e-5)
    assert found["amount"] == max(filter(None, found.values()))
    assert found["amount"] > 0.95
    assert found["noise"] == pytest.approx(0, abs=0.02)


def test_independent_rows_of_a_flat_time_have_neither_dependence_nor_wander(profile: Profile) -> None:
    for column in (*profile.features, *profile.outputs):
        assert column.dependence == pytest.approx(1, abs=0.1)
        assert column.wander == pytest.approx(0, abs=0.03)
        assert column.reference_error == reference_error(np.array(column.counts))


def test_sessions_and_seasons_are_measured() -> None:
    random = np.random.default_rng(4)
    rows = 300_000
    at = np.sort(random.integers(1_760_000_000, 1_760_000_000 + 10 * 86_400, rows // 5)).repeat(5)
    customer = random.normal(size=rows // 5).repeat(5)
    hour = at % 86_400 / 86_400
    season = random.normal(size=rows) + 0.3 * np.sin(hour * 2 * np.pi)
    table = {"at": at, "customer": customer, "season": season, "p": random.random(rows)}
    profile, _ = build_frame(table, Plan(predictions=["p"], time="at"))
    found = {column.name: column for column in (*profile.features, *profile.outputs)}
    assert found["customer"].dependence == pytest.approx(5, rel=0.15)
    assert found["season"].dependence == pytest.approx(1, abs=0.1)
    assert found["p"].dependence == pytest.approx(1, abs=0.1)
    assert 0.06 < (found["season"].wander or 0) < 0.14
    assert (found["p"].wander or 0) < 0.02


@pytest.mark.parametrize("changes", [
    {"BATCH": 999}, {"rows": 3}, {"rows": 7}, {"parquet": 1_000}, {"parquet": 100_000}, {"parquet": 6_000, "small": 0},
])  # fmt: skip
def test_neither_format_nor_order_nor_batches_change_a_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: pd.DataFrame, changes: dict[str, int]
) -> None:
    expected = bytes_of(tmp_path / "a.json", build_frame(table, PLAN)[0])
    order = np.random.default_rng(changes.get("rows", 0)).permutation(len(table))
    shuffled = table.iloc[order] if "rows" in changes else table
    if "parquet" in changes:
        monkeypatch.setattr("exporter.profile.sources.parquet._SMALL", changes.get("small", 8 << 20))
        pyarrow.parquet.write_table(pa.Table.from_pandas(shuffled, preserve_index=False), tmp_path / "train",
                                    row_group_size=changes["parquet"])  # fmt: skip
        (tmp_path / "train").rename(tmp_path / "train.parquet")
        found = build(dataclasses.replace(PLAN, source=str(tmp_path / "train.parquet")))[0]
    elif "BATCH" in changes:
        monkeypatch.setattr("exporter.profile.sources.csv_text.BATCH_ROWS", changes["BATCH"])
        columns = {name: [None if pd.isna(cell) else cell for cell in shuffled[name].tolist()] for name in shuffled}
        found = build(dataclasses.replace(PLAN, source=write_csv(tmp_path / "train.csv", columns)))[0]
    else:
        found = build_frame([shuffled[:5_000], shuffled[5_000:]], PLAN)[0]
    found = dataclasses.replace(found, source="train", digest="")
    assert bytes_of(tmp_path / "b.json", found) == expected


NAMES = ["at", "x", "y", "p", "q"]
CELL = {
    "at": st.sampled_from(["", "2026-03-29T00:59", "2026-03-29T01:01", "1769860800",
           "2026-01-31T12:00:30", "20260131"]),
    "x": st.floats(-1e9, 1e9), "y": st.sampled_from([None, "a", "b", 3, True]),
    "p": st.floats(-10, 10) | st.just(float("nan")) | st.just(float("inf")), "q": st.booleans() | st.none(),
}  # fmt: skip
ROW = st.tuples(*(CELL[name] for name in NAMES))


def pieces_of(rows: list[Any], run: int) -> list[Piece]:
    at, x, y, p, q = map(list, zip(*rows, strict=True)) if rows else ([], [], [], [], [])
    numbers = np.array(x, float)
    made = {"at": TextCells(at), "x": NumberCells(numbers, np.zeros(len(rows), bool), nameless=True),
            "y": ObjectCells(y), "p": ObjectCells(p), "q": ObjectCells(q)}  # fmt: skip
    return [Piece(name, made[name], 1.0, run) for name in ("at", "p", "q", "x", "y")]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_however_rows_are_shared_out_and_parts_are_merged_no_byte_changes(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(ROW, min_size=1, max_size=8))
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    rows = [kinds[draw.integers(len(kinds))] for _ in range(data.draw(st.integers(1, 80)))]
    plan = Plan("t", ["p", "q"], time="at", zone="Europe/Berlin", kinds={"p": "numeric", "q": "boolean"})
    rows += [("2026-02-01", 1.0, "a", 0.5, True)]
    draft = Draft(plan.kinds, Time("at", Clock(plan.zone)))
    draft.read(pieces_of(rows, 0), list(NAMES))
    from exporter.profile.build import finish  # noqa: PLC0415

    profile, _ = finish(plan, draft)
    whole = Joint(profile, draft.calendar, anew=True)
    whole.read(pieces_of(rows, 0))
    places = draw.integers(0, 4, len(rows))
    order = draw.permutation(len(rows))
    parts, calendars = [], []
    for place in range(4):
        mine = [rows[row] for row in order if places[row] == place]
        half = len(mine) // 2
        some = Draft(plan.kinds, draft.time)
        some.read([*pieces_of(mine[:half], 0), *pieces_of(mine[half:], 1)], list(NAMES))
        calendars.append(some.calendar)
    for other in calendars[1:]:
        calendars[0].merge(other)
    assert calendars[0].hours.tolist() == draft.calendar.hours.tolist()
    for place in range(4):
        mine = [rows[row] for row in order if places[row] == place]
        half = len(mine) // 2
        part = Joint(profile, calendars[0], anew=True)
        part.read([*pieces_of(mine[:half], 0), *pieces_of(mine[half:], 1)])
        parts.append(pickle.loads(pickle.dumps(part)) if data.draw(st.booleans()) else part)  # noqa: S301
    merged = parts[0]
    for part in parts[1:]:
        merged.merge(part)
    one, other = (json.dumps(document.describe(joint.completed())) for joint in (whole, merged))
    assert one == other
    assert merged.rows == whole.rows == len(rows)


def test_another_table_in_the_bins_of_a_profile_has_all_of_it(tmp_path: Path, profile: Profile) -> None:
    pyarrow.parquet.write_table(pa.Table.from_pandas(frame(), preserve_index=False), tmp_path / "train.parquet")
    plan = Plan(str(tmp_path / "train.parquet"), influenced="ours")
    assert dataclasses.replace(build_like(plan, profile), source="train") == profile


def test_parts_in_the_bins_of_a_profile_add_up_to_it(tmp_path: Path, profile: Profile, table: pd.DataFrame) -> None:
    parts = []
    for number, part in enumerate((table[:7_000], table[7_000:])):
        path = tmp_path / f"{number}.parquet"
        pyarrow.parquet.write_table(pa.Table.from_pandas(part, preserve_index=False), path)
        parts.append((str(number), build_like(Plan(str(path), influenced="ours"), profile)))
    merged, turned = merge(parts), merge(parts[::-1])
    assert bytes_of(tmp_path / "a.json", merged) == bytes_of(tmp_path / "b.json", turned)
    assert merged.time == profile.time
    assert merged.influenced == pytest.approx(profile.influenced)
    for column, expected in zip(
        (*merged.features, *merged.outputs), (*profile.features, *profile.outputs), strict=True
    ):
        assert column.hours == expected.hours
        assert column.reference_error == expected.reference_error
        assert column.dependence == pytest.approx(expected.dependence, abs=0.1)
        for one, other in zip(column.association, expected.association, strict=True):
            assert one.counts == other.counts
            np.testing.assert_allclose(one.means, other.means, rtol=0, atol=1e-7)
    for column, expected in zip(merged.features, profile.features, strict=True):
        assert column.importance == pytest.approx(expected.importance, abs=1e-3)


@pytest.mark.parametrize(("change", "words"), [
    (lambda one: {"time": one.time._replace(zone="UTC")}, "their times are of different columns or zones"),
    (lambda _: {"importance": "given"}, "the importance that was given for features differs"),
    (lambda _: {"fields": ("amount", "noise", "town", "else")}, "of other fields or embeddings"),
])  # fmt: skip
def test_profiles_that_do_not_fit_together_are_refused(profile: Profile, change: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        merge([("a", profile), ("b", dataclasses.replace(profile, **change(profile)))])


def test_measures_of_a_training_are_kept_where_all_agree(profile: Profile) -> None:
    one, other = (dataclasses.replace(profile, performance={"auc": auc}) for auc in (0.9, 0.8))
    assert merge([("a", one), ("b", one)]).performance == {"auc": 0.9}
    assert merge([("a", one), ("b", other)]).performance == {}
    assert merge([("a", one), ("b", dataclasses.replace(profile, time=None))]).time is None


def test_importance_can_be_given_by_feature(table: pd.DataFrame) -> None:
    given_, _ = build_frame(table, dataclasses.replace(PLAN, importance={"town": 3, "amount": 1}))
    assert (given_.importance, [column.importance for column in given_.features]) == ("given", [0.25, 0, 0.75])
    with pytest.raises(ConfigError, match="--importance: towm: no feature is called so, did you mean town"):
        build_frame(table, dataclasses.replace(PLAN, importance={"towm": 1}))
    with pytest.raises(ConfigError, match="--importance: at least one"):
        build_frame(table, dataclasses.replace(PLAN, importance={"town": 0}))


@pytest.mark.parametrize(("change", "error", "words"), [
    ({"time": "when"}, ConfigError, "--time when: train has no such column"),
    ({"time": "town"}, DataError, "train: column 'town', row 2: 'b' is no time"),
    ({"time": "score"}, ConfigError, "--prediction score: a prediction can be neither the time nor"),
    ({"influenced": "at"}, ConfigError, "--influenced at: is the column of time"),
    ({"influenced": "town"}, DataError, "train: column 'town'"),
    ({"influenced": "who"}, ConfigError, "--influenced who: train has no such column"),
    ({"zone": "Europe/Nowhere"}, ConfigError, "--time-zone: no time zone is called 'Europe/Nowhere'"),
])  # fmt: skip
def test_wrong_plans_are_named(change: Any, error: Any, words: str) -> None:
    table = frame(200).assign(town=["a", "b"] * 100, who_knows=1)
    table.loc[0, "town"] = None
    with pytest.raises(error, match=words):
        build_frame(table, dataclasses.replace(PLAN, **change))


def test_a_column_of_time_without_a_time_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="train: column 'at' holds no time"):
        build_frame(table.assign(at=pd.NaT), PLAN)


def test_rows_without_a_time_are_told(table: pd.DataFrame) -> None:
    assert "at: 200 rows without a time are in no hour" in build_frame(table, PLAN)[1]


def test_a_thousand_columns_with_time_and_answers_are_built() -> None:
    random = np.random.default_rng(1)
    columns: dict[str, Any] = {f"c{number}": random.normal(size=500) for number in range(1_000)}
    columns |= {"at": 1_760_000_000 + random.integers(0, 10**6, 500), "p": random.random(500)}
    profile, _ = build_frame(columns, Plan(predictions=["p"], time="at"))
    assert len(document.loads(document_bytes(profile), "p").features) == 1_000
    assert sum(map(sum, profile.features[999].hours)) == 500


def document_bytes(profile: Profile) -> bytes:
    return json.dumps(document.describe(profile)).encode()


def test_answers_that_never_differed_may_differ_in_the_next_table(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    first = {"a": random.normal(size=2000).tolist(), "p": [3.0] * 2000}
    later = random.normal(size=2000)
    reference = build(Plan(write_csv(tmp_path / "first.csv", first), ["p"]))[0]
    path = write_csv(tmp_path / "next.csv", {"a": later.tolist(), "p": (2 * later).tolist()})
    column = build_like(Plan(path), reference).features[0]
    means = pd.Series(2 * later).groupby(bins_of(column, pd.Series(later))).mean()
    assert [column.association[0].means[place] for place in means.index] == pytest.approx(means.tolist(), abs=1e-6)
    assert column.importance == 1


def test_importance_of_any_size_is_shared() -> None:
    columns = {"a": [1.0, 2.0] * 50, "b": [1.0, 3.0] * 50, "p": [1.0, 4.0] * 50}
    profile = build_frame(columns, Plan(predictions=["p"], importance={"a": 1.5e308, "b": 1.5e308}))[0]
    assert [column.importance for column in profile.features] == [0.5, 0.5]


def test_shares_of_different_answers_are_no_mean_answer_once_merged() -> None:
    plan = Plan(predictions=["p", "q"])
    parts = [
        build_frame({"a": ["x", "y"] * 50, "p": [*["s"] * often, *["t"] * (100 - often)], "q": [1.0, 2.0] * 50}, plan)[
            0
        ]
        for often in (60, 20)
    ]
    assert [part.outputs[0].categories[0] for part in parts] == ["s", "t"]
    merged = merge([(str(place), part) for place, part in enumerate(parts)])
    assert [one.output for one in merged.features[0].association] == ["q"]
    alike = merge([("one", parts[0]), ("two", parts[0])])
    assert [one.output for one in alike.features[0].association] == ["p", "q"]


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    columns = {"a": [1.0, 2.0] * 100, "p": [1.0, 4.0] * 100}
    path = Path(write_csv(tmp_path / "t.csv", columns))

    def replace_it(done: float, _: int) -> None:
        if done >= 0.5 and not (tmp_path / "old.csv").exists():
            path.rename(tmp_path / "old.csv")
            write_csv(path, columns | {"a": [5.0, 6.0] * 100})

    plan = Plan(str(path), ["p"])
    reference = build(plan)[0]
    with pytest.raises(DataError, match=r"t\.csv: has changed while it was read"):
        build(plan, replace_it)
    (tmp_path / "old.csv").unlink()
    with pytest.raises(DataError, match=r"t\.csv: has changed while it was read"):
        build_like(plan, reference, replace_it)
