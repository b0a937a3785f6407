"""Streams that have as many bins as each other: their bets, capital and memories, and what traffic shows of them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.evidence import bets, memories
from exporter.evidence.bets import Bets
from exporter.evidence.clipped import Shares
from exporter.evidence.cusum import Cusum
from exporter.evidence.learning import Learning
from exporter.evidence.memories import Memories
from exporter.evidence.seasons import Season, alike, place, pooled, restless, season
from exporter.evidence.shapes import Shapes
from exporter.evidence.standing import COLD, GROUPED, LEARNED, MOST, Known, Reference, Standing, reference, standing
from exporter.evidence.streams import Stream, error_of, references, smoothed, variation
from exporter.evidence.terms import WEEK, Terms

SHIFTS: Final = (0.1, 0.2)
"""Of which the expected delay is told, total variation."""
_SHORT_LOOK: Final = 2.0
GROSS: Final = 0.25
"""Total variation from which on what was so from the first row is no mere skew."""


class Findings(NamedTuple):
    """What traffic has shown of streams when their warm-up ended; of shape (streams,) but for the counts."""

    dependence: Shares
    wander: Shares
    skew: Shares
    """Total variation between all rows until then and the reference."""
    skew_critical: Shares
    restless: Shares
    """By how much hours that should be alike differ."""
    recentred: NDArray[np.int64]
    """1 where these rows are the reference from then on."""
    centre: NDArray[np.int64]
    """Those rows, shape (streams, bins)."""


class _Week(NamedTuple):
    """What profiles know of the hours of a week."""

    hours: NDArray[np.int64]
    """Those that are alike added up, shape (2, 24, streams, bins)."""
    restless: Shares
    """By how much one hour alone differs from them, shape (streams,)."""


def _week(streams: tuple[Stream, ...], dependence: Shares, shape: tuple[int, ...]) -> _Week | None:
    if not any(one.hours for one in streams):
        return None
    hours = np.zeros((WEEK, *shape), np.int32)
    for at, one in enumerate(streams):
        if one.hours:
            hours[:, at] = one.hours
    weeks = np.sqrt([one.weeks for one in streams])
    return _Week(pooled(hours), weeks * restless(hours, np.fmax(dependence, 1.0)))


class Cohort:
    """Some streams; they all have as many bins, and an order or none."""

    def __init__(self, streams: tuple[Stream, ...], of_streams: Shares, terms: Terms) -> None:
        """`of_streams` are weights, shape (streams,), that add up to 1 over the model."""
        self._streams, self._terms = streams, terms
        self._known, self._reference = Known.of(streams), references(streams)
        self._ordered = streams[0].ordered
        shape = self._reference.counts.shape
        self.places = bets.places(shape[1], self._ordered > 0)
        weights = bets.weights(self._reference.exist, self._ordered > 0)
        named = weights.shape[1] - bets.LEARNT
        self.fast = Cusum(weights, named, of_streams, terms.page)
        self.slow = Cusum(weights, named, of_streams, terms.ticket)
        self._lately = Memories(shape, memories.OF_PANES, memories.WAIT_PANES)
        self._before = Memories(shape, memories.OF_HOURS)
        self.shapes = Shapes((shape[0], named))
        self.learning = Learning(shape)
        self._hour: NDArray[np.int64] = np.zeros(shape, np.int64)
        streams_, nothing = shape[0], np.nan
        self.found = Findings(
            np.full(streams_, nothing), np.full(streams_, nothing), np.full(streams_, nothing),
            np.full(streams_, nothing), np.full(streams_, nothing), np.zeros(streams_, np.int64),
            np.zeros(shape, np.int64),
        )  # fmt: skip
        self._week = _week(streams, self._known.dependence, shape)
        self.refer(0, COLD)

    @property
    def size(self) -> int:
        """How many streams."""
        return len(self._streams)

    @property
    def bins(self) -> int:
        """How many each has."""
        return len(self._streams[0].counts)

    def arrays(self, prefix: str) -> Iterator[tuple[str, NDArray[Any]]]:
        """What must be kept."""
        parts: tuple[Mapping[str, NDArray[Any]], ...] = (
            self.fast.arrays(f"{prefix}.fast"), self.slow.arrays(f"{prefix}.slow"),
            self.shapes.arrays(f"{prefix}.shapes"), self.learning.arrays(f"{prefix}.learning"),
            {f"{prefix}.found.{name}": array for name, array in self.found._asdict().items()},
            {f"{prefix}.lately": self._lately.seen, f"{prefix}.waiting": self._lately.waiting},
            {f"{prefix}.before": self._before.seen, f"{prefix}.hour": self._hour},
        )  # fmt: skip
        for part in parts:
            yield from part.items()

    # in

    def refer(self, slot: int, stage: int) -> None:
        """Hold streams against what counts in an hour of the week from now on."""
        shown = self.found.dependence, self.found.wander
        stands = self._standing(shown, stage)
        base, error = self._base(stands)
        self.stands: Standing = stands
        self.held_against: Reference
        self.held_against = held = reference(base, error, stands, self._season(base, slot, stage, stands))
        most = np.maximum(MOST, stands.said)
        self._bets, self._slow_bets = (
            Bets(held.shares, np.where(tolerance > most, 1.0, tolerance), self._ordered)
            for tolerance in (held.tolerance, held.slow_tolerance)
        )
        for cusum, tolerance in ((self.fast, held.tolerance), (self.slow, held.slow_tolerance)):
            cusum.capital[tolerance > most] = 0.0  # nothing could lose it as long as nothing is bet
        self.delays = {shift: self._delay(shift) for shift in SHIFTS}
        """By total variation: rows, shape (streams,)."""

    def _standing(self, shown: tuple[Shares, Shares], stage: int) -> Standing:
        stands = standing(self._known, shown, stage, self._terms.settings)
        if self._terms.grouped:
            return stands._replace(dependence=np.ones(self.size), source=np.full(self.size, GROUPED, np.int8))
        return stands

    def _base(self, stands: Standing) -> tuple[Shares, Shares]:
        """The reference of all hours, and what it may be off."""
        shares, error = self._reference.shares, self._reference.error
        moved = self.found.recentred > 0
        if not moved.any():
            return shares, error
        centre = smoothed(self.found.centre, self._reference.exist)
        own = error_of(centre, np.maximum(self.found.centre.sum(axis=1) / stands.dependence, 1))
        return np.where(moved[:, None], centre, shares), np.where(moved, own, error)

    def _season(self, base: Shares, slot: int, stage: int, stands: Standing) -> Season | None:
        """Of the profile's weeks where it has them, else of live ones."""
        if self._week is not None and self._terms.is_of_a_week:
            of_week = stands.dependence, self._week.restless
            return season(base, self._week.hours[place(slot)], self._reference.counts, of_week)
        hours = self.learning.hours
        if stage < LEARNED or len(hours) < WEEK:
            return None
        own = hours[alike(slot)].sum(axis=0)
        return season(base, own, hours.sum(axis=0), (stands.dependence, self.found.restless))

    @property
    def monitored(self) -> NDArray[np.bool_]:
        """Streams that do not need too much tolerance."""
        return np.asarray(self.held_against.tolerance <= np.maximum(MOST, self.stands.said))

    def add(self, counts: NDArray[np.int64], pane: int) -> None:
        """Take a pane's counts, shape (streams, bins)."""
        rows = counts.astype(float)
        lost = self.fast.add(self._bets.gained(rows, self._lately.seen) / self.stands.dependence[:, None], pane)
        self.shapes.add(self._bets.shifts(rows), rows.sum(axis=1), lost[:, : -bets.LEARNT])
        self._lately.add(counts, pane)
        self.learning.add(counts)
        self._hour += counts

    def end_hour(self, slot: int, hour: int, keep: bool) -> None:
        """The panes of an hour of the week are complete; `keep` says whether it was a usual one."""
        rows = self._hour.astype(float)
        self.slow.add(self._slow_bets.gained(rows, self._before.seen) / self.stands.dependence[:, None], hour)
        self._before.add(self._hour, hour)
        self._hour[...] = 0
        self.learning.end_hour(slot, keep)

    def settle(self, early: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The warm-up is over: take what traffic has shown. Which streams are to begin anew.

        They have another reference from now on, or what there was to say of them from the first row on is said.

        `early` are streams that did not begin to differ while they were watched.
        """
        self.learn()
        found, total = self.found, self.learning.total
        stands = self._standing((found.dependence, found.wander), COLD + 1)
        chance = error_of(self._reference.shares, np.maximum(total.sum(axis=1) / stands.dependence, 1))
        found.skew[...] = variation(total, self._reference.shares)
        found.skew_critical[...] = chance + self._reference.error + stands.said
        moved = early & (found.skew > found.skew_critical) & (found.skew < GROSS)
        found.recentred[...] = moved
        found.centre[...] = total
        return np.asarray(early & (found.skew < GROSS))

    def learn(self) -> None:
        """Take what traffic has shown of chance by now."""
        self.found.dependence[...] = self.learning.dependence()
        factor = np.where(
            np.isnan(self.found.dependence), self._terms.settings.default_dependence, self.found.dependence
        )
        self.found.wander[...] = self.learning.wander(factor)
        if len(self.learning.hours) == WEEK:
            self.found.restless[...] = restless(self.learning.hours, factor)
        self._weigh_again(LEARNED)

    def foresee(self, margin: float | None) -> None:
        """Take a first look at how many rows come as one, before the warm-up is over.

        It is taken to be as many times as large as seen as `margin` says; None where the look was short: then it counts
        where that is more than the default alone.
        """
        careful = (margin or _SHORT_LOOK) * self.learning.dependence()
        more = careful > self._terms.settings.default_dependence
        self.found.dependence[...] = np.where(more | (margin is not None), careful, np.nan)
        self._weigh_again(COLD)

    def _weigh_again(self, stage: int) -> None:
        """What was gathered while fewer rows were taken to come as one is worth less."""
        shown = self.found.dependence, self.found.wander
        now = standing(self._known, shown, stage, self._terms.settings).dependence
        if not self._terms.grouped:
            part = np.minimum(self.stands.dependence / now, 1.0)[:, None]
            self.fast.capital *= part
            self.slow.capital *= part

    def restart(self, streams: NDArray[np.bool_], pane: int, hour: int) -> None:
        """Begin to gather anew."""
        self.restart_pages(streams, pane)
        self.slow.restart(streams, hour)
        self._before.forget(streams)
        self._hour[streams] = 0

    def restart_pages(self, streams: NDArray[np.bool_], pane: int) -> None:
        """Begin to gather anew what pages."""
        self.fast.restart(streams, pane)
        self._lately.forget(streams)

    # out

    def slight(self) -> NDArray[np.bool_]:
        """Streams whose rows, all since the begin, differ no more than a skew does."""
        return variation(self.learning.total, self._reference.shares) < GROSS

    def _delay(self, variation_: float) -> Shares:
        """Rows after which a shift of so much total variation pages on average, shape (streams,); infinite if never.

        Of ordered streams the shift is one up, of others one bin grows.
        """
        shares = self._bets.reference
        moved = bets.tilts(shares, self._ordered)[:, 2] if self._ordered else _grown(shares)
        away = np.abs(moved - shares).sum(axis=1) / 2
        part = np.minimum(variation_ / np.maximum(away, 1e-9), 1.0)[:, None]
        gains = self._bets.per_row(shares + part * (moved - shares)) / self.stands.dependence[:, None]
        with np.errstate(divide="ignore"):
            rows = np.where(gains > 0, self.fast.needed[:, : gains.shape[1]] / gains, np.inf)
        return np.asarray(rows.min(axis=1))


def _grown(shares: Shares) -> Shares:
    """All rows in the bin of the largest share: what other shares are mixed with, to grow it."""
    return np.asarray(np.arange(shares.shape[1]) == shares.argmax(axis=1)[:, None], float)
