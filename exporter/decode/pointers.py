"""Free JSON read by pointers: each leads to the cells of one column, `*` stands for the instances.

`/items/*/features/age` has a row for each of `items`, `/rows/*/3` one for each list in `rows`; without any `*` a body
is one row. Beside pointers with `*` those without one are the same for all rows of a body. Pointers may have their `*`
in different lists (`/age/*`, `/job/*`), which must be of one length then. A key called `*` cannot be pointed to.
Source: RFC 6901.
"""

from collections.abc import Sequence
from typing import Any, Final

from exporter.decode.payload import Payload
from exporter.decode.prefix import Rows
from exporter.decode.tables import MOST_SPARSE_CELLS
from exporter.errors import DecodeError
from exporter.origins import tokens
from exporter.records import Table

_STAR: Final = "*"
_LONGEST_POSITION: Final = 9
"""Digits; no list is longer."""
Cells = Sequence[Any]


class _Tree:
    """Pointers that begin alike, so that what they share is walked once."""

    __slots__ = ("at", "branches", "size")

    def __init__(self) -> None:
        self.at = -1
        """The column whose cells are here; none where it is negative."""
        self.branches: dict[str, tuple[int, _Tree]] = {}
        """By key, which may be a position in a list as well, negative where it cannot."""
        self.size = 1
        """How many cells it takes to walk all of it once, no fewer than there are columns."""

    def add(self, path: Sequence[str], column: int) -> None:
        """One more pointer."""
        tree = self
        for token in path:
            if token not in tree.branches:
                tree.branches[token] = _position(token), _Tree()
                self.size += 1
            tree = tree.branches[token][1]
        tree.at = column

    def fill(self, holders: Cells, columns: list[Cells]) -> None:
        """Put the cells of each of `holders`, None where there is nothing, into their columns."""
        if self.at >= 0:
            columns[self.at] = holders
        for key, (place, branch) in self.branches.items():
            branch.fill([_inside(holder, key, place) for holder in holders], columns)


class Pointers:
    """All pointers of one side."""

    def __init__(self, texts: Sequence[str]) -> None:
        """`texts` are checked, and become the names of the columns."""
        self._names = tuple(texts)
        self._paths = [tokens(text) for text in texts]
        self._lists: dict[tuple[str, ...], _Tree] = {}
        self._whole = _Tree()
        for column, path in enumerate(self._paths):
            if _STAR in path:
                axis = path.index(_STAR)
                self._lists.setdefault(path[:axis], _Tree()).add(path[axis + 1 :], column)
            else:
                self._whole.add(path, column)
        self._constant = [column for column, path in enumerate(self._paths) if _STAR not in path]
        """Those columns that are the same for all rows of a body."""
        self._size = self._whole.size + sum(tree.size for tree in self._lists.values())
        self.places = tuple(map(Rows, self._lists)) if len(self._lists) == 1 else ()
        """Where the complete rows are of a body that was cut off."""

    def read(self, payload: Payload) -> Table:
        """The rows they lead to. DecodeError: pointer, ragged, truncated, and those of `Payload.json`."""
        document = payload.json
        if payload.partial and not all(_exists(document, self._paths[column]) for column in self._constant):
            raise DecodeError("truncated", "what is the same for all rows is not there")
        return self.rows_of(document, len(payload.content))

    def rows_of(self, document: object, size: int = 0) -> Table:
        """The rows in a document that was parsed from so many bytes. DecodeError: pointer, ragged."""
        found = {axis: items for axis in self._lists if isinstance(items := _at(document, axis), list)}
        if self._lists and not found:
            raise DecodeError("pointer", "there is no list where the pointers have their *")
        lengths = {len(items) for items in found.values()}
        if len(lengths) > 1:
            raise DecodeError("ragged", "the lists that the pointers lead through are of different lengths")
        rows = lengths.pop() if lengths else 1
        if rows * self._size > max(MOST_SPARSE_CELLS, size):
            raise DecodeError("ragged", f"{rows} rows that have few of {len(self._names)} columns")
        columns: list[Cells] = [(None,) * rows] * len(self._names)
        self._fill_constants(document, rows, columns)
        for axis, items in found.items():
            self._lists[axis].fill(items, columns)
        if rows and not self._leads_anywhere(document, columns):
            raise DecodeError("pointer", "none of the pointers leads to anything")
        return Table(rows, self._names, tuple(columns))

    def _fill_constants(self, document: object, rows: int, columns: list[Cells]) -> None:
        """What is the same for all rows of the body."""
        single: list[Cells] = [(None,)] * len(columns)
        self._whole.fill([document], single)
        for column in self._constant:
            columns[column] = [single[column][0]] * rows

    def _leads_anywhere(self, document: object, columns: Sequence[Cells]) -> bool:
        """Whether there is a cell at all; nulls are."""
        if any(cell is not None for cells in columns for cell in cells):
            return True
        return any(_exists(document, path) for path in self._paths)


def _position(token: str) -> int:
    """The place in a list that a token stands for (RFC 6901, 4: no leading zeros), or -1."""
    decimal = token.isascii() and token.isdecimal() and len(token) <= _LONGEST_POSITION
    return int(token) if decimal and (len(token) == 1 or token[0] != "0") else -1


def _inside(holder: Any, key: str, place: int) -> Any:  # noqa: ANN401 (JSON)
    """What a value has under a key or at a place; None where there is nothing."""
    if type(holder) is dict:
        return holder.get(key)
    return holder[place] if type(holder) is list and 0 <= place < len(holder) else None


def _at(document: object, path: Sequence[str]) -> object:
    for token in path:
        document = _inside(document, token, _position(token))
    return document


def _exists(document: object, path: Sequence[str]) -> bool:
    """Whether something is there, be it null."""
    for at, token in enumerate(path):
        if token == _STAR:
            return isinstance(document, list) and any(_exists(item, path[at + 1 :]) for item in document)
        place = _position(token)
        there = (
            token in document
            if isinstance(document, dict)
            else isinstance(document, list) and 0 <= place < len(document)
        )
        if not there:
            return False
        document = _inside(document, token, place)
    return True
