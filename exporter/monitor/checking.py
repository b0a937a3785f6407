"""Which checks the rows of single exchanges failed: row by row what windows count as shares.

A value fails where it lies in a bin that the training data hardly have: missing, not finite, out of range, unseen. What
the training data had themselves is nothing to point at. So are values beyond what people allow, and rows that are
unusual as a whole; those in the bins that have grown most by drift are marked. Rows of many exchanges are binned
together: by itself an exchange costs ten times as much.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.aspects import unusual
from exporter.monitor.batch import Batch
from exporter.monitor.block import Block
from exporter.monitor.match import Fit
from exporter.records import Failure, Observation, Table
from exporter.reference import ABOVE, BELOW, NONFINITE, Column
from exporter.snapshots import Moved
from exporter.witnessed import CHECKS, DRIFTED, OUT_OF_RANGE, TYPE_ERROR, UNUSUAL, Flag

MOST_ROWS: Final = 1000
"""Of one exchange that are judged: the first ones."""
MOST_FLAGS: Final = 100
"""Of one exchange that are told."""
_HARDLY: Final = 0.001
"""A share of the training data's values."""
_OF: Final = {word: code for code, word in enumerate(CHECKS, 1)}


class _Waiting(NamedTuple):
    """The rows of a table that are to be judged."""

    exchange: int
    fit: Fit
    table: Table
    rows: int


class Checks:
    """Of one model."""

    def __init__(self, features: Block | None, outputs: Block | None) -> None:
        self._features = _OfSide("feature", features) if features else None
        self._outputs = _OfSide("output", outputs) if outputs else None

    def watch(self, features: Sequence[Moved], outputs: Sequence[Moved]) -> None:
        """Mark from now on what lies in bins that have grown."""
        for side, moved in ((self._features, features), (self._outputs, outputs)):
            if side:
                side.watch(moved)

    def judge(self, observations: Sequence[Observation]) -> list[tuple[Flag, ...]]:
        """What the rows of each failed."""
        found: list[list[Flag]] = [[] for _ in observations]
        if self._features:
            self._features.judge([one.features for one in observations], found)
        if self._outputs:
            self._outputs.judge([one.predictions for one in observations], found)
        return [tuple(flags[:MOST_FLAGS]) for flags in found]


