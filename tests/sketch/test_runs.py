"""Runs of equal values: as long as a count by hand finds them, however the rows are shared out between batches."""

import math
from itertools import groupby

import numpy as np
import pytest
from numpy.typing import NDArray

from exporter.sketch.runs import Runs


def by_hand(column: list[float], upto: int) -> tuple[int, int]:
    """The longest run and the one that goes on, after so many values; NaN is not there."""
    runs = [len(list(group)) for _, group in groupby(value for value in column[:upto] if not math.isnan(value))]
    return max(runs, default=0), runs[-1] if runs else 0


def rows(seed: int) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    columns = [
        random.normal(size=400), random.integers(0, 2, 400), random.random(400) < 0.97, np.full(400, 7.0),
        np.where(random.random(400) < 0.3, 1.0, 0.0), np.full(400, np.nan), np.repeat(random.normal(size=40), 10),
    ]  # fmt: skip
    values = np.stack(columns, axis=1).astype(np.float64)
    for place in (1, 2, 4, 6):
        values[random.random(400) < 0.1 * place, place] = np.nan
    values[:150, 4] = np.nan
    return values


@pytest.mark.parametrize("sizes", [(400,), (1,) * 400, (3, 7, 90, 300), (150, 1, 249), (399, 1)])
def test_runs_are_as_long_as_they_are_by_hand_however_rows_are_batched(sizes: tuple[int, ...]) -> None:
    for seed in range(3):
        values = rows(seed)
        found, longest, start = Runs(values.shape[1], np.float64), np.zeros(values.shape[1], np.int64), 0
        for size in sizes:
            batch = values[start : start + size]
            longest = np.maximum(longest, found.add(batch, ~np.isnan(batch)))
            start += size
            for place, column in enumerate(values.T.tolist()):
                assert (longest[place], found.lengths[place]) == by_hand(column, start), (seed, start, place)


def test_a_run_counts_only_where_one_of_its_values_comes() -> None:
    found = Runs(1, np.float64)
    assert found.add(np.full((50, 1), 2.0), np.ones((50, 1), bool)).tolist() == [50]
    assert found.add(np.full((3, 1), np.nan), np.zeros((3, 1), bool)).tolist() == [0]
    gap_then_other = np.array([[np.nan], [3.0]])
    assert found.add(gap_then_other, ~np.isnan(gap_then_other)).tolist() == [1]


def test_both_zeros_are_one_value_and_the_first_value_ends_no_run() -> None:
    found = Runs(1, np.float64)
    assert found.add(np.array([[0.0], [-0.0], [0.0]]), np.ones((3, 1), bool)).tolist() == [3]
