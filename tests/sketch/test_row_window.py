"""Windows over the last rows: what they hold is what the last rows were, however these came in."""

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.sketch.row_window import RowWindows

LENGTHS = (40, 200)
BINS = 5


def filled(batches: Iterable[list[int]], at: float = 1.0) -> RowWindows:
    windows = RowWindows(LENGTHS, (BINS,), np.int32)
    for batch in batches:
        add(windows, batch, at)
    return windows


def add(windows: RowWindows, batch: list[int], at: float = 1.0) -> None:
    values = np.array(batch, np.int64)
    windows.add(at, len(batch), lambda part: np.bincount(values[part], minlength=BINS))


def last(rows: list[int], count: int) -> list[int]:
    return np.bincount(rows[len(rows) - count :], minlength=BINS).tolist()


BATCHES = st.lists(st.lists(st.integers(0, BINS - 1), max_size=300), max_size=12)


@settings(deadline=None)
@given(BATCHES)
def test_a_window_is_the_last_rows_and_at_most_a_pane_more(batches: list[list[int]]) -> None:
    windows = filled(batches)
    rows = [value for batch in batches for value in batch]
    for length in LENGTHS:
        total = windows.total(length)
        found = int(total.sum())
        assert min(len(rows), length) <= found <= min(len(rows), length + length // 20)
        assert total.tolist() == last(rows, found)


@settings(deadline=None)
@given(BATCHES, st.data())
def test_how_rows_are_batched_changes_nothing(batches: list[list[int]], data: st.DataObject) -> None:
    rows = [value for batch in batches for value in batch]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    other = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    one, two = filled(batches), filled(other)
    for length in LENGTHS:
        assert np.array_equal(one.total(length), two.total(length))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 10**6)), max_size=40))
def test_a_window_knows_when_its_first_row_came(given_batches: list[tuple[int, int]]) -> None:
    windows, came, at = RowWindows(LENGTHS, (BINS,), np.int32), [], 0
    for rows, pause in given_batches:
        at += pause
        add(windows, [0] * rows, at)
        came += [at] * rows
    for length in LENGTHS:
        found = int(windows.total(length).sum())
        assert windows.begun(length) == came[-found] if found else math.isnan(windows.begun(length))


def test_a_row_that_comes_late_is_one_of_the_last_and_the_window_began_with_it() -> None:
    windows = filled([[1] * 5], at=100.0)
    add(windows, [2], 40.0)
    assert windows.total(40).tolist() == [0, 5, 1, 0, 0]
    assert windows.begun(40) == 40.0


def test_an_empty_window_holds_nothing() -> None:
    windows = filled([])
    assert not windows.total(40).any()
    assert math.isnan(windows.begun(40))


def test_no_lengths_keep_nothing() -> None:
    windows = RowWindows((), (BINS,), np.int32)
    add(windows, [1, 2])
    assert windows.arrays("x") == {}
    assert windows.held("x") == {}
    assert windows.put_back(filled([[1]]).held("x"), "x", 0.0) == 0


# --- kept, held and put back


@settings(deadline=None)
@given(BATCHES, BATCHES)
def test_windows_whose_arrays_are_kept_go_on_as_if_they_had_never_gone(
    before: list[list[int]], after: list[list[int]]
) -> None:
    whole, old = filled(before + after), filled(before)
    new = RowWindows(LENGTHS, (BINS,), np.int32)
    for name, array in new.arrays("x").items():
        array[...] = old.arrays("x")[name]
    for batch in after:
        add(new, batch)
    for length in LENGTHS:
        assert np.array_equal(new.total(length), whole.total(length))


@settings(deadline=None)
@given(BATCHES, BATCHES)
def test_windows_put_back_go_on_as_if_they_had_never_gone(before: list[list[int]], after: list[list[int]]) -> None:
    whole, old = filled(before + after), filled(before)
    new = RowWindows(LENGTHS, (BINS,), np.int32)
    new.put_back(old.held("x"), "x", 0.0)
    for batch in after:
        add(new, batch)
    for length in LENGTHS:
        assert np.array_equal(new.total(length), whole.total(length))


@settings(deadline=None)
@given(BATCHES.filter(any), st.lists(st.integers(0, BINS - 1), min_size=1, max_size=300))
def test_what_is_put_back_late_stands_before_the_rows_that_came_since(
    before: list[list[int]], since: list[int]
) -> None:
    held = filled(before).held("x")
    new = filled([since], at=2.0)
    new.put_back(held, "x", 0.0)
    rows = [value for batch in [*before, since] for value in batch]
    for length in LENGTHS:
        found = int(new.total(length).sum())
        assert min(len(rows), length - length // 20) <= found <= min(len(rows), length + length // 20)
        assert new.total(length).tolist() == last(rows, found)


def test_what_is_of_the_same_time_is_not_put_back_again() -> None:
    windows = filled([[1] * 30])
    add(windows, [2] * 3, 5.0)
    held = windows.held("x")
    assert windows.put_back(held, "x", 0.0) == 0
    again = RowWindows(LENGTHS, (BINS,), np.int32)
    assert again.put_back(held, "x", 0.0) > 0
    assert again.put_back(held, "x", 0.0) == 0
    assert again.total(40).tolist() == [0, 30, 3, 0, 0]


def test_a_window_that_is_put_back_under_another_clock_began_as_long_ago() -> None:
    old, new = filled([[1] * 30], at=1000.0), RowWindows(LENGTHS, (BINS,), np.int32)
    new.put_back(old.held("x"), "x", -990.0)
    assert new.begun(40) == 10.0
    new = RowWindows(LENGTHS, (BINS,), np.int32)
    new.put_back(old.held("x"), "x", -5000.0)  # the machine has just booted
    assert new.begun(40) == -4000.0


@pytest.mark.parametrize("rows", [np.zeros(2, np.int64), np.zeros(1), None])
def test_what_has_another_shape_is_not_put_back(rows: object) -> None:
    held = filled([[1] * 50]).held("x")
    held = {**held, "x.rows": rows} if rows is not None else {key: held[key] for key in held if key != "x.rows"}
    new = filled([])
    assert new.put_back(held, "x", 0.0) == 0  # type: ignore[arg-type]
    assert not new.total(40).any()
