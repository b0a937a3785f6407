"""What an hour looks like, as far as enough rows tell it: a reference that follows the clock.

Hours of working days are pooled, and those of weekends: only of hours that come again can anybody say how far they are
from each other, and that has to be tolerated around their mean.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.clipped import Shares
from exporter.evidence.streams import error_of

_PRIOR_ROWS: Final = 200.0
"""So many rows of the whole are mixed into an hour's."""
_HOURS: Final = 24
_DAYS: Final = ((0, 1, 2, 3, 4), (5, 6))
"""Those that are alike, from Monday."""


class Season(NamedTuple):
    """Of streams with one number of bins in one hour."""

    shares: Shares
    """Shape (streams, bins); above 0 where the reference is."""
    error: Shares
    """Total variation by which they may be off, shape (streams,); infinite where the hour is not known."""
    restless: Shares
    """And by which hours that should be alike differ."""


def alike(slot: int) -> list[int]:
    """Hours of a week that are pooled with one."""
    day, hour = divmod(slot, _HOURS)
    return [_HOURS * one + hour for days in _DAYS if day in days for one in days]


def pooled(hours: NDArray[np.integer]) -> NDArray[np.int64]:
    """Hours of a week, shape (168, streams, bins), where those that are alike are added up: (2, 24, streams, bins)."""
    days = hours.reshape(-1, _HOURS, *hours.shape[1:])
    return np.stack([days[list(one)].sum(axis=0, dtype=np.int64) for one in _DAYS])


def place(slot: int) -> tuple[int, int]:
    """Of an hour of a week in what is pooled."""
    day, hour = divmod(slot, _HOURS)
    return next(at for at, days in enumerate(_DAYS) if day in days), hour


def restless(hours: NDArray[np.integer], dependence: Shares) -> Shares:
    """The farthest that an hour is from the others that are alike, beyond chance; shape (streams,), 1 where none is.

    Total variation; `hours` have shape (168, streams, bins). Chance is the most of so many hours, as for wander.
    """
    whole, farthest = pooled(hours), np.full(hours.shape[1], -np.inf)
    expected = math.sqrt(2 * math.log(len(hours)))
    for slot, own in enumerate(hours):
        others = whole[place(slot)] - own
        rows, more = own.sum(axis=1), others.sum(axis=1)
        known = (rows > 0) & (more > 0)
        least = np.maximum(rows, 1), np.maximum(more, 1)
        moved = np.abs(own / least[0][:, None] - others / least[1][:, None]).sum(axis=1) / 2
        shares = whole[place(slot)] / np.maximum(rows + more, 1)[:, None]
        chance = error_of(shares, 1 / ((1 / least[0] + 1 / least[1]) * dependence), expected)
        farthest = np.where(known, np.maximum(farthest, moved - chance), farthest)
    return np.where(np.isfinite(farthest), np.maximum(farthest, 0.0), 1.0)


def season(
    base: Shares, hour: NDArray[np.integer], whole: NDArray[np.integer], stands: tuple[Shares, Shares]
) -> Season:
    """The reference `base` moved as an hour differs from the whole it is part of; all of shape (streams, bins).

    Only the difference counts: whatever differs between `base` and the whole at all hours stays a difference. It is
    drawn towards none the fewer rows the hour has, and what that leaves of the difference counts as an error.
    `stands` are the dependence, and how restless hours are.
    """
    rows, known = hour.sum(axis=1), whole.sum(axis=1)
    alone = np.maximum(rows, 1) / stands[0]
    part = (alone / (alone + _PRIOR_ROWS))[:, None]
    difference = hour / np.maximum(rows, 1)[:, None] - whole / np.maximum(known, 1)[:, None]
    moved = np.where(base > 0, np.maximum(base + part * difference, base / 10), 0.0)
    shares = moved / moved.sum(axis=1, keepdims=True)
    left = (1 - part[:, 0]) * np.abs(difference).sum(axis=1) / 2
    error = part[:, 0] * error_of(shares, alone) + left
    return Season(shares, np.where(rows > 0, error, np.inf), stands[1])
