"""Where events come in and leave as exchanges, with their accounts: received = observed + dropped + waiting.

The web server's threads call `post`; everything else is the analyser's loop. `counts` are committed with all else that
it knows; what was received is on the board.
"""

import threading
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.condition import EventCounts
from exporter.errors import EventError
from exporter.events import halves, modes
from exporter.events.exchanges import exchange
from exporter.events.halves import FEEDBACK, OTHER, Arrival
from exporter.events.intake import Intake
from exporter.events.joining import Joiner, Pair
from exporter.records import EVENT_LOSSES, EVENT_PAIRS, EVENT_REFUSALS, Exchange
from exporter.sections import Events

_BATCH: Final = 1000
_BATCH_BYTES: Final = 8 << 20
_FIRST_LOSS: Final = len(EVENT_PAIRS)
_LOST: Final = _FIRST_LOSS + EVENT_LOSSES.index("analyser_lost")
Told = tuple[Pair, Exchange]
_NOT_OURS: Final = {FEEDBACK: "feedback", OTHER: "other_type"}


class Desk:
    """One analyser's."""

    def __init__(self, settings: Events, seats: "memoryview[int]", kept: Collection[str] = ()) -> None:
        """`kept` are headers of requests that are looked at beside the usual, in lower case."""
        self._settings = settings
        self._kept = kept
        self._reading = threading.Lock()
        """A body of JSON takes thirty times its size while it is read: one at a time."""
        self._intake = Intake(seats, settings.max_pending // 2)
        self._joiner = Joiner(settings.max_waiting, settings.max_pending // 2, settings.join_timeout)
        self.counts: NDArray[np.int64] = np.zeros(_FIRST_LOSS + len(EVENT_LOSSES), np.int64)
        """By EVENT_PAIRS, then by EVENT_LOSSES."""

    def settle(self) -> None:
        """Go on from what was committed: what a predecessor took and did not commit is lost, and counted."""
        self.counts[_LOST] = 0
        intake = self._intake.accounts()
        self.counts[_LOST] = intake.received - sum(intake.refused) - int(self.counts.sum())

    # in, from any thread

    @property
    def most_bytes(self) -> int:
        """Longest body that is taken."""
        return self._settings.max_body

    def post(self, headers: Mapping[str, str], body: bytes) -> None:
        """Take a POST's events; `headers` have names in lower case. EventError, which is counted already."""
        arrival = Arrival(time.monotonic_ns(), time.time_ns())
        found: list[modes.Event] = []
        try:
            with self._reading:
                found = modes.events(headers, body, self.most_bytes)
                read = [halves.half(event, arrival, self._kept) for event in found]
            self._intake.offer(read)
        except EventError as error:
            error.events = max(error.events, len(found))
            self._intake.refuse(error)
            raise

    def refuse(self, error: EventError) -> None:
        """Count what could not even be received."""
        self._intake.refuse(error)

    # out, to the loop

    def take(self) -> list[Told]:
        """Exchanges that are as complete as they will be, oldest first; some of what waits, so ask again."""
        pairs: list[Pair] = []
        for half in self._intake.take(_BATCH, _BATCH_BYTES):
            if half.kind in _NOT_OURS:
                self._lose(_NOT_OURS[half.kind])
                continue
            found = self._joiner.add(half)
            if found is None:
                self._lose("duplicate")
            else:
                pairs += found
        pairs += self._joiner.overdue(time.monotonic_ns())
        return self._told(pairs)

    def close(self) -> None:
        """Take nothing more from outside."""
        self._intake.close()

    def rest(self) -> list[Told]:
        """Halves that wait for what will not come, once `take` gives nothing more."""
        return self._told(self._joiner.rest())

    def _told(self, pairs: list[Pair]) -> list[Told]:
        for pair in pairs:
            self.counts[EVENT_PAIRS.index(pair.kind)] += 2 if pair.kind == "whole" else 1
        told = [(pair, exchange(pair)) for pair in pairs]
        return sorted(told, key=_moment)  # windows go from pane to pane, and each change of panes costs

    def _lose(self, reason: str) -> None:
        self.counts[_FIRST_LOSS + EVENT_LOSSES.index(reason)] += 1

    # accounts

    @property
    def decided(self) -> int:
        """Of how many events it is known what became of them."""
        return int(self.counts.sum())

    def snapshot(self) -> EventCounts:
        """The counts so far."""
        counts, intake = self.counts.tolist(), self._intake.accounts()
        dropped = _named(EVENT_REFUSALS, intake.refused) | _named(EVENT_LOSSES, counts[_FIRST_LOSS:])
        waiting = len(self._joiner) + intake.waiting
        return EventCounts(intake.received, _named(EVENT_PAIRS, counts), dropped, waiting)


def _named(names: Iterable[str], counts: Iterable[int]) -> dict[str, int]:
    return dict(zip(names, counts, strict=False))


def _moment(told: Told) -> int:
    return told[1].ended_ns
