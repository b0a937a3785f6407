"""The worst of many cells: those that have enough evidence, and of these the ones that say what others do not.

Named are cells with enough evidence by e-BH (Wang & Ramdas, JRSS-B 84, 2022), which holds for any dependence between
cells and for any choice among those it finds, if what is chosen passes it again. A cell of two columns is chosen where
it is worse than what else there is of both its columns' values; a column's value where it is still worse without the
cells that were chosen, and without the values of other columns.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.cell_tables import Tables

LEVEL: Final = 0.05
"""Share of the named ones that are not worse than the tolerance allows, at most, on average."""
MOST: Final = 5
"""That are named."""
_SURE: Final = 2.326
"""Standard errors: a normal number exceeds it once in 100 times."""
_COVERED: Final = 0.5
"""Of a value's rows, the share that must be among those by which it is said what it is without another column's."""
_CELL, _ALL, _FIRST, _SECOND = range(4)
Counts = NDArray[np.int64]


class Standing(NamedTuple):
    """What is known of all cells."""

    nats: NDArray[np.float64]
    since: Counts
    """Since the start of each: rows of it and around it, and wrong ones, shape (AROUND, 2, cells)."""
    likely: Counts
    """Those that have enough rows to be named."""
    searched: int
    """How many there are."""
    tolerance: float
    dependence: float


def needed(searched: int, named: int) -> float:
    """Nats that each of so many that are named must have, of those that are searched."""
    return math.log(max(1, searched) / LEVEL / max(1, named))


def worst(tables: Tables, standing: Standing) -> list[int]:
    """At most MOST cells, the one first that has most wrong answers more than it would have as one of the others."""
    chosen = _telling(tables, standing, _enough(standing, standing.likely))
    chosen = sorted(chosen, key=lambda cell: (-_added(standing.since[:, :, cell]), cell))[:MOST]
    passed = {*_enough(standing, np.array(chosen, np.int64))}
    return [cell for cell in chosen if cell in passed]


def _enough(standing: Standing, cells: NDArray[np.int64]) -> list[int]:
    """e-BH: the most of them that each have what so many must have; those with most evidence first."""
    order = cells[np.argsort(-standing.nats[cells], kind="stable")]
    reached = [named for named, cell in enumerate(order, 1) if standing.nats[cell] >= needed(standing.searched, named)]
    return [int(cell) for cell in order[: max(reached, default=0)]]


def _added(around: Counts) -> float:
    """Wrong answers more than there would be at the share of all others."""
    (rows, wrong), (others, others_wrong) = around[_CELL].tolist(), (around[_ALL] - around[_CELL]).tolist()
    return float(wrong - rows * others_wrong / max(1, others))


class _Comparing(NamedTuple):
    """Cells with each other."""

    tables: Tables
    standing: Standing

    def beats_its_columns(self, cell: int) -> bool:
        """Whether a cell of two columns is worse than what else there is of each one's value."""
        around = self.standing.since[:, :, cell]
        return all(self._is_worse(around[_CELL], around[side] - around[_CELL]) for side in (_FIRST, _SECOND))

    def has_more(self, place: tuple[int, int], pair: int) -> bool:
        """Whether a column's value is too bad without a cell of it and another column, too."""
        around = self.standing.since[:, :, pair]
        side = around[_FIRST if self.tables.places(pair)[0] == place else _SECOND]
        return self._is_worse(side - around[_CELL], around[_ALL] - side, self.standing.tolerance)

    def stands_beside(self, place: tuple[int, int], other: tuple[int, int]) -> bool:
        """Whether a column's value is too bad without another column's value, too, or nobody can tell."""
        if place[0] == other[0]:
            return True
        around = self.standing.since[:, :, self.tables.number(place, other)]
        mine, its = around[_FIRST], around[_SECOND]
        if other < place:
            mine, its = its, mine
        if mine[0] < _COVERED * self.standing.since[_CELL, 0, self.tables.number(place)]:
            return True
        neither = around[_ALL] - mine - its + around[_CELL]
        return self._is_worse(mine - around[_CELL], neither, self.standing.tolerance)

    def _is_worse(self, inside: Counts, outside: Counts, tolerance: float = 0.0) -> bool:
        """By a difference of shares in standard errors; what is chosen by it has its evidence already."""
        (rows, wrong), (others, others_wrong) = inside.tolist(), outside.tolist()
        if not rows or not others:
            return False
        share = (wrong + others_wrong + 0.5) / (rows + others + 1)
        error = (share * (1 - share) * (1 / rows + 1 / others) * self.standing.dependence) ** 0.5
        return bool(wrong / rows - others_wrong / others - tolerance > _SURE * error)


def _telling(tables: Tables, standing: Standing, found: Sequence[int]) -> list[int]:
    """Those that say what others do not."""
    comparing = _Comparing(tables, standing)
    pairs = [cell for cell in found if len(tables.places(cell)) > 1 and comparing.beats_its_columns(cell)]
    values: list[tuple[int, int]] = []
    for place in [tables.places(cell)[0] for cell in found if len(tables.places(cell)) == 1]:
        inside = [pair for pair in pairs if place in tables.places(pair)]
        more = all(comparing.has_more(place, pair) for pair in inside)
        if more and all(comparing.stands_beside(place, other) for other in values):
            values.append(place)
    return pairs + [tables.number(place) for place in values]
