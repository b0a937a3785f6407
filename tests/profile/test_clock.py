"""Times are read however they are written, and hours of the week are those of the clocks on the wall."""

import math
import pickle
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from exporter.errors import ConfigError
from exporter.profile import arrow_cells, frames
from exporter.profile.cells import MissingCells, NumberCells, ObjectCells
from exporter.profile.clock import GAP, Clock, NoTime
from exporter.profile.texts import TextCells

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]
NOON = 1_769_860_800_000_000
"""2026-01-31T12:00Z."""


def read(cells: Any, zone: str = "UTC") -> list[int]:
    return [int(time) for time in Clock(zone).read(cells)]


@pytest.mark.parametrize("text", [
    "2026-01-31T12:00:00Z", "2026-01-31 12:00:00", "2026-01-31T12:00", "20260131T120000Z", "2026-01-31T13:00:00+01:00",
    "2026-01-31 12:00:00 UTC", " 2026-01-31 12:00:00.000000 ", "2026-W05-6T12:00", "1769860800", "1769860800.0",
    "1769860800000", "1769860800000000", "1769860800000000000", "1.7698608e9", "2026-01-31T12:00:00.000000000Z",
])  # fmt: skip
def test_a_time_may_be_written_in_many_ways(text: str) -> None:
    assert read(TextCells([text])) == [NOON]
    assert read(TextCells([text, "", "2026-01-31T12:00:00Z"])) == [NOON, GAP, NOON]
    assert read(ObjectCells([text, None])) == [NOON, GAP]
    assert read(arrow_cells.cells(pa.array([text, None]))) == [NOON, GAP]


@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_numbers_are_of_the_unit_that_their_size_says(kind: Any) -> None:
    times = np.array([1_769_860_800 * 1000**power for power in range(4)], kind)
    assert read(NumberCells(times, np.zeros(4, bool), nameless=True)) == [NOON] * 4
    assert read(NumberCells(times, np.array([0, 1, 0, 0], bool), nameless=True)) == [NOON, GAP, NOON, NOON]


@pytest.mark.parametrize("zone", ZONES)
def test_many_dates_are_read_as_each_of_them(zone: str) -> None:
    days = [20260131.0, 20261025.0, 20260329.0, 20261399.0, 20260131.5, 1_769_860_800.0, math.nan, 20260131.0]
    each = [time for day in days for time in read(ObjectCells([day]), zone)]
    assert read(ObjectCells(days), zone) == each
    assert len(set(each)) == 7


