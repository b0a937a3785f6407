"""Events on their way, in a thread of their own: kept on disk first, then posted, again and again if need be.

One event of each model at most; another one takes the place of one that waits. Pauses grow and are drawn by lot, so
that replicas do not come back together.
"""

import logging
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

from exporter.retrain.event import Event
from exporter.retrain.posting import Outcome
from exporter.retraining import Retrain

_LOG = logging.getLogger("exporter.retrain")
_LONGEST_SLEEP_S: Final = 60.0
_KEEP_AGAIN_S: Final = 5.0
_READ_AGAIN_S: Final = 1.0


class Report(NamedTuple):
    """What came of one post, or of an event in the end."""

    event: Event
    failure: str = ""
    """Of `retrained.FAILURES`; empty where nothing failed now."""
    is_retry: bool = False
    ending: str = ""
    """Of `retrained.OUTCOMES`, where it is no longer on its way."""


class _Way(NamedTuple):
    """How far an event is."""

    event: Event
    attempts: int = 0
    due_s: float = 0.0
    """On the monotonic clock."""


class Keeps(Protocol):
    """Who keeps things on disk. Asked by the thread alone."""

    def read(self) -> bytes | None:
        """What was kept last; empty where nothing was, or it cannot be had; None as long as another has it."""

    def keep(self, content: bytes) -> bool:
        """Whether it is kept now."""

    def let_go(self) -> None:
        """Let somebody else keep it."""


class Delivery:
    """One analyser's. What it is given comes from the loop."""

    def __init__(self, said: Retrain, post: Callable[[Event], Outcome], keeps: Keeps | None) -> None:
        """`post` posts an event once; `keeps` is None where nothing is kept."""
        self._said, self._post, self._keeps = said, post, keeps
        self._changed = threading.Condition()
        self._found: bytes | None = None
        self._content, self._is_kept, self._is_over = b"", True, False
        self._ways: dict[str, _Way] = {}
        self._done = set[str]()
        """Ids of those that are no longer on their way, as long as the loop has not heard of it."""
        self._reports: deque[Report] = deque()
        self._lot = random.Random()  # noqa: S311 (pauses)
        self._thread = threading.Thread(target=self._run, name="retrain", daemon=True)
        self._thread.start()

    # from the loop

    def found(self) -> bytes | None:
        """What was kept last, empty where nothing was; None while the disk has not given it yet."""
        with self._changed:
            return self._found

    def hand_over(self, content: bytes, events: Mapping[str, Event]) -> None:
        """Keep these bytes, and then deliver these events, by model; what is not among them is on its way no longer."""
        with self._changed:
            self._content, self._is_kept = content, self._is_kept and content == self._content
            known = {way.event.id: way for way in self._ways.values()}
            self._done &= {event.id for event in events.values()}
            self._ways = {
                model: known.get(event.id, _Way(event)) for model, event in events.items() if event.id not in self._done
            }
            self._changed.notify()

    def reports(self) -> list[Report]:
        """What came of them since this was asked last."""
        found = []
        while self._reports:
            found.append(self._reports.popleft())
        return found

    def finish(self, patience_s: float) -> None:
        """Have what is to be kept written, as far as the disk does it in time. What was not sent is sent later."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join(patience_s)

    # in the thread

    def _run(self) -> None:
        found = self._read()
        with self._changed:
            self._found = found
        while True:
            with self._changed:
                content, is_kept = self._content, self._is_kept
            is_kept = is_kept or self._keep(content)
            if self._is_over:
                if self._keeps:
                    self._keeps.let_go()
                return
            way = self._next(content)
            if way is not None:
                self._send(way)
            else:
                self._rest(content, is_kept=is_kept)

    def _read(self) -> bytes:
        """What was kept last. Another pod that ends only after this one has begun may still ask: it is waited for.

        Not where a ledger has told already: then something is handed over.
        """
        while self._keeps and not self._is_over and not self._content:
            found = self._keeps.read()
            if found is not None:
                return found
            with self._changed:
                self._changed.wait(_READ_AGAIN_S)
        return b""

    def _keep(self, content: bytes) -> bool:
        """What cannot be kept does not keep an event from being sent: another run may send it again, with its id."""
        is_kept = self._keeps is None or self._keeps.keep(content)
        with self._changed:
            self._is_kept = is_kept and content == self._content
        return is_kept

    def _next(self, content: bytes) -> _Way | None:
        """An event that is due, of those that were handed over with these bytes: they have been kept, if possible."""
        now = time.monotonic()
        with self._changed:
            due = [way for way in self._ways.values() if way.due_s <= now and content == self._content]
        return min(due, key=lambda way: way.due_s, default=None)

    def _rest(self, content: bytes, *, is_kept: bool) -> None:
        """Until there is something to do."""
        with self._changed:
            due_s = min((way.due_s for way in self._ways.values()), default=math.inf) - time.monotonic()
            pause_s = min(due_s, _LONGEST_SLEEP_S if is_kept else _KEEP_AGAIN_S)
            if pause_s > 0 and content == self._content and not self._is_over:
                self._changed.wait(pause_s)

    def _send(self, way: _Way) -> None:
        event, attempts = way.event, way.attempts + 1
        outcome = self._tried(event)
        is_late = time.time() - event.made_s > self._said.give_up
        is_dead = outcome.is_final or attempts >= self._said.attempts or is_late
        ending = "sent" if not outcome.failure else "undelivered" if is_dead else ""
        self._say(event, outcome, ending)
        with self._changed:
            is_wanted = self._ways.get(event.model) == way
            if is_wanted:
                del self._ways[event.model]
            if ending:
                self._done.add(event.id)
            elif is_wanted:
                due_s = time.monotonic() + self._backoff(attempts, outcome.pause_s)
                self._ways[event.model] = _Way(event, attempts, due_s)
            self._reports.append(Report(event, outcome.failure, attempts > 1, ending))

    def _tried(self, event: Event) -> Outcome:
        """Whatever goes wrong with one post, the thread goes on: there are others."""
        try:
            return self._post(event)
        except Exception as error:  # noqa: BLE001
            return Outcome("local", f"{type(error).__name__}: {error}")

    def _backoff(self, attempts: int, asked_s: float) -> float:
        said = self._said
        pause_s = min(said.backoff * 2.0 ** min(attempts - 1, 60), said.max_backoff)
        return max(pause_s * self._lot.uniform(0.5, 1.5), min(asked_s, said.max_backoff))

    @staticmethod
    def _say(event: Event, outcome: Outcome, ending: str) -> None:
        if ending == "sent":
            _LOG.info("the event %s about the model %r was delivered", event.id, event.model)
        elif ending:
            _LOG.error("the event %s about the model %r is given up: %s; it was: %s",
                       event.id, event.model, outcome.words, event.body)  # fmt: skip
        else:
            _LOG.warning("the event %s about the model %r waits: %s", event.id, event.model, outcome.words)
