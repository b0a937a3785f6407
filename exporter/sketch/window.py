"""Rolling windows as rings of panes: add to the newest pane, sum the panes a window covers, never subtract.

`now` is any clock that does not go back (seconds); the caller owns it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_ORIGIN: Final = 1 << 40
"""Added to every pane's number: what was before the clock's zero, on another machine, has a positive one, too."""
OUTSIDE: Final = -1
Arrays = Mapping[str, NDArray[Any]]


class PaneRing:
    """Integer counts of a fixed shape, per pane, for the last `slots` panes.

    `panes` and `marks` are plain arrays, so that they can be kept elsewhere; a pane is true where its mark is the
    number of the pane it holds (a mark of 0 is an empty slot).
    """

    __slots__ = ("_pane_s", "_slots", "marks", "panes")

    def __init__(self, slots: int, pane_s: float, shape: tuple[int, ...], dtype: type[np.signedinteger[Any]]) -> None:
        self._slots = slots
        self._pane_s = pane_s
        self.panes: NDArray[Any] = np.zeros((slots, *shape), dtype)
        self.marks: NDArray[np.int64] = np.zeros(slots, np.int64)

    def arrays(self, prefix: str) -> Arrays:
        """What must be kept for the ring to go on elsewhere."""
        return {f"{prefix}.panes": self.panes, f"{prefix}.marks": self.marks}

    def _number(self, at: float) -> int:
        return int(at // self._pane_s) + _ORIGIN

    def _within(self, now: float, panes: int, ago: int = 0) -> NDArray[np.bool_]:
        newest = self._number(now) - ago
        within: NDArray[np.bool_] = (self.marks > newest - panes) & (self.marks <= newest)
        return within

    def places(self, at: NDArray[np.float64], now: float) -> NDArray[np.int64]:
        """Numbers of the panes of some moments; OUTSIDE for what is not in the ring at `now`."""
        numbers, newest = (at // self._pane_s).astype(np.int64) + _ORIGIN, self._number(now)
        return np.where((numbers > newest - self._slots) & (numbers <= newest), numbers, OUTSIDE)

    def pane(self, at: float) -> NDArray[Any] | None:
        """The pane of the moment `at`, to add to; None where it has already left the ring."""
        number = self._number(at)
        slot = number % self._slots
        if self.marks[slot] > number:
            return None
        if self.marks[slot] < number:
            self.panes[slot] = 0
            self.marks[slot] = number
        pane: NDArray[Any] = self.panes[slot]
        return pane

    def forget_after(self, now: float) -> None:
        """Empty panes beyond the one that follows `now`: a clock that was ahead put them where others are to come."""
        self.marks[self.marks > self._number(now) + 1] = 0

    def total(self, now: float, length_s: float, ago_s: float = 0.0) -> NDArray[Any]:
        """The sum over the window of `length_s` that ends in the pane of `now`, or so long before, as int64."""
        within = self._within(now, round(length_s / self._pane_s), round(ago_s / self._pane_s))
        total: NDArray[Any] = np.zeros(self.panes.shape[1:], np.int64)
        for run in _runs(within):
            total += self.panes[run].sum(axis=0, dtype=np.int64)
        return total

    def largest(self, now: float) -> NDArray[Any]:
        """The largest of each element over all panes that have not left the ring at `now`; 0 where there are none."""
        largest: NDArray[Any] = self.panes[self._within(now, self._slots)].max(axis=0, initial=0)
        return largest

    def recent(self, now: float, panes: int, rows: NDArray[np.intp] | None = None) -> NDArray[Any]:
        """The newest so many panes up to that of `now`, as they are, the oldest first; zeros where there is none.

        Of panes that have rows it may be some of them alone.
        """
        numbers = self._number(now) - panes + 1 + np.arange(panes)
        slots = numbers % self._slots
        found = self.panes[slots] if rows is None else self.panes[slots[:, None], rows]
        found[self.marks[slots] != numbers] = 0
        return found

    def over(self, now: float, length_s: float) -> NDArray[Any]:
        """The panes of the window of `length_s` that are over at `now`, as `recent`."""
        return self.recent(now - self._pane_s, round(length_s / self._pane_s) - 1)

    def whole(self, length_s: float) -> float:
        """`length_s`, or as much more as it takes to have whole panes."""
        return math.ceil(length_s / self._pane_s) * self._pane_s

    def reach(self, now: float, length_s: float) -> float:
        """How long before `now` the oldest pane begins that the window of `length_s` has; NaN where it has none."""
        marks = self.marks[self._within(now, round(length_s / self._pane_s))]
        return now - float(marks.min() - _ORIGIN) * self._pane_s if marks.size else math.nan

    # leaving and coming back

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """Panes that have not left the ring at `now`, and their places: 0 begins at the clock's zero.

        To be used before anything is added: where these are all panes they are not copied, since a ring may be large.
        """
        within = self._within(now, self._slots)
        panes = self.panes if within.all() else self.panes[within]
        return {f"{prefix}.panes": panes, f"{prefix}.places": self.marks[within] - _ORIGIN}

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> int:
        """Take panes that another ring held, whose clock showed `shift_s` less, and that count at `now`; how many.

        0 where they are of another shape. A pane that is here already stays: it is newer. A pane may get older by
        this, by less than its width, and never younger.
        """
        panes, places = held.get(f"{prefix}.panes"), held.get(f"{prefix}.places")
        if panes is None or places is None or panes.dtype != self.panes.dtype or places.dtype != np.int64:
            return 0
        if panes.shape[1:] != self.panes.shape[1:] or places.shape != panes.shape[:1]:
            return 0
        marks = places + (math.floor(shift_s / self._pane_s) + _ORIGIN)
        newest = self._number(now)
        within = (marks > newest - self._slots) & (marks <= newest)
        within &= self.marks[marks % self._slots] < marks
        slots = marks[within] % self._slots
        self.panes[slots], self.marks[slots] = panes[within], marks[within]
        return int(within.sum())


def _runs(within: NDArray[np.bool_]) -> Iterator[slice]:
    """Slots that lie side by side: what is taken of them is no copy."""
    ends = np.flatnonzero(np.diff(within, prepend=False, append=False)).tolist()
    return map(slice, ends[::2], ends[1::2])


class Past(NamedTuple):
    """A window to be held against an earlier one of the same length. All in seconds, multiples of the panes."""

    length: float
    ago: float
    """So much earlier the other one ended."""
    lag: float = 0.0
    """So long before now the window itself ends."""
    panes: int = 5
    """Of which a window is made at least, if the finest panes allow."""

    @property
    def reach(self) -> float:
        """How long before now the earlier one began."""
        return self.lag + self.ago + self.length


class Windows:
    """Several window lengths over several resolutions: fine panes for short windows, coarser ones for long.

    Memory is bounded by the panes, not by the traffic.
    """

    __slots__ = ("_pasts", "_rings", "lengths")

    _FINE_SLOTS = 60
    _SLOTS = 288
    _LADDER = (5, 60, 1440)
    """Widths of coarser panes, in fine ones: with fine ones of a minute five of them, an hour, a day."""

    def __init__(
        self,
        lengths: tuple[float, ...],
        pane_s: float,
        shape: tuple[int, ...],
        dtype: type[np.signedinteger[Any]],
        pasts: Sequence[Past] = (),
    ) -> None:
        """`lengths` in seconds, multiples of `pane_s`; `pasts` says what `pair` will be asked."""
        self.lengths = lengths
        self._pasts = {past: self._width_of_past(past, pane_s) for past in pasts}
        slots: dict[float, int] = {}
        for width, reach in self._needed(pane_s):
            slots[width] = max(slots.get(width, 0), round(reach / width))
        self._rings = {width: PaneRing(most, width, shape, dtype) for width, most in slots.items()}

    def _needed(self, pane_s: float) -> Iterator[tuple[float, float]]:
        """Widths of panes, and how far back there must be such."""
        for length in self.lengths:
            yield self._width(length, pane_s), length
        for past, width in self._pasts.items():
            yield width, past.reach

    def _width_of_past(self, past: Past, pane_s: float) -> float:
        """The coarsest panes of which both windows have whole ones, and enough."""
        spans = (past.length, past.ago, past.lag)
        ladder = (past.length, *(pane_s * panes for panes in self._LADDER))
        fitting = [width for width in ladder if all(_is_whole(span / width) for span in spans)]
        return max((width for width in fitting if past.length / width > past.panes - 0.5), default=pane_s)

    def _width(self, length: float, pane_s: float) -> float:
        """The finest panes of which the window needs few enough; else the coarsest of which it has whole ones."""
        found = pane_s
        slots = self._FINE_SLOTS
        for panes in self._LADDER:
            wider = pane_s * panes
            if length / found > slots * (1 + 1e-9) and _is_whole(length / wider):
                found, slots = wider, self._SLOTS
        return found

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept for the windows to go on elsewhere."""
        kept: dict[str, NDArray[Any]] = {}
        for width, ring in self._rings.items():
            kept |= ring.arrays(f"{prefix}.{width:g}")
        return kept

    def add(self, at: float, counts: NDArray[Any]) -> None:
        """Add counts that belong to the moment `at`."""
        for ring in self._rings.values():
            pane = ring.pane(at)
            if pane is not None:
                pane += counts.astype(pane.dtype, copy=False)

    def total(self, now: float, length: float) -> NDArray[Any]:
        """The sum over the window of `length` seconds that ends now, as int64."""
        return self._serving(length).total(now, length)

    def pair(self, now: float, past: Past) -> tuple[NDArray[Any], NDArray[Any]]:
        """The sums over a window and over the earlier one, as int64; no pane is in both."""
        ring = self._rings[self._pasts[past]]
        earlier = ring.total(now, past.length, past.lag + past.ago)
        return ring.total(now, past.length, past.lag), earlier

    def most_panes(self, pane_s: float) -> tuple[float, float]:
        """The window that has most panes, the longest of several: its length, and how wide they are, in seconds."""
        widths = ((length, self._width(length, pane_s)) for length in self.lengths)
        return max(widths, key=lambda one: (round(one[0] / one[1]), one[0]))

    def over(self, now: float, length: float, width: float) -> NDArray[Any]:
        """The panes of so wide a ring, of `most_panes`, that are over at `now`, the oldest first."""
        return self._rings[width].over(now, length)

    def recent(self, now: float, length: float, width: float, rows: NDArray[np.intp]) -> NDArray[Any]:
        """As `over`, of some rows, and with the pane that is not over."""
        return self._rings[width].recent(now, round(length / width), rows)

    def reach(self, now: float, length: float) -> float:
        """How long before `now` the window's oldest pane begins that holds anything; NaN where none does."""
        return self._serving(length).reach(now, length)

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What must be kept for the windows to go on later, on another machine even."""
        kept: dict[str, NDArray[Any]] = {}
        for width, ring in self._rings.items():
            kept |= ring.held(f"{prefix}.{width:g}", now)
        return kept

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> int:
        """Go on with what other windows held, as far as it fits: how many panes. The clock showed `shift_s` less."""
        return sum(ring.put_back(held, f"{prefix}.{width:g}", shift_s, now) for width, ring in self._rings.items())

    def _serving(self, length: float) -> PaneRing:
        return self._rings[min(width for width in self._rings if self._serves(width, length))]

    def _serves(self, width: float, length: float) -> bool:
        panes = length / width
        return _is_whole(panes) and round(panes) <= self._rings[width].marks.size


def _is_whole(panes: float) -> bool:
    return abs(panes - round(panes)) < 1e-9
