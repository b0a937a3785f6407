"""How many truths come as one: lumps of truths vary more than independent ones would where some belong together.

All of one customer, of one request or of one day may turn out wrong together. Each lump is held against the one before
it, and sums of eight and of 64 of them likewise, for what lasts longer than a lump: Pearson's X² of such a pair is 1 on
average where each truth stands for itself, and where they come in groups of s that are alike it is E[s²] / E[s].
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_SPANS: Final = (1, 8, 64)
"""Lumps that are held together against as many before them."""
_PRIOR: Final = (4.0, 16.0, 16.0)
"""So many pairs' worth of what was believed before: the default, and of longer spans what the shorter one shows."""
_BELIEVED: Final = 7
"""Pairs of lumps from which on it is taken for what it is."""
_FARTHEST: Final = 9.0
"""A pair counts for no more than so many times the mean: a model that becomes worse once is no dependence."""


class Clumps:
    """Of one stream of truths, right or wrong."""

    def __init__(self, default: float) -> None:
        """`default` is believed before anything is seen."""
        self._default = default
        self._open: NDArray[np.int64] = np.zeros((len(_SPANS), 2), np.int64)
        """Right and wrong ones of a span that is not over."""
        self._before: NDArray[np.int64] = np.zeros((len(_SPANS), 2), np.int64)
        self._squares: NDArray[np.float64] = np.zeros(len(_SPANS))
        self._pairs: NDArray[np.int64] = np.zeros(len(_SPANS), np.int64)
        self._lumps: NDArray[np.int64] = np.zeros(1, np.int64)

    def arrays(self, prefix: str) -> Mapping[str, NDArray[Any]]:
        """What must be kept for it to go on elsewhere."""
        return {
            f"{prefix}.{name}": getattr(self, f"_{name}") for name in ("open", "before", "squares", "pairs", "lumps")
        }

    @property
    def is_believed(self) -> bool:
        """Whether enough was seen to go by."""
        return bool(self._pairs[0] >= _BELIEVED)

    def add(self, lump: NDArray[np.int64]) -> None:
        """Take a lump: its right and wrong ones, shape (2,)."""
        self._lumps += 1
        self._open += lump
        means = self._means()
        for at, span in enumerate(_SPANS):
            if self._lumps[0] % span == 0:
                self._compare(at, _FARTHEST * means[at])
                self._before[at] = self._open[at]
                self._open[at] = 0

    def _compare(self, at: int, most: float) -> None:
        """Hold a span against the one before; all right or all wrong, they tell nothing."""
        pair = np.array([self._open[at], self._before[at]], np.float64)
        rows, outcomes = pair.sum(axis=1), pair.sum(axis=0)
        if rows.all() and outcomes.all():
            apart = pair[0, 1] * rows[1] - pair[1, 1] * rows[0]
            square = apart**2 / rows.prod() / outcomes.prod() * (rows.sum() - 1)
            self._squares[at] += min(square, most)
            self._pairs[at] += 1

    def _means(self) -> list[float]:
        """Of each span, from the shortest; what is seen of a shorter one is expected of the next."""
        found, believed = [], self._default
        for worth, squares, pairs in zip(_PRIOR, self._squares.tolist(), self._pairs.tolist(), strict=True):
            believed = (worth * believed + squares) / (worth + pairs)
            found.append(believed)
        return found

    @property
    def dependence(self) -> float:
        """How many truths are taken to come as one, at least 1; of longer spans a standard error less than seen.

        The largest of some that are in doubt would be too large nearly always. X² of independent ones has variance 2.
        """
        return max(1.0, self._means()[0], *self._longer())

    @property
    def carefully(self) -> float:
        """The same; a standard error of the shortest span more than seen, where that is more than chance shows."""
        error = 1 - _less(int(self._pairs[0]), _PRIOR[0])
        return self.dependence * (1 + error if self.dependence > 1 + 2 * error else 1)

    def _longer(self) -> list[float]:
        """Of longer spans that are seen."""
        spans = zip(self._means()[1:], self._pairs.tolist()[1:], _PRIOR[1:], strict=True)
        return [mean * _less(some, worth) for mean, some, worth in spans if some]


def _less(pairs: int, worth: float) -> float:
    """From a mean to a standard error less."""
    return 1 - math.sqrt(2 * pairs) / (worth + pairs)
