"""Some cells of one column, in the shapes that tables come in: what a builder asks of them, whoever read them.

A cell is missing where it is null, NaN, or a text file's word for it; the others have a name, as live traffic would
have it, and may be numbers.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from exporter.sketch.binning import category_name
from exporter.sketch.decimals import FP16, FP32, decimals

_NARROW: Final = {"f4": FP32, "f2": FP16}
_PANDAS_GAPS: Final = ("NAType", "NaTType")
Numbers = NDArray[np.float64]


class Cells(Protocol):
    """Some cells of one column, in no order that matters."""

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

    def loose(self) -> Numbers:
        """Those that are present, as numbers; infinite where one is none."""

    def names(self) -> Counter[str]:
        """Those that are present, by name."""

    def lengths(self) -> Counter[int]:
        """The lengths of their names."""

    def stranger(self) -> str:
        """The name of one that is no number, where there is one."""


class Piece(NamedTuple):
    """Some cells of a table."""

    column: str
    cells: Cells
    done: float
    """Share of the table that is read by now, 0 to 1."""


@dataclass(frozen=True)
class NumberCells:
    """Typed numbers, whole or not, of any width."""

    values: NDArray[Any]
    null: NDArray[np.bool_]
    nameless: bool

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.values.size)

    @property
    def missing(self) -> int:
        """How many are null or NaN."""
        return self.rows - int(self._present.size)

    @cached_property
    def _present(self) -> NDArray[Any]:
        gone = self.null | np.isnan(self.values)
        present = self.values[~gone] if gone.any() else self.values
        bits = _NARROW.get(self.values.dtype.str[1:])
        return decimals(present, bits) if bits else present  # as they are read from traffic

    def numbers(self) -> Numbers:
        """Those that are present."""
        return self._present.astype(np.float64, copy=False)

    def loose(self) -> Numbers:
        """Those that are present."""
        return self.numbers()

    def names(self) -> Counter[str]:
        """Their spelling; whole numbers keep their digits."""
        distinct, counts = np.unique(self._present, return_counts=True)
        return _names(distinct.tolist(), counts.tolist())

    def lengths(self) -> Counter[int]:
        """The lengths of their spelling."""
        return lengths_of(self.names())

    def stranger(self) -> str:
        """There is none."""
        return ""


@dataclass(frozen=True)
class CountedCells:
    """Distinct values that are no numbers to their source, such as text and truth values, and how often each occurs."""

    values: Sequence[object]
    counts: Sequence[int]
    nameless = False

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(self.counts)

    @property
    def missing(self) -> int:
        """How many are none."""
        return self.rows - self._named.total()

    @cached_property
    def _named(self) -> Counter[str]:
        return _names([plain(value) for value in self.values], self.counts)

    def numbers(self) -> Numbers | None:
        """None of them is one."""
        return None if self._named else np.empty(0)

    def loose(self) -> Numbers:
        """Infinite, all of them."""
        return np.full(self._named.total(), math.inf)

    def names(self) -> Counter[str]:
        """By name."""
        return self._named

    def lengths(self) -> Counter[int]:
        """The lengths of their names."""
        return lengths_of(self._named)

    def stranger(self) -> str:
        """The first of them."""
        return next(iter(self._named), "")


@dataclass(frozen=True)
class ObjectCells:
    """Values of any type, as JSON and data frames have them: None and NaN are missing."""

    objects: Sequence[object]
    nameless = False

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.objects)

    @property
    def missing(self) -> int:
        """How many are None or NaN."""
        return len(self.objects) - len(self._present)

    @cached_property
    def _present(self) -> list[object]:
        values = map(plain, self.objects)
        return [value for value in values if value is not None and not (isinstance(value, float) and math.isnan(value))]

    def numbers(self) -> Numbers | None:
        """Those that are present; None where one of them is no number. A truth value is none."""
        if not set(map(type, self._present)) <= {int, float}:
            return None
        try:
            return np.fromiter(self._present, np.float64, len(self._present))
        except OverflowError:
            return np.array([_float(value) for value in self._present])

    def loose(self) -> Numbers:
        """Those that are present; infinite where one is no number."""
        return np.array([_float(value) if type(value) in {int, float} else math.inf for value in self._present])

    def names(self) -> Counter[str]:
        """By name; what is neither text nor a number is called by its type."""
        return Counter(category_name(value) or "" for value in self._present)

    def lengths(self) -> Counter[int]:
        """The lengths of their names."""
        return lengths_of(self.names())

    def stranger(self) -> str:
        """The first that is no number."""
        found = next((value for value in self._present if type(value) not in {int, float}), None)
        return category_name(found) or ""


def missing_cells(rows: int) -> CountedCells:
    """So many rows without a value."""
    return CountedCells((None,), (rows,))


def lengths_of(names: Counter[str]) -> Counter[int]:
    """How long names are, and how many are so long."""
    lengths: Counter[int] = Counter()
    for name, rows in names.items():
        lengths[len(name)] += rows
    return lengths


def plain(value: object) -> object:
    """A value as JSON would have it; what JSON does not know as Python spells it, lists and mappings as they are."""
    if isinstance(value, str | int | float | list | dict | None):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.generic):
        return plain(value.item()) if not isinstance(value, np.datetime64 | np.timedelta64) else _when(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if type(value).__name__ in _PANDAS_GAPS:
        return None
    return float(value) if isinstance(value, Decimal) else str(value)


def _when(value: np.datetime64 | np.timedelta64) -> str | None:
    return None if np.isnat(value) else str(value)


def _float(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:  # an integer beyond every float
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def _names(values: Sequence[object], counts: Sequence[int]) -> Counter[str]:
    names: Counter[str] = Counter()
    for value, rows in zip(values, counts, strict=True):
        name = category_name(value)
        if name is not None:
            names[name] += rows
    return names
