"""The nouns of a diagnosis: what was seen of a column lately, and what it may mean."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.reference import ABOVE, Column

Values = NDArray[np.float64]
LEAST_NAMED = 10
"""Rows that have a value, at least, for it to be told: fewer might be somebody."""
_ALIKE = 1e-6
"""So much of itself a number may be off on its way through other programs: 32 bits keep 6e-8."""


class Points(NamedTuple):
    """Finite numbers as far as they are known: at some values, ascending, which share of them is below.

    Of the numbers themselves these are all their values. Of quantiles it is what they tell, and shares between two
    points are read off the line between them. All of shape (points,).
    """

    values: Values
    below: Values
    """Share of the numbers that are less."""
    upto: Values
    """Share of those that are not more."""
    mean: float | None = None
    sd: float | None = None

    def share_below(self, at: Values) -> Values:
        """Which share is less than each of some values, of any shape."""
        if not self.values.size:
            return np.zeros(at.shape)
        place = np.searchsorted(self.values, at)
        first, last = np.maximum(place - 1, 0), np.minimum(place, self.values.size - 1)
        low, high = self.upto[first], self.below[last]
        gap = self.values[last] - self.values[first]
        part = (at - self.values[first]) / np.where(gap > 0, gap, 1.0)
        between = np.where((self.values[last] == at) | (low == high), high, low + part * (high - low))
        return np.where(place == 0, self.below[0], np.where(place == self.values.size, self.upto[-1], between))

    def shares(self, edges: Values) -> Values:
        """Which share is in each bin, shape (..., edges + 1): those beyond the outer edges are bins, too.

        An edge is taken a little low, so that a number that was equal to it, and was calculated with, stays above.
        """
        below = self.share_below(edges - _ALIKE * np.abs(edges))
        found = np.empty((*edges.shape[:-1], edges.shape[-1] + 1))
        found[..., 0], found[..., -1] = below[..., 0], 1 - below[..., -1]
        np.subtract(below[..., 1:], below[..., :-1], out=found[..., 1:-1])
        return found

    def quantile(self, rank: Values) -> Values:
        """About the numbers at some ranks."""
        return np.asarray(np.interp(rank, (self.below + self.upto) / 2, self.values))

    def atoms(self, least: float) -> list[tuple[float, float]]:
        """Numbers that come in so large a share at least, and the share; the most frequent first."""
        share = self.upto - self.below
        found = np.flatnonzero(share >= least)
        return sorted(((float(self.values[at]), float(share[at])) for at in found), key=lambda one: -one[1])


def points(values: Values) -> Points:
    """Of the numbers themselves."""
    if not values.size:
        return Points(values, values, values)
    different, times = np.unique(values, return_counts=True)
    upto = times.cumsum() / values.size
    mean = float((different * (times / values.size)).sum())  # of sorted ones: their order cannot matter
    with np.errstate(over="ignore"):
        variance = float(((different - mean) ** 2 * (times / values.size)).sum())
    return Points(different, upto - times / values.size, upto, mean, variance**0.5)


class Part(NamedTuple):
    """A segment of the traffic, as it scored in one window."""

    name: str
    """What divides the traffic."""
    value: str
    is_client: bool
    """Whether it is a header of the request that does."""
    samples: int
    score: float
    """Total variation beside the same segment of the training data."""
    critical: float


class Seen(NamedTuple):
    """What was seen of one column lately, and nothing from before it changed. None where nobody knows."""

    counts: NDArray[np.int64]
    """Values by bin of the profile, shape (bins,)."""
    points: Points | None = None
    """Of its finite numbers."""
    exact: bool = False
    """Whether the points are the numbers themselves: then values that come again and again can be told."""
    names: Mapping[str, int] = {}
    """Categories that the reference does not list and that may be shown, with their rows."""
    absent: float | None = None
    """Share of the rows whose payload lacked the field altogether."""
    parts: tuple[Part, ...] = ()
    dependence: float = 1.0
    """How many rows come as one."""

    @property
    def rows(self) -> int:
        """How many values, missing ones included."""
        return int(self.counts.sum())


class Explained(NamedTuple):
    """One way to explain what was seen."""

    code: str
    text: str
    """What is said of the column, with its name in it."""
    unexplained: float
    """Share of the values that would have to move yet (total variation) for it to be the whole truth."""
    free: float
    """How many numbers were fitted to what was seen: the fewer, the less it can be by chance."""
    size: float = 1.0
    """The number in it, by which is seen whether it is still the same."""
    is_evident: bool = False
    """Whether what it tells of cannot be by chance, however little has moved."""
    is_proven: bool = True
    """Whether it may be told; if not, it may still be as good as another one."""


class Case(NamedTuple):
    """A column that drifted: what it was and what was seen."""

    column: Column
    seen: Seen
    reference: Values
    """Shares of the reference by bin, shape (bins,), as the next."""
    live: Values
    edges: Values
    """Of the inside bins, shape (inside bins + 1,)."""
    known: Values
    """Of the reference's finite numbers the shares by bin as they lie, shape (edges + 1,)."""

    @property
    def noise(self) -> float:
        """Root of 1/n + 1/m: in it chance is measured."""
        rows = max(self.seen.rows / self.seen.dependence, 1.0)
        return float(np.sqrt(1 / rows + 1 / max(self.column.rows, 1)))

    @property
    def limit(self) -> float:
        """The total variation that may stay unexplained: what chance does, and a little that is never explained."""
        used = int((self.reference > 0).sum())
        return 0.02 + self.noise * (0.4 * float(np.sqrt(max(used - 1, 1))) + 0.9)

    @property
    def margin(self) -> float:
        """By so much one explanation must be better than another."""
        return 0.015 + 0.4 * self.noise

    @property
    def moved(self) -> float:
        """Total variation between live values and the reference."""
        return variation(self.live, self.reference)

    @property
    def finite(self) -> int:
        """How many of the values seen are finite numbers."""
        return int(self.seen.counts[: ABOVE + 1].sum())

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers as they come, which differ, and some were seen."""
        plain = self.column.ordered and not self.column.scalar and self.column.kind == "numeric"
        points = self.seen.points
        return plain and self.column.sd > 0 and points is not None and points.values.size > 0

    @property
    def lost(self) -> float:
        """By how much the share of values that are no finite numbers has changed."""
        return abs(float(self.live[: ABOVE + 1].sum() - self.reference[: ABOVE + 1].sum()))


def case(column: Column, seen: Seen) -> Case:
    """Put together what explanations ask for again and again."""
    reference = np.array(column.counts) / max(column.rows, 1)
    live = seen.counts[: len(column.counts)] / max(seen.rows, 1)
    edges = np.array(column.edges)
    known = ordered(column, column.counts) if column.ordered else edges
    return Case(column, seen, reference, live, edges, known)


def ordered(column: Column, counts: Sequence[int]) -> Values:
    """Of finite numbers the shares by bin as they lie, those below first and those above last: shape (edges + 1,)."""
    places = [place for place, _ in column.centres()]
    found = np.array(counts, np.float64)[places]
    return np.asarray(found / max(found.sum(), 1.0))


def variation(one: Values, other: Values) -> float:
    """Total variation of two lists of shares."""
    return float(np.abs(one - other).sum() / 2)


def variations(some: Values, other: Values) -> Values:
    """That of each of some lists, shape (lists, bins), from another."""
    return np.asarray(np.abs(some - other).sum(axis=1) / 2)
