"""JSON cells as what a column's kind needs. A wrong type is counted and never converted in silence."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from exporter.sketch.binning import category_name, truth_name

Numbers = tuple[NDArray[np.float64], NDArray[np.bool_], int]
"""Values, which of them are missing, and how many had a wrong type (those are infinite: no finite number).

NaN is missing: it is how data frames write a gap, and a CSV file of training data cannot tell the two apart.
"""

_NUMBERS_OR_NULL = {float, int, type(None)}
_INFINITE = float("inf")


def numbers(cells: Sequence[object]) -> Numbers:
    """Numbers; truth values count as 0 and 1, text does not count as a number."""
    kinds = set(map(type, cells))
    try:
        if kinds <= _NUMBERS_OR_NULL:
            values = np.array(cells, np.float64)  # null becomes NaN
            return values, np.isnan(values), 0
    except OverflowError:
        pass  # an integer beyond every float
    return _one_by_one(cells, _number)


def lengths(cells: Sequence[object]) -> Numbers:
    """Lengths of texts, in characters."""
    return _one_by_one(cells, lambda cell: float(len(cell)) if isinstance(cell, str) else None)


def _one_by_one(cells: Sequence[object], read: Callable[[object], float | None]) -> Numbers:
    values = np.zeros(len(cells))
    missing = np.zeros(len(cells), bool)
    errors = 0
    for place, cell in enumerate(cells):
        if cell is None or cell != cell:  # noqa: PLR0124 (NaN)
            missing[place] = True
            continue
        value = read(cell)
        errors += value is None
        values[place] = _INFINITE if value is None else value
    return values, missing, errors


def _number(cell: object) -> float | None:
    if not isinstance(cell, int | float):
        return None
    try:
        return float(cell)
    except OverflowError:
        return float("inf") if cell > 0 else float("-inf")


def categories(cells: Sequence[object], kind: str) -> tuple[list[str | None], int]:
    """Category names, and how many cells had a type no category can have."""
    names = [category_name(cell) for cell in cells]
    errors = sum(isinstance(cell, list | dict) for cell in cells)
    if kind == "boolean":
        names = [truth_name(name) if name is not None else None for name in names]
    return names, errors
