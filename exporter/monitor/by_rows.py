"""Windows over the last rows of one side, beside its windows of time: for models that are seldom asked.

A side that is not known to be quiet has none: it would pay for counting what says no more than its windows of time,
which are shorter. They begin anew when it is quiet again. Memory: 21 panes of counts for each length.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.monitor.batch import Batch
from exporter.monitor.quiet import Quiet
from exporter.sections import Windows as WindowSettings
from exporter.sketch.row_window import RowWindows
from exporter.sketch.window import Arrays


class Counter(NamedTuple):
    """Something that is counted of rows."""

    shape: tuple[int, ...]
    dtype: type[np.signedinteger[Any]]
    of: Callable[[Batch, slice], NDArray[np.int64]]
    """Of some rows of a batch."""


class ByRows:
    """What is counted of the last rows, by name."""

    def __init__(self, windows: WindowSettings, counters: Mapping[str, Counter]) -> None:
        """None at all where there are no windows of time either."""
        self._lengths = windows.rows if windows.lengths else ()
        self._quiet = Quiet(windows) if windows.lengths else None
        self._pane_s = windows.pane
        self.names = tuple(counters)
        self._counters = counters
        self._windows = {name: RowWindows(self._lengths, one.shape, one.dtype) for name, one in counters.items()}

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        kept = self._quiet.arrays(f"{prefix}.quiet") if self._quiet else {}
        for name, windows in self._windows.items():
            kept |= windows.arrays(f"{prefix}.{name}")
        return kept

    def held(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What the windows hold, to be kept for another time."""
        held = self._quiet.held(f"{prefix}.quiet") if self._quiet else {}
        for name, windows in self._windows.items():
            held |= windows.held(f"{prefix}.{name}")
        return held

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held when the clock showed `shift_s` less."""
        if self._quiet:
            self._quiet.put_back(held, f"{prefix}.quiet", shift_s, now)
        for name, windows in self._windows.items():
            windows.put_back(held, f"{prefix}.{name}", shift_s)

    def add(self, batch: Batch) -> None:
        """Count rows, while there are few of them."""
        if self._quiet is None:
            return
        at = batch.at // self._pane_s * self._pane_s  # which row of a pane a batch ended with is nothing to depend on
        self._quiet.add(at, batch.rows)
        is_quiet = self._quiet.is_quiet(at)
        for name, windows in self._windows.items():
            if is_quiet is False:
                windows.clear()
            elif self._lengths and (is_quiet or windows.rows[0]):  # it was quiet before a restart
                windows.add(at, batch.rows, partial(self._counters[name].of, batch))

    @property
    def first(self) -> float:
        """When the first row of all came, in seconds; 0 before that."""
        return self._quiet.first if self._quiet else 0.0

    def shown(self, now: float) -> tuple[int, ...]:
        """Lengths of the windows that say more than those of time do."""
        return self._lengths if self._quiet and self._quiet.is_quiet(now) else ()

    def total(self, name: str, length: int) -> NDArray[Any]:
        """The sum over the last so many rows."""
        return self._windows[name].total(length)

    def begun(self, length: int) -> float:
        """When the first of them came; NaN where there are none."""
        return self._windows[self.names[0]].begun(length)
