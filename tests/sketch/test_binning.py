"""Bins are half-open, the same for every way of computing them; categories have one spelling."""

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.reference import ABOVE, BELOW, MISSING, NONFINITE
from exporter.sketch.binning import CategoryBins, NumberBins, category_name, counted, truth_name

FINITE = st.floats(allow_nan=False, allow_infinity=False)
EDGES = st.lists(FINITE, min_size=2, max_size=13, unique=True).map(sorted)


def place(edges: Any, numbers: Any) -> list[int]:
    column = np.array(numbers, np.float64)[:, None]
    return NumberBins([edges]).place(column, np.zeros(column.shape, bool))[:, 0].tolist()


def expected(edges: Any, number: float) -> int:
    if not np.isfinite(number):
        return NONFINITE
    found = sum(edge <= number for edge in edges)
    return (
        ABOVE
        if found == len(edges) and edges[-1] < sys.float_info.max
        else min(found, len(edges) - (edges[-1] == sys.float_info.max))
    )


@settings(deadline=None)
@given(EDGES, st.lists(st.floats(), max_size=20))
def test_a_value_lies_in_the_bin_whose_edges_hold_it(edges: Any, numbers: Any) -> None:
    numbers = [*numbers, *edges, *(math.nextafter(edge, -math.inf) for edge in edges)]
    assert place(edges, numbers) == [expected(edges, number) for number in numbers]


CLUSTERED = (
    [0.0, 5e-324, 1e-323, 1.0, 1e308],
    [-1.0, *(1e9 + step * 1e-6 for step in range(6)), 1e15],
    [-1e308, -1.0, 1.0, math.nextafter(1.0, 2.0), 1e308],
    [math.nextafter(1.0, 0.0), 1.0, math.nextafter(1.0, 2.0)],
    [-sys.float_info.max, 0.0, sys.float_info.max],
    [10.0**power for power in range(-6, 7)],
    [7.0],
)


@pytest.mark.parametrize("beside", [0, 40])
def test_edges_that_lie_close_together_are_told_apart_however_many_columns_are_beside(beside: int) -> None:
    random = np.random.default_rng(4)
    columns = [*CLUSTERED, *(np.sort(random.normal(size=13)) for _ in range(beside))]
    bins = NumberBins(columns)
    for at, edges in enumerate(CLUSTERED):
        near = [math.nextafter(edge, side) for edge in edges for side in (-math.inf, math.inf)]
        numbers = np.array([*edges, *near, 0.0, -0.0, 5e-324, 1e300, -1e300, np.inf, -np.inf])
        rows = np.zeros((numbers.size, len(columns)))
        rows[:, at] = numbers
        found = bins.place(rows, np.zeros(rows.shape, bool))[:, at]
        assert found.tolist() == [expected(edges, number) for number in numbers]


def test_neither_order_nor_size_of_batches_changes_a_bin() -> None:
    random = np.random.default_rng(5)
    edges = [np.sort(random.lognormal(0, sigma, 13)) for sigma in (0.5, 1, 2, 3)] * 5
    numbers = random.lognormal(0, 2, (3000, len(edges)))
    numbers[random.random(numbers.shape) < 0.01] = np.nan
    numbers[random.random(numbers.shape) < 0.01] = np.inf
    bins = NumberBins(edges)
    together = bins.place(numbers, np.isnan(numbers))
    order = random.permutation(len(numbers))
    parts = np.split(numbers[order], [1, 4, 1003])
    assert np.array_equal(np.concatenate([bins.place(part, np.isnan(part)) for part in parts]), together[order])
    for column, counts in enumerate(counted(together, 16)):
        assert np.array_equal(counts, np.bincount(together[:, column], minlength=16))


def test_columns_do_not_disturb_each_other() -> None:
    random = np.random.default_rng(7)
    edges = [np.sort(random.normal(size=random.integers(2, 14))) for _ in range(60)]
    numbers = random.normal(size=(300, 60))
    together = NumberBins(edges).place(numbers, np.zeros(numbers.shape, bool))
    for column, one in enumerate(edges):
        found = np.searchsorted(one, numbers[:, column], "right")
        assert np.array_equal(together[:, column], np.where(found == one.size, ABOVE, found))


def test_missing_wins_over_everything_and_infinities_are_not_finite() -> None:
    numbers = np.array([[np.nan], [np.inf], [-np.inf], [np.nan]])
    missing = np.array([[True], [False], [False], [False]])
    found = NumberBins([[0.0, 1.0]]).place(numbers, missing)
    assert found[:, 0].tolist() == [MISSING, NONFINITE, NONFINITE, NONFINITE]


def test_edges_belong_to_the_bin_they_open() -> None:
    assert place([0.0, 1.0, 2.0], [-1e-9, -0.0, 0.5, 1.0, 2.0, 3.0]) == [BELOW, 1, 1, 2, ABOVE, ABOVE]


def test_no_finite_number_is_above_the_largest_float() -> None:
    top = sys.float_info.max
    assert place([0.0, top], [top, -top, 1.0, np.inf]) == [1, BELOW, 1, NONFINITE]


def test_categories_go_to_their_bin_other_unseen_or_missing() -> None:
    bins = CategoryBins(["a", "b"], ["rare"])
    assert bins.place(["b", "a", "rare", "new", None, ""]).tolist() == [1, 0, 2, 3, 4, 3]
    assert CategoryBins([], []).place(["x", None]).tolist() == [1, 2]
    assert bins.place([]).size == 0


@pytest.mark.parametrize(("cell", "name"), [
    (None, None), (float("nan"), None), ("", ""), ("NaN", "NaN"), (True, "true"), (False, "false"),
    (3, "3"), (3.0, "3"), (-0.0, "0"), (3.5, "3.5"), (10**15, "1000000000000000"), (1e15, "1000000000000000"),
    (1e18, "1000000000000000000"), (2**64 - 1, "18446744073709551615"), (2**64, "1.8446744073709552e+19"),
    pytest.param(-(10**400), "-inf", id="beyond all floats"), (2.0**64, "1.8446744073709552e+19"),
    (float("inf"), "inf"), (float("-inf"), "-inf"), ([1], "<list>"), ({}, "<dict>"), ("ünï", "ünï"),
])  # fmt: skip
def test_a_category_has_one_spelling(cell: Any, name: str) -> None:
    assert category_name(cell) == name


@given(st.integers(-(2**53), 2**53))
def test_a_whole_number_is_spelt_alike_as_integer_and_float(number: float) -> None:
    assert category_name(number) == category_name(float(number)) == str(number)


@pytest.mark.parametrize(
    ("name", "truth"), [("1", "true"), ("0", "false"), ("TRUE", "true"), ("False", "false"), ("yes", "yes"), ("2", "2")]
)
def test_truth_values_have_one_spelling(name: str, truth: str) -> None:
    assert truth_name(name) == truth
