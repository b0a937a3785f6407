"""Pieces of a table on their way from a source to who counts them: cells of one column, in the order of the rows."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from exporter.errors import DataError

Numbers = NDArray[np.float64]


class Coded(NamedTuple):
    """Cells in the order of their rows, by name."""

    names: Sequence[str]
    """Some may stand there twice, or be no cell's."""
    codes: NDArray[np.int64]
    """The place of each row's name among them, -1 where it is missing; shape (rows,)."""


class Instants(NamedTuple):
    """Typed times in the order of their rows."""

    microseconds: NDArray[np.int64]
    """Since 1970, shape (rows,); anything where it is missing."""
    missing: NDArray[np.bool_]
    naive: bool
    """Whether they are of no zone: what a clock on the wall says."""


class Cells(Protocol):
    """Some cells of one column, in the order of their rows."""

    @property
    def nameless(self) -> bool:
        """Whether they need no names, because all the column's cells are typed numbers."""

    @property
    def rows(self) -> int:
        """How many there are."""

    @property
    def missing(self) -> int:
        """How many of them are missing."""

    def numbers(self) -> Numbers | None:
        """Those that are present, as numbers, infinite ones and NaN among them; None where one of them is none."""

    def names(self) -> Counter[str]:
        """Those that are present, by name."""

    def aligned(self) -> Numbers:
        """All of them in their order, shape (rows,): NaN where missing, infinite where one is no number."""

    def coded(self) -> Coded:
        """All of them in their order, by name."""

    def instants(self) -> Instants | None:
        """All of them in their order, where they are typed times."""

    def stranger(self) -> str:
        """The name of one that is no number, where there is one."""


class NoRows(DataError):
    """A table, or a part of one, that holds none."""


class Piece(NamedTuple):
    """Some cells of a table."""

    column: str
    cells: Cells
    done: float
    """Share of the table that is read by now, 0 to 1."""
    run: int = 0
    """Which run of rows they are of. A source yields all its columns of one before it goes on to the next."""
    start: int = 0
    """Rows of the run that lie before them."""


Arrange = Callable[[Sequence[str]], Sequence[Sequence[str]]]
"""From the columns of a table to groups of those to be read, in the order in which they are wanted.

Within each run of rows a source yields group after group. Pieces of a group are of the same rows, one piece per column,
before any piece of its next rows. What is in no group is not yielded.
"""


def as_it_comes(names: Sequence[str]) -> Sequence[Sequence[str]]:
    """Every column by itself, in the table's order."""
    return [[name] for name in names]


def chosen(arrange: Arrange, names: Sequence[str], where: str) -> list[Sequence[str]]:
    """The groups of a table's columns that are to be read. DataError where it lacks one of them."""
    groups, known = list(arrange(names)), {*names}
    for name in (name for group in groups for name in group):
        if name not in known:
            raise DataError(f"{where}: no column {name!r}, which the profile has")
    return groups


def gathered(pieces: Iterable[Piece], groups: Iterable[Sequence[str]]) -> Iterator[list[Piece]]:
    """The pieces of a group's same rows together, in the group's order; those of no group alone."""
    home = {name: group for group in groups for name in group}
    held: dict[str, Piece] = {}
    run = 0
    for piece in pieces:
        if piece.run != run:  # what still waits is of columns that the last part of the table did not have
            run = piece.run
            held.clear()
        group = home.get(piece.column, (piece.column,))
        held[piece.column] = piece
        if all(name in held for name in group):
            yield [held.pop(name) for name in group]
