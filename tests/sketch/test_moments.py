"""Fixed-point deviations: exact to add, bounded, and never poisoned."""

import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from exporter.sketch.moments import MOST_SD, in_sd, sums, within_reach

MEAN, SD = np.array([10.0]), np.array([2.0])
REACH = np.array([8.0])


def words(*numbers: Any, mean: Any = MEAN, sd: Any = SD) -> NDArray[np.int64]:
    """Of each number alone."""
    return np.concatenate([sums(np.array([[number]], np.float64), mean, sd, REACH) for number in numbers])


def deviation(*numbers: Any, mean: Any = MEAN, sd: Any = SD) -> list[float]:
    found: list[float] = in_sd(words(*numbers, mean=mean, sd=sd)).tolist()
    return found


def test_a_value_counts_in_standard_deviations() -> None:
    assert deviation(10.0, 12.0, 9.0) == [0, 1, -0.5]


def test_what_is_not_finite_counts_nothing() -> None:
    assert deviation(np.nan, np.inf, -np.inf) == [0, 0, 0]


def test_wild_values_are_clipped_and_do_not_overflow() -> None:
    top = sys.float_info.max
    assert deviation(top, -top, 1e300) == [MOST_SD, -MOST_SD, MOST_SD]
    assert deviation(top, mean=np.array([-top]), sd=np.array([1.0])) == [MOST_SD]


def test_of_a_wild_value_the_part_within_reach_is_told_apart() -> None:
    found = words(12.0, 26.0, 27.0, -1e9, np.inf)
    assert within_reach(found).tolist() == [1, 8, 8, -8, 0]
    assert in_sd(found).tolist() == [1, 8, 8.5, -MOST_SD, 0]


def test_a_constant_column_has_no_deviation() -> None:
    assert deviation(5.0, 10.0, sd=np.array([np.nan])) == [0, 0]


def test_the_sum_of_four_billion_of_the_wildest_fits() -> None:
    wildest = int(np.abs(np.concatenate((words(1e300), words(10.0 + 2.0 * (7 + 0.4999999 / 2**20))))).max())
    assert wildest * 2**32 <= 2**63


def test_mean_deviations_agree_with_numpy_for_mixed_and_for_identical_rows() -> None:
    random = np.random.default_rng(2)
    for numbers in (random.normal(11.0, 2.0, 100_000), np.full(100_000, 10.7), np.full(100_000, 1e-7)):
        found = in_sd(sums(numbers[:, None], MEAN, SD, REACH)[0]) / numbers.size
        assert found == pytest.approx((numbers.mean() - 10.0) / 2.0, rel=1e-13, abs=1e-14)


def test_the_sum_of_many_rows_is_that_of_each_whatever_their_order() -> None:
    random = np.random.default_rng(3)
    values = random.normal(11.0, 2.0, (4096, 3)) * 10.0 ** random.integers(-3, 4, (4096, 3))
    values[random.random(values.shape) < 0.1] = np.nan
    values[random.random(values.shape) < 0.1] = np.inf
    known = np.array([10.0, -3.0, 0.1]), np.array([2.0, np.nan, 1e-3]), np.array([8.0, 8.0, 30.0])
    one_by_one = sum(sums(row[None], *known) for row in values)
    assert np.array_equal(sums(values, *known), one_by_one)
    assert np.array_equal(sums(values[::-1], *known), one_by_one)


def test_a_reach_beyond_all_bounds_changes_nothing_with_what_rows_come_together() -> None:
    values, reach = np.array([[3010.0], [1e9], [10.0]]), np.array([1e6])
    one_by_one = sum(sums(row[None], MEAN, SD, reach) for row in values)
    assert np.array_equal(sums(values, MEAN, SD, reach), one_by_one)
    assert in_sd(one_by_one).tolist() == within_reach(one_by_one).tolist() == [2 * MOST_SD]
