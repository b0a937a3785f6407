"""Windows of few panes: what they hold, and that panes of another width are never taken for their own."""

import numpy as np
import pytest

from exporter.sketch.coarse import CoarseWindows, panes_of


def filled(length: float, pane_s: float, most: int, moments: list[float]) -> CoarseWindows:
    windows = CoarseWindows((length,), pane_s, most, (1,), np.int32)
    for at in moments:
        windows.add(at, np.ones(1, np.int64))
    return windows


@pytest.mark.parametrize(("length", "most", "reach"), [(300.0, 2, 360.0), (300.0, 12, 300.0), (3600.0, 12, 3600.0)])
def test_a_window_is_its_length_or_up_to_a_pane_more_or_less(length: float, most: int, reach: float) -> None:
    slots, wide = panes_of(length, 60.0, most)
    assert slots <= most
    assert slots * wide * 60.0 == reach
    now = 100 * reach
    windows = filled(length, 60.0, most, [now - reach - 1, now - reach + wide * 60.0, now - 1, now])
    assert windows.total(now, length).tolist() == [3]


def test_panes_of_another_width_are_not_taken_though_they_are_as_many() -> None:
    held = filled(300.0, 100.0, 2, [500.0]).held("x", 500.0)
    other = CoarseWindows((300.0,), 60.0, 2, (1,), np.int32)
    assert [array.shape for array in other.held("x", 0.0).values()] == [(0, 1), (0,)]
    other.put_back(held, "x", 0.0, 500.0)
    assert other.total(500.0, 300.0).tolist() == [0]
    assert not set(other.arrays("x")) & set(filled(300.0, 100.0, 2, []).arrays("x"))
    again = CoarseWindows((300.0,), 100.0, 2, (1,), np.int32)
    again.put_back(held, "x", 0.0, 500.0)
    assert again.total(500.0, 300.0).tolist() == [1]
