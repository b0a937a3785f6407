"""A version against the stable one: means of what they predict, shares of classes, and how good they turn out to be.

Both answer in the same windows of time, whether or not they are compared with the same profile. What differs is told
with what chance makes of it at these very sizes.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import scipy

from exporter.monitor.spreading import spread_of
from exporter.performed import Judged, Measure, Performed
from exporter.reference import Column
from exporter.sketch.spread import Moments
from exporter.snapshots import BlockSnapshot, Scores
from exporter.versioned import Averaged, Difference

_LEVEL: Final = 0.001
_ROUNDING: Final = 1e-12
"""Of the largest number that a mean is reckoned with: so much of a difference may be of floats alone."""
_ARRIVAL: Final = "arrival"
Side = tuple[Sequence[Column], BlockSnapshot | None]
"""The outputs of one version as its profile has them, and what they were."""


def averaged(own: Side) -> Iterator[Averaged]:
    """Outputs that are numbers, in every window that has any."""
    for scores in own[1].scores if own[1] else ():
        for name, (_, one) in _spread(own[0], scores):
            if one.samples:
                yield Averaged(name, scores.window, one.samples, one.mean, math.sqrt(one.variance))


def means(own: Side, stable: Side, enough: int) -> Iterator[Difference]:
    """Of outputs that are numbers in both, where each has so many of them in a window."""
    for window, ours, theirs in _windows(own, stable):
        stables = dict(_spread(stable[0], theirs))
        for name, (column, one) in _spread(own[0], ours):
            if name in stables and min(one.samples, stables[name][1].samples) >= max(enough, 2):
                other, beside = stables[name]
                critical = max(_welch((one, beside), _factors(column, other)), _rounding(column, other, one, beside))
                yield Difference(name, window, one.mean - beside.mean, critical)


def _factors(column: Column, other: Column) -> tuple[float, float]:
    """How many rows of each come as one; where one profile does not say it, as many as in the other."""
    return column.dependence or other.dependence or 1.0, other.dependence or column.dependence or 1.0


def _rounding(*of: Column | Moments) -> float:
    """What means of a constant may differ by where the profiles count from other origins."""
    return _ROUNDING * max(abs(one.mean) for one in of)


def _windows(own: Side, stable: Side) -> Iterator[tuple[str, Scores, Scores]]:
    """Windows of the same name."""
    if own[1] and stable[1]:
        beside = {one.window: one for one in stable[1].scores}
        yield from ((one.window, one, beside[one.window]) for one in own[1].scores if one.window in beside)


def _spread(columns: Sequence[Column], scores: Scores) -> Iterator[tuple[str, tuple[Column, Moments]]]:
    if scores.spread is not None:
        for place, found in spread_of(columns, scores.spread):
            yield columns[place].name, (columns[place], found)


def _welch(both: Sequence[Moments], factors: Sequence[float]) -> float:
    """What the size of a difference of two means exceeds once in 1000 times (Welch 1947), by Student's law.

    `factors` is how many rows of each come as one: so many fewer are independent. Freedom ends at one.
    """
    errors = [factor * one.variance / one.samples for one, factor in zip(both, factors, strict=True)]
    total = sum(errors)
    if not total > 0:
        return 0.0
    rows = (max(one.samples / factor, 2.0) for one, factor in zip(both, factors, strict=True))
    freedom = total**2 / sum(error**2 / (n - 1) for error, n in zip(errors, rows, strict=True))
    return float(scipy.special.stdtrit(max(freedom, 1.0), 1 - _LEVEL / 2)) * math.sqrt(total)


def shares(own: Side, stable: Side, enough: int) -> Iterator[Difference]:
    """Of outputs that are classes in both the class whose share differs most, over what chance makes of it."""
    places = {column.name: place for place, column in enumerate(stable[0]) if not column.ordered}
    for window, ours, theirs in _windows(own, stable):
        for place, column in enumerate(own[0]):
            there = places.get(column.name)
            if column.ordered or there is None:
                continue
            counts, beside = ours.counts[place].tolist(), theirs.counts[there].tolist()
            if min(sum(counts), sum(beside)) >= max(enough, 2):
                other = stable[0][there]
                found = _largest(_classes(column, counts), _classes(other, beside), _factors(column, other))
                if found is not None:
                    yield found._replace(name=column.name, window=window)


class _Classes(NamedTuple):
    """Values of one output by class."""

    counts: Mapping[str, int]
    """Of those that have a bin of their own."""
    rows: int
    strangers: int
    """Values that may be of any class without one."""

    def most(self, name: str) -> int:
        """How many there are of a class, or may be."""
        return self.counts.get(name, self.strangers)


def _classes(column: Column, counts: Sequence[int]) -> _Classes:
    own = len(column.categories)
    return _Classes(dict(zip(column.categories, counts, strict=False)), sum(counts), sum(counts[own:-1]))


def _largest(one: _Classes, other: _Classes, factors: tuple[float, float]) -> Difference | None:
    """Of a class that one profile does not have as many are taken as there may be: it differs by no less."""
    n, m = one.rows, other.rows
    both = {name: (one.most(name), other.most(name)) for name in {**one.counts, **other.counts}}
    there = {name: (mine, its) for name, (mine, its) in both.items() if mine + its}
    found = (
        Difference("", "", mine / n - its / m,
                   _of_shares((mine + its) / (n + m), n / factors[0], m / factors[1], len(there)), of_class=name)
        for name, (mine, its) in there.items()
    )  # fmt: skip
    sure = (each for each in found if each.of_class in (other.counts if each.value < 0 else one.counts))
    return max(sure, key=lambda each: abs(each.value) / each.critical if each.critical else math.inf, default=None)


def _of_shares(share: float, n: float, m: float, classes: int) -> float:
    """What the largest of so many differences of shares exceeds at most about once in 1000 times, by the normal law.

    And what skewness may add to it, by Cornish and Fisher: where one side has few rows of a rare class it is much.
    """
    variance = share * (1 - share) * (1 / n + 1 / m)
    if variance <= 0:
        return 0.0
    error = math.sqrt(variance)
    z = float(scipy.special.ndtri(1 - _LEVEL / 2 / classes))
    skewness = share * (1 - share) * abs((1 - 2 * share) * (1 / n**2 - 1 / m**2)) / error**3
    return min((z + (z * z - 1) / 6 * skewness) * error, 1.0)


def performance(own: Performed | None, stable: Performed | None) -> Iterator[Difference]:
    """Of measures that have an interval in both, in windows of truths that came, where both have enough of them.

    Intervals are put together as those of independent samples (Zou and Donner 2008): each end goes as far as the one
    and the other may be off, as the root of the sum of squares.
    """
    if own is None or stable is None or own.task != stable.task:
        return
    theirs = {one.window: _measures(one) for one in stable.judged if _is_enough(one)}
    for judged in own.judged:
        if _is_enough(judged) and judged.window in theirs:
            for name, one in _measures(judged).items():
                other = theirs[judged.window].get(name)
                if other is not None:
                    value = one.value - other.value
                    lower = math.hypot(one.value - one.lower, other.upper - other.value)
                    upper = math.hypot(one.upper - one.value, other.value - other.lower)
                    yield Difference(name, judged.window, value, lower=value - lower, upper=value + upper)


def _is_enough(one: Judged) -> bool:
    return one.by == _ARRIVAL and one.sufficient


def _measures(judged: Judged) -> Mapping[str, Measure]:
    """Those of the whole, with their intervals."""
    found: Iterable[Measure] = judged.measures
    return {one.name: one for one in found if not one.labels and not math.isnan(one.value + one.lower + one.upper)}
