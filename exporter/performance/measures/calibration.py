"""Whether scores come true as often as they say. Of several classes: whether the one with the highest score does.

`calibration_error` is the root of the mean squared gap between score and share in 14 bins, less what chance adds to it
(Kumar, Liang, Ma 2019): 0 where no more than chance is to be seen. Its interval is that of the squared gaps.
"""

import math
from collections.abc import Iterator

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
    weight, squared, chance = _gaps(case.sums.scored, case.dependence)
    if not weight.sum() > 0:
        yield Measure("calibration_error", math.nan)
        return
    error = float(weight @ (squared - chance))
    ends = _ends(error, 2 * float(weight**2 @ chance**2), 4 * float(weight**2 @ chance))
    value, lower, upper = (math.sqrt(max(number, 0.0)) for number in (error, *ends))
    yield Measure("calibration_error", value, lower, upper)


def _ends(error: float, fixed: float, steep: float) -> tuple[float, float]:
    """Between which mean squared gaps x the estimate is within 1.96 of its deviations at x, √(fixed + steep · x)."""
    half = Z * Z * steep / 2
    reach = math.sqrt(max(half * half + 2 * half * error + Z * Z * fixed, 0.0))
    return error + half - reach, error + half + reach


def _gaps(scored: Scored, dependence: float) -> tuple[NDArray[np.float64], ...]:
    """Of the bins of more than one row: their share of the weight, the squared gap, and what chance adds to that."""
    bins = scored.bins
    with np.errstate(invalid="ignore", divide="ignore"):
        rows = bins.weight**2 / bins.squares
        there = rows > 1.0 + 1e-9
        score, true = scored.score / bins.weight, scored.true.weight / bins.weight
        chance = true * (1 - true) / (rows - 1) * dependence
    weight = bins.weight[there]
    return weight / max(weight.sum(), 1e-300), (score - true)[there] ** 2, chance[there]


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
