"""What traffic itself says of chance: how many rows come as one, how much hours differ, what a week looks like.

Wander is measured around the mean of the traffic, never around the reference: what differs always is skew, not wander.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.calibration.wander import wander
from exporter.evidence.clipped import Shares
from exporter.evidence.streams import error_of, variation

_WIDTHS: Final = (1, 10)
"""Panes that are compared as one: sessions may be longer than a pane. Last come whole hours, with the one before."""
_LEAST: Final = 200.0
"""Independent rows' worth of differences from which on dependence can be told."""
_MOST_BYTES: Final = 4 << 20
WEEK, DAY = 168, 24


class Learning:
    """Of streams with one number of bins.

    Memory: 4 bytes for each bin and hour of a week (of a day, where a week's would be over 4 MiB), and 48 for each bin.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        streams, bins = shape
        slots = WEEK if WEEK * streams * bins * 4 <= _MOST_BYTES else DAY
        self.hours: NDArray[np.int32] = np.zeros((slots, streams, bins), np.int32)
        self.total: NDArray[np.int64] = np.zeros(shape, np.int64)
        """Rows since the begin, shape (streams, bins)."""
        self._hour: NDArray[np.int64] = np.zeros(shape, np.int64)
        self._squares: Shares = np.zeros((len(_WIDTHS), *shape))
        self._partial: NDArray[np.int64] = np.zeros(shape, np.int64)
        self._rows: Shares = np.zeros((len(_WIDTHS), streams))
        """Squares of the panes' rows."""
        self._excess: Shares = np.zeros((len(_WIDTHS) + 1, streams))
        self._independent: Shares = np.zeros((len(_WIDTHS) + 1, streams))
        self._before: NDArray[np.int64] = np.zeros(shape, np.int64)
        """The hour before."""
        self._farthest: Shares = np.zeros(streams)
        """Of an hour, beyond chance, from the mean of all until then."""
        self._panes: NDArray[np.int64] = np.zeros(1, np.int64)

    def arrays(self, prefix: str) -> Mapping[str, NDArray[Any]]:
        """What must be kept."""
        names = ("hour", "squares", "partial", "rows", "excess", "independent", "before", "farthest", "panes")
        kept = {f"{prefix}.{name}": getattr(self, f"_{name}") for name in names}
        return kept | {f"{prefix}.hours": self.hours, f"{prefix}.total": self.total}

    def add(self, counts: NDArray[np.int64]) -> None:
        """Take a pane, shape (streams, bins)."""
        self.total += counts
        self._hour += counts
        self._partial += counts
        self._square(0, counts)
        self._panes += 1
        if self._panes[0] % _WIDTHS[1] == 0:
            self._end_partial()

    def _square(self, at: int, counts: NDArray[np.int64]) -> None:
        self._squares[at] += counts.astype(float) ** 2
        self._rows[at] += counts.sum(axis=1).astype(float) ** 2

    def _end_partial(self) -> None:
        self._square(1, self._partial)
        self._partial[...] = 0

    def end_hour(self, slot: int, keep: bool) -> None:
        """Compare the panes of an hour with their mean. `slot` is the hour of a week; `keep` says if it is a usual one.

        Of panes alike, the sum of n X² over panes (X² is Pearson's, against the hour's shares p) is Σ c²/p - Σ n²; of
        independent rows drawn from the hour without putting back it is (bins - 1) (N² - Σ n²) / (N - 1) on average.
        """
        if self._partial.any():
            self._end_partial()
        rows = self._hour.sum(axis=1).astype(float)
        bins = np.maximum((self._hour > 0).sum(axis=1) - 1, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            over = np.where(self._hour > 0, self._squares * (rows[:, None] / self._hour), 0.0).sum(axis=2)
            self._excess[:-1] += np.where(bins > 0, over - self._rows, 0.0)
            self._independent[:-1] += np.where(rows > 1, bins * (rows**2 - self._rows) / (rows - 1), 0.0)
        self._before *= keep
        if keep:
            self._compare_hours()
            self._go_far()
            of_slot = self.hours[slot % len(self.hours)]
            np.minimum(of_slot + self._hour, np.iinfo(np.int32).max, out=of_slot, casting="same_kind")
        for one in (self._hour, self._squares, self._rows, self._panes):
            one[...] = 0

    def _compare_hours(self) -> None:
        """Pearson's X² of two samples, weighted as panes are: sessions as long as ten panes show in nothing shorter."""
        own, before = self._hour.sum(axis=1).astype(float), self._before.sum(axis=1).astype(float)
        both = self._hour + self._before
        rows = own + before
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = np.sqrt(before / own)[:, None] * self._hour - np.sqrt(own / before)[:, None] * self._before
            squares = np.where(both > 0, apart**2 / both, 0.0).sum(axis=1)
            weight = np.where((own > 0) & (before > 0) & (rows > 1), own * before / rows, 0.0)
            bins = np.maximum((both > 0).sum(axis=1) - 1, 0)
            self._excess[-1] += np.where(weight > 0, weight * squares, 0.0)
            self._independent[-1] += np.where(weight > 0, weight * bins * rows / (rows - 1), 0.0)
        self._before[...] = self._hour

    def _go_far(self) -> None:
        """Where there is no room for a week of hours, those of a day are sums of many: they hide how far one was."""
        if len(self.hours) == WEEK:
            return
        mean = self.total / np.maximum(self.total.sum(axis=1, keepdims=True), 1)
        alone = np.maximum(self._hour.sum(axis=1), 1) / np.fmax(self.dependence(), 1.0)
        chance = error_of(mean, alone, math.sqrt(2 * math.log(WEEK)))
        np.fmax(self._farthest, variation(self._hour, mean) - chance, out=self._farthest)

    def dependence(self) -> Shares:
        """How many rows come as one, at least 1; NaN where it cannot be told. Shape (streams,).

        The largest one of panes, ten of them and hours: E[s²] / E[s] of groups of s rows alike within.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(self._independent >= _LEAST, self._excess / self._independent, np.nan)
        return np.asarray(np.maximum(np.fmax.reduce(found), 1.0))

    def wander(self, dependence: Shares) -> Shares:
        """Total variation by which an hour differed from the mean of all beyond chance, shape (streams,)."""
        of_streams = self.hours.transpose(1, 0, 2).astype(np.int64)
        found = [wander(hours, factor) for hours, factor in zip(of_streams, dependence.tolist(), strict=True)]
        return np.asarray(np.maximum(np.array(found), self._farthest))
