"""How widely predictions lie over their bins, window by window, against those of the reference."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.drift import spread
from exporter.drift.summary import Summary, of_bins
from exporter.looped import Spread
from exporter.reference import Column
from exporter.snapshots import Scores

_LEAST_BINS: Final = 2


class Concentrating:
    """Of the outputs of one model."""

    def __init__(self, columns: Sequence[Column]) -> None:
        width = max(len(column.counts) for column in columns)
        counts = np.zeros((len(columns), width), np.int64)
        for row, column in zip(counts, columns, strict=True):
            row[: len(column.counts)] = column.counts
        self._reference = of_bins(counts)
        self._dependence = np.array([column.dependence or 1.0 for column in columns])
        self._even = np.log([max(len(column.bins()), _LEAST_BINS) for column in columns])
        """The entropy of even bins."""

    def reference(self) -> NDArray[np.float64]:
        """Entropy of the reference as a share of that of even bins."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(spread.entropy(self._reference) / self._even)

    def snapshot(self, scores: Sequence[Scores]) -> tuple[Spread, ...]:
        """Of each window that there is; `scores` are those of the same columns."""
        return tuple(self._spread(one.window, of_bins(one.counts)) for one in scores)

    def _spread(self, window: str, current: Summary) -> Spread:
        current = current._replace(dependence=self._dependence)
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy, known = spread.entropy(current), spread.entropy(self._reference)
            lowest = np.maximum(known - spread.entropy_critical(self._reference, current), 0.0)
            most = spread.largest(self._reference) + spread.largest_critical(self._reference, current)
            nothing = np.where(current.samples > 0, 0.0, np.nan)
            return Spread(
                window, entropy / self._even, lowest / self._even + nothing, np.exp(entropy),
                spread.largest(current), np.minimum(most, 1.0) + nothing,
            )  # fmt: skip
