"""Floats of few bits are the decimals they were made from: as numpy prints them, one by one or many at once."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.sketch.decimals import BF16, FP16, FP32, decimals, of_widened


def bf16(values: Any) -> Any:
    """Rounded to the upper half of an FP32, to even."""
    bits = np.asarray(values, np.float32).view(np.uint32).astype(np.uint64)
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16
    return bits.astype(np.uint32).view(np.float32)


NARROW = {FP32: lambda values: np.asarray(values, np.float32), FP16: lambda values: np.asarray(values, np.float16),
          BF16: bf16}  # fmt: skip
DIGITS = {FP32: 6, FP16: 3, BF16: 2}
MANY = 50


@pytest.mark.parametrize("bits", [FP32, FP16, BF16])
@settings(deadline=None, max_examples=300)
@given(st.data())
def test_every_decimal_that_the_bits_can_tell_apart_comes_back(bits: int, data: Any) -> None:
    whole = data.draw(st.integers(1, 10 ** DIGITS[bits] - 1))
    places = data.draw(st.integers(0, 4 if bits == FP16 else 9))
    number = data.draw(st.sampled_from([1, -1])) * whole / 10**places
    if bits == FP16 and abs(number) < 1e-4:
        return  # these are subnormal: there are fewer bits
    narrow = NARROW[bits]([number])
    assert decimals(narrow, bits).tolist() == [number]
    assert decimals(np.repeat(narrow, MANY), bits).tolist() == [number] * MANY


@pytest.mark.parametrize(("bits", "kind"), [(FP32, np.uint32), (FP16, np.uint16)])
@settings(deadline=None)
@given(st.data())
def test_any_bits_stay_the_number_that_they_are(bits: int, kind: Any, data: Any) -> None:
    size = data.draw(st.integers(0, 40))
    numbers = st.integers(0, int(np.iinfo(kind).max))
    stored = np.array(data.draw(st.lists(numbers, min_size=size, max_size=size)), kind).view(f"f{kind().itemsize}")
    found = decimals(stored, bits)
    with np.errstate(over="ignore"):
        assert np.array_equal(found.astype(stored.dtype), stored, equal_nan=True)
    one_by_one = np.array([decimals(stored[at : at + 1], bits)[0] for at in range(size)])
    assert np.array_equal(found, one_by_one, equal_nan=True)


def test_they_are_what_numpy_prints() -> None:
    source = np.random.default_rng(7)
    numbers = np.round(source.lognormal(3, 2, 5000), 2).astype(np.float32)
    expected = [float(str(number)) for number in numbers]
    assert decimals(numbers, FP32).tolist() == expected


def test_what_is_not_finite_and_zeros_stay() -> None:
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0] * 8, np.float32)
    for found in (decimals(odd, FP32), decimals(odd[:5], FP32)):
        assert [str(number) for number in found[:5]] == ["nan", "inf", "-inf", "0.0", "-0.0"]


def test_the_shape_stays() -> None:
    assert decimals(np.full((2, 3), 0.1, np.float32), FP32).tolist() == [[0.1] * 3] * 2
    assert decimals(np.full((9, 3), 0.1, np.float32), FP32).tolist() == [[0.1] * 3] * 9
    assert math.isclose(decimals(np.array([3.4e38], np.float32), FP32)[0], 3.4e38, rel_tol=1e-7)


@pytest.mark.parametrize(("cells", "expected"), [
    ([np.float32(0.1).item(), np.float32(0.7).item()], [0.1, 0.7]), ([0.1, 0.7], [0.1, 0.7]), ([1, 2], [1, 2]),
    ([np.float32(0.1).item(), 0.1], [np.float32(0.1).item(), 0.1]), ([], []), ([None, 0.5], [None, 0.5]),
    (["0.5"], ["0.5"]), ([10**400], [10**400]), ([1e300], [1e300]), ([True], [True]), ([[1.0]], [[1.0]]),
    ([float("inf")], [float("inf")]),
])  # fmt: skip
def test_lists_of_32_bit_floats_with_all_their_digits_are_what_was_meant(cells: Any, expected: Any) -> None:
    assert of_widened(cells) == expected


def test_gaps_between_widened_numbers_stay_gaps() -> None:
    widened = [0.10000000149011612, None, 0.30000001192092896]
    assert of_widened(widened) == [0.1, None, 0.3]
    first, gap, last = of_widened([widened[0], math.nan, widened[2]])
    assert (first, last) == (0.1, 0.3)
    assert math.isnan(gap)
    for others in ([None], [None, 0.1], [math.nan, "x"]):
        assert str(of_widened(others)) == str(others)
