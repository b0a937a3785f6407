"""What a page leaves out, so that it stays within its limit: decided ahead, of what there may come to be.

First what settings switch off. Then of families that would have more series than one may, all columns but the first.
Then whole families, unit by unit in the order of `order`, until the rest fits. And where that is not enough, columns:
each model keeps the first ones, by weight and importance, then in the profile's order, as many for one model as for
another. What those counted goes on under `_other`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exporter import catalogue
from exporter.budget.costs import Costs, own, sides
from exporter.budget.order import UNITS
from exporter.budget.shape import Shape
from exporter.families import Columns
from exporter.override import Override
from exporter.reference import Column, Profile

OTHER: Final = "_other"
"""What columns without series of their own are counted under, together."""
_ABOUT: Final = 2
"""Families that say how many series a page has, and may have."""
Both = tuple[frozenset[int] | None, frozenset[int] | None]


def of_other(side: Columns) -> tuple[str, ...]:
    """Names of the families in which columns without series of their own are added up."""
    return (side.values.name, side.type_errors.name, *(one.name for one in side.quality_values.values()))


class Shows(NamedTuple):
    """What the page has of one model."""

    hidden: frozenset[str] = frozenset()
    """Names of families that it leaves out."""
    places: Both = (None, None)
    """Of features and outputs that have series of their own; None for all."""
    limits: Mapping[str, frozenset[str]] = {}
    """Of families that have series of some columns alone, the names of these."""


class Plan(NamedTuple):
    """What a page has."""

    models: tuple[Shows, ...]
    """In the order in which they were given."""
    expected: int
    """Series that it may come to have."""
    wanted: int
    """And would, if it had no limit."""
    lost: Mapping[str, int]
    """Series that it lacks for want of room, by family."""
    by_family: Mapping[str, int]
    """What it may have of each one."""
    columns: tuple[int, int]
    """Columns that have series of their own, and all of them."""


class Watched(NamedTuple):
    """A model as the plan sees it."""

    costs: Costs
    ranked: tuple[Sequence[int], Sequence[int]] = ((), ())
    """Places of its features and outputs, the most important first; without those that are ignored."""
    names: tuple[Sequence[str], Sequence[str]] = ((), ())


class _Part(NamedTuple):
    """A column of one of the models."""

    model: int
    side: int
    place: int
    rank: int
    name: str
    cost: Counter[str]
    """Of what is shown of it."""


def ranked(profile: Profile, said: Sequence[Sequence[Override]]) -> tuple[Sequence[int], Sequence[int]]:
    """Places of features and outputs that nobody ignores: the heaviest first, else in the profile's order.

    A column that is called as the others together are comes last: it has no series of its own beside theirs.
    """
    features, outputs = (_ranked(side.columns, side.said) for side in sides(profile, said))
    return features, outputs


def _ranked(columns: Sequence[Column], said: Sequence[Override]) -> list[int]:
    is_known = any(column.importance is not None for column in columns)

    def key(place: int) -> tuple[bool, float]:
        weight, importance = said[place].weight, columns[place].importance
        counts = (importance or 0.0) if is_known else 1.0
        return columns[place].name == OTHER, -counts * (1.0 if weight is None else weight)

    return sorted((place for place, rule in enumerate(said) if not rule.ignore), key=key)


def plan(shape: Shape, models: Sequence[Watched], off: frozenset[str]) -> Plan:
    """What a page of these models has and lacks; `off` are families that nobody wants."""
    return _Planning(shape, models, off).made()


class _Planning:
    """One decision."""

    def __init__(self, shape: Shape, models: Sequence[Watched], off: frozenset[str]) -> None:
        self._shape, self._models, self._limit = shape, models, shape.limit
        self._hidden = set(off)
        self._lost = Counter[str]()
        self._parts = [part for at, one in enumerate(models) for part in _parts(at, one, off)]
        self._total = Counter[str]()
        for cost in (*(one.costs.alone for one in models), *(part.cost for part in self._parts)):
            self._total.update(cost)
        for name in off:
            del self._total[name]
        self._limits: list[dict[str, frozenset[str]]] = [{} for _ in models]
        self._limited: dict[str, int] = {}
        """Columns of each side that families have which are limited themselves."""
        self._kept: int | None = None
        """Columns of each side of each model; None for all."""

    def made(self) -> Plan:
        wanted = self._size()
        if most := self._shape.metrics.max_series_per_family:
            for name in [name for name, series in self._total.items() if series > most]:
                self._limit_family(name, most)
        for unit in UNITS:
            if self._size() <= self._limit:
                break
            self._hide(unit)
        if self._size() > self._limit:
            self._leave_out_columns()
        shown = sum(self._kept is None or part.rank < self._kept for part in self._parts)
        models = tuple(self._shows(at) for at in range(len(self._models)))
        return Plan(models, self._size(), wanted, +self._lost, +self._total, (shown, len(self._parts)))

    def _size(self) -> int:
        return own(self._shape) + _ABOUT + len(+self._lost) + self._total.total()

    def _limit_family(self, name: str, most: int) -> None:
        """Leave out the last columns; a family that is of no column is cut where it is written."""
        if not any(part.cost[name] for part in self._parts):
            if name != catalogue.REQUESTS.name:  # which stands for many
                self._lost[name] += self._total[name] - most
                self._total[name] = most
            return
        kept, series = 0, 0
        for rank, cost in enumerate(_by_rank(self._parts, name)):
            series += cost
            if series > most:
                break
            kept = rank + 1
        self._limited[name] = kept
        for part in self._parts:
            if part.rank >= kept:
                self._leave_out(part, (name,))
        for at, limits in enumerate(self._limits):
            limits[name] = frozenset(one.name for one in self._parts if one.model == at and one.cost[name])

    def _hide(self, unit: Iterable[str]) -> None:
        for name in unit:
            self._lost[name] += self._total.pop(name, 0)
            self._hidden.add(name)
        for part in self._parts:
            for name in unit:
                del part.cost[name]

    def _leave_out_columns(self) -> None:
        """Of each model as many as must be. Those that are left out are counted together, as far as anything is."""
        together = sum(name not in self._hidden for side in (catalogue.FEATURES, catalogue.OUTPUTS)
                       for name in of_other(side)) * len(self._models)  # fmt: skip
        columns = sum(part.cost.total() for part in self._parts)
        room = self._limit - (self._size() - columns) - together - len(self._total)
        self._kept = 0
        for series in _by_rank(self._parts):
            room -= series
            if room < 0:
                break
            self._kept += 1
        for part in self._parts:
            if part.rank >= self._kept:
                self._leave_out(part, list(part.cost))
        self._total[OTHER] += together

    def _leave_out(self, part: _Part, names: Iterable[str]) -> None:
        for name in names:
            series = part.cost.pop(name, 0)
            self._total[name] -= series
            self._lost[name] += series

    def _shows(self, at: int) -> Shows:
        first, second = (
            None if self._kept is None else frozenset(of[: self._kept]) for of in self._models[at].ranked
        )  # fmt: skip
        limits = {name: of for name, of in self._limits[at].items() if not self._leaves_room(name)}
        return Shows(frozenset(self._hidden), (first, second), limits)

    def _leaves_room(self, name: str) -> bool:
        """Whether a limited family has room for the others together: the page has fewer columns than it may have."""
        return self._kept is not None and self._kept < self._limited[name]


def _parts(model: int, one: Watched, off: frozenset[str]) -> Iterator[_Part]:
    for side, (places, names) in enumerate(zip(one.ranked, one.names, strict=True)):
        for rank, place in enumerate(places):
            cost = {name: series for name, series in one.costs.columns[side][place].items() if name not in off}
            yield _Part(model, side, place, rank, names[place], Counter(cost))


def _by_rank(parts: Iterable[_Part], name: str | None = None) -> list[int]:
    """Series of all columns of a rank, rank by rank: of one family, or of all."""
    found = Counter[int]()
    for part in parts:
        found[part.rank] += part.cost.total() if name is None else part.cost[name]
    return [found[rank] for rank in range(max(found, default=-1) + 1)]
