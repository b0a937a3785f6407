"""Whether scores come true as often as they say. Of several classes: whether the one with the highest score does.

`calibration_error` is the root of the mean squared gap between score and share in 14 bins, less what chance adds to it
(Kumar, Liang, Ma 2019): 0 where no more than chance is to be seen.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.intervals import Z, plain
from exporter.performance.measures.case import Case
from exporter.performance.scoring import BINS, Scored
from exporter.performed import Measure


def calibration_in_the_large(case: Case) -> Iterator[Measure]:
    """By how much the mean score exceeds the share that came true: above 0 promises too much."""
    if case.sums.scored is not None:
        gap = case.sums.scored.gap
        yield Measure("calibration_in_the_large", gap.value, *plain(gap.value, case.widened(gap)))


def calibration_error(case: Case) -> Iterator[Measure]:
    """Typical gap between what scores say and what comes true."""
    if case.sums.scored is None:
        return
    weight, squared, chance, spread = _gaps(case.sums.scored, case.dependence)
    if not weight.sum() > 0:
        yield Measure("calibration_error", math.nan)
        return
    error = float(weight @ (squared - chance))
    seen = float(weight @ squared)
    law = _Law(
        float(weight @ spread),
        2 * float(weight**2 @ spread**2),
        4 * float(weight**2 @ (spread * squared)) / seen if seen > 0 else 0.0,
    )
    lower, upper = (math.sqrt(law.solved(seen, quantile)) for quantile in (Z, -Z))
    yield Measure("calibration_error", math.sqrt(max(error, 0.0)), lower, upper)


class _Law(NamedTuple):
    """Of the mean squared gap that is seen where the true one is x: as χ² of that mean and variance (Patnaik 1949)."""

    chance: float
    """Its mean is x and this; its variance `fixed` and x times `steep`."""
    fixed: float
    steep: float

    def quantile(self, true: float, normal: float) -> float:
        """By Wilson and Hilferty (1931)."""
        mean = self.chance + true
        if not mean > 0:
            return 0.0
        part = (self.fixed + self.steep * true) / (9 * mean * mean)
        return mean * max(1 - part + normal * math.sqrt(part), 0.0) ** 3

    def solved(self, seen: float, normal: float) -> float:
        """The true one of which what is seen is that quantile; 0 where there is none."""
        low, high = 0.0, 2.0
        if self.quantile(low, normal) >= seen:
            return 0.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.quantile(middle, normal) < seen else (low, middle)
        return high


def _gaps(scored: Scored, dependence: float) -> tuple[NDArray[np.float64], ...]:
    """Of the bins of more than one row: their share of the weight, the squared gap, and what chance adds to that.

    And how far chance moves the gap, squared: as if one more row of the bin were as true as its score says, so that a
    bin that no row of came true is not sure of it.
    """
    bins = scored.bins
    with np.errstate(invalid="ignore", divide="ignore"):
        rows = bins.weight**2 / bins.squares
        there = rows > 1.0 + 1e-9
        score, true = scored.score / bins.weight, scored.true.weight / bins.weight
        chance = true * (1 - true) / (rows - 1) * dependence
        drawn = (true * rows + score) / (rows + 1)
        spread = drawn * (1 - drawn) / rows * dependence
    weight = bins.weight[there]
    return weight / max(weight.sum(), 1e-300), (score - true)[there] ** 2, chance[there], spread[there]


def reliability_rows(case: Case) -> Iterator[Measure]:
    """Rows by bin of scores."""
    if case.sums.scored is not None:
        yield from _by_bin("reliability_rows", case.sums.scored.bins.rows)


def reliability_score(case: Case) -> Iterator[Measure]:
    """The mean score of each bin."""
    if case.sums.scored is not None:
        yield from _by_bin("reliability_score", case.sums.scored.score, case.sums.scored)


def reliability_true_ratio(case: Case) -> Iterator[Measure]:
    """The share of each bin that came true."""
    if case.sums.scored is not None:
        yield from _by_bin("reliability_true_ratio", case.sums.scored.true.weight, case.sums.scored)


def _by_bin(
    name: str, sums: NDArray[np.float64] | NDArray[np.int64], scored: Scored | None = None
) -> Iterator[Measure]:
    for at, total in enumerate(sums.tolist()):
        weight = 1.0 if scored is None else float(scored.bins.weight[at])
        yield Measure(name, total / weight if weight > 0 else math.nan, labels=(f"{at:02d}",))


assert BINS <= 100  # noqa: S101 (two digits)
