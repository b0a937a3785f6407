"""Rows of features that are unusual as a whole, for the training data: how large a share of a window.

The profile says from where on a row is: beyond that point lay one in a hundred of its own. Columns that people ignore,
or that cannot be read here, add to each row what they do on average. Memory: two numbers for each pane.
"""

import hashlib
import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import scipy
from numpy.typing import NDArray

from exporter.monitor.batch import Batch, Scope
from exporter.reference import Unusual
from exporter.sketch.rarity import Rarity, average, surprises
from exporter.sketch.window import Arrays, Windows
from exporter.snapshots import OfSide
from exporter.values import format_duration

RATIO: Final = "unusual_rows_ratio"
CRITICAL: Final = "unusual_rows_ratio_critical"
_LEVEL: Final = 0.001
_ALL, _UNUSUAL = range(2)


class UnusualRows:
    """Of the features."""

    def __init__(self, scope: Scope, reference: Unusual) -> None:
        self._reference = reference
        self._rarity = _rarity(scope)
        said = repr([rule.ignore for rule in scope.said]) + repr(scope.readable.tolist())
        self._name = hashlib.sha256(said.encode()).hexdigest()[:8]
        """Carries what rows were judged without, so that shares by another rule are never mixed in."""
        self._dependence = max((column.dependence or 1.0 for column in scope.columns), default=1.0)
        self._windows = Windows(scope.windows.lengths, scope.windows.pane, (2,), np.int32)

    def add(self, batch: Batch) -> None:
        """Count rows."""
        unusual = np.count_nonzero(self._rarity.of(batch.bins) >= self._reference.point)
        self._windows.add(batch.at, np.array([batch.rows, unusual]))

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return dict(self._windows.arrays(self._named(prefix)))

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`."""
        return self._windows.held(self._named(prefix), now)

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held."""
        self._windows.put_back(held, self._named(prefix), shift_s, now)

    def _named(self, prefix: str) -> str:
        return f"{prefix}.{self._name}"

    def snapshot(self, now: float) -> Iterator[OfSide]:
        """Of windows that hold anything."""
        for length in self._windows.lengths:
            rows, unusual = self._windows.total(now, length).tolist()
            if rows:
                window = format_duration(length)
                yield OfSide(RATIO, unusual / rows, window)
                yield OfSide(CRITICAL, critical(rows, self._reference, self._dependence), window)


def _rarity(scope: Scope) -> Rarity:
    return Rarity([_surprises(scope, place) for place in range(len(scope.columns))])


def rarity(scope: Scope) -> Rarity | None:
    """What tells how unusual rows are; None where that is not known, or every column is to be ignored."""
    return None if scope.unusual is None or all(rule.ignore for rule in scope.said) else _rarity(scope)


def _surprises(scope: Scope, place: int) -> NDArray[np.int32]:
    column = scope.columns[place]
    found = surprises(column)
    if scope.said[place].ignore or not scope.readable[place]:
        found = np.full_like(found, average(found, column))
    return found


def critical(rows: int, reference: Unusual, dependence: float = 1.0, level: float = _LEVEL) -> float:
    """The share of `rows` that chance exceeds no more often than `level`; `dependence` rows come as one.

    How many are unusual is a count about Poisson, of a rate that is itself known from a count, with Jeffreys' half a
    row more: together a negative binomial one.
    """
    alone = rows / dependence
    most = math.ceil(
        float(scipy.special.nbdtrik(1 - level, reference.beyond + 0.5, reference.rows / (reference.rows + alone)))
    )
    return min(1.0, most * dependence / rows)


def made(scope: Scope) -> UnusualRows | None:
    """None where the profile does not say what is unusual, or every column is to be ignored."""
    if scope.unusual is None or all(rule.ignore for rule in scope.said):
        return None
    return UnusualRows(scope, scope.unusual)
