"""Columns of lists of numbers, as vectors are kept: so many columns, called as the decoders call them in traffic.

A list of one number is that number; a longer one is `name[0]`, `name[1]` and so on. How long the lists of a column are
is found out before it is read, of all rows: neither their order nor how they are shared out shows.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.errors import DataError
from exporter.profile.cells import CodedCells, MissingCells, NumberCells, ObjectCells
from exporter.profile.headers import check_names
from exporter.profile.objects import aligned, plain
from exporter.profile.pieces import Arrange, Cells, Piece
from exporter.sketch.decimals import FP32, decimals

MOST_WIDTH: Final = 4096
_LEAST_SHARE: Final = 0.5
"""Of the lists that hold anything: where fewer are of one length, a column is of no fixed width."""
_LISTS: Final = (list, tuple)
Widths = Mapping[str, int]
"""How long the lists are, by column."""
Reader = Callable[[list[str], Arrange, Widths], Iterator[Piece]]


class Lengths:
    """How long the lists of a column are. It can be pickled, and merged."""

    def __init__(self) -> None:
        self.rows: Counter[int] = Counter()
        """By length, of lists that are not null; all that are too long count as one longer than may be."""
        self.numbers = True
        """Whether all that is there is lists of numbers and nulls."""

    def add(self, lengths: Mapping[int, int]) -> None:
        """Count rows by length."""
        for length, rows in lengths.items():
            self.rows[min(length, MOST_WIDTH + 1)] += rows

    def add_objects(self, values: Iterable[object]) -> None:
        """Count lists among values of any type."""
        for value in values:
            if not self.numbers:
                return  # whatever else there is
            length = _length(value)
            if length is not None:
                self.rows[min(length, MOST_WIDTH + 1)] += 1
            elif plain(value) is not None and value == value:  # noqa: PLR0124 (NaN)
                self.numbers = False

    def merge(self, other: "Lengths") -> None:
        """Add all that another one holds."""
        self.rows.update(other.rows)
        self.numbers = self.numbers and other.numbers

    @property
    def width(self) -> int:
        """The length that most lists have, of several the largest; 0 where they are of no fixed width."""
        full = {length: rows for length, rows in self.rows.items() if length}
        if not self.numbers or not full:
            return 0
        most, width = max((rows, length) for length, rows in full.items())
        return width if most >= _LEAST_SHARE * sum(full.values()) else 0

    def odd(self) -> int:
        """Lists of another length."""
        return self.rows.total() - self.rows[self.width]


class Look(NamedTuple):
    """A first look at a table."""

    names: list[str]
    """Of its columns, in order; none where that takes a whole reading that nobody asked for."""
    lengths: dict[str, Lengths]
    """Of columns that may be of lists."""

    def widths(self, where: str, ignored: Sequence[str]) -> dict[str, int]:
        """Of columns of lists that are not ignored. DataError where one is too wide."""
        found = {name: one.width for name, one in self.lengths.items() if one.width and name not in ignored}
        for name, width in found.items():
            if width > MOST_WIDTH:
                raise DataError(f"{where}: column {name!r} has lists of more than {MOST_WIDTH:,} numbers: leave it out")
        return found


def _length(value: object) -> int | None:
    """Of a list of numbers and nulls; None for anything else."""
    if isinstance(value, np.ndarray):
        return len(value) if value.ndim == 1 and (value.dtype.kind in "iuf" or _are_numbers(value.tolist())) else None
    return len(value) if isinstance(value, _LISTS) and _are_numbers(value) else None


def _are_numbers(values: Sequence[object]) -> bool:
    kinds = set(map(type, values))
    return kinds <= {int, float, type(None)} or all(
        issubclass(kind, int | float | np.integer | np.floating | None) and kind is not bool for kind in kinds
    )


def elements(name: str, width: int) -> list[str]:
    """What the columns of a list are called."""
    return [name] if width == 1 else [f"{name}[{place}]" for place in range(width)]


def spread(names: Iterable[str], widths: Widths) -> list[str]:
    """The names of columns, those of lists by their places."""
    return [one for name in names for one in (elements(name, widths[name]) if name in widths else (name,))]


# --- reading


def unfolded(read: Reader, names: list[str], arrange: Arrange, widths: Widths) -> Iterator[Piece]:
    """The pieces of a table whose lists are columns. `names` is filled with theirs. DataError where two have one."""
    if not widths:
        yield from read(names, arrange, widths)
        return
    own: list[str] = []
    ask = _Asked(arrange, widths)
    for piece in read(own, ask, widths):
        if len(own) != ask.known:
            ask.known = len(own)
            names[:] = check_names(spread(own, widths), "the table")
        if piece.column not in widths:
            yield piece
            continue
        cells = dict(zip(elements(piece.column, widths[piece.column]), places(piece.cells, widths[piece.column]),
                         strict=True))  # fmt: skip
        for name in ask.wanted[piece.column]:
            yield piece._replace(column=name, cells=cells[name])
    names[:] = spread(own, widths)


class _Asked:
    """What is asked of a table in columns, asked in lists. A list is in one group, whose columns are read together."""

    def __init__(self, arrange: Arrange, widths: Widths) -> None:
        self._arrange, self._widths = arrange, widths
        self._home = {place: name for name, width in widths.items() for place in elements(name, width)}
        self.wanted: dict[str, list[str]] = {}
        """Places of each list, in the order in which they are wanted."""
        self.known = 0

    def __call__(self, names: Sequence[str]) -> Sequence[Sequence[str]]:
        groups: list[dict[str, None]] = []
        self.wanted = {}
        where: dict[str, dict[str, None]] = {}
        for group in self._arrange(spread(names, self._widths)):
            raw = dict.fromkeys(self._home.get(name, name) for name in group)
            together = next((where[name] for name in raw if name in where), None)
            if together is None:
                groups.append(together := {})
            together |= raw
            for name in group:
                if name in self._home:
                    where[self._home[name]] = together
                    self.wanted.setdefault(self._home[name], []).append(name)
        return [list(group) for group in groups]


def places(cells: Cells, width: int) -> Sequence[Cells]:
    """The places of lists, each a column; a list that is null or of another length is missing in all of them."""
    if isinstance(cells, CodedCells) and cells.places is not None:
        return cells.places(width)
    if isinstance(cells, ObjectCells):
        return _of_objects(cells.objects, width)
    return [MissingCells(cells.rows)] * width


def columns(matrix: NDArray[Any], null: NDArray[np.bool_]) -> list[NumberCells]:
    """Those of numbers of shape (rows, width)."""
    across, gone = np.ascontiguousarray(matrix.T), np.ascontiguousarray(null.T)
    return [NumberCells(values, missing, nameless=True) for values, missing in zip(across, gone, strict=True)]


def _of_objects(objects: Sequence[object], width: int) -> list[NumberCells]:
    matrix = np.full((len(objects), width), np.nan)
    listed: list[int] = []
    for row, value in enumerate(objects):
        if not isinstance(value, (*_LISTS, np.ndarray)) or len(value) != width:
            continue
        if isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
            matrix[row] = value if value.dtype != np.float16 else decimals(value, 11)
        else:
            matrix[row] = _floats(value)
        listed.append(row)
    given = matrix[listed]
    with np.errstate(over="ignore"):
        narrow = (given.astype(np.float32) == given) | np.isnan(given)
    short = np.array(listed, np.int64)[narrow.all(axis=1)]  # 32-bit floats, written with the digits of wider ones
    matrix[short] = decimals(matrix[short], FP32)
    return columns(matrix, np.zeros(matrix.shape, bool))


def _floats(values: Sequence[object] | NDArray[Any]) -> NDArray[np.float64]:
    try:
        return np.array(values, np.float64)
    except (OverflowError, TypeError, ValueError):  # an integer beyond every float, or what is no number after all
        return np.array([aligned(plain(value)) for value in values])
