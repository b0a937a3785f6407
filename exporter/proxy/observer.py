"""What is learnt from the bytes of one connection after they were forwarded: exchanges, offered to the ring.

An observer never raises. What it cannot follow makes the connection unobservable, counted by reason; the relay
does not notice.
"""

from collections.abc import Callable
from typing import Final

from exporter.handoff.tally import Slot
from exporter.http11 import RequestReader, ResponseReader, Unobservable
from exporter.messages import Message, Unanswered
from exporter.proxy import backlog
from exporter.proxy.backlog import Backlog
from exporter.proxy.dispatch import Asked
from exporter.proxy.tap import Tap
from exporter.records import Capture

_MOST_UNANSWERED: Final = 1024
"""Requests sent ahead of their answers on one connection that are kept track of; each costs far more than its bytes."""


class Observer:
    """One connection's two directions, paired in order (RFC 9112 section 9.3.2).

    As long as whole requests and whole responses take turns, one read each, a glance at their heads is enough. From
    the first read that is anything else, the readers follow every byte until both are between two messages again.
    """

    __slots__ = (
        "_asked", "_backlog", "_blind", "_in_turns", "_over", "_tap", "_waiting", "request_reader", "response_reader"
    )  # fmt: skip

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._asked: Asked | None = None
        self._in_turns = True
        self._backlog: Backlog | None = None
        self._over = False
        self._blind = False
        self._waiting = Unanswered()
        self.request_reader = RequestReader(_Requests(self), self._moment, tap.filter.headers)
        self.response_reader = ResponseReader(_Responses(self), self._moment, self._waiting, tap.filter.headers)

    @property
    def idle(self) -> bool:
        """No exchange is under way, as far as can be known."""
        self._tap.catch_up()
        if self._over:
            return not self._blind
        return not self._asked and not self._waiting and self.request_reader.idle and not self._backlog

    @property
    def awaited_since_ns(self) -> int | None:
        """When the head began that is all this connection waits for; None where it does not, or cannot be followed."""
        self._tap.catch_up()
        return None if self._over or self._asked or self._waiting else self.request_reader.head_begun_ns

    @property
    def awaits_head(self) -> bool:
        """Whether the server's next byte begins the answer to the only request under way, as far as can be known."""
        self._tap.catch_up()
        awaited = len(self._waiting) + (self._asked is not None)
        return not self._over and awaited == 1 and self.response_reader.idle and not self._backlog

    # what the relay calls

    def request(self, data: bytes) -> None:
        """Bytes went to the server."""
        if self._backlog is None and len(data) <= backlog.SLICE:
            self._tap.later(self, data, False)
        else:
            self._tap.passed(len(data), False)
            self._put_off(self.request_reader.feed, data)

    def response(self, data: bytes) -> None:
        """Bytes went to the client."""
        if self._backlog is None and len(data) <= backlog.SLICE:
            self._tap.later(self, data, True)
        else:
            self._tap.passed(len(data), True)
            self._put_off(self.response_reader.feed, data)

    def response_eof(self) -> None:
        """The server ended its side: nothing more can be answered."""
        self._tap.catch_up()
        if self._backlog:
            self._put_off(lambda _: self._server_ended(), b"")
        else:
            self._server_ended()

    def close(self, ended_by: str) -> None:
        """The connection is over; what is under way will not complete."""
        self._tap.catch_up()
        if self._backlog:
            self._put_off(lambda _: self._close(ended_by), b"")
        else:
            self._close(ended_by)

    # what the tap calls, when there is time

    def look(self, data: bytes, answer: bool, /) -> bool:
        """Learn from bytes that have passed; whether a glance was enough."""
        try:
            if self._in_turns and (self._answered(data) if answer else self._asked_for(data)):
                return True
        except Exception:  # noqa: BLE001 (a bug here may cost observation, never traffic)
            self._give_up("observer_error")
        self._guard(self.response_reader.feed if answer else self.request_reader.feed, data)
        return False

    def put_by(self, data: bytes, answer: bool, /) -> None:
        """Learn from bytes that have passed when there is time again."""
        feed, moment = self.response_reader.feed if answer else self.request_reader.feed, self._tap.now
        waiting = self._room_for(data)
        if waiting:
            waiting.put_by(lambda part: self._look_back(moment, feed, part), data)

    def _asked_for(self, data: bytes) -> bool:
        """Whether this was a whole request, in turn, and is noted."""
        if self._asked is None:
            head = self._tap.requests.head_of(data)
            if head is not None:
                self._asked = self._tap.asked(head, data)
                return self._asked is not None
        return False

    def _answered(self, data: bytes) -> bool:
        """Whether this was the whole response to a request that was noted, and is dealt with."""
        tap, asked = self._tap, self._asked
        if asked is not None:
            head = tap.responses.head_of(data)
            if head is not None and head.body_size <= tap.max_body:
                self._asked = None
                tap.answered(asked, head, data)
                return True
        return False

    def _follow(self) -> None:
        """From here on the readers see every byte, beginning with a request that was only glanced at."""
        self._in_turns = False
        asked, self._asked = self._asked, None
        if asked:
            tap = self._tap
            tap.forget(asked)
            now, tap.now = tap.now, asked.begun_ns
            self.request_reader.feed(asked.data)
            tap.now = now

    def _moment(self) -> int:
        return self._tap.now

    def _server_ended(self) -> None:
        if not self._over:
            self._guard(lambda _: self.response_reader.eof(), b"")
            self._close("upstream")

    def _close(self, ended_by: str) -> None:
        if not self._over:
            under_way = self._asked is not None or not self.request_reader.idle
            unfinished = len(self._waiting) or int(under_way)
            self._tap.tally.incomplete(ended_by, unfinished)
            self._forget()

    def _put_off(self, look: Callable[[bytes], None], data: bytes) -> None:
        """Look at as much as there is time for, at the rest in later turns of the loop."""
        self._tap.catch_up()
        waiting = self._room_for(data)
        if waiting:
            moment = self._tap.clock()
            waiting.put(lambda part: self._look_back(moment, look, part), data)

    def _room_for(self, data: bytes) -> Backlog | None:
        """Where bytes wait to be looked at; None where nobody will, any more."""
        if self._over:
            return None
        waiting = self._backlog
        if waiting is None:
            waiting = self._backlog = Backlog(self._tap.turns, self._looked)
        if waiting.room_for(data):
            return waiting
        self._give_up("limit")
        return None

    def _look_back(self, moment: int, look: Callable[[bytes], None], part: bytes) -> None:
        self._tap.now = moment
        self._guard(look, part)

    def _looked(self) -> None:
        self._backlog = None

    def _guard(self, feed: Callable[[bytes], None], data: bytes) -> None:
        if self._over:
            return
        try:
            if self._in_turns:
                self._follow()
            feed(data)
        except Unobservable as loss:
            self._give_up(loss.args[0])
        except Exception:  # noqa: BLE001 (a bug here may cost observation, never traffic)
            self._give_up("observer_error")
        else:
            between = not self._waiting and self.request_reader.fresh and self.response_reader.fresh
            self._in_turns = between and not self._over

    def _give_up(self, reason: str) -> None:
        self._blind = True
        self._tap.tally.unobservable(reason)
        self._forget()

    def _forget(self) -> None:
        self._over, self._in_turns = True, False
        if self._backlog:
            self._backlog.clear()
        if self._asked:
            self._tap.forget(self._asked)
            self._asked = None
            self._tap.under_way(0)
        self.response_reader.abandon(self._tap.release)
        while self._waiting:
            self._tap.release(self._waiting.popleft(), Capture.SKIPPED)
            self._tap.under_way(-1)

    # what the readers tell

    def requested(self, message: Message) -> None:
        """A request's head has passed."""
        if self._tap.tally.slots[Slot.PAUSED]:
            # What is under way ends here, between messages; where the next one begins is not known any more
            # when observation is switched on again, so that only new connections are followed then.
            raise Unobservable("switched_off")
        if len(self._waiting) >= _MOST_UNANSWERED:
            raise Unobservable("pipeline_limit")
        self._waiting.append(message)
        self._tap.under_way(+1)
        if self._tap.filter.wants(message.method, message.path):
            message.capture = Capture.WHOLE

    def answering(self, message: Message) -> None:
        """A final response's head has passed."""
        if self._waiting.first.capture is not Capture.SKIPPED:
            message.capture = Capture.WHOLE

    def answered(self, message: Message) -> None:
        """A final response has passed: an exchange is complete, even where its request is not."""
        request = self._waiting.popleft()
        self._tap.under_way(-1)
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
