"""Counts of one side's columns by segment, and what they say beside the same segments of the training data."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.drift import total_variation
from exporter.drift.summary import Summary, of_bins
from exporter.findings import SegmentScores
from exporter.monitor.batch import UNKNOWN_SEGMENT, Batch, Scope
from exporter.monitor.segments.ways import Way
from exporter.sketch.coarse import CoarseWindows
from exporter.values import format_duration

MOST_PANES: Final = 12
"""In a window: there is a table of counts for every segment."""
Counts = NDArray[np.int64]
Places = NDArray[np.uint8]


class _Compared(NamedTuple):
    """One way that the training data are divided in, too."""

    way: Way
    at: slice
    """Its segments among those of all ways."""
    reference: Summary
    """Of every segment and column, one behind the other."""


class Tables:
    """Of one side: int32 counts of shape (segments, columns, bins) in twelve panes of each window."""

    def __init__(self, side: str, ways: Sequence[Way], scope: Scope, lengths: tuple[float, ...]) -> None:
        columns = scope.columns
        self._shape = shape(ways, scope)
        self._readable = scope.readable
        self._minimum_samples = scope.windows.minimum_samples
        self._dependence = np.array([column.dependence or 1.0 for column in columns])
        self._windows = CoarseWindows(lengths, scope.windows.pane, MOST_PANES, self._shape, np.int32)
        self._compared = [
            _Compared(way, at, _summary(way.reference(side, columns)))
            for way, at in zip(ways, slices(ways), strict=True) if way.own
        ]  # fmt: skip

    def add(self, batch: Batch) -> None:
        """Count rows by their segments."""
        _, columns, bins = self._shape
        flat = batch.bins + np.arange(columns, dtype=np.int64) * bins
        total = np.zeros(self._shape, np.int64)
        for places in batch.segments.T:
            known = places != UNKNOWN_SEGMENT
            found = flat[known] + places[known, None].astype(np.int64) * (columns * bins)
            total += np.bincount(found.ravel(), minlength=total.size).reshape(self._shape)
        total[:, ~self._readable] = 0
        self._windows.add(batch.at, total)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return self._windows.arrays(prefix)

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`."""
        return self._windows.held(prefix, now)

    def put_back(
        self, held: Mapping[str, NDArray[Any]], prefix: str, moved: Counts, clocks: tuple[float, float]
    ) -> None:  # fmt: skip
        """Go on with what was held, its segments `moved` to where they are now; `clocks` are shift and now."""
        panes = {
            name: self._placed(array, moved) if name.endswith(".panes") else array
            for name, array in held.items() if name.startswith(f"{prefix}.")
        }  # fmt: skip
        self._windows.put_back(panes, prefix, *clocks)

    def _placed(self, panes: NDArray[Any], moved: Counts) -> NDArray[Any]:
        if panes.shape[1:] != self._shape:
            return panes  # of another model: nobody takes it
        found = np.zeros_like(panes)
        for before, after in enumerate(moved.tolist()):
            found[:, after] += panes[:, before]
        return found

    # out

    def snapshot(self, now: float) -> Iterator[SegmentScores]:
        """Scores of every window, of the ways that the training data are divided in."""
        for length in self._windows.lengths if self._compared else ():
            counts = self._windows.total(now, length)
            for one in self._compared:
                yield self._scored(format_duration(length), one, counts[one.at])

    def _scored(self, window: str, one: _Compared, counts: Counts) -> SegmentScores:
        segments, columns, _ = counts.shape
        live = _summary(counts)._replace(dependence=np.tile(self._dependence, segments))
        with np.errstate(divide="ignore", invalid="ignore"):
            score = total_variation.score(one.reference, live)
            critical = total_variation.critical_of(segments, one.reference, live)
        critical[np.isnan(score)] = np.nan
        samples = live.samples.reshape(segments, columns).max(axis=1)
        table = (segments, columns)
        return SegmentScores(
            one.way.said.name, window, tuple(one.way.labels), samples, samples >= self._minimum_samples,
            score.reshape(table), critical.reshape(table),
        )  # fmt: skip


def shape(ways: Sequence[Way], scope: Scope) -> tuple[int, int, int]:
    """Segments of all ways, columns and bins of a side."""
    return sum(way.segments for way in ways), len(scope.columns), max(len(column.counts) for column in scope.columns)


def slices(ways: Sequence[Way]) -> list[slice]:
    """The segments of each way among those of all."""
    ends = np.cumsum([way.segments for way in ways]).tolist()
    return [slice(end - way.segments, end) for way, end in zip(ways, ends, strict=True)]


def _summary(counts: Counts) -> Summary:
    """Of counts of shape (segments, columns, bins): a column of each segment by itself."""
    return of_bins(counts.reshape(-1, counts.shape[-1]))
