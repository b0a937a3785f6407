"""What the observers of one worker share: bounds, counters and the ring.

Reads are noted with their moment and looked at a little later, many at a time, and what comes of them goes into the
ring together. In between come system calls, after which a processor has forgotten much of what it knew of our code:
the same work then costs it twice as much.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

from exporter import glance
from exporter.glance import Head
from exporter.handoff import frames, sampling
from exporter.handoff.ring import Writer
from exporter.handoff.tally import Slot, Tally
from exporter.messages import Message
from exporter.proxy.backlog import Turns
from exporter.proxy.filters import Filter
from exporter.proxy.meter import Meter
from exporter.records import Body, Capture, Exchange

# A member of an enum costs more than the slot, and a slot five times what an attribute costs.
_HEAD, _TAIL, _PAUSED, _IN_FLIGHT = map(int, (Slot.HEAD, Slot.TAIL, Slot.PAUSED, Slot.IN_FLIGHT))
_TO_SERVER, _TO_CLIENT = int(Slot.BYTES_TO_SERVER), int(Slot.BYTES_TO_CLIENT)
_OFFERED, _RING_FULL = int(Slot.OFFERED), int(Slot.RING_FULL)
_BODIES_SAMPLED, _BODIES_SHED = int(Slot.BODIES_SAMPLED), int(Slot.BODIES_SHED)
_WHOLE, _SKIPPED, _SAMPLED, _SHED = map(int, (Capture.WHOLE, Capture.SKIPPED, Capture.SAMPLED, Capture.SHED))
_KEPT: Final = frozenset((Capture.WHOLE, Capture.TRUNCATED))
_CAPTURE: Final = 7
_HALVINGS: Final = 3
"""A fate is a capture in its lowest three bits, and above them how often the share of bodies was halved."""
_MOST_READS: Final = 32
"""Reads that may wait to be looked at: a third of a millisecond of work."""


class Looker(Protocol):
    """Who looks at what was read."""

    def look(self, data: bytes, answer: bool, /) -> None:
        """Learn from bytes that have passed."""


class Asked:
    """A whole request that passed and is not answered yet."""

    __slots__ = ("begun_ns", "data", "head")

    def __init__(self, head: Head, data: bytes, begun_ns: int) -> None:
        self.head = head
        self.data = data
        self.begun_ns = begun_ns


class Tap:
    """What the observers of one worker share: bounds, counters and the ring."""

    __slots__ = (
        "_ended", "_halvings", "_lengths", "_longest_inline", "_lost", "_no_room", "_parts", "_paused", "_reads",
        "_wall_ns", "clock", "filter", "held", "in_flight", "max_body", "max_pending", "meter", "now", "requests",
        "responses", "schedule", "tally", "turns", "wall_clock", "writer",
    )  # fmt: skip

    def __init__(
        self, tally: Tally, writer: Writer, max_body: int, max_pending: int, wanted: Filter | None = None
    ) -> None:
        self.tally = tally
        self.writer = writer
        self._halvings = tally.slots[Slot.HALVINGS] = 0
        self._longest_inline = writer.piece // 2  # heads take far less than the other half
        self.meter = Meter(tally)
        self.turns = Turns(self.meter.observed)
        self.tune(max_body, max_pending, wanted or Filter())
        self.responses = glance.responses()
        self.held = 0
        """Bytes held for exchanges under way."""
        self.clock: Callable[[], int] = time.monotonic_ns
        self.wall_clock: Callable[[], int] = time.time_ns
        self.schedule: Callable[[Callable[[], None]], object] | None = None
        """How to have something called soon; without it nothing is put off."""
        self.now = 0
        """The moment of the read that is looked at."""
        self._reads: list[tuple[Looker, bytes, bool, int]] = []
        self._parts: list[bytes] = []
        """Of the records that will be handed over together, one behind the other."""
        self._lengths: list[int] = []
        """Of these records, bytes."""
        self._ended: list[tuple[int, int]] = []
        """Status and duration, nanoseconds, of each of them."""
        self._wall_ns = 0
        """What the wall clock is ahead of the other one while all this is looked at."""
        self._lost: dict[int, int] = {}
        """How many of these records had bodies, by the counter of why they have none."""
        self._no_room = False
        """The part of the ring that bodies may take is full."""
        self._paused = 0
        self.in_flight = 0
        """Exchanges under way; others see it when a look at what was put off ends."""

    def tune(self, max_body: int, max_pending: int, wanted: Filter) -> None:
        """Take over bounds and filter; what is under way keeps what it had."""
        self.max_body = min(max_body, self.writer.longest // 2)
        self.max_pending = max_pending
        self.filter = wanted
        self.requests = glance.requests(wanted.wants)

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
        """Look at everything that was put off, in the order in which it came."""
        reads, self._reads = self._reads, []
        if not reads:
            return
        begun = self.meter.begin()
        slots = self.tally.slots
        self._paused = slots[_PAUSED]
        self._wall_ns = self.wall_clock() - self.clock()
        self._measure()
        to_server = to_client = 0
        for looker, data, answer, self.now in reads:
            if answer:
                to_client += len(data)
            else:
                to_server += len(data)
            looker.look(data, answer)
        self._flush()
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
        held = self.held + len(data)
        if head.body_size > self.max_body or held > self.max_pending or self._paused:
            return None
        self.held = held
        self.in_flight += 1
        return Asked(head, data, self.now)

    def forget(self, asked: Asked) -> None:
        """A request that was noted is under way no longer, or read closely after all."""
        self.held -= len(asked.data)
        self.in_flight -= 1

    def answered(self, asked: Asked, head: Head, data: bytes) -> None:
        """Count an exchange of two whole messages, and hand it over with the others of its time."""
        self.forget(asked)
        request = asked.head
        why = self._fate(request, head)
        if request.answered_by is not head or request.fate != why:
            request.form = frames.form(request, head, Capture(why & _CAPTURE), why >> _HALVINGS)
            request.answered_by, request.fate = head, why
        form = request.form
        duration = self.now - asked.begun_ns
        parts = self._parts
        parts.append(frames.moments(self.now, self.now + self._wall_ns, duration))
        parts.append(form)
        length = frames.MOMENTS_BYTES + len(form)
        if why & _CAPTURE == _WHOLE:
            parts.append(asked.data[request.size :])
            parts.append(data[head.size :])
            length += request.body_size + head.body_size
        self._lengths.append(length)
        self._ended.append((head.status, duration))

    def _fate(self, request: Head, response: Head) -> int:
        """What becomes of the bodies of the exchange that has just ended, and for how many it stands."""
        halvings = self._halvings
        if not request.wanted:
            return _SKIPPED | halvings << _HALVINGS
        if not halvings:
            return _WHOLE
        if not sampling.chosen(self.tally.slots[_OFFERED] + len(self._ended), halvings):
            why, slot = _SAMPLED, _BODIES_SAMPLED
        elif self._no_room:
            why, slot = _SHED, _BODIES_SHED
        else:
            return _WHOLE | halvings << _HALVINGS
        if request.body_size + response.body_size:
            self._lost[slot] = self._lost.get(slot, 0) + 1
        return why | halvings << _HALVINGS

    def _flush(self) -> None:
        """Count what has gathered and hand it over: together if there is room, by the rules of each one otherwise."""
        lengths = self._lengths
        if not lengths:
            return
        self.tally.exchanges(self._ended)
        records = b"".join(self._parts)
        self._parts, self._lengths, self._ended = [], [], []
        lost, self._lost = self._lost, {}
        if self.writer.offer_all(lengths, records, reserve=not self._no_room):
            for slot, count in lost.items():
                self.tally.add(slot, count)
        elif self._no_room:  # nothing that could be shed: no reason to look at each of them
            self.tally.add(_RING_FULL, len(lengths))
        else:
            at = 0
            for length in lengths:
                self._hand_over(frames.unpack(records[at : at + length]))
                at += length

    def _measure(self) -> None:
        """How full the ring is, and what share of the bodies travels therefore."""
        slots, writer = self.tally.slots, self.writer
        queued = slots[_HEAD] - slots[_TAIL]
        if queued > writer.capacity >> 1 or self._halvings:  # nearly never
            halvings = sampling.halvings(queued, writer.capacity)
            if halvings != self._halvings:
                self._halvings = slots[Slot.HALVINGS] = halvings
            self._no_room = queued > writer.for_bodies

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
        self._flush()  # in the order in which they ended
        duration = self.now - request.begun_ns
        exchange = Exchange(
            self.now, self.wall_clock(), duration, response.status, request.method, request.path,
            request.headers, response.headers, self._body(request), self._body(response),
        )  # fmt: skip
        self.tally.exchanges([(response.status, duration)])
        self._hand_over(self._sample(exchange))

    def _sample(self, exchange: Exchange) -> Exchange:
        self._measure()
        if not self._halvings:
            return exchange
        if not sampling.chosen(self.tally.slots[Slot.OFFERED], self._halvings):
            exchange = frames.without_bodies(exchange, Capture.SAMPLED)
        return exchange._replace(halvings=self._halvings)

    def _hand_over(self, exchange: Exchange) -> None:
        # Bodies are shed first: what has none may fill the ring to its end.
        if exchange.request.content or exchange.response.content:
            if self._offer_whole(exchange):
                self._count_shed(exchange)
                return
            exchange = frames.without_bodies(exchange)
        if self.writer.offer(frames.pack(exchange), reserve=False):
            self._count_shed(exchange)
        else:
            self.tally.add(Slot.RING_FULL)

    def _offer_whole(self, exchange: Exchange) -> bool:
        parts = frames.pack(exchange)
        if len(exchange.request.content) + len(exchange.response.content) <= self._longest_inline:
            return self.writer.offer(parts, reserve=True)
        return self.writer.offer_long(parts[: frames.BODIES], parts[frames.BODIES :])

    def _count_shed(self, exchange: Exchange) -> None:
        captures = (exchange.request.capture, exchange.response.capture)
        if Capture.SHED in captures:
            self.tally.add(Slot.BODIES_SHED)
        if Capture.SAMPLED in captures:
            self.tally.add(Slot.BODIES_SAMPLED)

    def _body(self, message: Message) -> Body:
        if message.capture is Capture.WHOLE and not message.complete:
            message.capture = Capture.TRUNCATED
        content = bytes(message.content)
        capture = message.capture
        self.release(message, Capture.SKIPPED)
        return Body(message.body_size, capture, content)
