"""What is said to who posts, truth by truth. Any thread may ask; what waits for the store waits for so long at most."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import orjson

from exporter.errors import PostError
from exporter.feedback import reading
from exporter.feedback.keeping import Busy, Keeping
from exporter.feedback.reading import MALFORMED, Post
from exporter.feedback.record import Asked, Rules
from exporter.performance.task import RANKING, REGRESSION, Task
from exporter.truths import OUTCOMES, Told, Truth, key_of
from exporter.values import Fault

PATIENCE_S: Final = 5.0
"""How long the store may take before truths are said to wait for it."""
_FIRST_ROWS: Final = 8
"""Of each request that is to be erased whole; then twice as many each time, to find those behind a gap."""
_AT_ONCE: Final = 1000
"""Keys of one transaction."""
_TOGETHER: Final = _AT_ONCE // _FIRST_ROWS
"""Requests whose rows are looked for at once: who has many costs nobody else's."""
_WAITING: Final = "waiting"
_WELL: Final = frozenset(("matched", "early", "duplicate", _WAITING))
"""What needs no one's attention."""
_NEEDED: Final = {
    RANKING: "must be the rank of what was right, from 1, or a list of relevances: the model ranks",
    REGRESSION: "must be a number: the model predicts numbers",
}
_A_CLASS: Final = "must be one class: the model predicts classes"


class Answer(NamedTuple):
    """To a POST."""

    status: int
    content: bytes
    """JSON."""


class Desk:
    """One analyser's."""

    def __init__(self, rules: Rules, keeping: Keeping, task_of: Callable[[str], Task | None]) -> None:
        """`task_of` knows the task of a model by its name, empty for the only one; None where it is not known."""
        self._rules = rules
        self._keeping = keeping
        self._task_of = task_of
        self._reading = threading.Lock()
        """A body of JSON takes thirty times its size while it is read: one at a time."""

    @property
    def most_bytes(self) -> int:
        """Longest body that is taken."""
        return self._rules.most_bytes

    def post(self, headers: Mapping[str, str], body: bytes, *, errors_only: bool = False) -> Answer:
        """Take the truths of a POST; `headers` have names in lower case. PostError."""
        with self._reading:
            found = reading.truths(_post(headers, body), self._rules, self._check)
        truths = [one for one in found if isinstance(one, Truth)]
        told = self._told(truths)
        if len(truths) < len(found):
            self._keeping.count(MALFORMED, len(found) - len(truths))
        became = iter(told or ())
        waiting = told is None
        results = [
            one if isinstance(one, Told) else Told(_WAITING) if waiting else next(became) for one in found
        ]  # fmt: skip
        return _answer(results, 202 if waiting else 200, errors_only=errors_only)

    def erase(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Forget predictions and truths. PostError."""
        with self._reading:
            asked = reading.erased(_post(headers, body), self._rules)
        try:
            erased, is_done = self._erased(asked)
        except Busy:
            raise PostError("busy", "too much waits for the store (feedback.max_buffer)") from None
        return Answer(200 if is_done else 202, orjson.dumps({"erased": erased, "waiting": not is_done}))

    def _told(self, truths: list[Truth]) -> list[Told] | None:
        if not truths:
            return []
        try:
            return self._keeping.tell(truths, PATIENCE_S)
        except Busy:
            raise PostError("busy", "too many truths wait for their store (feedback.max_buffer)") from None

    def _check(self, truth: Truth) -> None:
        """Fault where it cannot be one of its model's."""
        task = self._task_of(truth.model)
        if task is not None and task.truth(truth.content) is None:
            raise Fault(".truth", _NEEDED.get(task.kind, _A_CLASS))

    def _erased(self, asked: Sequence[Asked]) -> tuple[int, bool]:
        """Erase rows that are named, and of requests as many as there are.

        How many there were; false where some of it waits for the store.
        """
        erased, is_done = self._erase(key_of(one.request_id, one.row or 0) for one in asked)
        whole = [one.request_id for one in asked if one.row is None]
        for first in range(0, len(whole), _TOGETHER):
            if is_done:
                found, is_done = self._erase_behind(whole[first : first + _TOGETHER])
                erased += found
        return erased, is_done

    def _erase_behind(self, whole: Sequence[str]) -> tuple[int, bool]:
        """Erase rows of requests but the first, while there are any: twice as many each time, of half of them."""
        erased, left = 0, [(whole, 1, _FIRST_ROWS)]
        while left:
            ids, start, rows = left.pop()
            found, is_done = self._erase(key_of(one, row) for one in ids for row in range(start, start + rows))
            erased += found
            if not is_done:
                return erased, False
            middle = (len(ids) + 1) // 2
            halves = (ids[:middle], ids[middle:]) if found else ()
            left += [(half, start + rows, 2 * rows) for half in halves if half]
        return erased, True

    def _erase(self, keys: Iterator[int]) -> tuple[int, bool]:
        """In parts; once the store is slow the rest waits, too."""
        erased, patience_s = 0, PATIENCE_S
        for part in iter(lambda: list(islice(keys, _AT_ONCE)), []):
            found = self._keeping.erase(part, patience_s)
            patience_s = 0.0 if found is None else patience_s
            erased += found or 0
        return erased, patience_s > 0.0


def _post(headers: Mapping[str, str], body: bytes) -> Post:
    return Post(headers, body, time.time_ns() // 1_000_000)


def _answer(results: Sequence[Told], status: int, *, errors_only: bool) -> Answer:
    counted = Counter(one.outcome for one in results)
    said: dict[str, Any] = {outcome: counted[outcome] for outcome in (*OUTCOMES, _WAITING)}
    said["results"] = [
        ({"index": place} if errors_only else {}) | _said(one)
        for place, one in enumerate(results)
        if not (errors_only and one.outcome in _WELL)
    ]
    return Answer(status, orjson.dumps(said))


def _said(told: Told) -> dict[str, str]:
    return {"outcome": told.outcome, "detail": told.detail} if told.detail else {"outcome": told.outcome}
