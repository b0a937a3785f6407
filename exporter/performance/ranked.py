"""How good an order was, by how relevant what was shown turned out to be.

NDCG is scikit-learn's: gains as they are, discounted by log2(1 + rank), over those of the best order of what was shown;
0 where nothing was relevant. Rows with nothing shown are left out and counted; negative relevances count as 0.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.fixed import Fixed
from exporter.performance.moments import Mean, Scale
from exporter.performance.task import Task
from exporter.performance.weighing import WORDS, Batch, Weighed, count, read

_SCALE: Final = Scale(Fixed(1, 3), Fixed(21, 4))


class Ranked(NamedTuple):
    """What the words say."""

    left_out: int
    all: Weighed
    hits: Weighed
    """Rows with anything relevant among the first k."""
    ndcg: Mean


class RankTally:
    """Adds them up."""

    def __init__(self, task: Task) -> None:
        self._ranks = task.ranks
        self.size = 1 + 2 * WORDS + _SCALE.size

    def of(self, batch: Batch) -> NDArray[np.int64]:
        """Words of some rows, shape (size,)."""
        kept = batch.where(np.asarray(np.isfinite(batch.true).any(axis=1)))
        relevant = relevant_of(kept.true)
        hit = np.asarray((relevant[:, : self._ranks] > 0).any(axis=1), np.intp)
        parts = (
            np.array([len(batch.true) - len(kept.true)]),
            count(hit, kept.units, 2).ravel(),
            _SCALE.of(gains(kept.true, self._ranks)[None], kept),
        )
        return np.concatenate(parts)

    def read(self, words: NDArray[np.int64]) -> Ranked:
        """What the words say."""
        both = read(words[1 : 1 + 2 * WORDS], (2,))
        (ndcg,) = _SCALE.read(words[1 + 2 * WORDS :], both.sum())
        return Ranked(int(words[0]), both.sum(), both.at(1), ndcg)


def relevant_of(true: NDArray[np.float64]) -> NDArray[np.float64]:
    """How relevant what was shown was, from 0 on."""
    return np.clip(np.nan_to_num(true, nan=0.0, posinf=0.0), 0.0, None)


def gains(true: NDArray[np.float64], ranks: int) -> NDArray[np.float64]:
    """NDCG of each row, shape (rows,)."""
    relevant = relevant_of(true)
    best = -np.sort(-relevant, axis=1)[:, :ranks]
    shown = relevant[:, :ranks]
    discount = 1 / np.log2(np.arange(best.shape[1]) + 2)
    top = best[:, :1] + (best[:, :1] == 0)  # so that sums of huge ones stay finite
    gained, possible = ((side / top) @ discount for side in (shown, best))
    return np.asarray(gained / np.where(possible > 0, possible, 1.0))
