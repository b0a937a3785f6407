"""From values to bin numbers, for every column of a block at once."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.reference import ABOVE, MISSING, NONFINITE

_STEPS: Final = (8, 4, 2, 1)
_PADDED: Final = 16

Bins = NDArray[np.int64]


class NumberBins:
    """Half-open bins [edge, next edge) of many columns: a branchless binary search over all of them at once.

    It is exact for any edges, so that Python, PromQL and a reader of the profile always agree on the bin.
    """

    __slots__ = ("_edges", "_last")

    def __init__(self, edges: Sequence[Sequence[float]]) -> None:
        """`edges` per column: 1 to 13 ascending finite numbers."""
        self._edges = np.full((len(edges), _PADDED), np.inf)
        for column, numbers in enumerate(edges):
            self._edges[column, : len(numbers)] = numbers
        self._last = np.array([len(numbers) for numbers in edges], np.int64)

    def place(self, values: NDArray[np.float64], missing: NDArray[np.bool_]) -> Bins:
        """Bin numbers of `values`, shape (rows, columns); NaN that is not `missing` is non-finite."""
        columns = np.arange(self._edges.shape[0]) * _PADDED
        flat = self._edges.ravel()
        position = np.zeros(values.shape, np.int64)
        for step in _STEPS:
            position += step * (values >= flat[columns + position + (step - 1)])
        position[position >= self._last] = ABOVE
        position[~np.isfinite(values)] = NONFINITE
        position[missing] = MISSING
        return position


class CategoryBins:
    """One column of categories."""

    __slots__ = ("_missing", "_places", "_unseen")

    def __init__(self, categories: Sequence[str], others: Sequence[str]) -> None:
        self._places: Mapping[str, int] = dict.fromkeys(others, len(categories)) | {
            category: place for place, category in enumerate(categories)
        }
        self._unseen = len(categories) + 1
        self._missing = len(categories) + 2

    def place(self, tokens: Sequence[str | None]) -> Bins:
        """Bin numbers of category names; None is missing."""
        places, unseen, missing = self._places, self._unseen, self._missing
        return np.array([missing if token is None else places.get(token, unseen) for token in tokens], np.int64)


def category_name(value: object) -> str | None:
    """The one spelling of a category: text as it is, true/false, numbers without a trailing `.0`; None is missing.

    What is neither (a list, say) is named by its type, which no profile lists: it will be unseen.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -(1 << 63) <= value < 1 << 64 else "huge integer"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return f"<{type(value).__name__}>"
