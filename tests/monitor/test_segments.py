"""Segments: each against its own part of the training data, whatever says which one a row is of."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange
from numpy.typing import NDArray
from profile_tables import write_csv

from exporter import config
from exporter.decode import Decoder
from exporter.errors import ConfigError
from exporter.findings import SegmentScores
from exporter.monitor import Monitor, joint
from exporter.monitor.batch import UNKNOWN_SEGMENT, Paired, Scope
from exporter.monitor.parts import Arrays, Told
from exporter.monitor.said import Said
from exporter.monitor.segments import divided
from exporter.monitor.segments.places import Found
from exporter.monitor.sides import Sides
from exporter.profile import document
from exporter.profile.build import Plan, build
from exporter.records import Exchange
from exporter.reference import Profile
from exporter.sections import Segments, Windows
from exporter.segmentations import segmentations

COUNTRIES = tuple("ABCDEFGHIJ")
WINDOWS = Windows(pane=1.0, lengths=(10.0, 120.0), minimum_samples=50)


def rows(count: int, seed: int, shifted: str = "") -> list[dict[str, Any]]:
    """Of ten countries that differ by their nature; `shifted` is one that looks like none of them."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        at = int(random.integers(len(COUNTRIES)))
        country = COUNTRIES[at]
        away = 40.0 if country == shifted else 0.0
        found.append({
            "amount": float(random.normal(at, 2) + away), "age": int(random.integers(18, 80)),
            "town": f"{country}{random.integers(3)}", "country": country,
        })  # fmt: skip
    return found


def scores(given: Sequence[Mapping[str, Any]]) -> list[float]:
    return [round(row["amount"] / 2 + row["age"], 3) for row in given]


def profile_of(path: Path, given: Sequence[Mapping[str, Any]], **plan: Any) -> Profile:
    columns: dict[str, Any] = {name: [row[name] for row in given] for name in given[0]}
    columns["score"] = scores(given)
    made, _ = build(Plan(write_csv(path / "train.csv", columns), ["score"], **plan))
    return document.save(made, str(path / "profile.json"))


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    path = tmp_path_factory.mktemp("segments")
    return profile_of(path, rows(10_000, 1), segments={"country": (), "age": (30.0, 50.0)})


def said(by: Any, **more: Any) -> Said:
    return Said(segments=Segments(by=segmentations(by), windows=(10.0, 120.0), **more))


def sent(
    given: Sequence[Mapping[str, Any]], at: float, size: int = 1, header: str = "", answers: Any = scores
) -> list[Exchange]:
    """Requests of `size` rows each; where a header is named it has the country of the first, and no row has one."""
    found = []
    for start in range(0, len(given), size):
        part = given[start : start + size]
        headers = {header: part[0]["country"]} if header else {}
        body = [{name: cell for name, cell in row.items() if not header or name != "country"} for row in part]
        found.append(exchange(body, answers(part), at, request_headers=headers))
    return found


def watched(
    profile: Profile, what: Said, exchanges: Sequence[Exchange], flush_every: int = 1000, windows: Windows = WINDOWS
) -> Monitor:
    monitor = Monitor(profile, windows, (), what)
    for number, one in enumerate(exchanges, 1):
        monitor.observe(one, Decoder().decode(one))
        if number % flush_every == 0:
            monitor.flush()
    monitor.flush()
    return monitor


def of_window(monitor: Monitor, segment: str, at: float, window: str = "10s", side: str = "features") -> SegmentScores:
    found = monitor.snapshot(at).segments
    assert found
    (one,) = (one for one in getattr(found, side) if (one.segment, one.window) == (segment, window))
    assert isinstance(one, SegmentScores)
    return one


def counted(monitor: Monitor, at: float = 1.0) -> dict[tuple[str, str], int]:
    found = monitor.snapshot(at).segments
    assert found
    return {(one.segment, one.value): one.rows for one in found.rows if one.rows}


def beyond(one: SegmentScores, least: float = 0.1) -> set[tuple[str | None, int]]:
    """Values and columns whose change is more than chance, and more than is tolerated."""
    with np.errstate(invalid="ignore"):
        found = (one.total_variation > np.maximum(one.critical, least)) & one.sufficient[:, None]
    return {(one.values[int(value)], int(column)) for value, column in np.argwhere(found)}


