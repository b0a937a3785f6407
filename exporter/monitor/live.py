"""Live windows against each other instead of against the reference: what is new, whatever the training data had.

A window against the one before it, an hour against the same one a week ago, a version of the model against another one
that is compared with the same profile. The bins are the profile's, so both sides are counts of the same bins; n and m
are both live, and what depends on each other in training traffic does so on both sides.
"""

from collections.abc import Iterator, Sequence
from math import log
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.drift import STATISTICS
from exporter.drift.summary import Summary, of_bins
from exporter.reference import Column
from exporter.sections import Windows as WindowSettings
from exporter.sketch.window import Past, Windows
from exporter.snapshots import Compared, Scores
from exporter.values import format_duration

PREVIOUS, LAST_WEEK, VERSIONS = "previous", "last_week", "versions"
MEASURES: Final = ("total_variation", "psi")
"""Names of statistics."""
_HOUR: Final = 3600.0
_WEEK: Final = 7 * 24 * _HOUR
_SHORTEST_OF_WEEK: Final = _HOUR / 2
"""A week in shorter panes would cost too much memory."""


def _pasts(windows: WindowSettings) -> Iterator[tuple[str, Past]]:
    """What is compared with what was before it, and the name of that; nothing but windows of time have a past."""
    if PREVIOUS in windows.compare:
        yield from ((PREVIOUS, Past(length, length)) for length in windows.lengths)
    of_week = [length for length in windows.lengths if length >= _SHORTEST_OF_WEEK and not _WEEK % length]
    if LAST_WEEK in windows.compare and of_week:
        length = min(of_week, key=lambda one: abs(log(one / _HOUR)))
        yield LAST_WEEK, Past(length, _WEEK, length, 1)  # whole panes: the very same time of day


class Live:
    """The comparisons of one side."""

    def __init__(self, columns: Sequence[Column], windows: WindowSettings) -> None:
        self._dependence = np.array([column.dependence or 1.0 for column in columns])
        self._enough = windows.minimum_samples
        self._pasts = tuple(_pasts(windows))

    @property
    def pasts(self) -> tuple[Past, ...]:
        """What windows must remember."""
        return tuple(past for _, past in self._pasts)

    def with_past(self, counts: Windows, now: float) -> Iterator[Compared]:
        """Windows against what was before them."""
        for against, past in self._pasts:
            yield self._compared(format_duration(past.length), against, *counts.pair(now, past))

    def with_version(self, version: str, own: Sequence[Scores], others: Sequence[Scores]) -> Iterator[Compared]:
        """Windows against those of the same name of another version, whose bins are the same."""
        beside = {one.window: one.counts for one in others}
        for one in own:
            if one.window in beside:
                yield self._compared(one.window, f"version:{version}", one.counts, beside[one.window])

    def _compared(self, window: str, against: str, counts: NDArray[Any], earlier: NDArray[Any]) -> Compared:
        current, other = (self._summary(one) for one in (counts, earlier))
        enough = np.minimum(current.samples, other.samples) >= self._enough
        values, critical = {}, {}
        with np.errstate(divide="ignore", invalid="ignore"):
            for name in MEASURES:
                one = STATISTICS[name]
                values[name] = np.where(enough, one.score(other, current), np.nan)
                if one.critical:
                    critical[name] = np.where(enough, one.critical(other, current), np.nan)
        return Compared(window, against, values, critical)

    def _summary(self, counts: NDArray[Any]) -> Summary:
        return of_bins(counts)._replace(dependence=self._dependence)
