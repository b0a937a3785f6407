"""Rows that are identical to an earlier one: clients that try again, caches that stopped, tests that replay a file.

Of the last 10,000 rows a fingerprint of 64 bits is kept in memory, salted by process and never written down: 2 MB at
most. Windows hold two counts a pane.
Columns that are to be ignored make no row another one; names of arrays carry which are not.
"""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch, Scope
from exporter.monitor.tokens import tokens
from exporter.reference import MISSING
from exporter.sketch.window import Arrays, Windows
from exporter.snapshots import OfSide
from exporter.values import format_duration

WORD: Final = "duplicate_rows_ratio"
_REMEMBERED: Final = 10_000
_ALL, _AGAIN = range(2)
_IN_CACHE: Final = 1 << 15
Hashes = NDArray[np.uint64]


class DuplicateRows:
    """Of the features of a model."""

    def __init__(self, scope: Scope) -> None:
        ordered = np.array([column.ordered for column in scope.columns])
        counting = scope.readable & ~np.array([bool(rule.ignore) for rule in scope.said])
        self._columns = scope.columns
        self._name = hashlib.sha256(repr(counting.tolist()).encode()).hexdigest()[:8]
        self._numbers = np.flatnonzero(counting[ordered])
        self._every_number = bool(counting[ordered].all())
        self._named = np.flatnonzero(~ordered & counting)
        self._of_numbers, self._of_names = _factors(self._numbers.size), _factors(self._named.size)
        self._seen: OrderedDict[int, int] = OrderedDict()
        """When each of the last rows came, by its fingerprint: the number of the row."""
        self._rows = 0
        self._windows = Windows(scope.windows.lengths, scope.windows.pane, (2,), np.int32)

    @property
    def applies(self) -> bool:
        """Whether rows have anything that counts."""
        return bool(self._numbers.size + self._named.size)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return dict(self._windows.arrays(f"{prefix}.{self._name}"))

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`."""
        return self._windows.held(f"{prefix}.{self._name}", now)

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held."""
        self._windows.put_back(held, f"{prefix}.{self._name}", shift_s, now)

    # in

    def add(self, batch: Batch) -> None:
        """Count rows."""
        numbers = batch.numbers if self._every_number else batch.numbers[:, self._numbers]
        if (batch.bins == MISSING).any():  # which a binary tensor may say in many ways
            numbers = np.where(np.isnan(numbers), np.nan, numbers)
        hashes = _folded(numbers, self._of_numbers)
        hashes += _folded(tokens(batch, self._named, self._columns), self._of_names)
        again = self._look(hashes.tolist())
        self._windows.add(batch.at, np.array([batch.rows, again]))

    def _look(self, hashes: list[int]) -> int:
        """How many of the next rows are among the last ones before them."""
        seen, number, again = self._seen, self._rows, 0
        for one in hashes:
            number += 1
            again += seen.pop(one, -_REMEMBERED) >= number - _REMEMBERED
            seen[one] = number  # so that the newest are last
        self._rows = number
        for _ in range(len(seen) - _REMEMBERED):
            seen.popitem(last=False)  # of a plain dictionary the first one is sought among all that are gone
        return again

    # out

    def snapshot(self, now: float) -> Iterator[OfSide]:
        """Shares of windows that hold a row."""
        for length in self._windows.lengths:
            rows, again = self._windows.total(now, length).tolist()
            if rows:
                yield OfSide(WORD, again / rows, format_duration(length))


def _factors(columns: int) -> Hashes:
    """An odd number of 64 bits for each column, which nobody outside knows."""
    drawn = np.frombuffer(secrets.token_bytes(8 * columns), np.uint64)
    return drawn | np.uint64(1)


def _folded(values: NDArray[Any], factors: Hashes) -> Hashes:
    """A number for each row of 64-bit values: their bits, the low ones stirred, times factors, added up.

    Both zeros are one. That of two rows is the same by chance once in 2^40 times, where few of their bits are set.
    """
    folded = np.zeros(len(values), np.uint64)
    rows = max(1, _IN_CACHE // max(1, values.shape[1]))
    for start in range(0, len(values) * bool(factors.size), rows):
        bits = (values[start : start + rows] + values.dtype.type(0)).view(np.uint64)
        bits ^= bits >> np.uint64(32)  # numbers that people use have many zeros at the end
        folded[start : start + rows] = np.einsum("ij,j->i", bits, factors)
    return folded


def made(scope: Scope) -> DuplicateRows | None:
    """Of the features: answers may well be the same."""
    found = DuplicateRows(scope) if scope.asked else None
    return found if found and found.applies else None
