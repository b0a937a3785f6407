"""What is learnt from the bytes of one connection after they were forwarded: exchanges, offered to the ring.

An observer never raises. What it cannot follow makes the connection unobservable, counted by reason; the relay
does not notice.
"""

import time
from collections.abc import Callable
from typing import Final

from exporter.handoff import frames
from exporter.handoff.ring import Writer
from exporter.handoff.tally import Slot, Tally
from exporter.http11 import RequestReader, ResponseReader, Unobservable
from exporter.messages import Message, Unanswered
from exporter.records import Body, Capture, Exchange

_CAPTURED_METHODS: Final = frozenset(("POST", "PUT", "PATCH"))
_MOST_UNANSWERED: Final = 1024
"""Requests sent ahead of their answers on one connection that are kept track of; each costs far more than its bytes."""


class Tap:
    """What the observers of one worker share: bounds, counters and the ring."""

    __slots__ = ("clock", "held", "max_body", "max_pending", "tally", "wall_clock", "writer")

    def __init__(self, tally: Tally, writer: Writer, max_body: int, max_pending: int) -> None:
        self.tally = tally
        self.writer = writer
        self.max_body = min(max_body, writer.longest // 3)
        self.max_pending = max_pending
        self.held = 0
        """Bytes of bodies held for exchanges under way."""
        self.clock: Callable[[], int] = time.monotonic_ns
        self.wall_clock: Callable[[], int] = time.time_ns

    def keep(self, message: Message, part: bytes) -> None:
        """Keep a part of a body, within the bounds."""
        if message.capture is not Capture.WHOLE:
            return
        if message.body_size > self.max_body:
            self.release(message, Capture.TRUNCATED)
        elif self.held + len(part) > self.max_pending:
            self.release(message, Capture.SHED)
        else:
            message.content += part
            self.held += len(part)

    def release(self, message: Message, capture: Capture) -> None:
        """Forget what was kept of a body."""
        if message.capture is Capture.WHOLE:
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
        self._hand_over(exchange)

    def _hand_over(self, exchange: Exchange) -> None:
        # Bodies are shed first: what has none may fill the ring to its end.
        if exchange.request.content or exchange.response.content:
            if self.writer.offer(frames.pack(exchange), reserve=True):
                self._count_shed(exchange)
                return
            exchange = frames.without_bodies(exchange)
        if self.writer.offer(frames.pack(exchange), reserve=False):
            self._count_shed(exchange)
        else:
            self.tally.add(Slot.RING_FULL)

    def _count_shed(self, exchange: Exchange) -> None:
        if Capture.SHED in {exchange.request.capture, exchange.response.capture}:
            self.tally.add(Slot.BODIES_SHED)

    def _body(self, message: Message) -> Body:
        if message.capture is Capture.WHOLE and not message.complete:
            self.release(message, Capture.TRUNCATED)
        content = bytes(message.content)
        capture = message.capture
        self.release(message, Capture.SKIPPED)
        return Body(message.body_size, capture, content)


class Observer:
    """One connection's two directions, paired in order (RFC 9112 section 9.3.2)."""

    __slots__ = ("_blind", "_over", "_tap", "_waiting", "request_reader", "response_reader")

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
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
        return not self._waiting and self.request_reader.idle

    @property
    def awaited_since_ns(self) -> int | None:
        """When the head began that is all this connection waits for; None where it does not, or cannot be followed."""
        return None if self._over or self._waiting else self.request_reader.head_begun_ns

    @property
    def awaits_head(self) -> bool:
        """Whether the server's next byte begins the answer to the only request under way, as far as can be known."""
        return not self._over and len(self._waiting) == 1 and self.response_reader.idle

    # what the relay calls

    def request(self, data: bytes) -> None:
        """Bytes went to the server."""
        if not self._over:
            self._guard(self.request_reader.feed, data)

    def response(self, data: bytes) -> None:
        """Bytes went to the client."""
        if not self._over:
            self._guard(self.response_reader.feed, data)

    def response_eof(self) -> None:
        """The server ended its side: nothing more can be answered."""
        if not self._over:
            self._guard(lambda _: self.response_reader.eof(), b"")
            self.close("upstream")

    def close(self, ended_by: str) -> None:
        """The connection is over; what is under way will not complete."""
        if not self._over:
            unfinished = len(self._waiting) or (0 if self.request_reader.idle else 1)
            self._tap.tally.incomplete(ended_by, unfinished)
            self._forget()

    def _guard(self, feed: Callable[[bytes], None], data: bytes) -> None:
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
        self.response_reader.abandon(self._tap.release)
        while self._waiting:
            self._tap.release(self._waiting.popleft(), Capture.SKIPPED)
            self._tap.tally.subtract(Slot.IN_FLIGHT)

    # what the readers tell

    def requested(self, message: Message) -> None:
        """A request's head has passed."""
        if len(self._waiting) >= _MOST_UNANSWERED:
            raise Unobservable("pipeline_limit")
        self._waiting.append(message)
        self._tap.tally.add(Slot.IN_FLIGHT)
        if message.method in _CAPTURED_METHODS:
            message.capture = Capture.WHOLE

    def answering(self, message: Message) -> None:
        """A final response's head has passed."""
        if self._waiting.first.method in _CAPTURED_METHODS:
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
