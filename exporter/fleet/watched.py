"""One fleet that is watched: its engine, and which panes it has had."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.engine import Engine
from exporter.evidence.terms import Terms
from exporter.evidence.verdict import Places, Verdict
from exporter.fleet import streams
from exporter.fleet.answers import Fault, Fleet, Known, Place

_NO_PANE: Final = -1


class Told(NamedTuple):
    """What there is to say of a fleet."""

    fleet: Fleet
    replicas: int
    rows: int
    """Counted since start."""
    columns: Mapping[Place, Known]
    """In the order of the verdict's streams."""
    verdict: Verdict
    faults: Mapping[Place, Fault]
    """What replicas say has happened to columns."""

    @property
    def is_ready(self) -> bool:
        """Whether chance is measured for every column."""
        return self.verdict.is_ready(self._all)

    @property
    def named(self) -> NDArray[np.bool_]:
        """Which columns to name, in their order."""
        return self.verdict.named(self._all)

    @property
    def _all(self) -> Places:
        return np.arange(len(self.columns))


class Watched:
    """The evidence of one fleet. Memory is that of an exporter's own."""

    def __init__(self, fleet: Fleet, columns: Mapping[Place, Known], terms: Terms) -> None:
        """`columns` are one at least."""
        self.fleet, self._terms = fleet, terms
        self.replicas = 0
        """In the last pane; 0 where it has none left."""
        self.rows = 0
        """Counted since start, of the column that has most."""
        self.faults: Mapping[Place, Fault] = {}
        """What replicas said with the last pane."""
        self._last: NDArray[np.int64] = np.full(1, _NO_PANE, np.int64)
        """The last pane that it had."""
        self._refer_to(columns)

    def _refer_to(self, columns: Mapping[Place, Known]) -> None:
        self.columns = columns
        of_columns = [streams.of_column(one) for one in columns.values()]
        self._engine = Engine(of_columns, self._terms)
        self._bins = max(len(one.counts) for one in of_columns)

    @property
    def last(self) -> int | None:
        """The last pane that it had; None before the first."""
        return None if self._last[0] == _NO_PANE else int(self._last[0])

    # what is kept

    def held(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Copies of all that must be kept, array by array."""
        yield f"{self._name()}.last", self._last.copy()
        yield from self._engine.held(self._name())

    def put_back(self, held: Mapping[str, NDArray[Any]], latest: int | None = None) -> bool:
        """Go on with what was held; whether it was of these columns, and of no pane after the latest."""
        last = held.get(f"{self._name()}.last")
        if last is None or last.shape != self._last.shape or (latest is not None and last[0] > latest):
            return False
        if not self._engine.put_back(held, self._name()):
            return False
        self._last[...] = last
        return True

    def _name(self) -> str:
        """What the arrays mean depends on the columns and on the width of a pane."""
        of = repr(([(place, len(one.rows), one.is_ordered) for place, one in self.columns.items()], self._terms.pane_s))
        return hashlib.sha256(of.encode()).hexdigest()[:16]

    # in

    def refer_to(self, columns: Mapping[Place, Known]) -> None:
        """Go on with what replicas say of their columns now; anew where these are other ones."""
        if columns != self.columns:
            held = dict(self.held())
            self._refer_to(columns)
            self.put_back(held)

    def take(self, pane: int, counts: Mapping[Place, Mapping[int, int]]) -> bool:
        """Take what was counted in a pane, by column and bin; whether it had not had it before."""
        if pane <= self._last[0]:
            return False
        self._last[0] = pane
        array = self._array(counts)
        self.rows += int(array.sum(axis=1).max())
        self._engine.pane(array, pane * self._terms.pane_s)
        return True

    def _array(self, counts: Mapping[Place, Mapping[int, int]]) -> NDArray[np.int64]:
        """Shape (columns, bins). Of a bin that the reference does not know nobody can say anything."""
        found = np.zeros((len(self.columns), self._bins), np.int64)
        for row, (place, known) in enumerate(self.columns.items()):
            for at, rows in counts.get(place, {}).items():
                if at < len(known.exist) and known.exist[at]:
                    found[row, at] = rows
        return found

    # out

    def told(self, wall_s: float) -> Told | None:
        """What there is to say at a Unix time; None before the first pane, and of a fleet without replicas."""
        verdict = self._engine.told(wall_s) if self.replicas else None
        if verdict is None:
            return None
        return Told(self.fleet, self.replicas, self.rows, self.columns, verdict, self.faults)
