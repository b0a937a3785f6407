"""Quantiles from fine cells stay within their bound of numpy's on the raw values, wherever the live ones have gone."""

import math
import sys
from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from exporter.sketch.binning import NumberBins
from exporter.sketch.quantiles import CELLS, QuantileCells

RANKS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
INNER = (0.01, *np.arange(0.1, 0.95, 0.1), 0.99)
Values = NDArray[np.float64]
Shape = Callable[[Generator, int], Values]

REFERENCES: dict[str, Shape] = {
    "normal": lambda random, rows: random.normal(0, 1, rows),
    "skewed": lambda random, rows: random.lognormal(3, 1.5, rows),
    "kelvin": lambda random, rows: random.normal(293, 5, rows),
    "negative": lambda random, rows: -random.lognormal(0, 2, rows),
    "uniform": lambda random, rows: random.random(rows),
    "times": lambda random, rows: 1.7e9 + 86400 * random.random(rows),
}
CHANGES: dict[str, Callable[[Values], Values]] = {
    "as it was": lambda values: values,
    "moved by an sd": lambda values: values + values.std(),
    "of another unit": lambda values: values * 100,
    "far away": lambda values: values * -200,
    "turned round": lambda values: -values,
    "narrow": lambda values: values.mean() + (values - values.mean()) / 50,
    "one value": lambda values: np.full_like(values, values.max() + values.std()),
}


def edges_of(reference: Values) -> list[float]:
    return np.unique([reference.min(), *np.quantile(reference, INNER), np.nextafter(reference.max(), np.inf)]).tolist()


def counts(edges: list[list[float]], values: Values) -> NDArray[np.int64]:
    return QuantileCells(edges).counts(values, NumberBins(edges).place(values, np.isnan(values)))


def bound(edges: list[float], value: float) -> float:
    """How far from a value its cell may reach."""
    unit = max((edges[-1] - edges[0]) / 8, max(map(abs, edges)) / 4096)
    if value < edges[0]:
        return (edges[0] - value + unit) / 8
    if value >= edges[-1]:
        return (value - edges[-1] + unit) / 8
    at = int(np.searchsorted(edges, value, "right"))
    return (edges[at] - edges[at - 1]) / 12


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("rows", [40, 20_000])
def test_a_quantile_is_off_by_a_cell_at_most(reference: str, change: str, rows: int) -> None:
    random = np.random.default_rng(3)
    edges = edges_of(REFERENCES[reference](random, 5000))
    live = CHANGES[change](REFERENCES[reference](random, rows))
    found = QuantileCells([edges]).quantiles(counts([edges], live[:, None]), RANKS)[0]
    exact = np.quantile(live, RANKS, method="inverted_cdf")
    for told, true in zip(found.tolist(), exact.tolist(), strict=True):
        assert abs(told - true) <= bound(edges, true) * (1 + 1e-5) + 1e-9 * abs(true)


def test_whole_numbers_with_a_bin_each_are_told_as_they_are() -> None:
    edges = [float(number) for number in range(11)]
    live = np.random.default_rng(2).integers(0, 10, 5000).astype(float)
    found = QuantileCells([edges]).quantiles(counts([edges], live[:, None]), RANKS)[0]
    assert found.tolist() == np.quantile(live, RANKS, method="inverted_cdf").tolist()


def test_what_is_missing_or_not_finite_is_in_no_quantile() -> None:
    values = np.array([[np.nan], [np.inf], [-np.inf], [0.5]])
    found = counts([[0.0, 1.0]], values)
    assert found[0, -1] == 3
    assert QuantileCells([[0.0, 1.0]]).quantiles(found, (0.5,))[0, 0] == pytest.approx(0.5, abs=1 / 12)


def test_of_nothing_there_is_no_quantile() -> None:
    found = QuantileCells([[0.0, 1.0], [1.0, 2.0]]).quantiles(np.zeros((2, CELLS), np.int64), RANKS)
    assert np.isnan(found).all()


@pytest.mark.parametrize("edges", [
    [0.0, 5e-324], [-sys.float_info.max, 0.0, sys.float_info.max], [1e308, 1.5e308], [7.0, math.nextafter(7.0, 8.0)],
    [-1e-320, 0.0, 1e-320], [0.0, 1.0, 1e300],
])  # fmt: skip
def test_quantiles_are_finite_and_in_order_for_any_edges_and_values(edges: list[float]) -> None:
    top = sys.float_info.max
    values = np.array([-top, -1e300, -7.0, -5e-324, 0.0, 5e-324, 1e-310, 1.0, 7.0, 1e300, 1.2e308, top, *edges])[
        :, None
    ]
    found = QuantileCells([edges]).quantiles(counts([edges], values), np.linspace(0, 1, 101).tolist())[0]
    assert np.isfinite(found).all()
    if edges[-1] - edges[0] < top:  # there is no float for a wider bin
        assert (found[1:] >= found[:-1]).all()


def test_neither_order_nor_batches_change_a_count_and_no_column_another_one() -> None:
    random = np.random.default_rng(6)
    columns = [make(random, 3000) for make in REFERENCES.values()]
    edges = [edges_of(column) for column in columns]
    live = np.column_stack(columns) * 1.3
    live[random.random(live.shape) < 0.02] = np.nan
    whole = counts(edges, live)
    parts = np.split(live[random.permutation(len(live))], [1, 8, 1001])
    assert np.array_equal(sum(counts(edges, part) for part in parts), whole)
    assert whole.sum(axis=1).tolist() == [3000] * len(edges)
    for at, one in enumerate(edges):
        assert np.array_equal(counts([one], live[:, [at]])[0], whole[at])
