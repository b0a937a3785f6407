"""Windows of local time in which nothing is held against a model."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from evidence.streams import MONDAY, fed, moved, stream

from exporter.evidence.engine import Engine
from exporter.evidence.planned import Planned, told
from exporter.evidence.terms import Terms
from exporter.guarantees import Evidence
from exporter.planned_windows import planned_windows

BERLIN = "Europe/Berlin"
MINUTE = 60


def planned(*said: dict[str, Any]) -> Planned:
    return Planned(planned_windows(list(said)))


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def berlin(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).timestamp()


def nightly(**more: object) -> dict[str, Any]:
    every = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return {"name": "nightly", "days": every, "from": "02:00", "to": "03:00", "zone": BERLIN, **more}


SALE = {"name": "sale", "from": "2026-11-27T00:00", "to": "2026-11-30T00:00", "zone": BERLIN}


def minutes(of: Planned, begin_s: float, hours: int) -> list[float]:
    """Those that are planned, of some hours."""
    return [at for at in (begin_s + MINUTE * one for one in range(60 * hours)) if of.at(at)]


def test_a_window_that_is_there_once_has_its_first_moment_and_not_its_last() -> None:
    of = planned(SALE)
    begin, end = utc("2026-11-26T23:00"), utc("2026-11-29T23:00")
    assert [of.at(at) for at in (begin - 1, begin, end - 1, end)] == [None, "sale", "sale", None]


def test_without_a_zone_times_are_utc() -> None:
    of = planned({**SALE, "zone": "UTC"}, {"name": "test", "from": "2026-05-05", "to": "2026-05-06"})
    assert of.at(utc("2026-11-27T00:00")) == "sale"
    assert [of.at(utc(f"2026-05-0{day}T23:59:59")) for day in (4, 5, 6)] == [None, "test", None]


def test_nothing_planned_is_never() -> None:
    assert (Planned(()).at(0.0), Planned(()).next(0.0), Planned(()).during(0.0, 9e9)) == (None, None, None)


def test_a_window_of_weekdays_crosses_midnight_and_belongs_to_the_day_on_which_it_begins() -> None:
    of = planned({"name": "backfill", "days": ["mon"], "from": "22:00", "to": "02:00"})
    monday = utc("2026-11-23T00:00")
    found = minutes(of, monday - 24 * 3600, 24 * 8)
    assert found == [monday + 22 * 3600 + MINUTE * one for one in range(240)]


def test_days_of_months_are_counted_from_both_ends_in_every_month() -> None:
    of = planned({"name": "month end", "monthdays": [1, -1], "from": "00:00", "to": "24:00"})
    noons = [datetime(2028, 1, 1, 12, tzinfo=UTC) + timedelta(days=one) for one in range(366)]
    found = {noon.date() for noon in noons if of.at(noon.timestamp())}
    assert found == {noon.date() for noon in noons if noon.day == 1 or (noon + timedelta(days=1)).day == 1}


def test_a_month_without_a_31st_has_no_window_on_it() -> None:
    of = planned({"name": "close", "monthdays": [31], "from": "01:00", "to": "02:00"})
    assert of.at(utc("2026-03-31T01:30")) == "close"
    coming = of.next(utc("2026-01-31T02:00"))
    assert coming is not None
    assert coming.begin_s == utc("2026-03-31T01:00")


def test_two_days_in_a_row_that_are_planned_whole_have_no_gap_between_them() -> None:
    of = planned({"name": "weekend", "days": ["sat", "sun"], "from": "00:00", "to": "24:00", "zone": BERLIN})
    assert len(minutes(of, berlin("2026-11-20T12:00"), 72)) == 48 * 60


def test_a_window_in_the_hour_that_is_skipped_comes_as_soon_as_the_clock_goes_on_and_is_not_shorter() -> None:
    jump = utc("2026-03-29T01:00")  # 02:00 is 03:00
    assert minutes(planned(nightly()), jump - 3600 * 3, 8) == [jump + MINUTE * one for one in range(60)]
    half = nightly(**{"from": "02:15", "to": "02:45"})
    assert minutes(planned(half), jump - 3600 * 3, 8) == [jump + MINUTE * one for one in range(15, 45)]


def test_a_window_around_the_hour_that_is_skipped_lasts_as_long_as_on_other_days() -> None:
    of = planned(nightly(**{"from": "01:00", "to": "05:00"}))
    begin = utc("2026-03-29T00:00")
    assert minutes(of, begin - 3600 * 3, 12) == [begin + MINUTE * one for one in range(240)]


def test_a_window_in_the_hour_that_is_repeated_lasts_from_its_first_time_to_its_second() -> None:
    of = planned(nightly(**{"from": "02:15", "to": "02:45"}))
    begin = utc("2026-10-25T00:15")  # 02:15 of summer; at 01:00 the clock shows 02:00 again
    assert minutes(of, begin - 3600 * 3, 8) == [begin + MINUTE * one for one in range(90)]


def test_long_windows_keep_to_the_clock_on_the_wall_when_it_changes() -> None:
    of = planned({"name": "freeze", "from": "2026-03-27T00:00", "to": "2026-03-31T00:00", "zone": BERLIN})
    assert len(minutes(of, berlin("2026-03-26T00:00"), 24 * 7)) == 60 * (4 * 24 - 1)


@pytest.mark.parametrize("zone", [BERLIN, "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"])
def test_a_window_of_each_day_comes_once_a_day_wherever_one_is(zone: str) -> None:
    of = planned(nightly(zone=zone))
    at, begins = utc("2026-01-01T00:00"), list[float]()
    while at < utc("2027-01-01T00:00"):
        coming = of.next(at)
        assert coming is not None
        assert coming.begin_s < coming.end_s
        assert of.at(coming.begin_s) == "nightly"
        begins.append(coming.begin_s)
        at = coming.end_s
    assert len(begins) in {365, 366}
    assert begins == sorted(set(begins))


def test_of_windows_that_are_on_together_the_first_one_said_is_named() -> None:
    inside = {"name": "flash", "from": "2026-11-28T00:00", "to": "2026-11-29T00:00", "zone": BERLIN}
    at = berlin("2026-11-28T12:00")
    assert (planned(SALE, inside).at(at), planned(inside, SALE).at(at)) == ("sale", "flash")


def test_next_is_the_one_that_is_on_or_else_the_one_to_come() -> None:
    of = planned(SALE, {"name": "earlier", "from": "2026-06-01", "to": "2026-06-02"})
    seen = [of.next(utc(text)) for text in ("2026-05-31", "2026-06-01T12:00", "2026-06-02", "2026-11-30")]
    assert [one and one.name for one in seen] == ["earlier", "earlier", "sale", None]


def test_a_pane_that_a_window_only_touches_is_planned() -> None:
    of = planned(SALE)
    begin, end = utc("2026-11-26T23:00"), utc("2026-11-29T23:00")
    panes = [(begin - 60, begin), (begin - 59, begin + 1), (end - 1, end + 59), (end, end + 60)]
    assert [of.during(*pane) for pane in panes] == [None, "sale", "sale", None]
    assert of.during(begin - 9000, end + 9000) == "sale"


def test_people_are_told_when_each_window_is_on_next_by_its_own_clocks() -> None:
    windows = planned_windows([SALE, nightly(), {"name": "test", "from": "2026-05-05", "to": "2026-05-06"}])
    assert [*told(windows, utc("2026-10-24T12:00"))] == [
        "sale: 2026-11-27 00:00+01:00 to 2026-11-30 00:00+01:00",
        "nightly: 2026-10-25 02:00+02:00 to 2026-10-25 03:00+01:00",
        "test: is over",
    ]
    assert next(told(windows, utc("2026-11-28T00:00"))).endswith(", on now")


def test_a_clock_that_is_put_back_is_believed() -> None:
    of = planned(SALE)
    inside = berlin("2026-11-28T00:00")
    assert [of.at(at) for at in (inside, berlin("2026-12-01"), inside, berlin("2026-11-01"), inside)] == [
        "sale", None, "sale", None, "sale",
    ]  # fmt: skip


def test_slow_drift_is_found_for_a_ticket_though_something_is_planned_each_night() -> None:
    of = planned(nightly())
    terms = Terms(Evidence(false_page_every=3e7), pane_s=600.0, planned=of.during)
    engine = Engine([stream(dependence=1.0, wander=0.0, source="profile", error=0.0)], terms)
    draw, panes = np.random.default_rng(9), 5 * 144

    def counts(pane: int) -> Any:
        wild = of.at(MONDAY + pane * 600.0) is not None
        return draw.multinomial(100, moved(0.2 if wild else 0.03))[None]

    assert fed(engine, range(panes), counts, pane_s=600.0) == []
    told = engine.told(MONDAY + panes * 600.0)
    assert told
    assert told.slow_nats >= told.slow_threshold
    assert told.nats < told.threshold / 2
