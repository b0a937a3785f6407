"""The lot by which bodies travel while a ring fills."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.handoff.sampling import chosen, halvings


def test_up_to_half_a_ring_everything_travels_and_then_less_and_less() -> None:
    steps = [halvings(queued, 1600) for queued in range(0, 1601, 100)]
    assert steps == [0] * 9 + [2, 3, 4, 4, 4, 4, 4, 4]
    assert halvings(801, 1600) == 1


@given(st.integers(0, 2**40), st.integers(1 << 16, 1 << 40))
def test_a_fuller_ring_never_samples_more(queued: int, capacity: int) -> None:
    assert 0 <= halvings(queued, capacity) <= halvings(queued + 1, capacity) <= 4


@pytest.mark.parametrize("halved", [1, 2, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3, 5, 7, 8, 10, 16, 60, 100, 256])
def test_traffic_that_repeats_itself_is_sampled_as_any_other(halved: int, stride: int) -> None:
    for start in (0, 12_345, 10**12):
        kept = sum(chosen(start + stride * number, halved) for number in range(2000))
        assert abs(kept - 2000 / 2**halved) < 40


def test_without_halvings_everything_is_chosen() -> None:
    assert all(chosen(number, 0) for number in range(1000))
