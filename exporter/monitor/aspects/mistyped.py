"""Values of a type that does not fit the column's kind, text where numbers were: how large a share of a window.

The bins cannot tell: of numbers these lie in the one of what is not finite, of categories in that of unseen ones.
Kept: a number of each column in every pane, and one of all rows.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch, Scope
from exporter.sketch.window import Arrays, Windows
from exporter.snapshots import Measured
from exporter.values import format_duration

WORD: Final = "type_error_ratio"


class Mistyped:
    """Of all the columns of a side."""

    def __init__(self, scope: Scope) -> None:
        self._readable = scope.readable
        self._windows = Windows(scope.windows.lengths, scope.windows.pane, (len(scope.columns) + 1,), np.int32)

    def add(self, batch: Batch) -> None:
        """Count rows."""
        self._windows.add(batch.at, np.append(batch.mistyped, batch.rows))

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return dict(self._windows.arrays(prefix))

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`."""
        return self._windows.held(prefix, now)

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held."""
        self._windows.put_back(held, prefix, shift_s, now)

    def snapshot(self, now: float) -> Iterator[Measured]:
        """Shares of windows that hold anything."""
        for length in self._windows.lengths:
            *_, rows = counts = self._windows.total(now, length)
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = np.where(self._readable, counts[:-1] / rows, np.nan)
            yield Measured(WORD, ratio, format_duration(length))


def made(scope: Scope) -> Mistyped:
    """Of the columns of a side."""
    return Mistyped(scope)
