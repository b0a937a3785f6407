"""How good a classifier is by its scores alone, nobody knowing the truth (NannyML's CBPE).

A score that is calibrated says how often its class is true. So every answer adds to an expected confusion matrix: where
90 % was said of the class that was predicted, 0.9 of a right answer and 0.1 of a wrong one. That holds as long as what
goes with which features stays as it was in training (no concept drift); where features move, it moves along.

Intervals have the realised value 95 times of 100 if the scores are calibrated: truths are drawn by the probabilities
(arXiv 2505.05295), and the calibration itself is of so many rows of training data, of fewer where scores have moved to.
"""

import hashlib
import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.curves import MOST_CURVED, grid_of
from exporter.performance.task import BINARY, Task
from exporter.performed import Measure
from exporter.target import Calibration, Target

_Z: Final = 1.959963984540054
"""Of 95 %."""
_UNIT: Final = float(1 << 32)
"""So many make 1: sums of shares are exact up to 2^30 rows, and off by less than 1.2e-10 a row."""
_AT_ONCE: Final = 1 << 20
"""Rows whose sums are exact in floats."""
_LEAST: Final = float(np.finfo(np.float64).eps)
"""What probabilities are clipped to before their logarithm, as in scikit-learn."""
_OF_CLASS: Final = 5
_LOSSES: Final = 4
Floats = NDArray[np.float64]
Words = NDArray[np.int64]


def estimable(task: Task, target: Target | None) -> bool:
    """Whether scores are known to be probabilities, or how to read them as such."""
    return (
        target is not None
        and bool(target.calibrations)
        and (task.kind, task.scores, task.classes) == (target.task, target.scores, target.classes)
    )


class _Sums(NamedTuple):
    """What words say, shapes (classes,) but for the last ones."""

    rows: int
    said: Floats
    hits: Floats
    """Of those the ones that are expected to be right."""
    true: Floats
    """Expected rows of the class."""
    hits_spread: Floats
    """Variance of hits."""
    spread: Floats
    """Variance of true."""
    losses: Floats
    """Log loss, its variance, Brier score, its variance."""
    curve: Floats
    """Shape (scores, 2, bins): rows by the bin of their score, and those of them that are expected to be true."""


