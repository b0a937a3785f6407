"""What evidence is gathered of: streams of counts by bin, each with a reference and what is known of its chance."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.calibration.reference_error import reference_error
from exporter.evidence.clipped import Shares
from exporter.override import PAGE, Override
from exporter.reference import MISSING, Column

_PER_MILLE: Final = 3.0
"""Standard deviations beyond the expectation that total variation exceeds about once in 1000 times."""


class Stream(NamedTuple):
    """Of one column; or of errors and hits, say. Bins that do not exist have no rows, and never get any."""

    counts: tuple[int, ...]
    """Rows of the reference by bin."""
    exist: tuple[bool, ...]
    ordered: int = 0
    """So many of the first bins have an order."""
    error: float = 0.0
    """Total variation by which the reference itself may be off."""
    dependence: float | None = None
    """How many rows come as one, where it is known."""
    wander: float | None = None
    """Total variation by which an hour may differ, where it is known."""
    source: str = ""
    """Who knows the last two: `overrides` or `profile`."""
    tolerance: float | None = None
    """Of this one; that of the terms where it is None."""
    weight: float = 1.0
    """Among the others; 0 where nothing is gathered of it."""
    pages: bool = True
    """Whether it may page; else it is shown alone."""
    snoozed_until: float = 0.0
    """Unix time until which it does not."""
    hours: tuple[tuple[int, ...], ...] = ()
    """Rows by bin in each hour of a week; empty where it is not known."""
    weeks: float = 1.0
    """Of how many they are the sum."""


def of_column(column: Column, said: Override, weeks: float = 1.0) -> Stream:
    """What is known of a column, whose hours are the sum of so many weeks."""
    exist = [False] * len(column.counts)
    for place, _ in column.bins():
        exist[place] = True
    error = column.reference_error
    if error is None:
        error = reference_error(np.array(column.counts, np.int64))
    measured = said.dependence is not None or said.wander is not None
    weight = 1.0 if said.weight is None else said.weight
    return Stream(
        column.counts, tuple(exist), MISSING if column.ordered else 0, error,
        column.dependence if said.dependence is None else said.dependence,
        column.wander if said.wander is None else said.wander,
        "overrides" if measured else "profile" if column.dependence is not None else "",
        said.tolerance, 0.0 if said.ignore else weight, said.severity in {None, PAGE}, said.snooze_until or 0.0,
        column.hours, weeks,
    )  # fmt: skip


class References(NamedTuple):
    """Of streams with one number of bins."""

    counts: NDArray[np.int64]
    """Shape (streams, bins)."""
    exist: NDArray[np.bool_]
    error: Shares
    """Shape (streams,)."""

    @property
    def shares(self) -> Shares:
        """Half a row added to every bin that exists: above 0 there, however rare it is."""
        return smoothed(self.counts, self.exist)


def references(streams: Sequence[Stream]) -> References:
    """Of streams that all have as many bins."""
    return References(
        np.array([one.counts for one in streams], np.int64), np.array([one.exist for one in streams]),
        np.array([one.error for one in streams]),
    )  # fmt: skip


def smoothed(counts: NDArray[np.int64], exist: NDArray[np.bool_]) -> Shares:
    """Shares of counts of shape (streams, bins), half a row added to every bin that exists."""
    more = np.where(exist, counts + 0.5, 0.0)
    return np.asarray(more / more.sum(axis=1, keepdims=True))


def error_of(shares: Shares, rows: Shares, deviations: float = _PER_MILLE) -> Shares:
    """What the total variation of so many independent rows from `shares` exceeds about once in 1000 times.

    That is three standard deviations more than the expectation; or so many. Shares have shape (streams, bins), the rest
    (streams,): normal bins, whose variances add up. 1 at the most.
    """
    spread = np.sqrt(shares * (1 - shares))
    expected = spread.sum(axis=1) * math.sqrt(2 / math.pi) / 2
    deviation = np.sqrt((1 - 2 / math.pi) * (spread**2).sum(axis=1)) / 2
    with np.errstate(divide="ignore"):
        return np.asarray(np.minimum((expected + deviations * deviation) / np.sqrt(rows), 1.0))


def variation(counts: NDArray[np.int64], shares: Shares) -> Shares:
    """Total variation between counts and shares of shape (streams, bins); 0 without rows."""
    rows = counts.sum(axis=1, keepdims=True)
    moved = np.abs(counts / np.maximum(rows, 1) - shares).sum(axis=1) / 2
    return np.where(rows[:, 0] > 0, moved, 0.0)
