"""What is learnt from the bytes of one connection after they were forwarded: exchanges, offered to the ring.

An observer never raises. What it cannot follow makes the connection unobservable, counted by reason; the relay
does not notice.
"""

import time
from collections.abc import Callable
from typing import Final

from exporter.handoff import frames, sampling
from exporter.handoff.ring import Writer
from exporter.handoff.tally import Slot, Tally
from exporter.http11 import RequestReader, ResponseReader, Unobservable
from exporter.messages import Message, Unanswered
from exporter.proxy import backlog
from exporter.proxy.backlog import Backlog, Turns
from exporter.proxy.filters import Filter
from exporter.proxy.meter import Meter
from exporter.records import Body, Capture, Exchange

_HEAD, _TAIL, _PAUSED = map(int, (Slot.HEAD, Slot.TAIL, Slot.PAUSED))  # a member of an enum costs more than the slot
_KEPT: Final = (Capture.WHOLE, Capture.TRUNCATED)  # a set would hash, which an enum does slowly
_SKIPPED: Final = Capture.SKIPPED
_BOTH_WHOLE: Final = (Capture.WHOLE, Capture.WHOLE)
_MOST_UNANSWERED: Final = 1024
"""Requests sent ahead of their answers on one connection that are kept track of; each costs far more than its bytes."""


