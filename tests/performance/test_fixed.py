"""Numbers as words: nothing is lost, whatever is added in whatever order."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.performance.fixed import Fixed

FIXED = Fixed(40, 5)
NUMBERS = st.floats(-(2.0**40), 2.0**40).filter(lambda number: number == 0 or abs(number) > 2.0**-30)
UNITS = st.integers(0, 10**9)


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_sums_are_those_of_the_numbers_themselves(numbers: list[float]) -> None:
    words = FIXED.sums(np.array(numbers))
    assert FIXED.exact(words) == sum(map(Fraction, numbers))
    assert FIXED.read(words) == pytest.approx(float(sum(map(Fraction, numbers))), rel=1e-15)


@given(st.lists(st.tuples(NUMBERS, UNITS), min_size=1, max_size=20))
def test_sums_with_weights_are_exact_too(rows: list[tuple[float, int]]) -> None:
    numbers, units = np.array([number for number, _ in rows]), np.array([unit for _, unit in rows])
    assert FIXED.exact(FIXED.weighed_sums(numbers, units)) == sum(Fraction(number) * unit for number, unit in rows)


def test_what_is_finer_than_the_last_word_is_rounded_and_no_bias_comes_of_it() -> None:
    fixed = Fixed(0, 2)
    numbers = np.random.default_rng(0).random(100_000)
    assert fixed.least == 2.0**-32
    assert float(fixed.exact(fixed.limbs(np.array([1 / 3]))[:, 0])) == pytest.approx(1 / 3, abs=fixed.least / 2)
    assert fixed.read(fixed.sums(numbers)) / numbers.size == pytest.approx(numbers.mean(), abs=1e-12)


def test_what_is_above_the_first_word_is_clipped() -> None:
    words = FIXED.limbs(np.array([1e300, -np.inf, 2.0**40]))
    assert FIXED.read(words).tolist() == [2.0**40, -(2.0**40), 2.0**40]


def test_a_billion_rows_of_the_wildest_fit() -> None:
    wildest = [2.0**40, -(2.0**40), 2.0**40 * (1 - 2**-32), 2.0**9 - 2.0**-23, -(2.0**8) - 2.0**-24 - 2.0**-56]
    words = FIXED.weighed(np.array(wildest), np.full(len(wildest), 10**9))
    assert int(np.abs(words).max()) < 2**63 / 2**30


def test_shapes_of_words_come_back_as_shapes_of_sums() -> None:
    numbers = np.arange(24, dtype=np.float64).reshape(2, 3, 4)
    assert FIXED.read(FIXED.sums(numbers)).tolist() == numbers.sum(axis=-1).tolist()
