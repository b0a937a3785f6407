"""Windows over the last rows: what they hold is what the last rows were, however these came in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.sketch.row_window import RowWindows

LENGTHS = (40, 200)
BINS = 5


def filled(batches: list[list[int]]) -> RowWindows:
    windows = RowWindows(LENGTHS, (BINS,), np.int32)
    for batch in batches:
        add(windows, batch)
    return windows


def add(windows: RowWindows, batch: list[int]) -> None:
    values = np.array(batch, np.int64)
    windows.add(len(batch), lambda start, stop: np.bincount(values[start:stop], minlength=BINS))


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
        assert np.array_equal(total, np.bincount(rows[len(rows) - found :], minlength=BINS))
        assert windows.reach(length) == found or not found


@settings(deadline=None)
@given(BATCHES, st.data())
def test_how_rows_are_batched_changes_nothing(batches: list[list[int]], data: st.DataObject) -> None:
    rows = [value for batch in batches for value in batch]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    other = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    one, two = filled(batches), filled(other)
    for length in LENGTHS:
        assert np.array_equal(one.total(length), two.total(length))


def test_an_empty_window_holds_nothing() -> None:
    windows = filled([])
    assert not windows.total(40).any()
    assert np.isnan(windows.reach(40))


@settings(deadline=None)
@given(BATCHES, BATCHES)
def test_windows_put_back_go_on_as_if_they_had_never_gone(before: list[list[int]], after: list[list[int]]) -> None:
    whole, old = filled(before + after), filled(before)
    new = RowWindows(LENGTHS, (BINS,), np.int32)
    new.put_back(old.held("x"), "x")
    for batch in after:
        add(new, batch)
    for length in LENGTHS:
        assert np.array_equal(new.total(length), whole.total(length))


def test_what_was_held_is_not_put_back_over_rows_that_came_since() -> None:
    old, new = filled([[1] * 50]), filled([[2] * 10])
    assert new.put_back(old.held("x"), "x") == 0
    assert new.total(40).tolist() == [0, 0, 10, 0, 0]


@pytest.mark.parametrize("rows", [np.zeros(2, np.int64), np.zeros(1), None])
def test_what_has_another_shape_is_not_put_back(rows: object) -> None:
    held = filled([[1] * 50]).held("x")
    held = {**held, "x.rows": rows} if rows is not None else {key: held[key] for key in held if key != "x.rows"}
    new = filled([])
    assert new.put_back(held, "x") == 0  # type: ignore[arg-type]
    assert not new.total(40).any()