def test_whole_numbers_may_be_dates() -> None:
    day = int(datetime(2026, 1, 31, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) * 10**6
    assert read(TextCells(["20260131", "2026-01-31"]), "Europe/Berlin") == [day, day]
    assert read(TextCells(["20260131"]), "Europe/Berlin") == [day]
    assert read(ObjectCells([20260131]), "Europe/Berlin") == [day]
    assert read(TextCells(["20260132"])) == [20260132 * 10**6]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_typed_times_are_read_as_they_are(zone: str, unit: str) -> None:
    wall = pd.Series(pd.to_datetime(["2026-03-29T01:30:00", None, "2026-11-01T12:00:01"])).dt.as_unit(unit)
    expected = [GAP if pd.isna(one) else int(one.to_pydatetime().replace(tzinfo=ZoneInfo(zone)).timestamp()) * 10**6
                for one in wall]  # fmt: skip
    there = [int(one) * 10**6 if one != GAP else GAP for one in (np.array(expected) // 10**6).tolist()]
    there[1] = GAP
    aware = wall.dt.tz_localize("UTC")
    aware_times = [GAP if pd.isna(one) else int(one.timestamp()) * 10**6 for one in aware]
    for series, times in ((wall, expected), (aware, aware_times)):
        arrow = pa.array(series)
        for table in (pd.DataFrame({"t": series}), pa.table({"t": arrow}), {"t": series},
                      pd.DataFrame({"t": series.astype(pd.ArrowDtype(arrow.type))})):  # fmt: skip
            (piece,) = frames.pieces(table, [])
            assert read(piece.cells, zone) == times
    (piece,) = frames.pieces({"t": wall.to_numpy()}, [])
    assert read(piece.cells, zone) == expected


@pytest.mark.parametrize("zone", ZONES)
def test_hours_are_those_of_the_wall_on_every_day_of_two_years(zone: str) -> None:
    times = np.arange(1_735_689_600, 1_735_689_600 + 2 * 366 * 86_400, 900) * 10**6
    local = pd.to_datetime(times, unit="us", utc=True).tz_convert(zone)
    assert np.array_equal(Clock(zone).hours_of_week(times), local.day_of_week * 24 + local.hour)


@pytest.mark.parametrize(("zone", "utc", "wall"), [
    ("Europe/Berlin", "2026-03-29T00:59:59", (6, 1)), ("Europe/Berlin", "2026-03-29T01:00:00", (6, 3)),
    ("Europe/Berlin", "2026-10-25T00:30:00", (6, 2)), ("Europe/Berlin", "2026-10-25T01:30:00", (6, 2)),
    ("America/New_York", "2026-03-08T06:59:59", (6, 1)), ("America/New_York", "2026-03-08T07:00:00", (6, 3)),
    ("America/New_York", "2026-11-01T05:30:00", (6, 1)), ("America/New_York", "2026-11-01T06:30:00", (6, 1)),
    ("Asia/Kolkata", "2026-06-01T18:29:59", (0, 23)), ("Asia/Kolkata", "2026-06-01T18:30:00", (1, 0)),
    ("Australia/Lord_Howe", "2026-04-04T14:59:59", (6, 1)), ("Australia/Lord_Howe", "2026-04-04T15:00:00", (6, 1)),
    ("Australia/Lord_Howe", "2026-04-04T15:30:00", (6, 2)), ("Australia/Lord_Howe", "2026-10-03T15:29:59", (6, 1)),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00", (6, 2)),
])  # fmt: skip
def test_days_on_which_clocks_change_have_their_hours(zone: str, utc: str, wall: tuple[int, int]) -> None:
    time = int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * 10**6
    assert int(Clock(zone).hours_of_week(np.array([time]))[0]) == wall[0] * 24 + wall[1]


def test_an_hour_that_is_repeated_is_its_first_and_one_that_is_skipped_goes_on() -> None:
    texts = ["2026-10-25T02:30", "2026-03-29T02:30", "2026-10-25T02:30+01:00"]
    times = [datetime.fromtimestamp(time / 10**6, UTC).isoformat() for time in read(TextCells(texts), "Europe/Berlin")]
    assert times == ["2026-10-25T00:30:00+00:00", "2026-03-29T01:30:00+00:00", "2026-10-25T01:30:00+00:00"]


@pytest.mark.parametrize("zone", ZONES)
def test_what_the_wall_says_is_what_python_takes_it_for(zone: str) -> None:
    wall = pd.date_range("2025-01-01", "2026-12-31", freq="30min")
    expected = [int(one.to_pydatetime().replace(tzinfo=ZoneInfo(zone)).timestamp()) for one in wall]
    (piece, *_) = frames.pieces({"t": wall.to_numpy()}, [])
    assert [time // 10**6 for time in read(piece.cells, zone)] == expected


@pytest.mark.parametrize(("cells", "place", "words"), [
    (TextCells(["", "2026-01-31", "soon"]), 2, "'soon' is no time"), (TextCells(["1", "inf"]), 1, "infinite"),
    (TextCells(["2026-13-01"]), 0, "'2026-13-01' is no time"), (ObjectCells([None, True]), 1, "'true' is no time"),
    (TextCells(["9999-12-31T00:00:00"]), 0, "beyond what a calendar holds"), (ObjectCells([[1]]), 0, "is no time"),
    (NumberCells(np.array([5.0, 1e300]), np.zeros(2, bool), nameless=True), 1, "beyond what a calendar holds"),
    (ObjectCells([10**400]), 0, "infinite"), (TextCells(["1_000"]), 0, "'1_000' is no time"),
])  # fmt: skip
def test_what_is_no_time_is_named_with_its_place(cells: Any, place: int, words: str) -> None:
    with pytest.raises(NoTime, match=words) as caught:
        Clock("Europe/Berlin").read(cells)
    assert caught.value.place == place


def test_gaps_have_no_hour_and_a_clock_can_be_pickled() -> None:
    clock = pickle.loads(pickle.dumps(Clock("Asia/Kolkata")))  # noqa: S301
    times = clock.read(MissingCells(2))
    assert times.tolist() == [GAP, GAP]
    assert clock.hours_of_week(times).tolist() == [168, 168]


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc/passwd", "/etc/passwd"])
def test_an_unknown_zone_is_a_fault_of_the_command(zone: str) -> None:
    with pytest.raises(ConfigError, match="--time-zone: no time zone is called"):
        Clock(zone)
