"""Rows that lie one behind the other, seen as columns: turned only where somebody asks for a column.

What counts wants rows as they came. To turn one row of a request into columns costs more than to count it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

Row = Sequence[object]


class Turned:
    """The columns of `rows`, each of which has `width` cells, or of an array of numbers of shape (rows, width)."""

    __slots__ = ("_columns", "rows", "width")

    def __init__(self, rows: Sequence[Row] | NDArray[Any], width: int) -> None:
        self.rows = rows
        self.width = width
        self._columns: tuple[Sequence[object], ...] | None = None

    def __len__(self) -> int:
        return self.width

    def __getitem__(self, place: int) -> Sequence[object]:
        return self._turned()[place]

    def __iter__(self) -> Iterator[Sequence[object]]:
        return iter(self._turned())

    def __eq__(self, other: object) -> bool:
        """Whether the same cells are in the same columns, be those lists or tuples."""
        if not isinstance(other, Turned | tuple | list):
            return NotImplemented
        return [list(column) for column in self] == [list(column) for column in other]

    __hash__ = None  # type: ignore[assignment]  # what is compared by its cells has no hash

    def __repr__(self) -> str:
        return repr(self._turned())

    def _turned(self) -> tuple[Sequence[object], ...]:
        if self._columns is None:
            self._columns = self._made()
        return self._columns

    def _made(self) -> tuple[Sequence[object], ...]:
        if not isinstance(self.rows, Sequence):  # an array: its cells become those of JSON
            return tuple(self.rows.T.tolist())
        return tuple(map(list, zip(*self.rows, strict=True))) if self.rows else ((),) * self.width
