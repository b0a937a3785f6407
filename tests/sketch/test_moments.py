"""Fixed-point deviations: exact to add, bounded, and never poisoned."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporter.sketch.moments import MOST_SD, ONE_SD, standardise

MEAN, SD = np.array([10.0]), np.array([2.0])


def deviation(*numbers: Any, mean: Any = MEAN, sd: Any = SD) -> NDArray[np.int64]:
    return standardise(np.array(numbers, np.float64)[:, None], mean, sd)[:, 0]


def test_a_value_counts_in_standard_deviations() -> None:
    assert deviation(10.0, 12.0, 9.0).tolist() == [0, ONE_SD, -ONE_SD / 2]


def test_what_is_not_finite_counts_nothing() -> None:
    assert deviation(np.nan, np.inf, -np.inf).tolist() == [0, 0, 0]


def test_wild_values_are_clipped_and_do_not_overflow() -> None:
    top = sys.float_info.max
    assert (deviation(top, -top, 1e300) / ONE_SD).tolist() == [MOST_SD, -MOST_SD, MOST_SD]
    assert deviation(top, mean=np.array([-top]), sd=np.array([1.0])).tolist() == [MOST_SD * ONE_SD]


def test_a_constant_column_has_no_deviation() -> None:
    assert deviation(5.0, 10.0, sd=np.array([np.nan])).tolist() == [0, 0]


def test_the_sum_of_eight_million_of_the_wildest_fits_a_pane() -> None:
    assert float(2**63) >= MOST_SD * ONE_SD * (1 << 23)


def test_mean_deviations_agree_with_numpy() -> None:
    numbers = np.random.default_rng(2).normal(11.0, 2.0, 100_000)
    found = deviation(*numbers).sum() / ONE_SD / numbers.size
    assert abs(found - (numbers.mean() - 10.0) / 2.0) < 1e-11
