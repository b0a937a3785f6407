"""What counts for streams at a time: the reference, the tolerance and the dependence, and who says so.

First what the overrides or the profile say of chance; else what traffic itself has shown; before that, careful
defaults. Training data may be too few of the requests to show how many come as one: where traffic shows more, it
counts. Without a week of traffic or a calibration, the tolerance is no smaller than the default one.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.evidence.clipped import Shares
from exporter.evidence.seasons import Season
from exporter.evidence.streams import Stream
from exporter.guarantees import Evidence

COLD, SETTLED, LEARNED = range(3)
"""How much traffic has shown: nothing yet, what a warm-up does, what the time to learn does."""
STAGES: Final = ("careful", "settled", "learned")
SOURCES: Final = ("default", "traffic", "profile", "overrides", "group_key")
DEFAULT, TRAFFIC, PROFILE, OVERRIDES, GROUPED = range(5)
MOST: Final = 0.2
"""A stream that needs more tolerance than that is not monitored, unless somebody says so."""
_WANDER: Final = 1.5
"""So many times the farthest that an hour has been is tolerated."""


class Known(NamedTuple):
    """What is said of streams, as arrays of shape (streams,); NaN where nothing is."""

    dependence: Shares
    wander: Shares
    tolerance: Shares
    source: NDArray[np.int8]

    @classmethod
    def of(cls, streams: tuple[Stream, ...]) -> "Known":
        """Of those."""

        def told(values: list[float | None]) -> Shares:
            return np.array([np.nan if one is None else one for one in values])

        return cls(
            told([one.dependence for one in streams]), told([one.wander for one in streams]),
            told([one.tolerance for one in streams]),
            np.array([SOURCES.index(one.source) if one.source else DEFAULT for one in streams], np.int8),
        )  # fmt: skip


class Standing(NamedTuple):
    """Arrays of shape (streams,)."""

    dependence: Shares
    tolerance: Shares
    """Of pages, without what the reference may be off."""
    slow_tolerance: Shares
    """Of tickets about slow drift."""
    said: Shares
    """What is tolerated whatever traffic shows."""
    source: NDArray[np.int8]
    """Place in SOURCES."""


def standing(known: Known, shown: tuple[Shares, Shares], stage: int, settings: Evidence) -> Standing:
    """`shown` are dependence and wander as traffic has them, NaN where it cannot tell."""
    dependence = np.where(known.source == PROFILE, np.fmax(known.dependence, shown[0]), known.dependence)
    dependence = np.where(np.isnan(dependence), shown[0], dependence)
    source = np.where(~np.isnan(known.dependence), known.source, np.where(np.isnan(dependence), DEFAULT, TRAFFIC))
    own = np.isnan(known.tolerance)
    learnt = ~np.isnan(known.wander) | (stage == LEARNED)
    wander = np.where(np.isnan(known.wander), shown[1] if stage > COLD else np.nan, known.wander)
    floor = np.where(learnt | ~own, 0.0, settings.default_tolerance)
    least = np.fmax(floor, _WANDER * wander)
    said = np.where(own, settings.tolerance, known.tolerance)
    return Standing(
        np.where(np.isnan(dependence), settings.default_dependence, dependence),
        np.fmax(said, least), np.fmax(said / 2, least), said, source.astype(np.int8),
    )  # fmt: skip


class Reference(NamedTuple):
    """What streams are held against in one hour."""

    shares: Shares
    """Shape (streams, bins)."""
    tolerance: Shares
    """Shape (streams,), all in all."""
    slow_tolerance: Shares
    seasonal: NDArray[np.bool_]
    """Whether it is that of the hour."""


def reference(base: Shares, error: Shares, stands: Standing, of_hour: Season | None) -> Reference:
    """The whole reference, or that of the hour where this needs less tolerance."""
    whole = stands.tolerance + error, stands.slow_tolerance + error
    if of_hour is None:
        return Reference(base, *whole, np.zeros(len(base), bool))
    restless, off = _WANDER * of_hour.restless, error + of_hour.error
    hourly = np.fmax(stands.said, restless) + off
    seasonal = hourly < whole[0]
    return Reference(
        np.where(seasonal[:, None], of_hour.shares, base), np.where(seasonal, hourly, whole[0]),
        np.where(seasonal, np.fmax(stands.said / 2, restless) + off, whole[1]), seasonal,
    )  # fmt: skip
