"""Evidence over panes: false pages are as rare as promised at the edge of the tolerance, drift is found and named."""

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from evidence.streams import MONDAY, SHARES, fed, moved, stream

from exporter.evidence.bets import KINDS
from exporter.evidence.cohort import SHIFTS
from exporter.evidence.engine import Engine
from exporter.evidence.shapes import SHAPES
from exporter.evidence.standing import COLD, DEFAULT, PROFILE, SETTLED, TRAFFIC
from exporter.evidence.terms import Terms
from exporter.guarantees import Evidence

STREAMS = 8
KNOWN = {"dependence": 1.0, "wander": 0.0, "source": "profile"}


def draws(seed: int, rows: int, drifting: Any = None, at: int = 0) -> Any:
    draw = np.random.default_rng(seed)

    def counts(pane: int) -> Any:
        found = np.array([draw.multinomial(rows, SHARES) for _ in range(STREAMS)])
        if drifting is not None and pane >= at:
            found[3] = draw.multinomial(rows, drifting)
        return found

    return counts


@pytest.mark.parametrize("rows", [5, 50, 500])
def test_false_pages_are_as_rare_as_promised_at_the_edge_of_the_tolerance(rows: int) -> None:
    every = Evidence(false_page_every=200 * 60.0)
    engine = Engine([stream(**KNOWN, error=0.0)] * STREAMS, Terms(every))
    draw, panes = np.random.default_rng(rows), 2000
    pages = fed(engine, range(panes), lambda _: np.array([draw.multinomial(rows, moved(0.03)) for _ in range(STREAMS)]))
    assert len(pages) <= panes / 200


@pytest.mark.parametrize("rows", [50, 500])
def test_drift_is_found_in_time_with_its_stream_its_kind_its_onset_and_its_shape(rows: int) -> None:
    engine = Engine([stream(**KNOWN)] * STREAMS, Terms())
    (page,) = fed(engine, range(160), draws(rows, rows, moved(0.18), at=100))
    told = engine.told(MONDAY + 160 * 60)
    assert told
    assert 102 <= page < 130, "half an hour of PSI above 0.2 in a window of an hour"
    assert told.streams.argmax() == 3
    assert KINDS[told.kind[3]] == "up"
    assert told.onset_s[3] == pytest.approx(MONDAY + 100 * 60, abs=300)
    assert SHAPES[told.shape[3]] == "sudden"


def test_what_differs_from_the_first_row_on_began_with_it() -> None:
    engine = Engine([stream(**KNOWN)], Terms())
    fed(engine, range(10), lambda _: np.eye(1, SHARES.size, dtype=np.int64) * 100)
    told = engine.told(MONDAY)
    assert told
    assert told.onset_s.tolist() == [MONDAY]


def test_a_drift_that_grows_is_called_gradual() -> None:
    engine = Engine([stream(**KNOWN)], Terms())
    draw = np.random.default_rng(5)
    fed(engine, range(600), lambda pane: draw.multinomial(100, moved(max(0.0, (pane - 60) / 2500)))[None])
    told = engine.told(MONDAY)
    assert told
    assert told.nats >= told.threshold
    assert SHAPES[told.shape[0]] == "gradual"


def test_a_single_pane_cannot_page_and_an_empty_one_changes_nothing() -> None:
    engine = Engine([stream(**KNOWN)] * STREAMS, Terms())
    wild = np.zeros((STREAMS, SHARES.size), np.int64)
    wild[:, 0] = 10**6
    assert fed(engine, range(4), lambda _: wild) == [2]
    before = engine.told(MONDAY)
    engine.pane(np.zeros_like(wild), MONDAY + 240)
    after = engine.told(MONDAY)
    assert before
    assert after
    assert after.nats == before.nats


def test_evidence_goes_on_where_it_was_kept() -> None:
    whole, first, second = (Engine([stream(**KNOWN)] * STREAMS, Terms()) for _ in range(3))
    fed(whole, range(120), draws(2, 50, moved(0.1), at=30))
    counts = draws(2, 50, moved(0.1), at=30)
    fed(first, range(70), counts)
    assert second.put_back(dict(first.held("e")), "e")
    fed(second, range(70, 120), counts)
    one, other = whole.told(MONDAY), second.told(MONDAY)
    assert one
    assert other
    assert one.nats == other.nats
    assert np.array_equal(one.onset_s, other.onset_s)
    assert not second.put_back({"e.clock": np.zeros(1)}, "e")


QUICK = Evidence(warm_up=600.0, warm_up_rows=1000, learn=1200.0)


def test_before_its_warm_up_it_is_careful_and_says_so() -> None:
    engine = Engine([stream()] * STREAMS, Terms(QUICK))
    fed(engine, range(5), draws(1, 50))
    told = engine.told(MONDAY)
    assert told
    assert told.stage == COLD
    assert set(told.source.tolist()) == {DEFAULT}
    assert (told.dependence[0], told.tolerance[0]) == pytest.approx((5.0, 0.05 + 0.01))
    fed(engine, range(5, 15), draws(1, 250))
    told = engine.told(MONDAY)
    assert told
    assert told.stage == SETTLED
    assert set(told.source.tolist()) == {TRAFFIC}
    assert told.dependence[0] < 1.5


