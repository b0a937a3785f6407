"""The grid keeps exact counts in cells that depend on the set of values alone."""

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.sketch.grid import LIMIT, Grid, keys, values

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def grid_of(numbers: Any, batch: int = 10_000) -> Grid:
    grid = Grid()
    numbers = np.asarray(numbers, np.float64)
    for start in range(0, numbers.size, batch):
        grid.update(numbers[start : start + batch])
    return grid


def same(one: Any, other: Any) -> bool:
    return (
        one.shift == other.shift and np.array_equal(one.cells, other.cells) and np.array_equal(one.counts, other.counts)
    )


@given(st.lists(FINITE, min_size=1))
def test_keys_keep_the_order_and_can_be_undone(numbers: Any) -> None:
    array = np.sort(np.array(numbers))
    assert np.array_equal(np.sort(keys(array)), keys(array))
    assert np.array_equal(values(keys(array)), array)


def test_both_zeros_are_one_key() -> None:
    assert keys(np.array([-0.0, 0.0])).tolist() == [0, 0]


@given(FINITE, FINITE)
def test_keys_compare_as_their_numbers_do(a: float, b: float) -> None:
    one, other = keys(np.array([a, b])).tolist()
    assert (one < other) == (a < b)
    assert (one == other) == (a == b)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(200, 5000), st.sampled_from(["normal", "huge", "integers", "cauchy"]))
def test_order_batches_and_partition_change_nothing(seed: int, batch: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    numbers = {
        "normal": lambda: random.normal(size=9000),
        "huge": lambda: random.normal(size=9000) * 10.0 ** random.integers(-300, 300, 9000),
        "integers": lambda: random.integers(-40, 40, 9000).astype(float),
        "cauchy": lambda: random.standard_cauchy(9000),
    }[kind]()
    whole = grid_of(numbers)
    assert same(whole, grid_of(random.permutation(numbers), batch))
    merged = grid_of(numbers[:100])
    merged.merge(grid_of(numbers[100:], batch))
    assert same(whole, merged)
    backwards = grid_of(numbers[100:])
    backwards.merge(grid_of(numbers[:100]))
    assert same(whole, backwards)


def test_cells_hold_exactly_the_numbers_from_their_bound_to_the_next() -> None:
    numbers = np.sort(np.random.default_rng(3).lognormal(0, 4, 50_000))
    grid = grid_of(numbers)
    assert grid.cells.size <= LIMIT
    bounds = np.append(grid.lower_bounds(), grid.upper_bound())
    assert np.array_equal(np.diff(np.searchsorted(numbers, bounds)), grid.counts)
    assert grid.counts.sum() == numbers.size


def test_few_values_are_kept_as_they_are() -> None:
    numbers = np.random.default_rng(4).normal(size=LIMIT)
    grid = grid_of(np.repeat(numbers, 3))
    assert grid.shift == 0
    assert np.array_equal(grid.centres(), np.sort(numbers))
    assert set(grid.counts.tolist()) == {3}


@pytest.mark.parametrize("count", [2, 20_000])
def test_the_whole_range_of_floats_fits(count: int) -> None:
    random = np.random.default_rng(5)
    bits = random.integers(0, 0x7FF0_0000_0000_0000, count).view(np.float64)
    top = sys.float_info.max
    numbers = np.concatenate((bits, -bits, [top, -top, 5e-324, -5e-324, 0.0]))
    grid = grid_of(numbers)
    assert grid.counts.sum() == numbers.size
    assert np.isfinite(grid.lower_bounds()).all()
    assert np.isfinite(grid.centres()).all()
    assert grid.upper_bound() == top
    assert np.all(np.diff(grid.lower_bounds()) > 0)


def test_an_empty_update_is_nothing() -> None:
    grid = grid_of([1.0])
    grid.update(np.empty(0))
    grid.merge(Grid())
    assert same(grid, grid_of([1.0]))
