"""Windows hold exactly the panes they cover, whatever the order in which values come."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.sketch.window import PaneRing, Past, Windows

MINUTE = 60.0


def ring(slots: int = 5, pane: float = 10.0) -> PaneRing:
    return PaneRing(slots, pane, (1,), np.int32)


def add(panes: Any, at: float, count: int = 1) -> bool:
    pane = panes.pane(at)
    if pane is not None:
        pane += count
    return pane is not None


def test_a_window_covers_its_newest_panes_and_no_other() -> None:
    panes = ring()
    for number in range(5):
        add(panes, number * 10.0, 10**number)
    assert panes.total(45.0, 10.0)[0] == 10_000
    assert panes.total(45.0, 30.0)[0] == 11_100
    assert panes.total(45.0, 50.0)[0] == 11_111
    assert panes.total(55.0, 50.0)[0] == 11_110
    assert panes.total(99.9, 50.0)[0] == 0


def test_a_boundary_belongs_to_the_pane_it_opens() -> None:
    panes = ring()
    add(panes, 9.999_999)
    add(panes, 10.0, 10)
    assert panes.total(10.0, 10.0)[0] == 10
    assert panes.total(9.999_999, 10.0)[0] == 1
    assert panes.total(19.999_999, 20.0)[0] == 11
    assert panes.total(20.0, 20.0)[0] == 10


def test_idle_gaps_leave_nothing_behind() -> None:
    panes = ring()
    add(panes, 0.0)
    assert panes.total(10_000.0, 50.0)[0] == 0
    add(panes, 10_000.0, 5)
    assert panes.total(10_000.0, 50.0)[0] == 5
    add(panes, 10_050.0, 7)  # the same slot, a round later
    assert panes.total(10_050.0, 50.0)[0] == 7


def test_late_values_land_in_their_own_pane() -> None:
    panes = ring()
    add(panes, 42.0)
    assert add(panes, 11.0, 100)
    assert panes.total(42.0, 10.0)[0] == 1
    assert panes.total(42.0, 50.0)[0] == 101


def test_values_older_than_the_ring_are_in_no_window() -> None:
    panes = ring()
    add(panes, 100.0)
    assert not add(panes, 50.0)  # its slot holds a newer pane
    add(panes, 5.0, 1000)  # its slot is free, but no window reaches it
    assert panes.total(100.0, 50.0)[0] == 1


def test_the_first_pane_is_not_taken_for_an_empty_slot() -> None:
    panes = ring()
    assert panes.total(0.0, 50.0)[0] == 0
    add(panes, 0.0, 3)
    assert panes.total(0.0, 50.0)[0] == 3


def brute(events: Any, now: float, length: float, pane: float) -> int:
    newest = int(now // pane)
    panes = round(length / pane)
    return sum(count for at, count in events if newest - panes < int(at // pane) <= newest)


EVENTS = st.lists(st.tuples(st.integers(0, 400_000), st.integers(1, 9)), max_size=40)


@settings(deadline=None)
@given(EVENTS)
def test_every_window_equals_a_count_over_all_events(events: Any) -> None:
    windows = Windows((300.0, 3600.0, 86_400.0), MINUTE, (1,), np.int32)
    for at, count in sorted(events):
        windows.add(float(at), np.array([count]))
    now = float(max((at for at, _ in events), default=0) + 30)
    for length, pane in ((300.0, 60.0), (3600.0, 60.0), (86_400.0, 300.0)):
        assert windows.total(now, length)[0] == brute(events, now, length, pane)


DAY = 86_400
LONG = {300.0: 60, 3600.0: 60, 86_400.0: 300, 7.0 * DAY: 3600, 30.0 * DAY: DAY}
"""Windows, and the panes of each in seconds."""
MOMENTS = st.one_of(st.integers(0, 40 * DAY), st.integers(0, 40 * 24).map(lambda hour: hour * 3600))
"""Any second, and those at which panes of every width begin."""
PLACED = st.lists(st.tuples(MOMENTS, st.integers(0, 3)), max_size=60)


@settings(deadline=None, max_examples=50)
@given(PLACED, st.one_of(st.just(0), st.integers(0, 40 * DAY)), st.randoms(use_true_random=False))
def test_windows_of_minutes_to_a_month_equal_a_list_of_events_in_any_order_after_any_gap(
    events: Any, gap: int, random: Any
) -> None:
    windows = Windows(tuple(LONG), MINUTE, (4,), np.int32)
    random.shuffle(events)
    for at, place in events:
        windows.add(float(at), np.bincount([place], minlength=4))
    now = float(max((at for at, _ in events), default=0) + gap)
    for length, pane in LONG.items():
        found = windows.total(now, length).tolist()
        lists = ([(at, 1) for at, one in events if one == place] for place in range(4))
        assert found == [brute(each, now, length, pane) for each in lists]


PASTS = (Past(300.0, 300.0), Past(3600.0, 3600.0), Past(86_400.0, 86_400.0), Past(3600.0, 7.0 * DAY, 3600.0, 1))
WIDTHS = (60, 300, 3600, 3600)
"""Of their panes."""


@settings(deadline=None, max_examples=50)
@given(PLACED, st.integers(0, 2 * DAY))
def test_a_window_and_its_past_are_what_a_list_of_events_has_then_and_before(events: Any, gap: int) -> None:
    windows = Windows((300.0, 3600.0, 86_400.0), MINUTE, (1,), np.int32, PASTS)
    for at, _ in sorted(events):
        windows.add(float(at), np.array([1]))
    now = float(max((at for at, _ in events), default=0) + gap)
    counted = [(at, 1) for at, _ in events]
    for past, pane in zip(PASTS, WIDTHS, strict=True):
        ends = (now - past.lag, now - past.lag - past.ago)
        expected = [brute(counted, end, past.length, pane) for end in ends]
        assert [int(one[0]) for one in windows.pair(now, past)] == expected


@pytest.mark.parametrize("past", PASTS)
def test_a_window_and_its_past_have_no_row_in_common(past: Past) -> None:
    windows = Windows((300.0, 3600.0, 86_400.0), MINUTE, (1,), np.int32, PASTS)
    for minute in range(9 * 1440):
        windows.add(minute * MINUTE + 1, np.array([1]))
    later, earlier = windows.pair(9 * DAY - 30.0, past)
    assert earlier[0] == past.length / MINUTE
    assert 0.8 * earlier[0] <= later[0] <= earlier[0]


def test_what_a_past_costs_is_bounded_by_coarse_panes() -> None:
    windows = Windows((300.0, 3600.0, 86_400.0), MINUTE, (1,), np.int32, PASTS)
    slots = {name: array.shape[0] for name, array in windows.arrays("x").items() if name.endswith("panes")}
    assert slots == {"x.60.panes": 60, "x.300.panes": 288, "x.3600.panes": 170}


def test_the_newest_panes_stand_in_the_order_of_time_and_gaps_are_empty() -> None:
    panes = ring(slots=5)
    for number in (2, 3, 6):
        add(panes, number * 10.0, number)
    assert panes.recent(61.0, 5)[:, 0].tolist() == [2, 3, 0, 0, 6]
    assert panes.recent(85.0, 7)[:, 0].tolist() == [2, 3, 0, 0, 6, 0, 0]
    assert panes.panes.sum() == 11, "it is a copy"


@settings(deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_order_does_not_matter_while_everything_fits_the_rings(events: Any, random: Any) -> None:
    events = [(at % 3500, count) for at, count in events]
    totals = []
    for order in (events, random.sample(events, len(events))):
        windows = Windows((300.0, 3600.0), MINUTE, (1,), np.int32)
        for at, count in order:
            windows.add(float(at), np.array([count]))
        totals.append([windows.total(3500.0, length)[0] for length in windows.lengths])
    assert totals[0] == totals[1]


def test_long_windows_use_coarser_panes() -> None:
    windows = Windows((300.0, 3600.0, 86_400.0), MINUTE, (2, 3), np.int32)
    kept = windows.arrays("x")
    assert kept["x.60.panes"].shape == (60, 2, 3)
    assert kept["x.300.panes"].shape == (288, 2, 3)


def test_weeks_are_kept_by_the_hour_and_months_by_the_day() -> None:
    day = 86_400.0
    windows = Windows((300.0, 7 * day, 30 * day), MINUTE, (1,), np.int32)
    assert windows.arrays("x").keys() == {f"x.{width}.{what}" for width in (60, 3600, 86400)
                                          for what in ("panes", "marks")}  # fmt: skip
    assert windows.arrays("x")["x.3600.panes"].shape == (168, 1)
    for number in range(40):
        windows.add((number + 0.5) * day, np.array([1]))
    assert windows.total(39.5 * day, 7 * day)[0] == 7
    assert windows.total(39.5 * day, 30 * day)[0] == 30


def test_a_long_window_of_no_whole_coarse_panes_has_fine_ones() -> None:
    windows = Windows((61 * MINUTE,), MINUTE, (1,), np.int32)
    assert windows.arrays("x")["x.60.panes"].shape == (61, 1)


def test_time_can_be_compressed() -> None:
    windows = Windows((20.0, 60.0), 1.0, (1,), np.int32)
    for second in range(100):
        windows.add(second + 0.5, np.array([1]))
    assert windows.total(99.5, 20.0)[0] == 20
    assert windows.total(99.5, 60.0)[0] == 60
    assert windows.total(109.5, 20.0)[0] == 10


@pytest.mark.parametrize("pane", [0.1, 0.25, 1.0, 7.0])
def test_panes_of_any_width_count_whole_panes(pane: float) -> None:
    windows = Windows((4 * pane, 100 * pane), pane, (1,), np.int32)
    for number in range(200):
        windows.add((number + 0.5) * pane, np.array([1]))
    assert windows.total(199.5 * pane, 4 * pane)[0] == 4
    assert windows.total(199.5 * pane, 100 * pane)[0] == 100


def test_kept_arrays_are_the_live_ones() -> None:
    windows = Windows((300.0,), MINUTE, (1,), np.int32)
    kept = windows.arrays("x")
    windows.add(5.0, np.array([4]))
    assert kept["x.60.panes"].sum() == 4
    kept["x.60.panes"] *= 2
    assert windows.total(5.0, 300.0)[0] == 8


# --- held, and put back


def windows(lengths: tuple[float, ...] = (300.0, 3600.0, 86_400.0), columns: int = 1) -> Windows:
    return Windows(lengths, MINUTE, (columns,), np.int32)


def totals(of: Windows, now: float) -> list[int]:
    return [int(of.total(now, length).sum()) for length in of.lengths]


@settings(deadline=None)
@given(EVENTS, st.integers(0, 100_000))
def test_windows_put_back_are_those_that_never_went(events: Any, pause: int) -> None:
    kept = windows()
    for at, count in sorted(events):
        kept.add(float(at), np.array([count]))
    held_at = float(max((at for at, _ in events), default=0))
    held, now = kept.held("x", held_at), held_at + pause
    again = windows()
    again.put_back(held, "x", 0.0, now)
    assert totals(again, now) == totals(kept, now)
    for each in (kept, again):
        each.add(now, np.array([7]))
    assert totals(again, now + 90) == totals(kept, now + 90)


@settings(deadline=None)
@given(EVENTS, st.integers(-(10**7), 10**7), st.integers(0, 5000))
def test_on_another_clock_a_window_is_the_same_but_for_less_than_its_oldest_pane(
    events: Any, shift: int, pause: int
) -> None:
    kept, again = windows(), windows()
    for at, count in sorted(events):
        kept.add(float(at), np.array([count]))
    held_at = float(max((at for at, _ in events), default=0))
    again.put_back(kept.held("x", held_at), "x", float(shift), held_at + pause + shift)
    for length, pane in ((300.0, 60.0), (3600.0, 60.0), (86_400.0, 300.0)):
        now = held_at + pause
        found = again.total(now + shift, length)[0]
        # Younger than they were would be a lie; up to a pane older is what a clock of other boundaries costs.
        assert found <= brute(events, now, length, pane)
        assert found >= brute(events, now, length - 2 * pane, pane)


def test_panes_of_before_the_clock_began_are_put_back_too() -> None:
    kept, again = windows(), windows()
    for minute in range(60):
        kept.add(1_000_000.0 + minute * MINUTE, np.array([1]))
    held = kept.held("x", 1_003_540.0)
    assert again.put_back(held, "x", -1_003_500.0, 40.0) > 0  # it has just booted
    assert totals(again, 40.0)[1:] == [60, 60]
    again.add(50.0, np.array([5]))
    assert totals(again, 50.0)[1:] == [65, 65]


def test_what_the_clock_says_is_yet_to_come_is_not_put_back_and_freezes_nothing() -> None:
    kept, again = windows(), windows()
    kept.add(90_000.0, np.array([3]))
    assert again.put_back(kept.held("x", 90_000.0), "x", 0.0, 3600.0) == 0
    for at in (3600.0, 90_000.0 - 86_400.0):  # its very slots
        again.add(at, np.array([1]))
        assert totals(again, at)[2] == 1
        again = windows()


@pytest.mark.parametrize("shape", [1, 2, 60, 500])
def test_windows_of_other_lengths_take_what_they_have_room_for(shape: int) -> None:
    kept = windows((60.0 * shape,))
    for minute in range(shape):
        kept.add(minute * MINUTE, np.array([1]))
    now = (shape - 1) * MINUTE
    held = kept.held("x", now)
    for length in (MINUTE, 7 * MINUTE, 50 * MINUTE):
        again = windows((length,))
        again.put_back(held, "x", 0.0, now)
        assert totals(again, now) == ([min(shape, length // MINUTE)] if shape <= 60 else [0])


@pytest.mark.parametrize("change", [
    {"x.60.panes": np.zeros((1, 2), np.int32)}, {"x.60.panes": np.zeros((1, 1), np.int64)},
    {"x.60.panes": np.zeros((2, 1), np.int32)}, {"x.60.panes": np.zeros(1, np.int32)},
    {"x.60.places": np.zeros((1, 1), np.int64)}, {"x.60.places": np.zeros(1, np.float64)},
])  # fmt: skip
def test_what_has_another_shape_is_not_put_back(change: Any) -> None:
    kept, again = windows((300.0,)), windows((300.0,))
    kept.add(5.0, np.array([1]))
    assert again.put_back(kept.held("x", 5.0) | change, "x", 0.0, 5.0) == 0
    assert totals(again, 5.0) == [0]
    assert again.put_back({}, "x", 0.0, 5.0) == 0


def test_what_is_put_back_late_fills_gaps_and_replaces_nothing() -> None:
    kept, again = windows(), windows()
    for at in (30.0, 400.0, 3000.0):
        kept.add(at, np.array([1]))
    for at in (400.0, 3600.0):  # the slot of 0 in an hour's ring
        again.add(at, np.array([100]))
    assert again.put_back(kept.held("x", 3000.0), "x", 0.0, 3630.0) == 1 + 2
    assert totals(again, 3630.0) == [100, 201, 202]
    assert again.put_back(kept.held("x", 3000.0), "x", 0.0, 3630.0) == 0, "twice is once"
    again.add(3000.0, np.array([7]))
    assert totals(again, 3630.0) == [100, 208, 209]


def test_a_pane_that_has_left_the_window_makes_room_for_what_is_put_back() -> None:
    kept, again = windows((300.0,)), windows((300.0,))
    again.add(30.0, np.array([100]))
    kept.add(330.0, np.array([1]))
    assert again.put_back(kept.held("x", 330.0), "x", 0.0, 400.0) == 1
    assert totals(again, 400.0) == [1]


def test_a_full_ring_is_held_without_a_copy() -> None:
    kept = windows((300.0,))
    for minute in range(7):
        held = kept.held("x", (minute - 1) * MINUTE)["x.60.panes"]
        assert len(held) == min(minute, 5)
        assert np.shares_memory(held, kept.arrays("x")["x.60.panes"]) == (minute >= 5)
        kept.add(minute * MINUTE, np.array([1]))


def test_the_reach_of_a_window_is_that_of_its_oldest_pane_with_values() -> None:
    found = windows()
    assert all(math.isnan(found.reach(0.0, length)) for length in found.lengths)
    found.add(7_000.0, np.array([1]))
    found.add(9_990.0, np.array([1]))
    assert [found.reach(10_000.0, length) for length in found.lengths] == [40.0, 3040.0, 3100.0]
    assert math.isnan(found.reach(10_260.0, 300.0))
