"""What evidence says at a moment. Plain data."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.bets import GREW, KINDS
from exporter.evidence.clipped import Shares
from exporter.evidence.flags import flagged
from exporter.evidence.shapes import SHAPES
from exporter.evidence.standing import LEARNED, OVERRIDES, PROFILE

Places = NDArray[np.int64]


class Happened(NamedTuple):
    """What has happened to one stream, in words."""

    kind: str
    bin: str
    """The one that grew, as bins are called; empty otherwise."""
    shape: str
    """Empty where nobody can tell."""


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

    def is_ready(self, streams: Places) -> bool:
        """Whether these rest on what was measured: before, or on a long time of traffic."""
        return self.stage == LEARNED or bool(np.isin(self.source[streams], (PROFILE, OVERRIDES)).all())

    def named(self, streams: Places) -> NDArray[np.bool_]:
        """Which of all streams to name; `streams` are those that may be. Shape (streams,)."""
        return self._flagged(np.where(self.deferred, 0.0, self.streams), self.threshold, streams)

    def named_slowly(self, streams: Places) -> NDArray[np.bool_]:
        """The same of slow drift."""
        return self._flagged(self.slow_streams, self.slow_threshold, streams)

    def happened(self, stream: int) -> Happened:
        """To one that is named."""
        kind = int(self.kind[stream])
        return Happened(KINDS[kind], f"{self.bin[stream]:02d}" if kind == GREW else "", SHAPES[int(self.shape[stream])])

    @staticmethod
    def _flagged(nats: Shares, threshold: float, streams: Places) -> NDArray[np.bool_]:
        found = np.zeros(nats.size, bool)
        found[streams] = flagged(nats[streams], threshold)
        return found
