"""Columns in a few parts each: what a search for bad corners of the traffic divides rows by.

Numbers are divided by the profile's own bins, put together to at most ten of about as many rows of the training data
each; names are the nine most frequent ones and all else. Rows that have no value, or none that is finite, are a part of
their own.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch, Scope
from exporter.performance.parts import UNKNOWN
from exporter.reference import ABOVE, BELOW, NUMERIC_BINS, Column
from exporter.sections import Segments

MOST: Final = 10
"""Columns."""
MOST_CODES: Final = 11
"""Of a column: ten parts, and rows without a value."""
_PARTS: Final = MOST_CODES - 1
_FEW, _EXACT = 6, 17
"""Digits of numbers for people, and those that tell any two numbers apart."""


class CellCodes:
    """Of some features. Codes count from 0; the last one is that of rows without a value."""

    def __init__(self, columns: Sequence[Column], names: Iterable[str]) -> None:
        """`columns` are those of the profile, `names` those to divide by; ValueError of one that is none of them."""
        places = {column.name: place for place, column in enumerate(columns)}
        for name in (names := tuple(names)):
            if name not in places:
                raise ValueError(f"{name!r} is no feature")
        self._columns = [columns[places[name]] for name in names]
        self._places = np.array([places[name] for name in names], np.int64)
        self._tables = [_merged(column) if column.ordered else _ranked(column) for column in self._columns]
        self._codes = np.full((len(names), max(map(len, self._tables), default=0)), UNKNOWN, np.uint8)
        for at, table in enumerate(self._tables):
            self._codes[at, : len(table)] = table

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(column.name for column in self._columns)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many codes each column has."""
        return tuple(max(table) + 1 for table in self._tables)

    @property
    def meaning(self) -> object:
        """Differs where codes mean anything else."""
        return [(column.name, column.edges, column.categories, table)
                for column, table in zip(self._columns, self._tables, strict=True)]  # fmt: skip

    def of_batch(self, batch: Batch) -> NDArray[np.uint8]:
        """The code of every row, shape (rows, columns)."""
        return self._codes[np.arange(self._places.size), batch.bins[:, self._places]]

    def text(self, column: int, code: int) -> str:
        """What a code of a column is, for people: `age 18 to 30`, `country=DE`."""
        one, table = self._columns[column], self._tables[column]
        if code == max(table):
            return f"{one.name} missing"
        bins = [place for place, own in enumerate(table) if own == code]
        return _interval(one, bins) if one.ordered else _name(one, bins)


def coded(settings: Segments, features: Scope | None) -> CellCodes:
    """Of the features that there are of those that are to be searched."""
    if features is None:
        return CellCodes((), ())
    columns = [column for column, readable in zip(features.columns, features.readable, strict=True) if readable]
    known = {column.name for column in columns}
    return CellCodes(features.columns, (name for name in settings.searched if name in known))


def _merged(column: Column) -> tuple[int, ...]:
    """The code of each bin of numbers: neighbours together, by the tenth of the rows that the middle of each is in."""
    bins = [*range(len(column.edges)), ABOVE]
    counts = np.array([column.counts[place] for place in bins], np.float64)
    middles = (np.cumsum(counts) - counts / 2) / (counts.sum() or 1.0)
    tenths = np.minimum(middles * _PARTS, _PARTS - 1).astype(np.int64)
    codes = np.unique(tenths, return_inverse=True)[1].ravel().tolist()
    found = [codes[-1] + 1] * NUMERIC_BINS
    for place, code in zip(bins, codes, strict=True):
        found[place] = code
    return tuple(found)


def _ranked(column: Column) -> tuple[int, ...]:
    """The code of each bin of names: the first ones, which are the most frequent, then all else, then missing."""
    own = min(len(column.categories), _PARTS - 1)
    return (*range(own), *[own] * (len(column.counts) - own - 1), own + 1)


def _interval(column: Column, bins: Sequence[int]) -> str:
    edges = _written(column.edges)
    low = None if bins[0] == BELOW else edges[-1] if bins[0] == ABOVE else edges[bins[0] - 1]
    high = None if bins[-1] == ABOVE else edges[bins[-1]]
    if low is None or high is None:
        said = f"below {high}" if high is not None else "any" if low is None else f"{low} and above"
        return f"{column.name} {said}"
    return f"{column.name} {low}" if low == high else f"{column.name} {low} to {high}"


def _written(edges: Sequence[float]) -> list[str]:
    """In as few digits as tell them apart, six at least: two parts of times, say, must not be called alike."""
    found = (list(map(f"{{:.{digits}g}}".format, edges)) for digits in range(_FEW, _EXACT))
    return next((texts for texts in found if len({*texts}) == len({*edges})), list(map(repr, edges)))


def _name(column: Column, bins: Sequence[int]) -> str:
    """All else has at least the bins `other` and `unseen`."""
    return f"{column.name} other" if len(bins) > 1 else f"{column.name}={column.categories[bins[0]]}"