def test_one_segment_of_ten_goes_bad_and_is_named_while_the_whole_stays_within_chance(profile: Profile) -> None:
    live = rows(400, 2, shifted="D")
    monitor = watched(profile, said(["country"]), sent(live, 1.0))
    whole = monitor.snapshot(1.0).features
    assert whole
    amount = [column.name for column in profile.features].index("amount")
    assert whole.scores[0].values["total_variation"][amount] < whole.scores[0].critical["total_variation"][amount]
    assert beyond(of_window(monitor, "country", 1.0)) == set()  # forty rows do not suffice
    monitor = watched(profile, said(["country"]), sent(rows(1000, 2, shifted="D"), 1.0))
    assert beyond(of_window(monitor, "country", 1.0)) == {("D", amount)}
    assert beyond(of_window(monitor, "country", 1.0, side="outputs")) == {("D", 0)}


def test_countries_that_differ_from_each_other_are_normal(profile: Profile) -> None:
    monitor = watched(profile, said(["country", "age"]), sent(rows(2000, 3), 1.0, size=7))
    for segment in ("country", "age"):
        for side in ("features", "outputs"):
            assert beyond(of_window(monitor, segment, 1.0, side=side), 0) == set()


def test_scores_are_those_of_the_raw_rows(profile: Profile) -> None:
    live = rows(500, 4, shifted="B")
    monitor = watched(profile, said([{"name": "country", "values": ["B", "C"]}]), sent(live, 1.0))
    one = of_window(monitor, "country", 1.0)
    assert one.values == ("B", "C", "other", "missing")
    assert one.samples.tolist()[:2] == [sum(row["country"] == name for row in live) for name in "BC"]
    train = rows(10_000, 1)
    amount = [column.name for column in profile.features].index("amount")
    edges = profile.features[amount].edges
    for at, names in enumerate((("B",), ("C",), set(COUNTRIES) - {"B", "C"})):
        shares = [
            np.bincount(np.searchsorted(edges, [row["amount"] for row in of if row["country"] in names], "right"),
                        minlength=len(edges) + 1)
            for of in (live, train)
        ]  # fmt: skip
        expected = np.abs(shares[0] / shares[0].sum() - shares[1] / shares[1].sum()).sum() / 2
        assert one.total_variation[at, amount] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(one.total_variation[3]).all()  # no row without a country on either side


def test_what_divides_the_traffic_is_not_scored_within_its_segments(profile: Profile) -> None:
    monitor = watched(profile, said(["country"]), sent(rows(500, 5), 1.0))
    place = [column.name for column in profile.features].index("country")
    assert np.isnan(of_window(monitor, "country", 1.0).total_variation[:, place]).all()


def test_a_value_that_the_training_data_do_not_list_has_no_score_and_the_rest_neither(profile: Profile) -> None:
    live = [row | {"country": "new" if row["country"] == "A" else row["country"]} for row in rows(1000, 6)]
    monitor = watched(profile, said([{"name": "country", "values": ["B", "new"]}]), sent(live, 1.0))
    one = of_window(monitor, "country", 1.0)
    assert (~np.isnan(one.total_variation)).any(axis=1).tolist() == [True, False, False, False]


@pytest.mark.parametrize("way", ["header", "stranger", "feature"])
def test_a_row_is_of_the_same_segment_whatever_says_so(profile: Profile, tmp_path: Path, way: str) -> None:
    """A header, a field that is no feature, or a feature."""
    live = rows(1500, 7, shifted="C")
    by = [{"name": "country", "header": "X-Country"}] if way == "header" else ["country"]
    if way != "feature":
        train = rows(10_000, 1)
        profile = profile_of(tmp_path, train, ignored=["country"], segments={"country": ()})
    monitor = watched(profile, said(by), sent(live, 1.0, header="x-country" if way == "header" else ""))
    expected = Counter(("country", row["country"]) for row in live)
    assert counted(monitor) == expected
    amount = [column.name for column in profile.features].index("amount")
    assert ("C", amount) in beyond(of_window(monitor, "country", 1.0))
    assert ("C", 0) in beyond(of_window(monitor, "country", 1.0, side="outputs"))


