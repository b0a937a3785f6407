"""Segments of the training data: counted as pandas counts them, merged exactly, and no part of who has none."""

import json
import pickle
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from profile_tables import bytes_of, write_csv
from support import command

from exporter.errors import ConfigError, DataError
from exporter.profile import document, frames, schema, show
from exporter.profile.build import Plan, build, build_frame, build_like
from exporter.profile.joint import Joint
from exporter.profile.merge import merge
from exporter.profile.pieces import chosen
from exporter.reference import Profile
from exporter.scalars.salted import Salt

SCHEMA = jsonschema.Draft202012Validator(json.loads(schema.text()))
SEGMENTS: dict[str, tuple[float, ...]] = {"town": (), "age": (30.0, 50.0), "tenant": ()}


def frame(rows: int = 6000, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    town = random.choice([*"abcdefghijklmnopqrstuvwxyz"], rows, p=[0.5, *[0.02] * 25]).astype(object)
    town[::40] = None
    age = random.integers(18, 80, rows).astype(float)
    age[::50] = np.nan
    return pd.DataFrame({
        "amount": random.lognormal(3, 1, rows), "town": town, "age": age,
        "at": pd.date_range("2026-01-01", periods=rows, freq="min"),
        "tenant": random.choice(["x", "y", "other", "anna@example.com"], rows), "y": random.integers(0, 2, rows),
        "score": random.random(rows), "class": random.choice(["no", "yes"], rows),
    })  # fmt: skip


PLAN: dict[str, Any] = {"predictions": ["score", "class"], "target": "y", "time": "at", "ignored": ["tenant"]}


def built(table: pd.DataFrame, **more: Any) -> Profile:
    return build_frame(table, Plan(segments=SEGMENTS, **PLAN, **more))[0]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return frame()


@pytest.fixture(scope="module")
def profile(table: pd.DataFrame) -> Profile:
    return built(table)


def test_the_most_frequent_values_are_segments_and_the_rest_is_other(profile: Profile, table: pd.DataFrame) -> None:
    town, age, tenant = profile.segments
    values = [one.values for one in profile.segments]  # noqa: PD011 (no frame)
    frequent = sorted(table.town.value_counts().items(), key=lambda item: (-item[1], item[0]))[:20]
    assert values[0] == tuple(name for name, _ in frequent)
    rest = table.town.notna().sum() - sum(rows for _, rows in frequent)
    assert town.rows == (*(rows for _, rows in frequent), rest, table.town.isna().sum())
    assert values[1] == ("below 30", "30 to 50", "50 and above")
    known = table.age.dropna()
    assert age.rows == ((known < 30).sum(), known.between(30, 49).sum(), (known >= 50).sum(), 0, table.age.isna().sum())
    assert set(values[2]) == {"x", "y"}  # neither an address nor what the rest is called
    assert tenant.rows[2] == table.tenant.isin(["other", "anna@example.com"]).sum()
    assert "tenant" not in [column.name for column in profile.features]


def test_every_count_is_that_of_pandas(profile: Profile, table: pd.DataFrame) -> None:
    for one, of in zip(profile.segments, (table.town, None, table.tenant), strict=True):
        for side in ("features", "outputs"):
            for column, counts in zip(getattr(profile, side), getattr(one, side), strict=True):
                assert tuple(np.sum(counts, axis=0)) == column.counts
        if of is None:
            continue
        amount = np.searchsorted(profile.features[0].edges, table.amount, "right")
        classes = table["class"].map({name: at for at, name in enumerate(profile.outputs[1].categories)})
        for at, value in enumerate(one.values):
            assert one.features[0][at][:14] == tuple(np.bincount(amount[of == value], minlength=14))
            assert one.outputs[1][at][:2] == tuple(np.bincount(classes[of == value], minlength=2))


def segments_of(profile: Profile, table: pd.DataFrame) -> pd.DataFrame:
    """The place of each row's segment, by what divides the rows."""
    found = {}
    for one in profile.segments:
        values = table[one.name]
        if one.edges:
            names = pd.cut(values, [-np.inf, *one.edges, np.inf], right=False, labels=list(one.values)).astype(object)
        else:
            names = values.where(values.isin(one.values) | values.isna(), "other")
        called = [*one.values, "other", "missing"]  # noqa: PD011 (a profile's)
        found[one.name] = names.where(values.notna(), "missing").map(called.index)
    return pd.DataFrame(found)


def test_wrong_predictions_are_counted_in_each_segment(profile: Profile, table: pd.DataFrame) -> None:
    said = (table["score"] >= 0.5).astype(int)
    assert profile.target
    assert profile.target.scores == ("score",)
    for one in profile.segments:
        places = segments_of(profile, table)[one.name]
        wrong = (said != table["y"]).groupby(places).sum().reindex(range(one.segments), fill_value=0)
        rows = places.value_counts().reindex(range(one.segments), fill_value=0)
        assert [*zip(rows - wrong, wrong, strict=True)] == [*one.errors]
        assert tuple(map(sum, zip(*one.errors, strict=True))) == profile.target.errors


def test_of_numbers_errors_are_counted_in_each_segment_between_the_edges_of_the_whole(table: pd.DataFrame) -> None:
    table = table.assign(cost=table["amount"] * 3 + 0.1, paid=table["amount"] * 3 + table["age"].fillna(40) / 9)
    plan: dict[str, Any] = {"predictions": ["cost"], "target": "paid", "segments": SEGMENTS, "ignored": ["class"]}
    profile = build_frame(table, Plan(**plan))[0]
    assert profile.target
    off = (table["cost"] - table["paid"]).abs()
    kind = np.searchsorted(profile.target.edges, off, side="right")
    for one in profile.segments:
        counts = np.zeros((one.segments, len(profile.target.errors)), int)
        np.add.at(counts, (segments_of(profile, table)[one.name].to_numpy(int), kind), 1)
        assert [*map(tuple, counts.tolist())] == [*one.errors]
    halves = build_frame([table[:2500], table[2500:]], Plan(**plan))[0]
    assert halves.segments == profile.segments


def test_without_a_truth_nothing_is_said_of_wrong_predictions(table: pd.DataFrame) -> None:
    profile = build_frame(table, Plan(**PLAN | {"target": None}, segments=SEGMENTS))[0]
    assert {one.errors for one in profile.segments} == {()}
    assert all("errors" not in one for one in document.describe(profile)["segments"])


def test_what_else_is_known_of_columns_is_as_without_segments(profile: Profile, table: pd.DataFrame) -> None:
    without, _ = build_frame(table, Plan(**PLAN))
    assert profile.features == without.features
    assert profile.outputs == without.outputs


def test_numbers_without_edges_are_divided_into_quarters_at_edges_of_their_bins(table: pd.DataFrame) -> None:
    made, _ = build_frame(table, Plan(**PLAN, segments={"amount": ()}))
    (one,) = made.segments
    assert set(one.edges) <= set(made.features[0].edges)
    assert len(one.values) == 4
    assert all(abs(rows / len(table) - 0.25) < 0.09 for rows in one.rows[:4])


@pytest.mark.parametrize("batch", [1, 700, 6000])
def test_rows_may_come_in_any_order_and_batches(
    profile: Profile, table: pd.DataFrame, batch: int, tmp_path: Path
) -> None:
    shuffled = table.sample(frac=1, random_state=batch)
    rows = 200 if batch == 1 else len(table)
    whole, part = (profile, shuffled) if rows == len(table) else (built(table[:rows]), table[:rows].sample(frac=1))
    batches = [part[start : start + batch] for start in range(0, len(part), batch)]
    assert bytes_of(tmp_path / "a", built(batches)) == bytes_of(tmp_path / "b", whole)  # type: ignore[arg-type]


def test_parts_of_a_pass_merge_after_a_journey(profile: Profile, table: pd.DataFrame) -> None:
    parts = [Joint(profile, None) for _ in range(3)]
    for at, part in enumerate(parts):
        rows = table[at * 2000 : (at + 1) * 2000]
        part.read(frames.pieces(rows, [], lambda names: chosen(part.arrange, names, "table")))  # noqa: B023
    first, *rest = map(pickle.loads, map(pickle.dumps, parts))
    for one in rest:
        first.merge(one)
    assert first.completed().segments == profile.segments


def test_profiles_of_parts_merge_to_that_of_the_whole(tmp_path: Path, table: pd.DataFrame) -> None:
    plan = {**PLAN, "segments": SEGMENTS}
    halves = [table[:3500], table[3500:]]
    sources = [write_csv(tmp_path / f"{at}.csv", half.to_dict("list")) for at, half in enumerate([table, *halves])]
    whole, _ = build(Plan(sources[0], **plan))
    whole = document.save(whole, str(tmp_path / "whole.json"))
    parts = [document.save(build_like(Plan(one), whole), str(tmp_path / "p.json")) for one in sources[1:]]
    for order in (parts, parts[::-1]):
        merged = merge([(str(at), part) for at, part in enumerate(order)])
        assert merged.segments == whole.segments
    assert parts[0].segments != whole.segments


def test_parts_that_are_divided_otherwise_do_not_merge(profile: Profile, table: pd.DataFrame) -> None:
    other = build_frame(table, Plan(**PLAN, segments={"town": ()}))[0]
    with pytest.raises(DataError, match="of other segments: build one with --like the other"):
        merge([("a", profile), ("b", other)])


def test_hashed_values_are_written_as_their_hashes(table: pd.DataFrame) -> None:
    salt = Salt(b"a secret of this test alone, long enough")
    made, _ = build_frame(table, Plan(**PLAN, segments={"town": ()}, hashed=["town"], salt=salt))
    plain, _ = build_frame(table, Plan(**PLAN, segments={"town": ()}))
    (one,) = made.segments
    assert one.salt == salt.fingerprint
    assert dict(zip(one.values, one.rows, strict=False)).items() >= {(salt.name("a"), plain.segments[0].rows[0])}


def test_a_table_that_is_read_once_has_no_segments(table: pd.DataFrame) -> None:
    made, notes = build_frame(iter([table]), Plan(segments=SEGMENTS, **PLAN))
    assert made.segments == ()
    assert any("segments" in note for note in notes)


@pytest.mark.parametrize(("more", "words"), [
    ({"segments": {"nothing": ()}}, "--segment nothing: .* has no such column"),
    ({"segments": {"score": ()}}, "--segment score: it is a prediction, the target, time or influence"),
    ({"segments": {"y": ()}}, "--segment y: it is a prediction"),
    ({"segments": {"town": (1.0,)}}, "--segment town: has edges, and its values are categorical"),
    ({"segments": {"id": ()}}, "--segment id: .*that fewer than 10 rows have, as identifiers are"),
    ({"segments": {"same": ()}}, "--segment same: has no two values that tell rows apart"),
    ({"segments": dict.fromkeys("abcde", ())}, "--segment a"),
])  # fmt: skip
def test_what_cannot_divide_the_rows_is_an_error(table: pd.DataFrame, more: Any, words: str) -> None:
    odd = table.assign(id=[f"id {at}" for at in range(len(table))], same=1.0)
    with pytest.raises((ConfigError, DataError), match=words):
        build_frame(odd, Plan(**PLAN, **more))


# --- the document


def test_what_is_written_is_read_again_and_fits_the_schema(profile: Profile, tmp_path: Path) -> None:
    saved = document.save(profile, str(tmp_path / "p.json"))
    loaded = document.load(str(tmp_path / "p.json"))
    assert loaded == saved
    assert loaded.segments == profile.segments
    node = json.loads((tmp_path / "p.json").read_bytes())
    assert node["format"] == document.FORMAT
    SCHEMA.validate(node)
    node.pop("segments")
    without = document.parse(node)
    assert without.digest != saved.digest
    assert "segments" not in document.describe(without)


@pytest.mark.parametrize(("change", "words"), [
    (lambda one: one.pop("values"), r"segments\[0\].values: must be a list"),
    (lambda one: one["values"].append("other"), r"segments\[0\].values: must be 1 to 50 different texts"),
    (lambda one: one["values"].append("new"), r"segments\[0\].features.amount: must be 23 lists"),
    (lambda one: one["features"].pop("amount"), r"segments\[0\].features.amount: must be a list"),
    (lambda one: one["features"].update(x=[]), r"segments\[0\].features.x: unknown key"),
    (lambda one: one["outputs"]["class"][0].append(0), r"segments\[0\].outputs.class: must be 22 lists"),
    (lambda one: one["features"]["amount"][0].__setitem__(0, -1), r"segments\[0\].features.amount\[0\]\[0\]: must be"),
    (lambda one: one.update(edges=[2, 1]), r"segments\[0\].edges: must be ascending"),
    (lambda one: one.update(edges=[1, 2]), r"segments\[0\].values: must be those between the edges: below 1, 1 to 2"),
    (lambda one: one.update(name=""), r"segments\[0\].name: must be text"),
    (lambda one: one.update(size=1), r"segments\[0\].size: unknown key"),
    (lambda one: one.update(name="age"), "segments: two are of one column"),
    (lambda one: one["errors"].pop(), r"segments\[0\].errors: must be 22 lists"),
    (lambda one: one["errors"][3].append(0), r"segments\[0\].errors: must be 22 lists"),
    (lambda one: one["errors"][0].__setitem__(1, -1), r"segments\[0\].errors\[0\]\[1\]: must be"),
])  # fmt: skip
def test_every_fault_is_named_by_its_path(profile: Profile, change: Any, words: str, tmp_path: Path) -> None:
    node = json.loads(json.dumps(document.describe(profile)))
    change(node["segments"][0])
    (tmp_path / "p.json").write_text(json.dumps(node))
    with pytest.raises(DataError, match=words):
        document.load(str(tmp_path / "p.json"))


def test_people_see_the_segments(profile: Profile) -> None:
    text = show.summary(profile)
    assert "segments" in text
    assert "age: below 30, 30 to 50, 50 and above" in text


def test_the_command_takes_columns_and_edges(tmp_path: Path, table: pd.DataFrame) -> None:
    source = write_csv(tmp_path / "t.csv", table.to_dict("list"))
    output = str(tmp_path / "p.json")
    words = ["profile", "build", source, "--prediction", "score", "--ignore", "tenant", "--output", output]
    made = command(*words, "--segment", "tenant", "--segment", "age=30,50")
    assert made.returncode == 0, made.stderr
    found = document.load(output).segments
    assert [(one.name, one.edges) for one in found] == [("tenant", ()), ("age", (30.0, 50.0))]
    wrong = command(*words, "--segment", "age=30,x")
    assert wrong.returncode == 64
    assert "--segment age=30,x: must be COLUMN or COLUMN=NUMBER,NUMBER" in wrong.stderr
    like = command("profile", "build", source, "--like", output, "--segment", "age", "--output", output)
    assert "--segment: cannot be said beside --like" in like.stderr