class Tap:
    """What the observers of one worker share: bounds, counters and the ring."""

    __slots__ = (
        "_half", "_halvings", "_longest_inline", "clock", "filter", "held", "max_body", "max_pending", "meter", "tally",
        "turns", "wall_clock", "writer",
    )  # fmt: skip

    def __init__(
        self, tally: Tally, writer: Writer, max_body: int, max_pending: int, wanted: Filter | None = None
    ) -> None:
        self.tally = tally
        self.writer = writer
        self.max_body = min(max_body, writer.longest // 2)
        self._half = writer.capacity >> 1
        self._halvings = tally.slots[Slot.HALVINGS] = 0
        self._longest_inline = writer.piece // 2  # heads take far less than the other half
        self.max_pending = max_pending
        self.meter = Meter(tally)
        self.turns = Turns(self.meter.observed)
        self.filter = wanted or Filter()
        self.held = 0
        """Bytes of bodies held for exchanges under way."""
        self.clock: Callable[[], int] = time.monotonic_ns
        self.wall_clock: Callable[[], int] = time.time_ns

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
        ended = self.clock()
        duration = ended - request.begun_ns
        exchange = Exchange(
            ended, self.wall_clock(), duration, response.status, request.method, request.path,
            request.headers, response.headers, self._body(request), self._body(response),
        )  # fmt: skip
        self.tally.exchange(response.status, duration)
        slots = self.tally.slots
        queued = slots[_HEAD] - slots[_TAIL]
        if queued > self._half or self._halvings:
            exchange = self._sample(exchange, queued)
        self._hand_over(exchange)

    def _sample(self, exchange: Exchange, queued: int) -> Exchange:
        slots = self.tally.slots
        halvings = sampling.halvings(queued, self.writer.capacity)
        if halvings != self._halvings:
            self._halvings = slots[Slot.HALVINGS] = halvings
        if not halvings:
            return exchange
        if not sampling.chosen(slots[Slot.OFFERED], halvings):
            exchange = frames.without_bodies(exchange, Capture.SAMPLED)
        return exchange._replace(halvings=halvings)

    def _hand_over(self, exchange: Exchange) -> None:
        # Bodies are shed first: what has none may fill the ring to its end.
        if exchange.request.content or exchange.response.content:
            parts = frames.pack(exchange)
            if len(parts[-1]) + len(parts[-2]) <= self._longest_inline:
                taken = self.writer.offer(parts, reserve=True)
            else:
                taken = self.writer.offer_long(parts[: frames.BODIES], parts[frames.BODIES :])
            if taken:
                self._count_shed(exchange)
                return
            exchange = frames.without_bodies(exchange)
        if self.writer.offer(frames.pack(exchange), reserve=False):
            self._count_shed(exchange)
        else:
            self.tally.add(Slot.RING_FULL)

    def _count_shed(self, exchange: Exchange) -> None:
        captures = (exchange.request.capture, exchange.response.capture)
        if captures == _BOTH_WHOLE:
            return
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


class Observer:
    """One connection's two directions, paired in order (RFC 9112 section 9.3.2)."""

    __slots__ = ("_backlog", "_blind", "_over", "_tap", "_waiting", "request_reader", "response_reader")

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._backlog: Backlog | None = None
        self._over = False
        self._blind = False
        self._waiting = Unanswered()
        self.request_reader = RequestReader(_Requests(self), tap.clock)
        self.response_reader = ResponseReader(_Responses(self), tap.clock, self._waiting)

    @property
    def idle(self) -> bool:
        """No exchange is under way, as far as can be known."""
        if self._over:
            return not self._blind
        return not self._waiting and self.request_reader.idle and not self._backlog

    # what the relay calls

    def request(self, data: bytes) -> None:
        """Bytes went to the server."""
        if self._backlog is None and len(data) <= backlog.SLICE:
            self._guard(self.request_reader.feed, data)
        else:
            self._put_off(self.request_reader.feed, data)

    def response(self, data: bytes) -> None:
        """Bytes went to the client."""
        if self._backlog is None and len(data) <= backlog.SLICE:
            self._guard(self.response_reader.feed, data)
        else:
            self._put_off(self.response_reader.feed, data)

    def response_eof(self) -> None:
        """The server ended its side: nothing more can be answered."""
        if self._backlog:
            self._put_off(lambda _: self._server_ended(), b"")
        else:
            self._server_ended()

    def close(self, ended_by: str) -> None:
        """The connection is over; what is under way will not complete."""
        if self._backlog:
            self._put_off(lambda _: self._close(ended_by), b"")
        else:
            self._close(ended_by)

    def _server_ended(self) -> None:
        if not self._over:
            self._guard(lambda _: self.response_reader.eof(), b"")
            self._close("upstream")

    def _close(self, ended_by: str) -> None:
        if not self._over:
            unfinished = len(self._waiting) or (0 if self.request_reader.idle else 1)
            self._tap.tally.incomplete(ended_by, unfinished)
            self._forget()

    def _put_off(self, look: Callable[[bytes], None], data: bytes) -> None:
        """Look at as much as there is time for, at the rest in later turns of the loop."""
        if self._over:
            return
        waiting = self._backlog
        if waiting is None:
            waiting = self._backlog = Backlog(self._tap.turns, self._looked)
        if waiting.room_for(data):
            waiting.put(lambda part: self._guard(look, part), data)
        else:
            self._give_up("limit")

    def _looked(self) -> None:
        self._backlog = None

    def _guard(self, feed: Callable[[bytes], None], data: bytes) -> None:
        if self._over:
            return
        try:
            feed(data)
        except Unobservable as loss:
            self._give_up(loss.args[0])
        except Exception:  # noqa: BLE001 (a bug here may cost observation, never traffic)
            self._give_up("observer_error")

    def _give_up(self, reason: str) -> None:
        self._blind = True
        self._tap.tally.unobservable(reason)
        self._forget()

    def _forget(self) -> None:
        self._over = True
        if self._backlog:
            self._backlog.clear()
        self.response_reader.abandon(self._tap.release)
        while self._waiting:
            self._tap.release(self._waiting.popleft(), Capture.SKIPPED)
            self._tap.tally.subtract(Slot.IN_FLIGHT)

    # what the readers tell

    def requested(self, message: Message) -> None:
        """A request's head has passed."""
        if self._tap.tally.slots[_PAUSED]:
            # What is under way ends here, between messages; where the next one begins is not known any more
            # when observation is switched on again, so that only new connections are followed then.
            raise Unobservable("switched_off")
        if len(self._waiting) >= _MOST_UNANSWERED:
            raise Unobservable("pipeline_limit")
        self._waiting.append(message)
        self._tap.tally.add(Slot.IN_FLIGHT)
        if self._tap.filter.wants(message):
            message.capture = Capture.WHOLE

    def answering(self, message: Message) -> None:
        """A final response's head has passed."""
        if self._waiting.first.capture is not _SKIPPED:
            message.capture = Capture.WHOLE

    def answered(self, message: Message) -> None:
        """A final response has passed: an exchange is complete, even where its request is not."""
        request = self._waiting.popleft()
        self._tap.tally.subtract(Slot.IN_FLIGHT)
        self._tap.offer(request, message)

    def keep(self, message: Message, part: bytes) -> None:
        """A part of a body has passed."""
        self._tap.keep(message, part)


class _Requests:
    """Hears the request direction."""

    __slots__ = ("_observer", "body", "head")

    def __init__(self, observer: Observer) -> None:
        self.head = observer.requested
        self.body = observer.keep

    def done(self, message: Message) -> None:
        """Nothing to do: an exchange ends with its response."""


class _Responses:
    """Hears the response direction."""

    __slots__ = ("body", "done", "head")

    def __init__(self, observer: Observer) -> None:
        self.head = observer.answering
        self.body = observer.keep
        self.done = observer.answered