def test_neither_time_nor_rows_alone_end_a_warm_up() -> None:
    quiet, busy = (Engine([stream()] * STREAMS, Terms(QUICK)) for _ in range(2))
    fed(quiet, range(90), draws(1, 5))
    fed(busy, range(8), draws(1, 1000))
    stages = [told.stage for told in (quiet.told(MONDAY), busy.told(MONDAY)) if told]
    assert stages == [COLD, COLD]


def test_sessions_of_requests_that_are_alike_are_measured_and_page_nobody() -> None:
    engine = Engine([stream()], Terms(Evidence(warm_up=3600.0, warm_up_rows=1000, learn=1e9)))
    draw = np.random.default_rng(3)

    def sessions(_: int) -> Any:
        sizes = draw.geometric(0.2, size=draw.poisson(10))
        bins = draw.choice(SHARES.size, p=SHARES, size=sizes.size)
        return np.bincount(bins, sizes, SHARES.size).astype(np.int64)[None]

    assert fed(engine, range(2000), sessions) == []
    told = engine.told(MONDAY)
    assert told
    assert told.dependence[0] == pytest.approx(9, rel=0.35), "E[s²] / E[s] of geometric sessions with a mean of five"


def test_what_differs_from_the_first_row_is_skew_that_is_told_when_the_warm_up_ends_and_no_wander() -> None:
    engine = Engine([stream()] * STREAMS, Terms(QUICK))
    assert fed(engine, range(9), draws(4, 200, moved(0.1))) == []
    told = engine.told(MONDAY)
    assert told
    assert np.isnan(told.skew).all()
    assert fed(engine, range(9, 300), draws(5, 200, moved(0.1))) == []
    told = engine.told(MONDAY)
    assert told
    assert np.flatnonzero(told.skew > told.skew_critical).tolist() == [3]
    assert told.skew[3] == pytest.approx(0.1, abs=0.02)
    assert told.tolerance[3] < 0.1, "it is not tolerated as if hours differed by so much"
    page = fed(engine, range(300, 360), draws(6, 200, moved(0.22)))
    assert len(page) == 1, "more of it is drift"


def test_a_gross_difference_pages_from_the_first_row() -> None:
    far = np.zeros(SHARES.size)
    far[13] = 1.0
    engine = Engine([stream()] * STREAMS, Terms())
    assert fed(engine, range(20), draws(4, 200, far))


def test_what_began_during_the_warm_up_pages_during_it() -> None:
    engine = Engine([stream()] * STREAMS, Terms())
    assert fed(engine, range(300), draws(4, 500, moved(0.2), at=200))


def test_a_planned_event_gathers_nothing_and_evidence_begins_anew_after_it() -> None:
    event = (MONDAY + 50 * 60, MONDAY + 100 * 60)
    terms = Terms(planned=lambda begin, end: "sale" if begin < event[1] and event[0] < end else None)
    engine = Engine([stream(**KNOWN)] * STREAMS, terms)
    assert fed(engine, range(100), draws(7, 200, moved(0.2), at=50)) == []
    during = engine.told(MONDAY)
    assert during
    assert during.planned
    assert during.nats == 0
    (page,) = fed(engine, range(100, 140), draws(8, 200, moved(0.2)))
    assert page < 120
    after = engine.told(MONDAY)
    assert after
    assert after.onset_s[3] >= event[1]


def test_slow_drift_below_the_tolerance_is_found_for_a_ticket_and_pages_nobody() -> None:
    engine = Engine([stream(**KNOWN, error=0.0)], Terms(pane_s=600.0))
    draw = np.random.default_rng(9)
    assert fed(engine, range(5 * 144), lambda _: draw.multinomial(600, moved(0.03))[None], pane_s=600.0) == []
    told = engine.told(MONDAY)
    assert told
    assert told.slow_nats >= told.slow_threshold > 0


def test_the_expected_delay_is_about_what_it_takes() -> None:
    engine = Engine([stream(**KNOWN)] * STREAMS, Terms())
    fed(engine, range(100), draws(1, 50))
    told = engine.told(MONDAY)
    assert told
    taken = []
    for seed in range(5):
        again = Engine([stream(**KNOWN)] * STREAMS, Terms())
        taken.append(fed(again, range(200), draws(seed, 50, moved(0.2), at=100))[0] - 100)
    assert told.delays[0.2] / 60 == pytest.approx(np.median(taken), rel=1.0)
    assert set(told.delays) == set(SHIFTS)
    assert all(delay > 0 for delay in told.delays.values())


