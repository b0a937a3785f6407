"""What evidence says at a moment. Plain data."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.clipped import Shares


class Verdict(NamedTuple):
    """Of one model; arrays have shape (streams,)."""

    nats: float
    """What pages where it reaches the threshold."""
    threshold: float
    slow_nats: float
    """The same of slow drift, for tickets."""
    slow_threshold: float
    stage: int
    """How much traffic has shown: one of `standing.COLD`, `SETTLED`, `LEARNED`."""
    planned: bool
    """Whether nothing is gathered, because of a planned event."""
    began_s: float
    """Unix time since which traffic has been watched."""
    delays: Mapping[float, float]
    """By total variation: seconds in which such a shift of one stream pages, on average."""
    streams: Shares
    """Nats of each one."""
    slow_streams: Shares
    tolerance: Shares
    """Total variation that is tolerated, all in all."""
    dependence: Shares
    source: NDArray[np.int8]
    """Who says the two: place in `standing.SOURCES`."""
    seasonal: NDArray[np.bool_]
    """Whether the reference is that of the hour."""
    monitored: NDArray[np.bool_]
    onset_s: Shares
    """Unix time at which what has won most began to win; without meaning where nothing has."""
    kind: NDArray[np.int8]
    """What has won most: place in `bets.KINDS`."""
    bin: NDArray[np.int16]
    """Which bin grew, where that is it."""
    shape: NDArray[np.int8]
    """Whether it came at once: place in `shapes.SHAPES`."""
    deferred: NDArray[np.bool_]
    """Whether it differs slightly from the first row on, which pages nobody."""
    skew: Shares
    """Total variation of the warm-up from the reference; NaN before its end."""
    skew_critical: Shares
    recentred: NDArray[np.bool_]
    """Whether the rows of the warm-up are the reference, because they differ from it."""
