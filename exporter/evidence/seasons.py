"""What an hour of the week looks like, as far as enough rows tell it: a reference that follows the clock."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.clipped import Shares
from exporter.evidence.streams import error_of

_PRIOR_ROWS: Final = 200.0
"""So many rows of the whole are mixed into an hour's."""


class Season(NamedTuple):
    """Of streams with one number of bins in one hour."""

    shares: Shares
    """Shape (streams, bins); above 0 where the reference is."""
    error: Shares
    """Total variation by which they may be off, shape (streams,); infinite where the hour is not known."""


def season(base: Shares, hour: NDArray[np.integer], whole: NDArray[np.integer], dependence: Shares) -> Season:
    """The reference `base` moved as an hour differs from the whole it is part of; all of shape (streams, bins).

    Only the difference counts: whatever differs between `base` and the whole at all hours stays a difference. It is
    drawn towards none the fewer rows the hour has, and what that leaves of the difference counts as an error.
    """
    rows, known = hour.sum(axis=1), whole.sum(axis=1)
    alone = np.maximum(rows, 1) / dependence
    part = (alone / (alone + _PRIOR_ROWS))[:, None]
    difference = hour / np.maximum(rows, 1)[:, None] - whole / np.maximum(known, 1)[:, None]
    moved = np.where(base > 0, np.maximum(base + part * difference, base / 10), 0.0)
    shares = moved / moved.sum(axis=1, keepdims=True)
    left = (1 - part[:, 0]) * np.abs(difference).sum(axis=1) / 2
    error = part[:, 0] * error_of(shares, alone) + left
    return Season(shares, np.where(rows > 0, error, np.inf))
