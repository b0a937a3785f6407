"""Scores counted in cells, and the line by which they are read as probabilities. Whole numbers: cells can be added.

Cells are some 2 % of a score wide, or of what it lacks to 1 where that is less: rare events, and near certain ones,
have cells of their own.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.sketch.grid import keys
from exporter.target import MOST_POINTS, Calibration

_SHIFT: Final = 47
"""32 cells to a factor of two."""
_SMALLEST: Final = 2.0**-30
_FIRST, _MIDDLE = (int(keys(np.array([at]))[0]) >> _SHIFT for at in (_SMALLEST, 0.5))
_HALF: Final = _MIDDLE - _FIRST + 1
CELLS: Final = 2 * _HALF
UNIT: Final = float(1 << 30)
"""So many make a score of 1: sums are exact up to 8 · 10^9 rows."""
_LEAST_ROWS: Final = 10
"""Behind one point: fewer might tell of a single row."""
_FOLDS: Final = 3
_BINS: Final = 10
_TOLD_APART: Final = 256
"""Rows of a cell that are shared out to the folds one by one; what is beyond them evenly."""

Counts = NDArray[np.int64]


class Cells(NamedTuple):
    """Rows by the cell of their score."""

    rows: Counts
    """Shape (cells,), as are the others."""
    true: Counts
    """Those of the class that the score is of."""
    scores: Counts
    """Sums of the scores, in units."""

    def __add__(self, other: object) -> "Cells":
        """What both hold."""
        if not isinstance(other, Cells):
            return NotImplemented
        return Cells(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def empty() -> Cells:
    """No rows."""
    return Cells(*(np.zeros(CELLS, np.int64) for _ in Cells._fields))


def cells(scores: NDArray[np.float64], true: NDArray[np.bool_]) -> Cells:
    """Some rows: scores from 0 to 1, and whether the class was true; shapes (rows,)."""
    upper = scores >= 0.5
    level = (keys(np.maximum(np.where(upper, 1.0 - scores, scores), _SMALLEST)) >> _SHIFT) - _FIRST
    at = np.where(upper, CELLS - 1 - level, level)
    units = np.rint(scores * UNIT)
    return Cells(
        np.bincount(at, minlength=CELLS), np.bincount(at[true], minlength=CELLS),
        np.bincount(at, units, CELLS).astype(np.int64),
    )  # fmt: skip


def calibration(output: str, counted: Cells) -> Calibration | None:
    """How to read a score as a probability; None where it says nothing about the truth.

    The line of the best fit that never falls (isotonic regression), where that lowers the expected calibration error of
    rows that it was not fitted to, in each of three folds, as NannyML does; else scores are taken as they are.
    """
    occupied = counted.rows > 0
    held = Cells(*(one[occupied] for one in counted))
    if not held.rows.size or not 0 < held.true.sum() < held.rows.sum():
        return None
    if not _is_better(held, np.flatnonzero(occupied)):
        return Calibration(output, (0.0, 1.0), (0.0, 1.0))
    fit = _fit(held)
    if fit.rows.size == 1:
        return None
    scores, shares = _points(fit)
    return Calibration(output, tuple(scores.tolist()), tuple(shares.tolist()), tuple(fit.rows.tolist()))


def _fit(held: Cells) -> Cells:
    """The isotonic fit of occupied cells: those of one height together, at most `MOST_POINTS`."""
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 (slow to import, and a build's alone)

    fit = isotonic_regression(held.true / held.rows, weights=held.rows)
    pooled = Cells(*(np.add.reduceat(one, fit.blocks[:-1]) for one in held))
    while pooled.rows.size > 1 and (pooled.rows.size > MOST_POINTS or pooled.rows.min() < _LEAST_ROWS):
        pooled = _fewer(pooled)
    return pooled


def _points(fit: Cells) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ascending scores and shares."""
    return fit.scores / UNIT / fit.rows, fit.true / fit.rows


def _fewer(pooled: Cells) -> Cells:
    """Two neighbours put together: those of which it costs least, of small ones first."""
    rows, shares = pooled.rows, pooled.true / pooled.rows
    costs = rows[1:] * rows[:-1] / (rows[1:] + rows[:-1]) * np.diff(shares) ** 2
    small = rows < _LEAST_ROWS
    if small.any():
        costs = np.where(small[1:] | small[:-1], costs, np.inf)
    at = int(costs.argmin())
    return Cells(*(np.concatenate((one[:at], [one[at] + one[at + 1]], one[at + 2 :])) for one in pooled))


# --- is it any better?


def _is_better(held: Cells, places: Counts) -> bool:
    """Whether the line lowers the calibration error of rows that it does not know, in every fold."""
    folds = _folds(held, places)
    whole = Cells(*(one.copy() for one in held))
    for fold in folds:
        rest = Cells(*(all_ - some for all_, some in zip(whole, fold, strict=True)))
        seen = rest.rows > 0
        scores, shares = _points(_fit(Cells(*(one[seen] for one in rest))))
        raw = held.scores / UNIT / held.rows
        if _error(fold, np.interp(raw, scores, shares)) >= _error(fold, raw):
            return False
    return True


def _folds(held: Cells, places: Counts) -> list[Cells]:
    """The rows shared out: by chance, and always in the same way, whatever order they came in."""
    true = _shared_out(held.true, places * 2 + 1)
    false = _shared_out(held.rows - held.true, places * 2)
    means = held.scores / held.rows
    return [
        Cells(yes + no, yes, np.rint((yes + no) * means).astype(np.int64)) for yes, no in zip(true, false, strict=True)
    ]


def _shared_out(rows: Counts, seeds: Counts) -> list[Counts]:
    singly = np.minimum(rows, _TOLD_APART)
    cell = np.repeat(np.arange(rows.size), singly)
    ordinal = np.arange(cell.size) - np.repeat(singly.cumsum() - singly, singly)
    fold = (_mixed(seeds[cell] * _TOLD_APART + ordinal) % np.uint64(_FOLDS)).astype(np.int64)
    rest = rows - singly
    found = [
        np.bincount(cell[fold == one], minlength=rows.size) + rest // _FOLDS + (rest % _FOLDS > one)
        for one in range(_FOLDS)
    ]
    return [one.astype(np.int64) for one in found]


def _mixed(numbers: Counts) -> NDArray[np.uint64]:
    """Numbers that look like chance (the finaliser of SplitMix64)."""
    bits = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _error(fold: Cells, said: NDArray[np.float64]) -> float:
    """The expected calibration error over ten bins of about as many rows each."""
    rows = int(fold.rows.sum())
    if not rows:
        return 0.0
    bins = np.minimum((fold.rows.cumsum() - fold.rows) * _BINS // rows, _BINS - 1)
    missed = np.bincount(bins, fold.true - said * fold.rows, _BINS)
    return float(np.abs(missed).sum() / rows)
