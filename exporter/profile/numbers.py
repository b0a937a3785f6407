"""The numeric view of a column under construction: a grid of cells, the exact sum, the extremes. Mergeable."""

import math
import sys
from collections import Counter
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.reference import MISSING, NONFINITE, NUMERIC_BINS, Column
from exporter.sketch import cardinality
from exporter.sketch.exact_sum import ExactSum
from exporter.sketch.grid import Grid

QUANTILES: Final = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
"""Inner edges; the outer ones are the smallest and the largest value: 12 bins inside."""
_LARGEST_BELOW_MAX: Final = math.nextafter(sys.float_info.max, 0.0)
"""An edge above every value needs room for itself."""


class Numbers:
    """The numeric view of a column."""

    def __init__(self) -> None:
        self.grid = Grid()
        self.sum = ExactSum()
        self.distinct = cardinality.registers(1)[0]
        self.missing = 0
        self.nonfinite = 0
        self.minimum = math.inf
        self.maximum = -math.inf

    def update(self, values: NDArray[np.float64], missing: int) -> None:
        """Add values, NaN being missing, and a number of missing ones."""
        usable = np.isfinite(values)
        finite = values if usable.all() else values[usable]
        infinite = int(np.isinf(values).sum()) if finite.size < values.size else 0
        self.missing += missing + values.size - finite.size - infinite
        self.nonfinite += infinite
        if finite.size:
            self._add(finite, None)

    def update_counted(self, counted: Counter[float]) -> None:
        """Add finite numbers, each so many times."""
        if counted:
            self._add(np.array(list(counted), np.float64), np.array(list(counted.values()), np.int64))

    def _add(self, finite: NDArray[np.float64], counts: NDArray[np.int64] | None) -> None:
        low, high = float(finite.min()), float(finite.max())
        cardinality.add_numbers(self.distinct[None], finite[:, None])
        self.sum.update(finite, counts)
        self.grid.update(finite if high <= _LARGEST_BELOW_MAX else np.minimum(finite, _LARGEST_BELOW_MAX), counts)
        self.minimum, self.maximum = min(self.minimum, low), max(self.maximum, high)

    def merge(self, other: "Numbers") -> None:
        """Add all that another summary holds."""
        self.grid.merge(other.grid)
        self.sum.merge(other.sum)
        np.maximum(self.distinct, other.distinct, out=self.distinct)
        self.missing += other.missing
        self.nonfinite += other.nonfinite
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)

    def column(self, name: str, kind: str) -> Column:
        """The reference of an ordered column that has at least one finite number."""
        edges, inside = _quantile_bins(self.grid)
        counts = [0] * NUMERIC_BINS
        counts[1 : 1 + len(inside)] = inside
        counts[MISSING], counts[NONFINITE] = self.missing, self.nonfinite
        return Column(name, kind, tuple(counts), edges, *self.moments(), distinct=self.different())

    def different(self) -> int:
        """How many different numbers there are, of at least one: an estimate."""
        estimate = round(float(cardinality.estimate(self.distinct[None])[0]))
        return min(max(estimate, 1), self.sum.count)

    def moments(self) -> tuple[float, float, float, float]:
        """Mean, standard deviation, smallest and largest of at least one finite number."""
        mean = self.sum.mean()
        sd = _standard_deviation(self.grid.centres().tolist(), self.grid.counts.tolist(), mean)
        # No -0.0: which zero came first must not show.
        return mean, sd, self.minimum + 0.0, self.maximum + 0.0


def _standard_deviation(centres: list[float], counts: list[int], mean: float) -> float:
    """Of the grid's cells about the exact mean; scaled, so that squares neither overflow nor vanish."""
    deviations = [min(abs(centre - mean), sys.float_info.max) for centre in centres]
    scale = max(deviations)
    if len(centres) == 1 or not scale:
        return 0.0
    squares = math.fsum(count * (one / scale) ** 2 for one, count in zip(deviations, counts, strict=True))
    return scale * math.sqrt(squares / sum(counts))


def _quantile_bins(grid: Grid) -> tuple[tuple[float, ...], list[int]]:
    """Edges on cell bounds nearest to the quantiles, and the exact counts between them."""
    before = np.concatenate(([0], grid.counts.cumsum()))
    inner = before[1:-1]
    cuts = set()
    for quantile in QUANTILES:
        if inner.size:
            cuts.add(int(np.abs(inner - quantile * before[-1]).argmin()) + 1)
    places = [0, *sorted(cuts), grid.cells.size]
    low = grid.lower_bounds()
    edges = (*(float(low[place]) for place in places[:-1]), grid.upper_bound())
    return edges, [int(before[b] - before[a]) for a, b in pairwise(places)]
