"""What scores are worth: losses, and whether what is said with 70 % comes true 70 times of 100.

Of two classes the score of the positive one is held against whether it came true; of several the highest score against
whether its class did (Guo et al. 2017), while log loss and the Brier score are of all of them. A truth of no known
class is one that every score was silent of. Scores below 0 and above 1 count as 0 and 1. Rows without a truth, or
without one of their scores, are left out.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.fixed import Fixed
from exporter.performance.moments import Mean, Scale
from exporter.performance.task import BINARY, Task
from exporter.performance.weighing import UNIT, WORDS, Batch, Weighed, count, read

EDGES: Final = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Between bins of calibration; a score on an edge is in the lower one, as with scikit-learn."""
BINS: Final = len(EDGES) + 1
_SCALE: Final = Scale(Fixed(6, 3), Fixed(32, 5))
_SCORES: Final = Fixed(0, 2)
_KINDS: Final = 3
_LEAST: Final = float(np.finfo(np.float64).eps)
"""What probabilities are clipped to before their logarithm, as in scikit-learn."""


class Scored(NamedTuple):
    """What the words say."""

    all: Weighed
    log_loss: Mean
    brier: Mean
    gap: Mean
    """By how much scores exceed what came true."""
    bins: Weighed
    """Of calibration, shape (BINS,), as the next two."""
    score: NDArray[np.float64]
    """Σw·score."""
    true: Weighed
    """Rows that came true."""


class ScoreTally:
    """Adds them up."""

    def __init__(self, task: Task) -> None:
        self._binary = task.kind == BINARY
        self._parts = np.cumsum((WORDS, _KINDS * _SCALE.size, 2 * WORDS * BINS))
        self.size = int(self._parts[-1]) + _SCORES.words * BINS

    def of(self, batch: Batch) -> NDArray[np.int64]:
        """Words of some rows, shape (size,)."""
        kept = scored(batch)
        claim, true = self._claims(kept)
        found = losses(kept, binary=self._binary)
        cells = np.searchsorted(EDGES, claim)
        sums = [np.bincount(cells, word, minlength=BINS) for word in _SCORES.weighed(claim, kept.units)]
        parts = (
            count(np.zeros(len(claim), np.intp), kept.units, 1).ravel(),
            _SCALE.of(np.stack((*found, claim - true)), kept),
            count(true.astype(np.intp) * BINS + cells, kept.units, 2 * BINS).ravel(),
            np.concatenate(sums).astype(np.int64),
        )
        return np.concatenate(parts)

    def _claims(self, kept: Batch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A score of each row, and whether what it is of came true."""
        scores = probabilities(kept)
        if self._binary:
            return scores[:, 0], (kept.true == 1).astype(np.float64)
        highest = scores.argmax(axis=1)
        return scores[np.arange(len(scores)), highest], (kept.true == highest).astype(np.float64)

    def read(self, words: NDArray[np.int64]) -> Scored:
        """What the words say."""
        everything, lost, bins, scores = np.split(words, self._parts)
        weighed = read(everything, (1,)).at(0)
        counted = read(bins, (2, BINS))
        claimed = _SCORES.read(scores.reshape(_SCORES.words, BINS)) / UNIT
        log_loss, brier, gap = _SCALE.read(lost, weighed)
        return Scored(weighed, log_loss, brier, gap, counted.sum(0), claimed, counted.at(1))


def scored(batch: Batch) -> Batch:
    """Rows that have a truth and all of their scores."""
    return batch.where(np.isfinite(batch.said[:, 1:]).all(axis=1) & np.isfinite(batch.true))


def probabilities(batch: Batch) -> NDArray[np.float64]:
    """Scores of shape (rows, scores), between 0 and 1."""
    return np.clip(batch.said[:, 1:], 0.0, 1.0)


def losses(kept: Batch, *, binary: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log loss and Brier score of each row."""
    scores = probabilities(kept)
    if binary:
        came = kept.true == 1
        of_true = np.where(came, scores[:, 0], 1 - scores[:, 0])
        return _log_loss(of_true), (scores[:, 0] - came) ** 2
    every = np.pad(scores, ((0, 0), (0, 1)))  # OTHER, of which nothing is said
    of_true = every[np.arange(len(every)), np.clip(kept.true, 0, scores.shape[1]).astype(np.intp)]
    return _log_loss(of_true), (scores**2).sum(axis=1) - of_true**2 + (1 - of_true) ** 2


def _log_loss(of_true: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-np.log(np.clip(of_true, _LEAST, 1 - _LEAST)))
