"""Columns in a few parts each: of about as many rows, and called by what they hold."""

from typing import Any

import numpy as np
import pytest
from monitor_scenes import exchange
from profile_tables import write_csv

from exporter.decode import Decoder
from exporter.monitor.batch import Batch
from exporter.monitor.cell_codes import MOST, MOST_CODES, CellCodes, coded
from exporter.monitor.gathering import Watching
from exporter.monitor.said import NOTHING_SAID
from exporter.monitor.sides import Sides
from exporter.profile.build import Plan, build
from exporter.records import Table
from exporter.reference import Column, Profile
from exporter.sections import Segments, Windows
from exporter.segmentations import segmentations

ROWS = 4000
WINDOWS = Windows(pane=1.0, lengths=(10.0,))


def table(rows: int, seed: int) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    towns = [f"t{at:02}" for at in range(15)]
    return {
        "age": [*map(float, random.integers(18, 90, rows))],
        "amount": random.lognormal(3, 1, rows).tolist(),
        "town": random.choice(towns, rows, p=np.arange(15, 0, -1) / 120).tolist(),
        "member": random.choice(["true", "false"], rows).tolist(),
        "fixed": [7.0] * rows,
    }


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    columns = table(ROWS, 1)
    columns["score"] = columns["age"]
    return build(Plan(write_csv(tmp_path_factory.mktemp("codes") / "train.csv", columns), ["score"]))[0]


def batch_of(profile: Profile, rows: list[dict[str, Any]]) -> Batch:
    features = Sides(profile, WINDOWS, NOTHING_SAID, Watching()).features
    assert features
    table = Decoder().decode(exchange(rows, [0.0] * len(rows), 1.0)).features
    assert isinstance(table, Table)
    features.add(features.fit(table), table, 0, len(rows))
    found = features.flush(1.0)
    assert found
    return found


def as_rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def codes_of(profile: Profile, *names: str) -> CellCodes:
    return CellCodes(profile.features, names or [column.name for column in profile.features])


def test_numbers_are_divided_into_parts_of_about_as_many_rows_each(profile: Profile) -> None:
    codes = codes_of(profile, "age", "amount")
    found = codes.of_batch(batch_of(profile, as_rows(table(ROWS, 2))))
    assert found.shape == (ROWS, 2)
    for at, size in enumerate(codes.sizes):
        assert 6 <= size <= MOST_CODES
        shares = np.bincount(found[:, at], minlength=size) / ROWS
        assert shares[-1] == 0  # nobody lacks a value
        assert shares[:-1].min() > 0.04
        assert shares[:-1].max() < 0.25


def test_names_are_the_nine_most_frequent_ones_and_all_else(profile: Profile) -> None:
    codes = codes_of(profile, "town", "member")
    rows = [{"town": "t00", "member": True}, {"town": "t14", "member": "false"}, {"town": "new"}, {"member": "odd"}]
    found = codes.of_batch(batch_of(profile, [{"age": 20.0, "amount": 1.0, "fixed": 7.0, **row} for row in rows]))
    texts = [[codes.text(at, int(code)) for at, code in enumerate(row)] for row in found]
    assert texts == [
        ["town=t00", "member=true"], ["town other", "member=false"], ["town other", "member missing"],
        ["town missing", "member other"],
    ]  # fmt: skip
    assert codes.sizes[0] == MOST_CODES


def test_each_part_says_in_words_which_numbers_are_in_it(profile: Profile) -> None:
    codes = codes_of(profile, "age")
    given = [*map(float, range(10, 100)), None, float("inf")]
    rows = [{"age": age, "amount": 1.0, "town": "t00", "member": True, "fixed": 7.0} for age in given]
    found = codes.of_batch(batch_of(profile, rows))[:, 0].tolist()
    for age, code in zip(given, found, strict=True):
        text = codes.text(0, code)
        if age is None or age == float("inf"):
            assert text == "age missing"
        elif " to " in text:
            low, high = map(float, text.removeprefix("age ").split(" to "))
            assert low - 1e-3 <= age <= high + 1e-3
        elif "below" in text:
            assert age < float(text.removeprefix("age below "))
        else:
            assert age >= float(text.removeprefix("age ").removesuffix(" and above"))
    assert found == sorted(found)
    assert len({codes.text(0, code) for code in range(codes.sizes[0])}) == codes.sizes[0]


@pytest.mark.parametrize(("first", "step"), [(1_700_000_000.0, 500.0), (0.1, 1e-9), (-1e15, 0.125), (0.0, 1 / 3)])
def test_parts_that_lie_close_together_are_not_called_alike(first: float, step: float) -> None:
    edges = tuple(first + step * at for at in range(13))
    column = Column("when", "numeric", (50, *[100] * 12, 50, 0, 0), edges)
    codes = CellCodes([column], ["when"])
    assert len({codes.text(0, code) for code in range(codes.sizes[0])}) == codes.sizes[0]


def test_a_column_of_one_value_is_one_part(profile: Profile) -> None:
    codes = codes_of(profile, "fixed")
    found = codes.of_batch(batch_of(profile, as_rows(table(50, 3))))
    assert {*found[:, 0].tolist()} == {found[0, 0]}


def test_what_divides_the_traffic_and_is_a_feature_is_searched_if_nobody_says_otherwise(profile: Profile) -> None:
    features = Sides(profile, WINDOWS, NOTHING_SAID, Watching()).features
    assert features
    by = segmentations(["town", {"name": "tenant", "header": "X-Tenant"}, {"name": "years", "field": "age"}])
    assert coded(Segments(by=by), features.scope).names == ("town", "age")
    assert coded(Segments(), features.scope).names == ()
    assert coded(Segments(by=by), None).names == ()
    assert len(coded(Segments(by=by), features.scope).names) <= MOST


def test_what_is_no_feature_is_refused(profile: Profile) -> None:
    with pytest.raises(ValueError, match="'nothing' is no feature"):
        codes_of(profile, "nothing")
