"""From values to bin numbers, for every column of a block at once."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.reference import ABOVE, MISSING, NONFINITE

_STEPS: Final = (8, 4, 2, 1)
_PADDED: Final = 16
_MANY: Final = 256
"""From so many rows on it is cheaper to compare with each edge, which takes no jumps in memory."""

_SMALLEST: Final = -(1 << 63)
_LARGEST: Final = (1 << 64) - 1
"""The integers JSON libraries agree on; a larger one is a float to some of them."""
_TRUTHS: Final = {"0": "false", "1": "true", "false": "false", "true": "true"}

Bins = NDArray[np.int64]


class NumberBins:
    """Half-open bins [edge, next edge) of many columns: all of them at once, by a binary search or edge by edge.

    It is exact for any edges, so that Python, PromQL and a reader of the profile always agree on the bin.
    """

    __slots__ = ("_edges", "_last")

    def __init__(self, edges: Sequence[Sequence[float]]) -> None:
        """`edges` per column: 1 to 13 ascending finite numbers."""
        self._edges = np.full((len(edges), _PADDED), np.inf)
        for column, numbers in enumerate(edges):
            self._edges[column, : len(numbers)] = numbers
        # Nothing finite lies above the largest float: as an edge it belongs to the bin below it.
        self._edges[self._edges == np.finfo(np.float64).max] = np.inf
        self._last = np.array([len(numbers) for numbers in edges], np.int64)

    def place(
        self, values: NDArray[np.float64], missing: NDArray[np.bool_], chosen: NDArray[np.int64] | None = None
    ) -> Bins:
        """Bin numbers of `values`, shape (rows, columns), of all columns or those chosen by their place.

        NaN that is not `missing` is non-finite.
        """
        places = np.arange(self._last.size) if chosen is None else chosen
        last = self._last[places]
        position = self._edge_by_edge(values, places) if len(values) >= _MANY else self._by_halves(values, places)
        np.putmask(position, position >= last, ABOVE)
        np.putmask(position, ~np.isfinite(values), NONFINITE)
        np.putmask(position, missing, MISSING)
        return position.astype(np.int64)

    def _by_halves(self, values: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many edges are not above each value."""
        columns = places * _PADDED
        flat = self._edges.ravel()
        position = np.zeros(values.shape, np.int64)
        for step in _STEPS:
            position += step * (values >= flat[columns + position + (step - 1)])
        return position

    def _edge_by_edge(self, values: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The same; of many rows in a third of the time."""
        position = np.zeros(values.shape, np.uint8)
        above = np.empty(values.shape, bool)
        for edges in self._edges[places].T[: self._last[places].max(initial=0)]:
            np.greater_equal(values, edges, out=above)
            position += above.view(np.uint8)
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


def counted(bins: NDArray[np.uint8], width: int) -> Bins:
    """How often each bin occurs in each column of `bins`, shape (rows, columns): shape (columns, width)."""
    columns = bins.shape[1]
    flat = bins + np.arange(columns, dtype=np.int64) * width
    return np.bincount(flat.ravel(), minlength=columns * width).reshape(columns, width)


def category_name(value: object) -> str | None:
    """The one spelling of a category: text as it is, true/false, whole numbers by their digits; None is missing.

    NaN is missing too, as everywhere in pandas. What is neither (a list, say) is named by its type, which no profile
    lists: it will be unseen.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if _SMALLEST <= value <= _LARGEST else "huge integer"
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() and _SMALLEST <= value <= _LARGEST else repr(value)
    return f"<{type(value).__name__}>"


def truth_name(name: str) -> str:
    """The one spelling of a truth value, `true` or `false`; what is none stays as it is."""
    return _TRUTHS.get(name.lower(), name)
