"""The thread that asks: one case after the other, spread over a quarter of each interval.

What fails is asked again at the end of the round, all together and at once: so two failures in a row do not take two
intervals to be known, and a single one is told from those. What had failed before that is not asked twice.

A server that refuses connections costs one round, not a failure of its cases, and is tried again soon: it may come back
with another model. One that answers 503 (RFC 9110 section 15.6.4) before it has answered a case at all is given time.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from exporter.golden.cases import Case, Golden
from exporter.rounds.news import Checked, Loaded, News, Over, Unusable

_TIMEOUT: Final = "timeout"
_FIRST_S: Final = 1.0
_RETRY_S: Final = 2.0
_LOOK_S: Final = 5.0
"""How often it is looked for other cases between rounds."""
_SPREAD: Final = 0.1
_ROUND_SHARE: Final = 0.25
"""Of an interval over which a round is spread."""
_LONGEST_GAP_S: Final = 5.0
_MOST_TIMEOUTS: Final = 3
"""In a row; then the round ends, and the next one goes on with other cases."""
_UNREADY_S: Final = 600.0
"""How long a case may not be ready before that is a failure as others are."""
_MOST_WAITING: Final = 8192
"""News that nobody has taken: four rounds of as many cases as there may be."""
Ask = Callable[[Golden, Case], Checked]
Look = Callable[[], tuple[Golden | None, Sequence[Loaded | Unusable]]]


class Pace(NamedTuple):
    """How often."""

    interval_s: float

    def gap_s(self, cases: int) -> float:
        """Seconds between two cases of so many."""
        return min(self.interval_s * _ROUND_SHARE / max(cases, 1), _LONGEST_GAP_S)

    @property
    def first_s(self) -> float:
        """Seconds until the first round: a thousand exporters that start together do not ask at one moment."""
        return random.uniform(0.0, self.shortest_s)  # noqa: S311 (to be spread, not secret)

    @property
    def shortest_s(self) -> float:
        """Seconds that are left between two rounds, however long they take."""
        return min(self.interval_s, _FIRST_S)

    def pause_s(self, took_s: float) -> float:
        """Seconds from the end of a round that took so long until the next one."""
        spread = random.uniform(1 - _SPREAD, 1)  # noqa: S311 (as above)
        return max(self.interval_s * spread - took_s, self.shortest_s)

    @property
    def retry_s(self) -> float:
        """Seconds until a server that was not reached is tried again."""
        return min(self.interval_s, _RETRY_S)


class Pacer:
    """One server; `run` is its thread's, `take` anybody else's."""

    def __init__(self, pace: Pace, look: Look, ask: Ask) -> None:
        """`look` gives the cases as they are now, and news of them if there are any."""
        self._pace, self._look, self._ask = pace, look, ask
        self._news: deque[News] = deque(maxlen=_MOST_WAITING)
        self._failing = set[str]()
        """Cases that failed the last time."""
        self._answered = set[str]()
        """Those that were answered since the server was reached."""
        self._unready = dict[str, float]()
        """When others were found to be not ready yet, monotonic."""
        self._first = 0
        """Place of the case that is next, where a round was not asked to its end."""
        self._has_reached = False
        self._missed_s = -float("inf")
        """When it was told last that there was no server, monotonic."""

    def run(self, stop: threading.Event) -> None:
        """Ask until `stop`."""
        pause_s = self._pace.first_s
        while not self._rested(stop, pause_s):
            begun = time.monotonic()
            is_reached = self.ask_all(stop)
            pause_s = self._pace.pause_s(time.monotonic() - begun) if is_reached else self._pace.retry_s

    def _rested(self, stop: threading.Event, pause_s: float) -> bool:
        """Wait so long, or until there are other cases; whether it is all over."""
        until_s = time.monotonic() + pause_s
        while (left_s := until_s - time.monotonic()) > 0 and not stop.wait(min(left_s, _LOOK_S)):
            _, news = self._look()
            self._news.extend(news)
            if any(isinstance(one, Loaded) for one in news):
                break
        return stop.is_set()

    def take(self) -> list[News]:
        """What there is to tell since the last time."""
        return [self._news.popleft() for _ in range(len(self._news))]

    def ask_all(self, stop: threading.Event) -> bool:
        """One round; whether there was a server that answers."""
        golden, news = self._look()
        self._news.extend(news)
        if golden is None or not golden.cases:
            return True
        doubtful = list[Case]()
        try:
            is_answered = self._ask_each(golden, doubtful, stop)
            self._ask_again(golden, doubtful)
        except ConnectionError:
            self._missed()
            return False
        if stop.is_set():
            return True
        self._has_reached |= is_answered
        self._news.append(Over(time.time(), is_answered))
        return is_answered

    def _ask_each(self, golden: Golden, doubtful: list[Case], stop: threading.Event) -> bool:
        """Every case in turn; those that fail and did not before are added to `doubtful`. Whether any was answered."""
        gap_s, timeouts, is_answered = self._pace.gap_s(len(golden.cases)), 0, False
        for place, case in self._in_turn(golden.cases):
            found = self._asked(golden, case)
            if self._counts(found):
                is_answered = True
                timeouts = timeouts + 1 if found.failure == _TIMEOUT else 0
                if found.failure and case.name not in self._failing:
                    doubtful.append(case)
                self._tell(found)
            if timeouts == _MOST_TIMEOUTS:
                self._first = place + 1
                break
            if stop.wait(gap_s):
                break
        return is_answered

    def _ask_again(self, golden: Golden, doubtful: Sequence[Case]) -> None:
        for case in doubtful:
            found = self._asked(golden, case)
            self._tell(found)
            if found.failure == _TIMEOUT:  # the others would take as long
                break

    def _asked(self, golden: Golden, case: Case) -> Checked:
        """ConnectionError where there is no server."""
        found = self._ask(golden, case)
        if found.is_gone:
            raise ConnectionError
        return found

    def _in_turn(self, cases: Sequence[Case]) -> Iterator[tuple[int, Case]]:
        first, self._first = self._first % len(cases), 0
        order = list(enumerate(cases))
        return iter(order[first:] + order[:first])

    def _counts(self, found: Checked) -> bool:
        """Whether an answer is one: not that of a server that is still getting ready."""
        if found.is_unready and found.name not in self._answered:
            now = time.monotonic()
            if now - self._unready.setdefault(found.name, now) < _UNREADY_S:
                return False
        self._answered.add(found.name)
        return True

    def _tell(self, found: Checked) -> None:
        self._news.append(found)
        if found.failure:
            self._failing.add(found.name)
        else:
            self._failing.discard(found.name)

    def _missed(self) -> None:
        """There is no server: told once in an interval, and not before there was one for the first time."""
        now = time.monotonic()
        if self._has_reached and now - self._missed_s >= self._pace.interval_s:
            self._missed_s = now
            self._news.append(Over(time.time(), is_complete=False))
        self._answered.clear()
        self._unready.clear()
