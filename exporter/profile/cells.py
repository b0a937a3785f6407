"""Some cells of one column, in the shapes that tables come in.

A cell is missing where it is null, NaN, or a text file's word for it; the others have a name, as live traffic would
have it, and may be numbers.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from exporter.profile.objects import aligned, floating, plain
from exporter.profile.pieces import Coded, Instants, Numbers
from exporter.sketch.binning import category_name
from exporter.sketch.decimals import FP16, FP32, decimals

_NARROW: Final = {"f4": FP32, "f2": FP16}


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
    def _gone(self) -> NDArray[np.bool_]:
        return np.asarray(self.null | np.isnan(self.values))

    @cached_property
    def _present(self) -> NDArray[Any]:
        present = self.values[~self._gone] if self._gone.any() else self.values
        bits = _NARROW.get(self.values.dtype.str[1:])
        return decimals(present, bits) if bits else present  # as they are read from traffic

    def numbers(self) -> Numbers:
        """Those that are present."""
        return self._present.astype(np.float64, copy=False)

    def names(self) -> Counter[str]:
        """Their spelling; whole numbers keep their digits."""
        distinct, counts = np.unique(self._present, return_counts=True)
        return _names(distinct.tolist(), counts.tolist())

    def aligned(self) -> Numbers:
        """All of them."""
        present = self.numbers()
        if present.size == self.rows:
            return present
        found = np.full(self.rows, math.nan)
        found[~self._gone] = present
        return found

    def coded(self) -> Coded:
        """All of them, by their spelling."""
        distinct, places = np.unique(self._present, return_inverse=True)
        codes = np.full(self.rows, -1, np.int64)
        codes[~self._gone] = places
        return Coded([category_name(value) or "" for value in distinct.tolist()], codes)

    def instants(self) -> None:
        """They are none."""

    def stranger(self) -> str:
        """There is none."""
        return ""


class Distinct(NamedTuple):
    """Values, each of them once, and where they are."""

    values: Sequence[object]
    codes: NDArray[np.int64]
    """The place of each row's value among them, -1 where it is null; shape (rows,)."""


@dataclass(frozen=True)
class CodedCells:
    """Values that are no numbers to their source, such as text, truth values and times, each distinct one once."""

    rows: int
    """How many there are."""
    code: Callable[[], Distinct]
    """Tells them apart, once somebody wants to know: whoever asks for times does not."""
    typed: Instants | None = None
    places: "Callable[[int], list[NumberCells]] | None" = None
    """Of lists of numbers: from their width to the columns that they are."""
    nameless = False

    @cached_property
    def _distinct(self) -> Distinct:
        return self.code()

    @property
    def missing(self) -> int:
        """How many are none."""
        return self.rows - self._named.total()

    @cached_property
    def _spelt(self) -> list[str | None]:
        return [value if type(value) is str else category_name(plain(value)) for value in self._distinct.values]

    @cached_property
    def _named(self) -> Counter[str]:
        named: Counter[str] = Counter()
        for name, rows in zip(
            self._spelt, np.bincount(self._distinct.codes + 1, minlength=1)[1:].tolist(), strict=False
        ):
            if rows and name is not None:
                named[name] += rows
        return named

    def numbers(self) -> Numbers | None:
        """None of them is one."""
        return None if self._named else np.empty(0)

    def names(self) -> Counter[str]:
        """By name."""
        return self._named

    def aligned(self) -> Numbers:
        """None of them is a number."""
        return np.where(self.coded().codes < 0, math.nan, math.inf)

    def coded(self) -> Coded:
        """All of them, by name."""
        gone, codes = np.array([*(name is None for name in self._spelt), True]), self._distinct.codes
        return Coded([name or "" for name in self._spelt], np.where(gone[codes], -1, codes))

    def instants(self) -> Instants | None:
        """All of them, where they are times."""
        return self.typed

    def stranger(self) -> str:
        """The first of them."""
        return next(iter(self._named), "")


@dataclass(frozen=True)
class MissingCells:
    """Rows without a value."""

    rows: int
    nameless = False

    @property
    def missing(self) -> int:
        """All of them."""
        return self.rows

    def numbers(self) -> Numbers:
        """None is there."""
        return np.empty(0)

    def names(self) -> Counter[str]:
        """None has one."""
        return Counter()

    def aligned(self) -> Numbers:
        """All of them."""
        return np.full(self.rows, math.nan)

    def coded(self) -> Coded:
        """All of them."""
        return Coded((), np.full(self.rows, -1, np.int64))

    def instants(self) -> Instants:
        """All of them: missing times."""
        return Instants(np.zeros(self.rows, np.int64), np.ones(self.rows, bool), naive=False)

    def stranger(self) -> str:
        """There is none."""
        return ""


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
    def _plain(self) -> list[object]:
        """None where it is missing."""
        values = map(plain, self.objects)
        return [None if isinstance(value, float) and math.isnan(value) else value for value in values]

    @cached_property
    def _present(self) -> list[object]:
        return [value for value in self._plain if value is not None]

    def numbers(self) -> Numbers | None:
        """Those that are present; None where one of them is no number. A truth value is none."""
        if not set(map(type, self._present)) <= {int, float}:
            return None
        try:
            return np.fromiter(self._present, np.float64, len(self._present))
        except OverflowError:
            return np.array([floating(value) for value in self._present])

    def names(self) -> Counter[str]:
        """By name; what is neither text nor a number is called by its type."""
        return Counter(category_name(value) or "" for value in self._present)

    def aligned(self) -> Numbers:
        """All of them."""
        return np.array([aligned(value) for value in self._plain], np.float64)

    def coded(self) -> Coded:
        """All of them, by name."""
        return coded_names([category_name(value) for value in self._plain])

    def instants(self) -> None:
        """Nothing says so."""

    def stranger(self) -> str:
        """The first that is no number."""
        found = next((value for value in self._present if type(value) not in {int, float}), None)
        return category_name(found) or ""


def distinct(values: Iterable[object]) -> Distinct:
    """Values in the order of their rows, told apart; None is missing."""
    places: dict[object, int] = {}
    codes = [-1 if value is None else places.setdefault(value, len(places)) for value in values]
    return Distinct(list(places), np.array(codes, np.int64))


def coded_names(names: Sequence[str | None]) -> Coded:
    """Names in the order of their rows; None is missing."""
    values, codes = distinct(names)
    return Coded(cast("Sequence[str]", values), codes)


def time_cells(times: NDArray[Any]) -> CodedCells:
    """NumPy's times, which know no zone, and durations."""
    typed = None
    if times.dtype.kind == "M":
        typed = Instants(times.astype("datetime64[us]").astype(np.int64), np.isnat(times), naive=True)
    return CodedCells(times.size, lambda: distinct(times), typed)


def _names(values: Sequence[object], counts: Sequence[int]) -> Counter[str]:
    names: Counter[str] = Counter()
    for value, rows in zip(values, counts, strict=True):
        name = category_name(value)
        if name is not None:
            names[name] += rows
    return names
