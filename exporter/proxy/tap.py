"""What the observers of one worker share: bounds, counters, and when there is time to look.

Reads are noted with their moment and looked at a little later, many at a time, and what comes of them goes into the
ring together. In between come system calls, after which a processor has forgotten much of what it knew of our code:
the same work then costs it twice as much.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

from exporter import glance
from exporter.glance import Head
from exporter.handoff.ring import Writer
from exporter.handoff.tally import Slot, Tally
from exporter.messages import Message
from exporter.proxy.backlog import BUDGET_NS, Turns
from exporter.proxy.dispatch import Asked, Dispatch
from exporter.proxy.filters import Filter
from exporter.proxy.meter import Meter
from exporter.records import Body, Capture, Exchange

# A member of an enum costs more than the slot, and a slot five times what an attribute costs.
_PAUSED, _IN_FLIGHT = int(Slot.PAUSED), int(Slot.IN_FLIGHT)
_TO_SERVER, _TO_CLIENT = int(Slot.BYTES_TO_SERVER), int(Slot.BYTES_TO_CLIENT)
_KEPT: Final = frozenset((Capture.WHOLE, Capture.TRUNCATED))
_MOST_READS: Final = 32
"""Reads that may wait to be looked at: a tenth of a millisecond of work as a rule."""


_LOOKS_PER_CHECK: Final = 8
"""So many glances are taken between two looks at the time, which is a system call; reading closely may cost more."""


class Looker(Protocol):
    """Who looks at what was read."""

    def look(self, data: bytes, answer: bool, /) -> bool:
        """Learn from bytes that have passed; whether a glance was enough."""
        ...

    def put_by(self, data: bytes, answer: bool, /) -> None:
        """Learn from bytes that have passed when there is time again."""


class Tap:
    """What the observers of one worker share."""

    __slots__ = (
        "_paused", "_reads", "clock", "dispatch", "filter", "held", "in_flight", "max_body", "max_pending", "meter",
        "now", "requests", "responses", "schedule", "tally", "turns", "wall_clock",
    )  # fmt: skip

    def __init__(
        self, tally: Tally, writer: Writer, max_body: int, max_pending: int, wanted: Filter | None = None
    ) -> None:
        self.tally = tally
        self.dispatch = Dispatch(tally, writer)
        self.meter = Meter(tally)
        self.turns = Turns(self.meter.observed)
        self.tune(max_body, max_pending, wanted or Filter())
        self.held = 0
        """Bytes held for exchanges under way."""
        self.clock: Callable[[], int] = time.monotonic_ns
        self.wall_clock: Callable[[], int] = time.time_ns
        self.schedule: Callable[[Callable[[], None]], object] | None = None
        """How to have something called soon; without it nothing is put off."""
        self.now = 0
        """The moment of the read that is looked at."""
        self._reads: list[tuple[Looker, bytes, bool, int]] = []
        self._paused = 0
        self.in_flight = 0
        """Exchanges under way; others see it when a look at what was put off ends."""

    def tune(self, max_body: int, max_pending: int, wanted: Filter) -> None:
        """Take over bounds and filter; what is under way keeps what it had."""
        self.max_body = min(max_body, self.dispatch.longest // 2)
        self.max_pending = max_pending
        self.filter = wanted
        self.requests = glance.requests(wanted.wants, wanted.headers)
        self.responses = glance.responses(wanted.headers)

    # reads, now and later

    def later(self, looker: Looker, data: bytes, answer: bool, /) -> None:
        """Have `looker` look at `data` soon, after everything that was read before."""
        reads = self._reads
        reads.append((looker, data, answer, self.clock()))
        if len(reads) >= _MOST_READS or self.schedule is None:
            self.catch_up()
        elif len(reads) == 1:
            self.schedule(self.catch_up)

    def catch_up(self) -> None:
        """Look at everything that was put off, in the order in which it came.

        Where that takes its time, the rest waits for the turns that connections share.
        """
        reads, self._reads = self._reads, []
        if not reads:
            return
        begun = self.meter.begin()
        slots = self.tally.slots
        self._paused = slots[_PAUSED]
        self.dispatch.begin(self.wall_clock() - self.clock())
        to_server = to_client = 0
        since, late = begun, False
        for at, (looker, data, answer, self.now) in enumerate(reads, 1):
            if answer:
                to_client += len(data)
            else:
                to_server += len(data)
            if late:
                looker.put_by(data, answer)
            elif not looker.look(data, answer) or not at % _LOOKS_PER_CHECK:
                spent = time.thread_time_ns()
                since = since or spent
                late = spent - since > BUDGET_NS
        self.dispatch.flush()
        slots[_TO_SERVER] += to_server
        slots[_TO_CLIENT] += to_client
        slots[_IN_FLIGHT] = self.in_flight
        self.meter.end(begun)

    def passed(self, size: int, answer: bool) -> None:
        """So many bytes were relayed that are not looked at in this way."""
        self.tally.slots[_TO_CLIENT if answer else _TO_SERVER] += size

    # exchanges of whole messages

    def asked(self, head: Head, data: bytes) -> Asked | None:
        """Take note of a whole request; None where it has to be read closely."""
        held = self.held + len(data) + head.size  # which has a copy of its own
        if head.body_size > self.max_body or held > self.max_pending or self._paused:
            return None
        self.held = held
        self.in_flight += 1
        return Asked(head, data, self.now)

    def forget(self, asked: Asked) -> None:
        """A request that was noted is under way no longer, or read closely after all."""
        self.held -= len(asked.data) + asked.head.size
        self.in_flight -= 1

    def answered(self, asked: Asked, head: Head, data: bytes) -> None:
        """Count an exchange of two whole messages, and hand it over with the others of its time."""
        self.forget(asked)
        self.dispatch.gather(asked, head, data, self.now)

    # exchanges that were read closely

    def under_way(self, change: int) -> None:
        """So many more exchanges are under way, for all to see."""
        self.in_flight += change
        self.tally.slots[_IN_FLIGHT] = self.in_flight

    def keep(self, message: Message, part: bytes) -> None:
        """Keep a part of a body, within the bounds."""
        if message.capture is not Capture.WHOLE:
            return
        if message.body_size > self.max_body:
            part = part[: max(self.max_body - len(message.content), 0)]
            message.capture = Capture.TRUNCATED
        if self.held + len(part) > self.max_pending:
            self.release(message, Capture.SHED)
        else:
            message.content += part
            self.held += len(part)

    def release(self, message: Message, capture: Capture) -> None:
        """Forget what was kept of a body, if anything was to be."""
        if message.capture in _KEPT:
            self.held -= len(message.content)
            message.content = bytearray()
            message.capture = capture

    def offer(self, request: Message, response: Message) -> None:
        """Count an exchange that is complete and hand it over, or count why not."""
        duration = self.now - request.begun_ns
        exchange = Exchange(
            self.now, self.wall_clock(), duration, response.status, request.method, request.path,
            request.headers, response.headers, self._body(request), self._body(response),
            first_byte_ns=max(response.begun_ns - request.begun_ns, 0),
        )  # fmt: skip
        self.dispatch.one(exchange)

    def _body(self, message: Message) -> Body:
        if message.capture is Capture.WHOLE and not message.complete:
            message.capture = Capture.TRUNCATED
        content = bytes(message.content)
        capture = message.capture
        self.release(message, Capture.SKIPPED)
        return Body(message.body_size, capture, content)