def test_columns_that_are_ignored_do_not_count_in_the_expected_delay() -> None:
    ignored = stream(weight=0.0, **KNOWN)
    some, none = Engine([stream(**KNOWN), *[ignored] * 3], Terms()), Engine([ignored], Terms())
    fed(some, range(10), lambda _: np.array([np.rint(SHARES * 50).astype(np.int64)] * 4))
    fed(none, range(10), lambda _: np.rint(SHARES * 50).astype(np.int64)[None])
    of_some, of_none = some.told(MONDAY), none.told(MONDAY)
    assert of_some
    assert of_none
    assert all(math.isfinite(delay) for delay in of_some.delays.values())
    assert all(math.isinf(delay) for delay in of_none.delays.values())


def test_an_engine_of_two_bins_finds_errors_that_become_more() -> None:
    errors = stream(**KNOWN)._replace(counts=(9000, 1000), exist=(True, True), ordered=0)
    engine = Engine([errors], Terms())
    draw = np.random.default_rng(11)
    (page,) = fed(
        engine, range(200), lambda pane: draw.multinomial(50, [0.9, 0.1] if pane < 100 else [0.75, 0.25])[None]
    )
    assert page >= 102
    told = engine.told(MONDAY)
    assert told
    assert (KINDS[told.kind[0]], told.bin[0]) == ("grew", 1)


def test_a_profile_with_hours_of_a_week_knows_the_day_and_finds_what_is_no_part_of_it() -> None:
    night, day = moved(0.2), SHARES
    hours = tuple(tuple(np.rint((night if hour % 24 < 8 else day) * 20_000).astype(int)) for hour in range(168))
    whole = tuple(np.sum(hours, axis=0).tolist())
    seasonal = stream(dependence=1.0, wander=0.15, source="profile")._replace(counts=whole, hours=hours)
    engine = Engine([seasonal], Terms())
    draw = np.random.default_rng(12)

    def week(pane: int) -> Any:
        return draw.multinomial(60, night if pane // 60 % 24 < 8 else day)[None]

    assert fed(engine, range(2 * 1440), week) == []
    told = engine.told(MONDAY)
    assert told
    assert told.seasonal[0]
    assert told.tolerance[0] < 0.1
    assert told.source[0] == PROFILE
    assert fed(engine, range(2880, 2880 + 480), lambda _: draw.multinomial(60, day)[None]), "day at night"


def test_hours_are_those_of_the_zone() -> None:
    at = datetime(2026, 7, 6, 5, 30, tzinfo=UTC).timestamp()  # a Monday
    assert Terms().slot(at) == 5
    assert math.isclose(Terms(pane_s=1.0).hour_s, 60.0)


def test_nothing_that_is_to_be_ignored_ticketed_or_snoozed_pages() -> None:
    far = np.zeros((3, SHARES.size), np.int64)
    far[:, 13] = 500
    quiet = [stream(weight=0.0, **KNOWN), stream(pages=False, **KNOWN), stream(snoozed_until=MONDAY + 3600, **KNOWN)]
    engine = Engine(quiet, Terms())
    pages = fed(engine, range(90), lambda _: far)
    assert pages == [60], "when it is not snoozed any more"
    told = engine.told(MONDAY)
    assert told
    assert told.streams[1] > told.threshold, "it is shown all the same"


def test_a_stream_that_cannot_be_monitored_any_more_has_nothing_left_that_pages() -> None:
    engine = Engine([stream(dependence=1.0, wander=0.0, source="profile")], Terms())
    assert fed(engine, range(200), lambda pane: np.rint(1000 * moved(0.2 if pane > 100 else 0)).astype(np.int64)[None])
    restless = Engine([stream(dependence=1.0, wander=0.0, source="profile", error=0.3)], Terms())
    assert restless.put_back(dict(engine.held("e")), "e")
    told = restless.told(MONDAY)
    assert told
    assert not told.monitored[0]
    assert (told.nats, told.slow_nats) == (0, 0)


def test_evidence_begins_anew_where_more_is_tolerated_than_when_it_was_kept() -> None:
    engine = Engine([stream(**KNOWN)] * 2, Terms())
    counts = np.rint(1000 * moved(0.2)).astype(np.int64)
    assert fed(engine, range(200), lambda pane: np.array([counts if pane > 100 else counts * 0 + 9] * 2))
    before = engine.told(MONDAY)
    assert before
    for streams, settings in (
        ([stream(**KNOWN)] * 2, Evidence(tolerance=0.25)),
        ([stream(**KNOWN, tolerance=0.25), stream(**KNOWN)], Evidence()),
        ([stream(**KNOWN | {"dependence": 3.0})] * 2, Evidence()),
    ):
        other = Engine(streams, Terms(settings))
        assert other.put_back(dict(engine.held("e")), "e")
        told = other.told(MONDAY)
        assert told
        assert told.nats == pytest.approx(0, abs=1e-9)
        assert told.began_s == before.began_s, "what traffic has shown stays"
