"""Segments of the training data: what a column of a table is divided into, and its rows by it.

A segment has bins of its own counts, in the profile's bins: what is normal for one country is not so for all of them.
Values are categories like any other: none that fewer than ten rows have, and none that names somebody.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.errors import ConfigError
from exporter.profile.pieces import Cells
from exporter.profile.placing import OwnBins
from exporter.profile.plan import Plan
from exporter.reference import Column, Profile
from exporter.scalars.salted import Salt
from exporter.segmentations import MOST, REST, Segmented, intervals

MOST_FOUND: Final = 20
"""Values of a column that are segments, the most frequent ones; the rest is `other`."""
_PARTS: Final = 4
"""Of about as many rows each, where nobody says how numbers are divided."""
_TRUTHS: Final = frozenset(("true", "false"))
Counts = tuple[tuple[int, ...], ...]


# --- of a table


def check(plan: Plan, dimensions: Collection[str]) -> None:
    """ConfigError where no request could say what divides the rows; `dimensions` are columns of embeddings."""
    if len(plan.segments) > MOST:
        raise ConfigError(f"--segment: at most {MOST}")
    for name in plan.segments:
        if name in {*plan.predictions, plan.target, plan.time, plan.influenced}:
            raise ConfigError(f"--segment {name}: it is a prediction, the target, time or influence")
        if name in dimensions:
            raise ConfigError(f"--segment {name}: is of an embedding")


def of_plan(plan: Plan, column_of: Callable[[str], tuple[Column, str]]) -> Iterator[Segmented]:
    """What divides the rows of a table, not counted yet; of a name there is a column, and a note. ConfigError."""
    for name, edges in plan.segments.items():
        column, note = column_of(name)
        if column.kind == "text":
            raise ConfigError(f"--segment {name}: {note or 'is text'}")
        try:
            found = of_column(column, edges)
        except ValueError as error:
            raise ConfigError(f"--segment {name}: {error}") from None
        if found is None:
            raise ConfigError(f"--segment {name}: has no two values that tell rows apart")
        yield found


def of_column(column: Column, edges: Sequence[float]) -> Segmented | None:
    """What a column of a table is divided into, `edges` being what somebody says; None where it has nothing to offer.

    ValueError where edges are said of what is no number.
    """
    if column.ordered:
        edges = edges or quarters(column)
        return Segmented(column.name, intervals(edges), tuple(edges)) if edges else None
    if edges:
        raise ValueError(f"has edges, and its values are {column.kind}")
    values = tuple(name for name in column.categories if name not in REST)[:MOST_FOUND]
    return Segmented(column.name, values, (), column.salt) if values else None


def quarters(column: Column) -> tuple[float, ...]:
    """Of the edges between its bins those that leave about a quarter of the numbers on one side, half, three quarters.

    None twice, and none that would have the name of another at six digits.
    """
    inner = column.edges[1:-1]
    below = list(accumulate(column.counts[1 : len(column.edges)]))
    if not inner or not below[-1]:
        return ()
    wanted = (below[-1] * part / _PARTS for part in range(1, _PARTS))
    chosen = {min(range(len(inner)), key=lambda at: abs(below[at] - rows)) for rows in wanted}
    return tuple({f"{inner[at]:.6g}": inner[at] for at in sorted(chosen)}.values())


class Dividing:
    """The cells of a column as segments."""

    def __init__(self, one: Segmented, salt: Salt | None) -> None:
        self.fields = (one.name,)
        self.segments = one.segments
        self._values, self._edges = len(one.values), np.array(one.edges)
        kind = "boolean" if set(one.values) <= _TRUTHS else "categorical"
        column = Column(one.name, kind, (0,) * (self._values + 3), categories=one.values, salt=one.salt)
        self._bins = OwnBins(column, salt)

    def codes(self, cells: Cells) -> NDArray[np.int32]:
        """The place of each row's segment, shape (rows,): the values, other, missing."""
        if self._edges.size:
            return divided(cells.aligned(), self._edges)
        bins = self._bins.place([cells])[0].bins
        codes = np.where(bins > self._values + 1, self._values + 1, np.minimum(bins, self._values))
        return codes.astype(np.int32)


def divided(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int32]:
    """The place of each number's interval, shape (rows,): NaN is missing, what is not finite is other."""
    codes = np.searchsorted(edges, values, side="right")
    codes[~np.isfinite(values)] = edges.size + 1
    codes[np.isnan(values)] = edges.size + 2
    return codes.astype(np.int32)


# --- merging


def merged(parts: Sequence[Segmented]) -> Segmented:
    """The same rows together, values in the order of their rows. All have the same values."""
    if parts[0].edges:
        return _added(parts)
    total = _added([_ranked(part, sorted(part.values)) for part in parts])
    rows = dict(zip(total.values, total.rows, strict=False))
    return _ranked(total, sorted(rows, key=lambda name: (-rows[name], name)))


def alike(one: Segmented, other: Segmented) -> bool:
    """Whether they can be merged."""
    return (one.name, one.edges, one.salt) == (other.name, other.edges, other.salt) and (
        {*one.values} == {*other.values}
    )


def _added(parts: Sequence[Segmented]) -> Segmented:
    sums = (
        tuple(_sums(counts) for counts in zip(*(getattr(part, side) for part in parts), strict=True))
        for side in ("features", "outputs")
    )
    errors = _sums([part.errors for part in parts]) if all(part.errors for part in parts) else ()
    return parts[0]._replace(features=next(sums), outputs=next(sums), errors=errors)


def _sums(counts: Sequence[Counts]) -> Counts:
    return tuple(tuple(map(sum, zip(*rows, strict=True))) for rows in zip(*counts, strict=True))


def _ranked(one: Segmented, values: Sequence[str]) -> Segmented:
    places = [*map(one.values.index, values), *range(len(values), one.segments)]
    sides = (tuple(tuple(counts[at] for at in places) for counts in side) for side in (one.features, one.outputs))
    errors = tuple(one.errors[at] for at in places) if one.errors else ()
    return one._replace(values=tuple(values), features=next(sides), outputs=next(sides), errors=errors)


def in_order_of(profile: Profile, other: Profile) -> list[Segmented]:
    """Of one profile, its bins in the order that those of another with the same columns have."""
    sides = [
        [_places(column, wanted) for column, wanted in zip(mine, theirs, strict=True)]
        for mine, theirs in ((profile.features, other.features), (profile.outputs, other.outputs))
    ]
    return [
        one._replace(features=_reordered(one.features, sides[0]), outputs=_reordered(one.outputs, sides[1]))
        for one in profile.segments
    ]


def _places(column: Column, wanted: Column) -> list[int]:
    bins = range(len(column.counts))
    return [*map(column.categories.index, wanted.categories), *bins[len(column.categories) :]]


def _reordered(columns: Sequence[Counts], places: Sequence[Sequence[int]]) -> tuple[Counts, ...]:
    return tuple(
        tuple(tuple(counts[at] for at in order) for counts in segments)
        for segments, order in zip(columns, places, strict=True)
    )
