"""A table under way to a profile: a builder per column. Drafts of a table's parts merge into that of the whole."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from exporter.errors import DataError
from exporter.profile.builder import ColumnBuilder
from exporter.profile.calendar import Calendar
from exporter.profile.cells import MissingCells
from exporter.profile.clock import Clock, NoTime
from exporter.profile.pieces import Piece, gathered
from exporter.profile.sample import Groups, Sample


class Time(NamedTuple):
    """The column of a table that says when its rows are from."""

    column: str
    clock: Clock


Watch = Callable[[float, int], None]
"""Is told the share of the table that is read, and its rows."""


class Draft:
    """What is known of the columns of a table, or of a part of it. It can be pickled.

    Neither the order in which parts are merged nor how rows are shared out between them changes a byte of the profile.
    """

    def __init__(self, kinds: Mapping[str, str], time: Time | None = None, groups: Groups | None = None) -> None:
        """`kinds` that are declared, by column; of the column of `time` the calendar alone is made.

        Of `groups` of columns, each an embedding, samples are taken.
        """
        self.kinds = dict(kinds)
        self.time = time
        self.groups = dict(groups or {})
        self.calendar = Calendar()
        self.builders: dict[str, ColumnBuilder] = {}
        self.samples = {name: Sample(len(fields)) for name, fields in self.groups.items()}
        self.order: list[str] = []
        """Names of all columns of the table, also of those that were not read."""

    @property
    def names(self) -> list[str]:
        """Of the columns, in order."""
        return list(self.builders)

    @property
    def columns(self) -> tuple[ColumnBuilder, ...]:
        """In order."""
        return tuple(self.builders.values())

    @property
    def rows(self) -> int:
        """How many have been read."""
        read = [self.calendar.rows, *(one.rows for one in self.columns), *(one.rows for one in self.samples.values())]
        return max(read)

    def read(self, pieces: Iterable[Piece], names: list[str], watch: Watch | None = None) -> None:
        """Add the pieces of a table; `names` is filled by who yields them, and has the columns' order at the end."""
        called = {fields: name for name, fields in self.groups.items()}
        for together in gathered(watched(pieces, names, watch), list(called)):
            name = called.get(tuple(piece.column for piece in together))
            if name is not None:
                self._add_vectors(self.samples[name], together)
            else:
                self._add(together[0])
        self._ended(names)

    def _add(self, piece: Piece) -> None:
        name = piece.column
        if self.time and name == self.time.column:
            self._add_times(piece, self.time)
            return
        if name not in self.builders:
            self.builders[name] = ColumnBuilder(name, self.kinds.get(name))
        self.builders[name].add(piece.cells)

    @staticmethod
    def _add_vectors(sample: Sample, together: Sequence[Piece]) -> None:
        vectors = np.empty((together[0].cells.rows, len(together)))
        for place, piece in enumerate(together):
            vectors[:, place] = piece.cells.aligned()
            if np.isinf(vectors[:, place]).any() and piece.cells.numbers() is None:
                raise DataError(f"column {piece.column!r} is of an embedding and holds what is no number")
        sample.update(vectors)

    def _ended(self, names: list[str]) -> None:
        self.order = list(names)
        rows = self.rows
        for builder in self.columns:  # a column that turned up late was missing before
            if builder.rows < rows:
                builder.add(MissingCells(rows - builder.rows))
        self.builders = {name: self.builders[name] for name in names if name in self.builders}

    def _add_times(self, piece: Piece, time: Time) -> None:
        try:
            self.calendar.add(time.clock.read(piece.cells))
        except NoTime as fault:
            row = self.calendar.rows + fault.place + 1
            raise NoTime(row, f"column {time.column!r}, row {row:,}: {fault}") from None

    def merge(self, other: "Draft") -> None:
        """Add all that the draft of another part holds. DataError where that has other columns or kinds."""
        if not self.rows:
            self.kinds, self.time, self.groups, self.order = dict(other.kinds), other.time, other.groups, other.order
            self.samples = {name: Sample(len(fields)) for name, fields in self.groups.items()}
            self.builders = {builder.name: ColumnBuilder(builder.name, self.kinds.get(builder.name))
                              for builder in other.columns}  # fmt: skip
        for name in sorted(self.builders.keys() ^ other.builders.keys()):
            raise DataError(f"column {name!r} is in one part of the table and not in another")
        if self.kinds != other.kinds or self.groups != other.groups:
            raise DataError("the parts of the table were read with other kinds declared")
        self.calendar.merge(other.calendar)
        for name, builder in self.builders.items():
            builder.merge(other.builders[name])
        for name, sample in self.samples.items():
            sample.merge(other.samples[name])
        if self.order != other.order:
            self.order = sorted({*self.order, *other.order})
        if self.names != other.names:
            self.builders = dict(sorted(self.builders.items()))


def watched(pieces: Iterable[Piece], names: list[str], watch: Watch | None) -> Iterator[Piece]:
    """The same pieces, and somebody told of them."""
    cells = 0
    for piece in pieces:
        yield piece
        cells += piece.cells.rows
        if watch is not None:
            watch(piece.done, cells // max(1, len(names)))


class Pass:
    """Tells somebody how far one of several readings of a table is."""

    def __init__(self, watch: Watch | None, number: int, of: int) -> None:
        self._watch, self._number, self._of = watch, number, of

    def __call__(self, done: float, rows: int) -> None:
        """Take the share that is done of this reading, and its rows."""
        if self._watch is None:
            return
        so_far = (self._number + done) / self._of
        self._watch(so_far, round(rows * so_far / done) if done else rows)
