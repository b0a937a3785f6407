"""Entropy and the fullest bin: by hand, and their critical values against simulation."""

import math
from typing import Any, Final

import numpy as np
import pytest
import scipy.stats

from exporter.drift import spread
from exporter.drift.summary import Summary, of_bins

DRAWS: Final = 20_000
SHARES: Final[dict[str, Any]] = {
    "even": np.full(12, 1 / 12),
    "two": np.array([0.7, 0.3]),
    "two alike": np.array([0.5, 0.5]),
    "rare": np.array([0.97, 0.02, 0.01]),
    "many": (1 / np.arange(1, 22)) / (1 / np.arange(1, 22)).sum(),
}


def drawn(shares: Any, rows: int, seed: int) -> Summary:
    return of_bins(np.random.default_rng(seed).multinomial(rows, shares, DRAWS))


def test_entropy_and_the_fullest_bin_are_those_of_the_counts() -> None:
    counts = np.array([[5, 5, 0, 10], [7, 0, 0, 0], [1, 1, 1, 1]])
    found = of_bins(counts)
    assert spread.entropy(found) == pytest.approx([scipy.stats.entropy(row) for row in counts])
    assert spread.largest(found) == pytest.approx([0.5, 1.0, 0.25])


@pytest.mark.parametrize(("rows", "reference_rows"), [(200, 200), (200, 100_000), (5000, 2000), (100_000, 5000)])
@pytest.mark.parametrize("kind", SHARES)
def test_chance_exceeds_the_critical_values_less_than_once_in_a_thousand_windows(
    kind: str, rows: int, reference_rows: int
) -> None:
    reference, current = drawn(SHARES[kind], reference_rows, 1), drawn(SHARES[kind], rows, 2)
    fallen = spread.entropy(reference) - spread.entropy(current) > spread.entropy_critical(reference, current)
    grown = spread.largest(current) - spread.largest(reference) > spread.largest_critical(reference, current)
    noise = 3 * math.sqrt(0.001 / DRAWS)
    assert fallen.mean() <= 0.001 + noise
    assert grown.mean() <= 0.001 + noise


def test_a_class_that_takes_over_is_told_from_chance_by_both() -> None:
    reference = drawn(np.array([0.5, 0.3, 0.2]), 5000, 3)
    current = drawn(np.array([0.7, 0.2, 0.1]), 1000, 4)
    assert (spread.entropy(reference) - spread.entropy(current) > spread.entropy_critical(reference, current)).all()
    assert (spread.largest(current) - spread.largest(reference) > spread.largest_critical(reference, current)).all()


def test_values_that_come_as_one_are_as_many_fewer() -> None:
    shares = SHARES["two"]
    reference, some = drawn(shares, 5000, 5), drawn(shares, 1000, 6)
    tenfold = some._replace(counts=some.counts * 10, samples=some.samples * 10, dependence=some.dependence * 10)
    assert spread.entropy_critical(reference, tenfold)[:5] == pytest.approx(
        spread.entropy_critical(reference, some)[:5], rel=0.1
    )
