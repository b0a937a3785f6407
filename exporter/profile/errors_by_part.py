"""How wrong the predictions of the training data were in each of their segments, in whole numbers.

Of numbers the sizes of errors are kept on the grid that all of them are on: the edges that are found for all lie on its
bounds, so that rows between them are counted exactly, whatever part of a table they are from.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exporter.sketch.grid import Grid


class ErrorsByPart:
    """Of all ways to divide the rows of a table. It can be pickled, and merged with those of other parts of it."""

    def __init__(self, segments: int, is_classification: bool, edges: Sequence[float]) -> None:
        """`edges` of the sizes of errors, where they are known."""
        self._classes = is_classification
        self.wrong = np.zeros((segments, 2), np.int64)
        """Of classes the right ones and the wrong ones."""
        self.known = np.zeros((segments, len(edges) + 1), np.int64)
        """Of numbers, between the edges."""
        self._edges = np.array(edges, np.float64)
        self.sizes = [Grid() for _ in range(0 if is_classification or edges else segments)]

    def add(
        self, said: NDArray[np.float64], true: NDArray[np.float64], segments: Sequence[NDArray[np.int32]]
    ) -> None:  # fmt: skip
        """Some rows, with the segment of each by what divides them."""
        there = np.isfinite(said) & np.isfinite(true)
        with np.errstate(over="ignore"):
            off = np.minimum(np.abs(said[there] - true[there]), np.finfo(np.float64).max)
        for places in segments:
            self._count(off, places[there])

    def _count(self, off: NDArray[np.float64], places: NDArray[np.int32]) -> None:
        if self._classes:
            np.add.at(self.wrong, (places, (off > 0).astype(np.intp)), 1)
        elif self._edges.size:
            np.add.at(self.known, (places, np.searchsorted(self._edges, off, side="right")), 1)
        else:
            for place in np.unique(places).tolist():
                self.sizes[place].update(off[places == place])

    def merge(self, other: "ErrorsByPart") -> None:
        """Add all that another part holds."""
        self.wrong += other.wrong
        self.known += other.known
        for mine, theirs in zip(self.sizes, other.sizes, strict=True):
            mine.merge(theirs)

    def counts(self, edges: Sequence[float]) -> list[tuple[int, ...]]:
        """Of each segment, as errors of the whole are counted; `edges` are those that were found for it."""
        if self._classes or self._edges.size:
            found = self.wrong if self._classes else self.known
            return [tuple(row) for row in found.tolist()]
        return [_between(one, edges) for one in self.sizes] if edges else []


def _between(sizes: Grid, edges: Sequence[float]) -> tuple[int, ...]:
    """Rows below the first edge, between each two, and from the last on."""
    places = np.searchsorted(edges, sizes.lower_bounds(), side="right")
    counts = np.bincount(places, sizes.counts, minlength=len(edges) + 1)
    return tuple(int(count) for count in counts)
