"""Features of requests that failed, apart from those that did not: which value breaks the server.

Failed rows never enter the windows of successful traffic. They have windows of their own, of fewer panes, and their
shares are compared with those of the successful rows of the same time. What fails again within a pane's width is in the
totals alone: clients try again, and ten tries of one request are no ten requests.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.drift import total_variation
from exporter.drift.summary import Summary, of_bins
from exporter.findings import FAILURE_CLASSES, FailedScores, FailedSnapshot
from exporter.monitor.binner import Binner
from exporter.monitor.block import Block
from exporter.monitor.match import Fit
from exporter.monitor.repeats import Repeats
from exporter.records import Table
from exporter.reference import Side
from exporter.sections import Windows as WindowSettings
from exporter.sketch.coarse import CoarseWindows
from exporter.values import format_duration

_MOST_PANES: Final = 12
"""In a window: failed rows are few, and there are two more tables of them per pane."""
Counts = NDArray[np.int64]


class Failed:
    """The features of a profile in requests that were answered with 4xx or 5xx."""

    def __init__(self, side: Side, windows: WindowSettings, binner: Binner) -> None:
        """`binner` is that of the side, which is large."""
        without = replace(windows, lengths=())  # they only bin: the panes are here
        self._blocks = [Block(side, without, binner, by_name=True) for _ in FAILURE_CLASSES]
        self._repeated = [Block(side, without, binner, by_name=True) for _ in FAILURE_CLASSES]
        self._repeats = [Repeats(windows.pane) for _ in FAILURE_CLASSES]
        shape = (len(FAILURE_CLASSES), *self._blocks[0].totals.shape)
        self._placed = np.zeros(shape, np.int64)
        """How much of the blocks' totals is in the panes, or has left them."""
        self._waiting = False
        self._windows = CoarseWindows(windows.lengths, windows.pane, _MOST_PANES, shape, np.int32)
        self._pane_s = windows.pane
        self._at = 0.0

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        kept: dict[str, NDArray[Any]] = {f"{prefix}.placed": self._placed}
        for name, block, repeated in zip(FAILURE_CLASSES, self._blocks, self._repeated, strict=True):
            kept |= block.arrays(f"{prefix}.{name}") | repeated.arrays(f"{prefix}.{name}.repeated")
        return kept | self._windows.arrays(prefix)

    # in

    def add(self, failure: int, fit: Fit, table: Table, at: float) -> None:
        """Take the cells of a table that fits, seen at the moment `at`; `failure` is a place in FAILURE_CLASSES."""
        if int(at // self._pane_s) != int(self._at // self._pane_s):
            self.flush()
        self._at = at
        self._waiting = True
        blocks = self._repeated if self._repeats[failure].before(fit, table, at) else self._blocks
        block = blocks[failure]
        for start in range(0, table.rows, block.most_waiting):  # a huge payload must not become huge arrays
            block.add(fit, table, start, min(start + block.most_waiting, table.rows))
            if block.waiting >= block.most_waiting:
                block.flush(at)

    def flush(self) -> None:
        """Count the pending cells."""
        if not self._waiting:
            return
        self._waiting = False
        for block in (*self._blocks, *self._repeated):
            block.flush(self._at)
        fresh = np.stack([block.totals for block in self._blocks]) - self._placed
        self._placed += fresh
        self._windows.add(self._at, fresh)

    # out

    def snapshot(self, now: float, successful: Callable[[float, float], Counts]) -> FailedSnapshot:
        """Totals, and the scores of windows with failed rows.

        `successful(now, length)` counts the values of successful requests, shape (columns, bins).
        """
        totals = {
            name: block.totals + repeated.totals
            for name, block, repeated in zip(FAILURE_CLASSES, self._blocks, self._repeated, strict=True)
        }
        return FailedSnapshot(totals, tuple(self._scores(now, successful)))

    def _scores(self, now: float, successful: Callable[[float, float], Counts]) -> Iterator[FailedScores]:
        for length in self._windows.lengths:
            failed = self._windows.total(now, length)
            if failed.any():
                beside = of_bins(successful(now, length))
                for code, counts in zip(FAILURE_CLASSES, failed, strict=True):
                    if counts.any():
                        yield _compared(format_duration(length), code, beside, of_bins(counts))


def _compared(window: str, code: str, successful: Summary, failed: Summary) -> FailedScores:
    """One window's scores; NaN where there is no successful row to compare with."""
    with np.errstate(divide="ignore", invalid="ignore"):
        score = total_variation.score(successful, failed)
        critical = total_variation.critical_of(score.size, successful, failed)
        gap = failed.counts / failed.samples[:, None] - successful.counts / successful.samples[:, None]
    worst = gap.argmax(axis=1)
    excess = gap[np.arange(score.size), worst]
    undefined = np.isnan(score)
    return FailedScores(
        window, code, int(failed.samples.max()), score, np.where(undefined, np.nan, critical), worst,
        np.where(score > critical, excess, np.nan),
    )  # fmt: skip
