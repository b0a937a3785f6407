"""Of what a prediction is a part stands behind it while it waits for its truth, and is read with it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange
from numpy.testing import assert_array_equal
from profile_tables import write_csv

from exporter.decode import Decoder
from exporter.hindsight import Performance
from exporter.monitor import Monitor, segments
from exporter.monitor.belonging import Belonging
from exporter.monitor.cell_codes import coded
from exporter.monitor.gathering import Watching
from exporter.monitor.opening import Opened
from exporter.monitor.predicting import Hindsight
from exporter.monitor.said import NOTHING_SAID, Said
from exporter.monitor.sides import Sides
from exporter.performance.extra import Extra, pack
from exporter.performance.parts import UNKNOWN, Parts
from exporter.profile.build import Plan, build
from exporter.records import Failure
from exporter.reference import Profile
from exporter.scalars.salted import Salt
from exporter.sections import Segments, Windows
from exporter.segmentations import segmentations
from exporter.truths import Joined, Owner, key_of

WINDOWS = Windows(pane=1.0, lengths=(10.0,))
WIDTH = 16
"""Bytes of a label and a score."""
BY = ["country", {"name": "age", "edges": [30, 50]}, {"name": "tenant", "header": "X-Tenant"}]
NUMBERS = count(1)


def table(rows: int, seed: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    return [{"country": "ABCD"[int(random.integers(4))], "age": float(random.integers(18, 80))} for _ in range(rows)]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    given = table(2000, 1)
    random = np.random.default_rng(2)
    columns: dict[str, Any] = {name: [row[name] for row in given] for name in given[0]}
    columns |= {"p": random.random(2000).tolist(), "y": random.integers(0, 2, 2000).tolist()}
    plan = Plan(write_csv(tmp_path_factory.mktemp("parts") / "train.csv", columns), ["p"], target="y")
    return build(replace(plan, segments={"country": (), "age": (30.0, 50.0)}))[0]


def said(by: Any = BY) -> Said:
    return Said(segments=Segments(by=segmentations(by)))


def belonging(profile: Profile, what: Said) -> Belonging:
    """As another process would have it, that has seen nothing."""
    bare = NOTHING_SAID._replace(salt=what.salt)
    scopes = {name: block.scope for name, block in Sides(profile, WINDOWS, bare).blocks()}
    found = segments.made(profile, what, scopes)
    return Belonging(found.ways if found else (), coded(what.segments, scopes["features"]))


def see(
    profile: Profile, what: Said, requests: Sequence[tuple[list[dict[str, Any]], int, str]]
) -> list[Opened]:  # fmt: skip
    """What waits of some requests, each with rows (none: nobody could read them), answers, and whose it is."""
    monitor = Monitor(profile, WINDOWS, (), what, Watching(hindsight=Hindsight(True, Performance())))
    for number, (rows, answers, tenant) in enumerate(requests):
        headers = {"x-request-id": f"r{number}"} | ({"x-tenant": tenant} if tenant else {})
        one = exchange(rows or table(answers, 1), [0.7] * answers, 1.0, request_headers=headers)
        seen = Decoder().decode(one)
        monitor.observe(one, seen if rows else replace(seen, features=Failure("truncated")))
    monitor.flush()
    assert monitor.performing
    return monitor.performing.take()[0]


def joined(found: Sequence[Opened], extra: Extra | None = None) -> list[Joined]:
    told = pack(extra) if extra else b""
    return [Joined(next(NUMBERS), Owner("m", "1", "t"), one.at_ms, 2000, one.content, b"1", told) for one in found]


def called(profile: Profile, what: Said, parts: Parts) -> list[list[str | None]]:
    """Segments by what they are called, where these have names from the start."""
    scopes = {name: block.scope for name, block in Sides(profile, WINDOWS, NOTHING_SAID).blocks()}
    made = segments.made(profile, what, scopes)
    assert made
    labels = [label for way in made.ways for label in way.labels]
    return [[None if place == UNKNOWN else labels[place] for place in row] for row in parts.segments.tolist()]


def test_each_row_has_its_segments_and_cells_wherever_it_is_read(profile: Profile) -> None:
    rows = table(300, 3)
    found = see(profile, said(), [(rows[at : at + 3], 3, "") for at in range(0, 300, 3)])
    assert len(found) == 300
    at = belonging(profile, said())
    parts = at.read(joined(found), WIDTH)
    by_key = {one.key: row for row, one in enumerate(found)}
    ours = [by_key[key_of(f"r{row // 3}", row % 3)] for row in range(300)]
    names = called(profile, said(), parts)
    for row, place in zip(rows, ours, strict=True):
        age = row["age"]
        assert names[place] == [
            row["country"], "below 30" if age < 30 else "30 to 50" if age < 50 else "50 and above", "missing",
        ]  # fmt: skip
        texts = [at.codes.text(column, int(code)) for column, code in enumerate(parts.cells[place])]
        assert texts[0] == f"country={row['country']}"
        assert texts[1].startswith("age ")
    assert {len(one.content) for one in found} == {WIDTH + 2 + 3 * 3 + 1}


def test_answers_that_go_with_no_row_of_the_request_have_unknown_cells_and_what_their_headers_say(
    profile: Profile,
) -> None:
    what = said([*BY[:2], {"name": "tenant", "header": "X-Tenant", "values": ["acme"]}])
    found = see(profile, what, [([], 3, "acme"), (table(1, 1), 1, "acme")])
    parts = belonging(profile, what).read(joined(found), WIDTH)
    assert (parts.cells[:3] == UNKNOWN).all()
    assert (parts.cells[3] != UNKNOWN).all()
    assert called(profile, what, parts)[:3] == [[None, None, "acme"]] * 3


def test_values_that_got_their_places_in_another_order_are_the_same_segments(profile: Profile) -> None:
    what = said([{"name": "tenant", "header": "X-Tenant"}])
    one, other = ([(table(1, 1), 1, name) for name in names for _ in range(40)] for names in ("ab", "ba"))
    found = see(profile, what, one)
    there = Monitor(profile, WINDOWS, (), what)
    for rows, answers, name in other:
        exchanged = exchange(rows, [0.7] * answers, 1.0, request_headers={"x-tenant": name})
        there.observe(exchanged, Decoder().decode(exchanged))
    there.flush()
    made = there._sides._segments
    assert made
    assert [*made.ways[0].labels[:2]] == ["b", "a"]
    parts = Belonging(made.ways, coded(Segments(), None)).read(joined(found), WIDTH)
    places = [[*made.ways[0].labels].index(name) for name in ("a", "b", "other")]
    counts = np.bincount(parts.segments[:, 0], minlength=12)
    assert [int(counts[place]) for place in places] == [30, 30, 20]


def test_a_value_that_is_not_known_here_is_one_of_the_others_and_another_interval_is_unknown(profile: Profile) -> None:
    old = said([{"name": "country", "values": ["A", "B"]}, {"name": "age", "edges": [30, 50]}])
    new = said([{"name": "country", "values": ["A"]}, {"name": "age", "edges": [30, 60]}])
    found = see(profile, old, [([{"country": "B", "age": 20.0}], 1, ""), ([{"country": "A", "age": 70.0}], 1, "")])
    parts = belonging(profile, new).read(joined(found), WIDTH)
    assert called(profile, new, parts) == [["other", "below 30"], ["A", None]]


def test_what_is_told_with_a_truth_counts_before_what_was_seen_of_the_request(profile: Profile) -> None:
    found = see(profile, said(), [([{"country": "A", "age": 20.0}], 1, "")])
    at = belonging(profile, said())
    for age in ("62.5", "50 and above"):
        told = Extra(segments=(("age", age), ("country", "C")))
        assert called(profile, said(), at.read(joined(found, told), WIDTH)) == [["C", "50 and above", "missing"]]
    assert called(profile, said(), at.read(joined(found, Extra(weight=2.0)), WIDTH)) == [["A", "below 30", "missing"]]


def test_what_people_say_of_a_hashed_segment_is_hashed(tmp_path: Path) -> None:
    given, salt = table(500, 1), Salt(b"0123456789abcdef")
    columns: dict[str, Any] = {name: [row[name] for row in given] for name in given[0]}
    columns |= {"p": [0.2, 0.9] * 250, "y": [0, 1] * 250}
    source = write_csv(tmp_path / "train.csv", columns)
    profile = build(Plan(source, ["p"], target="y", salt=salt, hashed=["country"], segments={"country": ()}))[0]
    what = said(["country"])._replace(salt=salt)
    found = see(profile, what, [([{"country": "A", "age": 20.0}], 1, "")])
    at = belonging(profile, what)
    for told, name in ((None, "A"), (Extra(segments=(("country", "B"),)), "B")):
        parts = at.read(joined(found, told), WIDTH)
        assert [way.labels[parts.segments[0, 0]] for way in at.ways] == [salt.name(name)]
        assert at.number(0, name) == at.number(0, salt.name(name)) == parts.segments[0, 0]
    assert at.number(0, "nobody") is None


@pytest.mark.parametrize("by", [[], ["country"], [*BY[:2]]], ids=["nothing", "one way", "other ways"])
def test_what_was_written_under_other_settings_counts_and_its_parts_are_unknown(profile: Profile, by: Any) -> None:
    found = see(profile, said(by), [(table(2, 4), 2, "")])
    monitor = Monitor(profile, WINDOWS, (), said(), Watching(hindsight=Hindsight(True, Performance())))
    assert monitor.performing
    owner = Owner("m", "1", monitor.performing.task.written)
    usable = monitor.performing.join([one._replace(owner=owner) for one in joined(found)], 3.0)
    assert len(usable) == 2
    parts = belonging(profile, said()).read(joined(found), WIDTH)
    assert_array_equal(parts.segments, UNKNOWN)
    assert_array_equal(parts.cells, UNKNOWN)
    assert parts.segments.shape == (2, 3)
    assert parts.cells.shape == (2, 2)


def test_where_nothing_divides_the_traffic_nothing_stands_behind_a_prediction(profile: Profile) -> None:
    found = see(profile, NOTHING_SAID, [(table(2, 4), 2, "acme")])
    assert [len(one.content) for one in found] == [WIDTH, WIDTH]
    parts = belonging(profile, NOTHING_SAID).read(joined(found), WIDTH)
    assert parts.segments.shape == parts.cells.shape == (2, 0)
