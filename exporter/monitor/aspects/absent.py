"""Fields that payloads do not have at all, apart from nulls: a renamed field, a client of another version.

Of rows that come as objects, one object with the field among those of a payload is enough: JSON leaves nulls out.
Kept: 12 panes of two numbers for each window and column.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch, Scope
from exporter.sketch.coarse import CoarseWindows
from exporter.sketch.window import Arrays
from exporter.snapshots import Measured
from exporter.values import format_duration

WORD: Final = "absent_ratio"
_PANES: Final = 12
_ALL, _ABSENT = range(2)


class AbsentFields:
    """Of all the columns of a side."""

    def __init__(self, scope: Scope) -> None:
        shape = (len(scope.columns), 2)
        self._windows = CoarseWindows(scope.windows.lengths, scope.windows.pane, _PANES, shape, np.int32)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return self._windows.arrays(prefix)

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`."""
        return self._windows.held(prefix, now)

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held."""
        self._windows.put_back(held, prefix, shift_s, now)

    def add(self, batch: Batch) -> None:
        """Count rows."""
        for pane in self._windows.panes(batch.at):
            pane[:, _ALL] += batch.rows
            pane[:, _ABSENT] += batch.absent.astype(pane.dtype)

    def snapshot(self, now: float) -> Iterator[Measured]:
        """Shares of windows in which a field was absent once."""
        for length in self._windows.lengths:
            counts = self._windows.total(now, length)
            ratio = counts[:, _ABSENT] / np.maximum(counts[:, _ALL], 1)
            yield Measured(WORD, np.where(ratio > 0, ratio, np.nan), format_duration(length))


def made(scope: Scope) -> AbsentFields:
    """Of the columns of a side."""
    return AbsentFields(scope)