class Estimates:
    """Adds up the answers of one task, and says what is to be expected of them."""

    def __init__(self, task: Task, target: Target) -> None:
        """They must be `estimable`."""
        self._task = task
        self._calibrations = target.calibrations
        self._lines = [(np.array(one.scores), np.array(one.shares)) for one in target.calibrations]
        self._known = sum(target.errors) or target.column.present
        self._classes = len(task.classes)
        self._grid = grid_of(self._classes) if self._classes <= MOST_CURVED else None
        curves = (len(task.scores), 2, self._grid.bins) if self._grid else (0, 2, 0)
        self._shape = curves
        self._ends = np.cumsum([1, _OF_CLASS * self._classes, 2 * _LOSSES])
        spelled = repr((task, target.calibrations)).encode()
        self.fingerprint = hashlib.sha256(spelled).hexdigest()[:8]
        """Changes with whatever changes what words mean."""
        self.size = int(self._ends[-1] + np.prod(curves))
        """Words, each of 64 bits."""

    # in

    def of(self, said: Floats) -> Words:
        """Words of some answers, shape (size,); `said` is of shape (rows, width) as in `Rows`, a label may be missing.

        Those without all of their scores are left out.
        """
        found = np.zeros(self.size, np.int64)
        for start in range(0, len(said), _AT_ONCE):
            some = said[start : start + _AT_ONCE]
            found += self._of(some[np.isfinite(some[:, 1:]).all(axis=1)])
        return found

    def _of(self, said: Floats) -> Words:
        scores = np.clip(said[:, 1:], 0.0, 1.0)
        labels = said[:, 0] if self._task.label else self._task.labels(said[:, 1:])
        kept = np.isfinite(labels)
        scores, codes = scores[kept], labels[kept].astype(np.int64)
        calibrated = self._calibrated(scores)
        every = np.concatenate((1 - calibrated, calibrated), axis=1) if self._task.kind == BINARY else calibrated
        raw = np.concatenate((1 - scores, scores), axis=1) if self._task.kind == BINARY else scores
        parts = (
            np.array([len(codes)]), self._by_class(every, codes), self._of_losses(every, raw),
            self._curves(scores, calibrated),
        )  # fmt: skip
        return np.concatenate(parts)

    def _calibrated(self, scores: Floats) -> Floats:
        """Probabilities of shape (rows, scores); of several classes they add up to 1."""
        found = np.column_stack([np.interp(scores[:, at], *line) for at, line in enumerate(self._lines)])
        if self._task.kind == BINARY:
            return found
        total = found.sum(axis=1, keepdims=True)
        return np.where(total > 0, found / np.where(total > 0, total, 1.0), 1 / self._classes)

    def _by_class(self, every: Floats, labels: Words) -> Words:
        """Said, hits, true, and variances of hits and true; shape (5 · classes,)."""
        spread = every * (1 - every)
        own = labels < self._classes
        rows, at = np.flatnonzero(own), labels[own]
        hits, hits_spread = (np.rint(one[rows, at] * _UNIT) for one in (every, spread))
        found = (
            np.bincount(at, minlength=self._classes) * _UNIT, np.bincount(at, hits, self._classes),
            np.rint(every * _UNIT).sum(axis=0), np.bincount(at, hits_spread, self._classes),
            np.rint(spread * _UNIT).sum(axis=0),
        )  # fmt: skip
        return np.concatenate(found).astype(np.int64)

    def _of_losses(self, every: Floats, raw: Floats) -> Words:
        """Expected losses of what was said, and their variances: whole parts and the rest of each; shape (8,)."""
        logs = -np.log(np.clip(raw, _LEAST, 1 - _LEAST))
        half = 2.0 if self._task.kind == BINARY else 1.0  # scikit-learn's Brier score of two classes is half of theirs
        brier = ((raw**2).sum(axis=1, keepdims=True) + 1 - 2 * raw) / half
        found = []
        for loss in (logs, brier):
            mean = (every * loss).sum(axis=1, keepdims=True)
            found += [mean[:, 0], (every * (loss - mean) ** 2).sum(axis=1)]
        whole = np.floor(found)
        return np.concatenate((whole.sum(axis=1), np.rint((found - whole) * _UNIT).sum(axis=1))).astype(np.int64)

    def _curves(self, scores: Floats, calibrated: Floats) -> Words:
        if self._grid is None:
            return np.zeros(0, np.int64)
        bins, kinds = self._grid.bins, scores.shape[1]
        cells = (self._grid.cells(scores) + np.arange(kinds) * bins).ravel()
        rows = np.bincount(cells, minlength=kinds * bins).reshape(kinds, bins)
        true = np.bincount(cells, np.rint(calibrated * _UNIT).ravel(), kinds * bins).reshape(kinds, bins)
        return np.stack((rows, true.astype(np.int64)), axis=1).ravel()

    # out

    def samples(self, words: Words) -> int:
        """Answers that the estimates are of."""
        return int(words[0])

    def measures(self, words: Words) -> tuple[Measure, ...]:
        """What is to be expected; nothing where there are no answers."""
        if not words[0]:
            return ()
        sums = self._read(words)
        return tuple(_measures(self._task, sums, 1 + self._doubt(sums)))

    def _doubt(self, sums: _Sums) -> float:
        """The variance that is the calibration's own, as a share of that of truths; of several classes the largest."""
        plain = sums.rows / self._known
        if self._grid is None:
            return plain
        edges = np.concatenate(([0.0], self._grid.edges, [1.0]))
        middles, spread = (edges[1:] + edges[:-1]) / 2, sums.spread[-len(self._lines) :]
        found = [
            _lever(one, middles, rows) / of if one.rows and of > 0 else plain
            for one, rows, of in zip(self._calibrations, sums.curve[:, 0], spread, strict=True)
        ]
        return max(found)

    def _read(self, words: Words) -> _Sums:
        rows, by_class, losses, curves = np.split(words, self._ends)
        whole, rest = losses.reshape(2, _LOSSES)
        curve = curves.reshape(self._shape).astype(np.float64)
        curve[:, 1] /= _UNIT
        said, hits, true, hits_spread, spread = by_class.reshape(_OF_CLASS, -1) / _UNIT
        return _Sums(int(rows[0]), said, hits, true, hits_spread, spread, whole + rest / _UNIT, curve)