@pytest.mark.parametrize(("size", "flush_every"), [(1, 1), (1, 7), (5, 3), (60, 1000), (600, 1)])
def test_batches_and_flushes_change_nothing(profile: Profile, size: int, flush_every: int) -> None:
    by = ["country", "age", {"name": "town"}, {"name": "tenant", "field": "tenant"}]
    live = [row | {"tenant": f"t{at % 7}" if at % 3 else None} for at, row in enumerate(rows(600, 8))]
    alike = watched(profile, said(by), sent(live, 1.0))
    other = watched(profile, said(by), sent(live, 1.0, size=size), flush_every)
    mine, theirs = alike.arrays(), other.arrays()
    kept = [name for name in mine if ".segments." in name]
    assert len(kept) == 1 + 1 + 2 * 2 * 2
    for name in kept:
        assert (mine[name] == theirs[name]).all(), name


def test_the_order_of_rows_changes_nothing_where_values_are_known(profile: Profile) -> None:
    live = rows(600, 8)
    mine, theirs = (
        watched(profile, said(["country", "age"]), sent(given, 1.0, size=11)).arrays() for given in (live, live[::-1])
    )
    assert all((mine[name] == theirs[name]).all() for name in mine if ".segments." in name)


class Record:
    """Keeps what segments the two sides of a row are of."""

    def __init__(self) -> None:
        self.segments: list[tuple[int, int]] = []

    def add(self, paired: Paired) -> None:
        self.segments += zip(paired.features.segments[:, 0], paired.outputs.segments[:, 0], strict=True)

    def arrays(self, _prefix: str) -> Arrays:
        return {}

    def held(self, _prefix: str, _now: float) -> Arrays:
        return {}

    def put_back(self, _held: Arrays, _prefix: str, _shift_s: float, _now: float) -> None:
        """Nothing."""

    def snapshot(self, _now: float) -> Iterator[Told]:
        yield from ()


