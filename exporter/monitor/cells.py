"""JSON cells as what a column's kind needs. A wrong type is counted and never converted in silence."""

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from exporter.scalars import LENGTH, TEXT_SCALARS
from exporter.sketch.binning import category_name, truth_name

NAN: Final = float("nan")
_INFINITE: Final = float("inf")
Numbers = tuple[bytes, Sequence[int]]
"""Doubles behind each other, as they are in memory, and the places of those that had a wrong type.

The latter are infinite: no finite number. NaN is missing: it is how data frames write a gap, and a CSV file of training
data cannot tell the two apart.
"""


def numbers(cells: Sequence[object]) -> Numbers:
    """Numbers; truth values count as 0 and 1, text does not count as a number."""
    pack = _packer(len(cells))
    try:
        return pack(*cells), ()
    except struct.error:  # it refuses all but numbers
        pass
    gapless = [NAN if cell is None else cell for cell in cells]
    try:
        return pack(*gapless), ()
    except struct.error:  # a text, or an integer beyond every float
        return _one_by_one([_number(cell) for cell in gapless])


def measured(cells: Sequence[object], scalar: str) -> Numbers:
    """A number of each text: of TEXT_SCALARS the one of that name, the length where it has none."""
    of = TEXT_SCALARS[scalar or LENGTH].of
    return _one_by_one([_measured(cell, of) for cell in cells])


def words(cells: Sequence[object], scalar: str) -> tuple[list[str | None], int]:
    """A word of each text, and how many cells are no text; those are called by their type, as no word is."""
    of = TEXT_SCALARS[scalar].of
    found = [str(of(cell)) if isinstance(cell, str) else _stranger(cell) for cell in cells]
    wrong = sum(not isinstance(cell, str) and name is not None for cell, name in zip(cells, found, strict=True))
    return found, wrong


def _stranger(cell: object) -> str | None:
    """None where nothing is there."""
    return None if cell is None or cell != cell else f"<{type(cell).__name__}>"  # noqa: PLR0124 (NaN)


@lru_cache(256)
def _packer(count: int) -> Callable[..., bytes]:
    """What packs so many numbers: at a third of what an array takes for it."""
    return struct.Struct(f"{count}d").pack


def _one_by_one(read: Sequence[float | None]) -> Numbers:
    wrong = [place for place, value in enumerate(read) if value is None]
    return _packer(len(read))(*(_INFINITE if value is None else value for value in read)), wrong


def _number(cell: object) -> float | None:
    if not isinstance(cell, int | float):
        return None
    try:
        return float(cell)
    except OverflowError:
        return _INFINITE if cell > 0 else -_INFINITE


def _measured(cell: object, of: Callable[[str], float | str]) -> float | None:
    if isinstance(cell, str):
        return float(of(cell))
    return NAN if cell is None or cell != cell else None  # noqa: PLR0124 (NaN)


def categories(cells: Sequence[object], kind: str) -> tuple[list[str | None], int]:
    """Category names, and how many cells had a type no category can have."""
    names = [cell if type(cell) is str else category_name(cell) for cell in cells]
    kinds = set(map(type, cells))
    errors = sum(isinstance(cell, list | dict) for cell in cells) if list in kinds or dict in kinds else 0
    if kind == "boolean":
        names = [truth_name(name) if name is not None else None for name in names]
    return names, errors