# --- what is to be expected


def _lever(line: Calibration, middles: Floats, rows: Floats) -> float:
    """Variance of the expected number of true ones among rows by the bin of their score.

    Each point of the line is the share of some rows of training data, and counts for as many of these rows.
    """
    shares, known = np.array(line.shares), np.array(line.rows)
    weights = np.array([np.interp(middles, line.scores, point) for point in np.eye(len(known))])
    return float(((weights @ rows) ** 2 * shares * (1 - shares) / known).sum())


class _Expected(NamedTuple):
    """Numbers and their variances, shapes (…)."""

    value: Floats
    variance: Floats


def _measures(task: Task, sums: _Sums, widened: float) -> list[Measure]:
    """`widened` is by how much the calibration's own error adds to variances."""
    rows = sums.rows
    found = [_measure("accuracy", sums.hits.sum() / rows, sums.hits_spread.sum() * widened / rows**2)]
    for name, one in (("precision", _precision(sums)), ("recall", _recall(sums)), ("f1", _f1(sums))):
        variance = one.variance * widened
        pairs = zip(task.classes, one.value, variance, strict=True)
        found += [_measure(name, value, spread)._replace(labels=(label,)) for label, value, spread in pairs]
        found.append(_measure(f"{name}_macro", one.value.mean(), np.sqrt(variance).mean() ** 2))
    if sums.curve.size:
        found.append(_roc_auc(sums.curve, widened))
    for at, name, most in ((0, "log_loss", math.inf), (2, "brier", 1.0 if task.kind == BINARY else 2.0)):
        found.append(_measure(name, sums.losses[at] / rows, sums.losses[at + 1] * widened / rows**2, most))
    return found


def _measure(name: str, value: float, variance: float, most: float = 1.0) -> Measure:
    away = _Z * math.sqrt(max(float(variance), 0.0))
    return Measure(name, float(value), max(float(value) - away, 0.0), min(float(value) + away, most))


def _precision(sums: _Sums) -> _Expected:
    """0 where the class is never said, as in scikit-learn."""
    said = np.maximum(sums.said, 1)
    return _Expected(sums.hits / said, sums.hits_spread / said**2)


def _recall(sums: _Sums) -> _Expected:
    """By the delta method: hits and misses are of different rows."""
    true = np.where(sums.true > 0, sums.true, 1.0)
    missed, missed_spread = sums.true - sums.hits, sums.spread - sums.hits_spread
    return _Expected(sums.hits / true, (missed**2 * sums.hits_spread + sums.hits**2 * missed_spread) / true**4)


def _f1(sums: _Sums) -> _Expected:
    """2 hits / (said + true), by the delta method."""
    total = np.where(sums.said + sums.true > 0, sums.said + sums.true, 1.0)
    value = 2 * sums.hits / total
    by_hit, by_miss = (2 - value) / total, -value / total
    missed_spread = sums.spread - sums.hits_spread
    return _Expected(value, by_hit**2 * sums.hits_spread + by_miss**2 * missed_spread)


def _roc_auc(curve: Floats, widened: float) -> Measure:
    """Of several classes the mean of each against the others; its error at most the mean of theirs."""
    found = [_area(rows, true) for rows, true in curve]
    value, deviation, bound = (float(np.mean(one)) for one in zip(*found, strict=True))
    return _measure("roc_auc", value, deviation**2 * widened)._replace(bound=bound)


def _area(rows: Floats, true: Floats) -> tuple[float, float, float]:
    """Area under the expected ROC curve, its standard deviation, and how far the bins may have it off."""
    true = np.clip(true, 0.0, rows)
    false = rows - true
    positives, negatives = true.sum(), false.sum()
    if not positives or not negatives:
        return math.nan, math.nan, math.nan
    below, above = false.cumsum() - false / 2, positives - true.cumsum() + true / 2
    pairs = positives * negatives
    area = (true * below).sum() / pairs
    turned = (below - above) / pairs - area / positives + area / negatives
    spread = (true * false / np.maximum(rows, 1) * turned**2).sum()
    return float(area), math.sqrt(spread), float((true * false).sum() / pairs / 2)