def test_a_rows_segment_is_known_on_both_sides(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record()

    def made(_features: Scope, _outputs: Scope) -> Record:
        return record

    monkeypatch.setattr(joint, "JOINTS", {"record": made})
    live = rows(300, 9)
    watched(profile, said(["country"]), sent(live, 1.0, size=4))
    listed = next(one for one in profile.segments if one.name == "country").values
    assert record.segments == [(listed.index(row["country"]),) * 2 for row in live]


def test_answers_whose_rows_cannot_be_paired_are_of_no_segment_but_a_headers(profile: Profile) -> None:
    live = rows(400, 10)
    by = ["country", {"name": "tenant", "header": "x-country", "values": list(COUNTRIES)}]
    exchanges = [
        exchange(b"{}" if at % 2 else [row], [1.0], 1.0, request_headers={"x-country": row["country"]})
        for at, row in enumerate(live)
    ]
    arrays = watched(profile, said(by), exchanges).arrays()
    (panes,) = (array for name, array in arrays.items() if ".segments." in name and ".outputs.10.1.panes" in name)
    totals = panes.sum(axis=(0, 3))[:, 0]
    country, tenant = totals[:12], totals[12:]
    assert (country.sum(), tenant.sum()) == (200, 400)
    assert tenant[:10].tolist() == [sum(row["country"] == name for row in live) for name in COUNTRIES]


# --- values as they come


def test_a_value_has_a_segment_once_more_rows_had_it_than_a_category_needs(profile: Profile) -> None:
    live = [row | {"tenant": "big" if at % 2 else "small" if at % 20 == 0 else None}
            for at, row in enumerate(rows(200, 11))]  # fmt: skip
    monitor = watched(profile, said([{"name": "tenant"}]), sent(live, 1.0))
    # ten rows of each are among the others first; ten are all that the small one has
    assert counted(monitor) == {("tenant", "big"): 90, ("tenant", "other"): 20, ("tenant", "missing"): 90}


def test_names_that_may_be_somebodys_get_no_segment(profile: Profile) -> None:
    names = ["anna@example.com", "4111 1111 1111 1111", "x" * 200, "other", "a\nb", "plain"]
    live = [row | {"tenant": names[at % len(names)]} for at, row in enumerate(rows(600, 12))]
    monitor = watched(profile, said(["tenant"]), sent(live, 1.0, size=30))
    assert counted(monitor) == {("tenant", "plain"): 90, ("tenant", "other"): 510}


def test_a_hundred_thousand_names_fill_no_memory_and_the_rest_is_other() -> None:
    found = Found(10)
    names = [f"u{at}" for at in range(100_000)]
    often = [f"t{at % 12}" for at in range(100_000)]
    mixed = [name for pair in zip(names, often, strict=True) for name in pair]
    places: NDArray[np.uint8] = np.concatenate([found.places(mixed[at : at + 997]) for at in range(0, len(mixed), 997)])
    assert len([name for name in found.labels() if name]) == 10
    assert all(str(name).startswith("t") for name in found.labels())
    assert (places == 10).sum() >= 100_000
    assert (Found(10).places(mixed) == places).all()  # all at once is the same
    assert found.looked_up("never") == 10
    assert found.looked_up(None) == 11
    waiting = Found(10)
    waiting.places(names)
    assert waiting.labels() == [None] * 10
    assert len(waiting._waiting) <= 1024


# --- what is kept


def test_counts_names_and_windows_go_on_from_what_was_kept(profile: Profile) -> None:
    by = ["country", {"name": "tenant"}]
    live = [row | {"tenant": f"t{at % 5}"} for at, row in enumerate(rows(800, 13))]
    whole = watched(profile, said(by), sent(live, 1.0))
    first = watched(profile, said(by), sent(live[:400], 1.0))
    successor = Monitor(profile, WINDOWS, (), said(by))
    for name, array in successor.arrays().items():
        array[...] = first.arrays()[name]
    for one in sent(live[400:], 1.0):
        successor.observe(one, Decoder().decode(one))
    successor.flush()
    assert counted(successor) == counted(whole)
    mine, theirs = (of_window(one, "country", 1.0).total_variation for one in (successor, whole))
    np.testing.assert_array_equal(mine, theirs)


def test_windows_come_back_from_disk_under_the_names_that_they_had(profile: Profile) -> None:
    by = ["country", {"name": "tenant"}]
    early = [row | {"tenant": f"t{at % 3}"} for at, row in enumerate(rows(300, 14))]
    late = [row | {"tenant": f"t{2 - at % 3}"} for at, row in enumerate(rows(300, 15))]
    before = watched(profile, said(by), sent(early, 100.0))
    after = watched(profile, said(by), sent(late, 50.0))  # another clock, another order of names
    after.put_back(dict(before.held(100.0)), -90.0, 50.0)
    np.testing.assert_array_equal(
        of_window(after, "country", 50.0, "2m").samples,
        of_window(before, "country", 100.0, "2m").samples
        + of_window(watched(profile, said(by), sent(late, 50.0)), "country", 50.0, "2m").samples,
    )
    (panes,) = (a for name, a in after.arrays().items() if ".segments." in name and ".features.120.10.panes" in name)
    labels = [one.value for one in after.snapshot(50.0).segments.rows if one.segment == "tenant"]  # type: ignore[union-attr]
    of_tenants = panes.sum(axis=(0, 3))[12:, 0]
    assert labels == ["t2", "t1", "t0", "other", "missing"]
    assert of_tenants[[0, 1, 2]].tolist() == [90 * 2] * 3
    assert of_tenants[10] == 60


def test_windows_forget_to_a_twelfth_of_their_length(profile: Profile) -> None:
    monitor = watched(profile, said(["country"]), sent(rows(300, 16), 5.0))
    assert of_window(monitor, "country", 5.0, "2m").samples.sum() == 300
    assert of_window(monitor, "country", 118.0, "2m").samples.sum() == 300
    assert of_window(monitor, "country", 131.0, "2m").samples.sum() == 0
    assert np.isnan(of_window(monitor, "country", 131.0, "2m").total_variation).all()


# --- what is not there


def test_who_asks_for_no_segments_pays_for_none(profile: Profile) -> None:
    monitor = watched(profile, Said(), sent(rows(20, 17), 1.0))
    assert monitor.snapshot(1.0).segments is None
    assert not [name for name in monitor.arrays() if ".segments." in name]
    assert not [name for name, _ in monitor.held(1.0) if name.startswith("segments")]
    assert Sides(None, WINDOWS, said(["country"])).segmented(1.0) is None


def told(profile: Profile, what: Said) -> list[str]:
    monitor = Sides(profile, WINDOWS, Said())
    return divided(profile, what, {name: block.scope for name, block in monitor.blocks()})[1]


def test_what_cannot_be_had_is_said(profile: Profile, tmp_path: Path) -> None:
    assert told(profile, said(["country", "age"])) == []
    (line,) = told(profile, said(["town"]))
    assert line.startswith("town: the profile does not divide the training data so")
    (line,) = told(profile, said([{"name": "age", "values": [1]}]))
    assert line == "age: is a feature of numbers: give edges instead of values: it is left out"
    (line,) = told(profile, said([{"name": "town", "edges": [1]}]))
    assert line == "town: has edges, and its values are categorical: it is left out"
    (line,) = told(profile, said([{"name": "age", "edges": [40]}]))
    assert "rows are counted and nothing is scored" in line
    constant = profile_of(tmp_path, [row | {"age": 7} for row in rows(200, 18)])
    (line,) = told(constant, said(["age"]))
    assert line.startswith("age: is a feature of which all values lie in one bin")


def test_what_does_not_fit_into_memory_is_left_out_and_said(profile: Profile) -> None:
    both = said(["country", "age"])
    size = sum(array.nbytes for name, array in Monitor(profile, WINDOWS, (), said(["country"])).arrays().items()
               if ".segments." in name and name.endswith(".panes"))  # fmt: skip
    assert told(profile, both._replace(segment_bytes=size * 2)) == []
    (line,) = told(profile, both._replace(segment_bytes=size))
    assert line.startswith("age: the counts would take")
    monitor = watched(profile, both._replace(segment_bytes=size), sent(rows(20, 19), 1.0))
    assert {segment for segment, _ in counted(monitor)} == {"country"}


def test_a_column_whose_normal_was_adopted_is_not_held_against_its_training(profile: Profile) -> None:
    amount = [column.name for column in profile.features].index("amount")
    adopted = replace(profile, replaced=(("features", profile.features[amount]),))
    one = of_window(watched(adopted, said(["country"]), sent(rows(1000, 20), 1.0)), "country", 1.0)
    assert np.isnan(one.total_variation[:, amount]).all()
    assert not np.isnan(one.total_variation[:10, amount + 1]).all()


def test_settings_travel_and_their_faults_are_named() -> None:
    by = ["country", {"name": "tenant", "header": "X-Tenant", "values": ["a", 7]},
          {"name": "age", "field": "person.age", "edges": [18, 30.5]}]  # fmt: skip
    settings = config.resolve(("file", {"segments.by": by, "segments.limit": 3}))
    assert config.from_document(json.loads(json.dumps(config.to_document(settings)))) == settings
    assert settings.kept_headers == ("x-tenant",)
    assert config.resolve(("flag", {"segments.by": json.dumps(by)})).segments.by == settings.segments.by
    assert [one.name for one in config.resolve(("flag", {"segments.by": "a, b"})).segments.by] == ["a", "b"]


@pytest.mark.parametrize(("by", "words"), [
    ([{"name": "a", "feild": "b"}], "file: segments.by[0].feild: unknown key, did you mean field?"),
    (["a", {"name": "b", "values": ["x", True]}], "segments.by[1].values[1]: must be text, write it in quotes"),
    ([{"name": "b", "values": ["other"]}], "segments.by[0].values[0]: 'other' is what the rest is called"),
    ([{"name": "b", "values": ["x", "x"]}], "segments.by[0].values: one value is there twice"),
    ([{"name": "b", "values": []}], "segments.by[0].values: must be a list of 1 to 50"),
    ([{"name": "b", "edges": [3, 3]}], "segments.by[0].edges: must be ascending"),
    ([{"name": "b", "edges": [1, 1.0000000001]}], "segments.by[0].edges: must differ in their first six digits"),
    ([{"name": "b", "edges": [float("nan")]}], "segments.by[0].edges[0]: must be a finite number"),
    ([{"name": "b", "edges": [1], "values": ["x"]}], "segments.by[0].edges: has no meaning beside values"),
    ([{"name": "b", "field": "x", "header": "y"}], "segments.by[0].header: has no meaning beside field"),
    ([{"name": "b", "header": "a b"}], "segments.by[0].header: must be the name of a header"),
    ([{"field": "x"}], "segments.by[0].name: must be text"),
    (["a", "a"], "segments.by: two of them have one name"),
    (list("abcde"), "segments.by: must not be more than 4"),
    (3, "segments.by: must be a list of names"),
    ("[{", "segments.by: must be JSON"),
    ([3], "segments.by[0]: must be a name or a mapping"),
])  # fmt: skip
def test_a_fault_in_the_settings_is_named_by_its_path(by: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        config.resolve(("file", {"segments.by": by}))


def test_unknown_segments_are_no_place_that_any_has() -> None:
    assert UNKNOWN_SEGMENT >= 4 * (50 + 2)