class _OfSide:
    def __init__(self, word: str, block: Block) -> None:
        self._word, self._block = word, block
        scope = block.scope
        self._columns, self._said = scope.columns, scope.said
        self._at = np.arange(len(scope.columns))
        self._codes = _codes(scope.columns)
        for place, rule in enumerate(scope.said):
            if rule.ignore or not scope.readable[place]:
                self._codes[place] = 0
            elif rule.range:
                self._codes[place, [BELOW, ABOVE]] = 0
        self._ruled = [at for at, rule in enumerate(scope.said) if (rule.range or rule.allowed) and not rule.ignore]
        ordered = [place for place, one in enumerate(scope.columns) if one.ordered]
        self._number_at = {place: at for at, place in enumerate(ordered)}
        self._rarity = unusual.rarity(scope)
        self._point = scope.unusual.point if scope.unusual else 0
        self._grown: NDArray[np.bool_] | None = None
        self._moved: Sequence[Moved] = ()
        self._intake = block.binner.intake()

    def watch(self, moved: Sequence[Moved]) -> None:
        """As `Checks`."""
        if moved == self._moved:
            return
        self._moved = moved
        grown = [one for one in moved if one.change > 0]
        self._grown = np.zeros(self._codes.shape, bool) if grown else None
        for one in grown:
            self._grown[one.column, one.bin] = True  # type: ignore[index]  # there is one where anything has grown

    def judge(self, tables: Sequence[Table | Failure | None], found: list[list[Flag]]) -> None:
        """Add to what was found of each."""
        waiting: list[_Waiting] = []
        for place, table in enumerate(tables):
            if not isinstance(table, Table) or not table.rows:
                continue
            fit, rows = self._block.fit(table), min(table.rows, MOST_ROWS)
            if fit.mismatch:
                continue
            if waiting and self._intake.rows + rows > self._block.most_waiting:
                self._settle(waiting, found)
                waiting = []
            self._intake.add(fit, table.columns, 0, rows)
            waiting.append(_Waiting(place, fit, table, rows))
        if waiting:
            self._settle(waiting, found)

    def _settle(self, waiting: Sequence[_Waiting], found: list[list[Flag]]) -> None:
        rows = self._intake.rows
        batch = self._block.binner.batch(self._intake.take(), rows, 0.0)
        ends = list(accumulate(one.rows for one in waiting))
        marked = self._marked(batch)
        if not marked:
            return
        at = np.searchsorted(ends, [row for row, _, _ in marked], side="right").tolist()
        for (row, column, check), place in zip(marked, at, strict=True):
            one = waiting[place]
            flags, own = found[one.exchange], row - ends[place] + one.rows
            if len(flags) < MOST_FLAGS:
                flags.append(self._flag(one, own, column, check))

    def _marked(self, batch: Batch) -> list[tuple[int, int, str]]:
        """Row, column (-1 for the whole row) and check, by row."""
        found: list[tuple[int, int, str]] = []
        codes = self._codes[self._at, batch.bins]
        for row, column in np.argwhere(codes).tolist():
            found.append((row, column, CHECKS[codes[row, column] - 1]))
        for column in self._ruled:
            found += ((row, column, OUT_OF_RANGE) for row in self._beyond(batch, column))
        if self._grown is not None:
            new = self._grown[self._at, batch.bins] & (codes == 0)
            found += ((row, column, DRIFTED) for row, column in np.argwhere(new).tolist())
        if self._rarity is not None:
            rare = np.flatnonzero(self._rarity.of(batch.bins) >= self._point)
            found += ((row, -1, UNUSUAL) for row in rare.tolist())
        return sorted(found)

    def _beyond(self, batch: Batch, column: int) -> Iterator[int]:
        """Rows whose value people do not allow; what is not there, or not finite, fails by another name."""
        rule = self._said[column]
        if rule.range and column in self._number_at:
            values = batch.numbers[:, self._number_at[column]]
            outside = ((values < rule.range[0]) | (values > rule.range[1])) & np.isfinite(values)
            yield from np.flatnonzero(outside).tolist()
        elif rule.allowed and column in batch.names:
            allowed = frozenset(rule.allowed)
            for row, name in enumerate(batch.names[column]):
                if name is not None and name not in allowed:
                    yield row

    def _flag(self, one: _Waiting, row: int, place: int, check: str) -> Flag:
        if place < 0:
            return Flag(row, self._word, "", check)
        column = self._columns[place]
        if check == CHECKS[1] and self._is_of_wrong_type(one, row, column):
            check = TYPE_ERROR
        return Flag(row, self._word, column.name, check)

    def _is_of_wrong_type(self, one: _Waiting, row: int, column: Column) -> bool:
        """Of a value that is not finite whether it is no number at all; what is computed of one has no cell to ask."""
        fields = self._block.fields
        place = one.fit.places[fields[column.field]] if column.field in fields else None
        cell = None if place is None else one.table.columns[place][row]
        return cell is not None and not isinstance(cell, int | float)


def _codes(columns: Sequence[Column]) -> NDArray[np.uint8]:
    """Which check a value fails that lies in a bin, 0 for none; shape (columns, bins)."""
    codes = np.zeros((len(columns), max(len(column.counts) for column in columns)), np.uint8)
    for place, column in enumerate(columns):
        rows = max(column.rows, 1)
        for word, bins in column.quality_bins().items():
            for at in bins:
                if column.counts[at] / rows <= _HARDLY or (column.ordered and at == NONFINITE):
                    codes[place, at] = _OF[word]
    return codes
