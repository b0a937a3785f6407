"""Whether a side is quiet: judged by whole windows, and not by every lull."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.monitor.quiet import Quiet
from exporter.sections import Windows

SETTINGS = Windows(pane=60.0, lengths=(300.0, 3600.0), minimum_samples=100)


def fed(*rows: int, begin: float = 0.0) -> Quiet:
    """So many rows in each minute."""
    quiet = Quiet(SETTINGS)
    for minute, count in enumerate(rows):
        if count:
            quiet.add(begin + minute * 60.0 + 1.0, count)
    return quiet


def test_nothing_is_known_before_the_shortest_window_was_watched_as_a_whole() -> None:
    assert Quiet(SETTINGS).is_quiet(10_000.0) is None
    quiet = fed(1, 1, 1, 1)
    assert [quiet.is_quiet(minute * 60.0) for minute in range(7)] == [None, None, None, None, None, True, True]


def judged(rows: Iterable[int]) -> list[bool | None]:
    """At the beginning of each minute, before its rows."""
    quiet, found = Quiet(SETTINGS), []
    for minute, count in enumerate(rows):
        found.append(quiet.is_quiet(minute * 60.0))
        if count:
            quiet.add(minute * 60.0, int(count))
    return found


def test_a_side_with_enough_in_every_window_is_never_quiet() -> None:
    assert judged([20] * 100) == [None] * 5 + [False] * 95


def test_a_side_with_too_little_is_quiet() -> None:
    assert judged([19] * 100) == [None] * 5 + [True] * 95


def test_it_is_quiet_as_soon_as_a_window_held_too_little_and_until_none_did_for_an_hour() -> None:
    found = judged([20] * 20 + [0] + [20] * 80)
    assert found[5:] == [False] * 16 + [True] * 64 + [False] * 16, "the last window with a gap ended at 25 minutes"


def test_traffic_around_the_mark_does_not_make_it_come_and_go() -> None:
    rows = np.random.default_rng(5).poisson(20, 1500)
    found = judged(rows)[65:]
    alone = np.convolve(rows, np.ones(5, int), "valid") < SETTINGS.minimum_samples
    assert (alone[1:] != alone[:-1]).sum() > 200
    assert sum(a != b for a, b in pairwise(found)) == 0
    assert set(found) == {True}, "in doubt it is quiet"


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 80)), max_size=60), st.randoms(use_true_random=False))
def test_neither_order_nor_batches_matter(batches: list[tuple[int, int]], random: object) -> None:
    one, two = Quiet(SETTINGS), Quiet(SETTINGS)
    for at, rows in batches:
        one.add(float(at), rows)
    parts = [(at, 1) for at, rows in batches for _ in range(rows)]
    random.shuffle(parts)  # type: ignore[attr-defined]
    for at, rows in parts:
        two.add(float(at), rows)
    assert one.is_quiet(3000.0) == two.is_quiet(3000.0)
    assert one.first == two.first


def test_what_is_kept_goes_on_as_if_nothing_had_happened() -> None:
    old, new = fed(*[20] * 8), Quiet(SETTINGS)
    for name, array in new.arrays("x").items():
        array[...] = old.arrays("x")[name]
    assert new.is_quiet(480.0) is False
    assert new.first == old.first == 1.0


def test_after_a_restart_it_is_watched_anew_and_the_first_row_is_known() -> None:
    old, new = fed(*[20] * 8), Quiet(SETTINGS)
    new.put_back(old.held("x"), "x", -1000.0, 500.0)
    assert new.first == -999.0
    assert new.is_quiet(500.0) is None
    assert new.is_quiet(500.0 + 240.0) is None
    assert new.is_quiet(500.0 + 300.0) is True
    new.put_back({}, "x", 0.0, 900.0)
    new.put_back({"x.first": np.zeros(1, np.int64)}, "x", 0.0, 900.0)
    assert new.first == -999.0


def test_panes_of_another_width_go_by_another_name() -> None:
    other = Quiet(Windows(pane=120.0, lengths=(600.0, 3600.0), minimum_samples=100))
    shared = set(other.arrays("quiet")) & set(Quiet(SETTINGS).arrays("quiet"))
    assert shared == {"quiet.since"}
