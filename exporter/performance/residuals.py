"""How far predicted numbers lie from those that turned out: sums of errors, and where they lie.

All in units of the task's `unit`, or rather of the power of two that is nearest to it, so that nothing is lost by it.
An error is the prediction less the truth. Errors and truths that are more than 2^40 units off, and errors of more than
2^90 times the truth, count as if they were just that, and are counted as clipped; rows where either number is missing
or infinite are left out, and counted.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.fixed import Fixed
from exporter.performance.task import Task
from exporter.performance.weighing import UNIT, WORDS, Batch, Weighed, count, read

_EXACT: Final = Fixed(90, 7)
_ROUGH: Final = Fixed(200, 10)
_MOST: Final = 2.0**40
_MOST_RATIO: Final = 2.0**90
_LEAST: Final = float(np.finfo(np.float64).eps)
"""What truths are taken to be at least where errors are divided by them, as in scikit-learn."""
_MEANS: Final = ("error", "size", "square", "ratio", "true", "true2", "true2_rest")
"""The sums with weights: e, |e|, e², |e/y|, d, d² in two parts, d being the truth less the task's centre."""
_CROSSED: Final = (
    "error", "size", "square", "square2", "ratio", "ratio2",
    "true", "true2", "true3", "true4", "square_true", "square_true2",
)  # fmt: skip
"""The sums with squares of weights, for variances: e, |e|, e², e⁴, |e/y|, its square, d, d², d³, d⁴, e²d, e²d²."""
_STEPS: Final = 35
"""Bins of errors in an octave: their middle is off by 1 % at most."""
_OCTAVES: Final = (-9, 5)
_POSITIVE: Final = 2.0 ** (np.arange(_OCTAVES[0] * _STEPS, _OCTAVES[1] * _STEPS + 1) / _STEPS)
EDGES: Final = np.concatenate((-_POSITIVE[::-1], _POSITIVE))
"""Between bins of errors, in units; the bin about 0 is as wide as a 256th of one."""
BINS: Final = len(EDGES) + 1


class Residuals(NamedTuple):
    """What the words say, in units."""

    scale: float
    """One unit."""
    left_out: int
    clipped: int
    all: Weighed
    means: dict[str, float]
    """Σwx / Σw."""
    spread: float
    """Weighted variance of the truth, exact whatever the centre."""
    crossed: dict[str, float]
    """Σw²x."""
    bins: NDArray[np.float64]
    """Weight by error, between EDGES."""


class ResidualTally:
    """Adds them up."""

    def __init__(self, task: Task) -> None:
        self.scale = scale_of(task.unit)
        self._centre = task.centre if math.isfinite(task.centre) else 0.0
        self._parts = np.cumsum((2, WORDS, len(_MEANS) * _EXACT.words, len(_CROSSED) * _ROUGH.words))
        self.size = int(self._parts[-1]) + BINS

    def of(self, batch: Batch) -> NDArray[np.int64]:
        """Words of some rows, shape (size,)."""
        kept = batch.where(np.isfinite(batch.said[:, 0]) & np.isfinite(batch.true))
        with np.errstate(over="ignore"):
            raw = kept.said[:, 0] - kept.true
            error, ratio = raw / self.scale, np.abs(raw) / np.maximum(np.abs(kept.true), _LEAST)
            true = (kept.true - self._centre) / self.scale
        clipped = (np.abs(error) > _MOST) | (np.abs(true) > _MOST) | (ratio > _MOST_RATIO)
        error, true = (np.clip(side, -_MOST, _MOST) for side in (error, true))
        means, crossed = _powers(error, np.minimum(ratio, _MOST_RATIO), true)
        cells = np.searchsorted(EDGES, error)
        parts = (
            np.array([len(batch.true) - len(kept.true), int(clipped.sum())]),
            count(np.zeros(len(error), np.intp), kept.units, 1).ravel(),
            _EXACT.weighed_sums(means, kept.units).ravel(),
            _ROUGH.sums(crossed * kept.weight**2).ravel(),
            np.bincount(cells, kept.units, minlength=BINS).astype(np.int64),
        )
        return np.concatenate(parts)

    def read(self, words: NDArray[np.int64]) -> Residuals:
        """What the words say."""
        numbers, everything, exact, rough, bins = np.split(words, self._parts)
        weighed = read(everything, (1,)).at(0)
        sums = exact.reshape(_EXACT.words, -1)
        weight = float(weighed.weight)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = dict(zip(_MEANS, (_EXACT.read(sums) / UNIT / np.float64(weight)).tolist(), strict=True))
        crossed = _ROUGH.read(rough.reshape(_ROUGH.words, -1)).tolist()
        return Residuals(
            self.scale, int(numbers[0]), int(numbers[1]), weighed, means,
            _spread(sums, int(everything[1])), dict(zip(_CROSSED, crossed, strict=True)), bins / UNIT,
        )  # fmt: skip


def _spread(sums: NDArray[np.int64], units: int) -> float:
    """Σwd²/Σw less the square of Σwd/Σw, as fractions: nothing cancels."""
    if not units:
        return math.nan
    true, square, rest = (_EXACT.exact(sums[:, at]) / units for at in (4, 5, 6))
    return float(square + rest - true * true)


def _powers(
    error: NDArray[np.float64], ratio: NDArray[np.float64], true: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The numbers of _MEANS and of _CROSSED, each of shape (kinds, rows)."""
    size, square, true2 = np.abs(error), error * error, true * true
    means = (error, size, square, ratio, true, true2, _rest_of_square(true, true2))
    crossed = (
        error, size, square, square * square, ratio, ratio * ratio,
        true, true2, true2 * true, true2 * true2, square * true, square * true2,
    )  # fmt: skip
    return np.stack(means), np.stack(crossed)


def _rest_of_square(number: NDArray[np.float64], square: NDArray[np.float64]) -> NDArray[np.float64]:
    """What rounding took from a square, exactly (Dekker 1971)."""
    wide = number * 134217729.0
    high = wide - (wide - number)
    low = number - high
    return np.asarray(((high * high - square) + 2.0 * high * low) + low * low)


def scale_of(unit: float) -> float:
    """The power of two that is nearest to a unit; 1 where there is none."""
    if not (math.isfinite(unit) and unit > 0):
        return 1.0
    return 2.0 ** min(max(round(math.log2(unit)), -900), 900)
