"""The exact sum is that of the rationals, rounded once."""

import math
import sys
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.sketch.exact_sum import ExactSum

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def sum_of(numbers: Any) -> ExactSum:
    total = ExactSum()
    total.update(np.asarray(numbers, np.float64))
    return total


@settings(deadline=None)
@given(st.lists(FINITE, min_size=1, max_size=60))
def test_the_mean_is_the_rational_one_rounded_once(numbers: Any) -> None:
    assert sum_of(numbers).mean() == float(sum(map(Fraction, numbers)) / len(numbers))


@settings(deadline=None)
@given(st.lists(FINITE, min_size=2, max_size=60), st.randoms(use_true_random=False), st.integers(1, 59))
def test_order_and_partition_change_nothing(numbers: Any, random: Any, cut: int) -> None:
    shuffled = random.sample(numbers, len(numbers))
    merged = sum_of(shuffled[:cut])
    merged.merge(sum_of(shuffled[cut:]))
    whole = sum_of(numbers)
    assert merged.mean() == whole.mean()
    assert merged.count == whole.count
    assert np.array_equal(merged.high, whole.high)
    assert np.array_equal(merged.low, whole.low)


def test_extremes_cancel() -> None:
    top, least = sys.float_info.max, 5e-324
    assert sum_of([top, top, -top, -top, least]).mean() == least / 5
    assert sum_of([top] * 7).mean() == top
    assert sum_of([1e300, 1.0, -1e300]).mean() == 1 / 3


def test_it_equals_fsum_where_that_can_be_had() -> None:
    numbers = np.random.default_rng(1).lognormal(3, 5, 100_000)
    assert sum_of(numbers).mean() == math.fsum(numbers) / numbers.size


def test_nothing_has_no_mean() -> None:
    assert math.isnan(ExactSum().mean())
