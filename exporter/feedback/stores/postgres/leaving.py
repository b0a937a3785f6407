"""What leaves PostgreSQL: what is too old or too much, the oldest first, some at a time."""

import json
from collections import defaultdict
from typing import Final

from exporter.feedback.doubts import ANSWERS_KEPT_S
from exporter.feedback.slots import EARLY, PREDICTIONS, excess, sums, time_of
from exporter.feedback.stores import Expired, Sizes
from exporter.feedback.stores.postgres import statements
from exporter.feedback.stores.postgres.slots import Call, Slots

_AT_ONCE: Final = 1000
_NEVER: Final = (1 << 63) - 1
_DAY_MS: Final = 86_400_000


class Leaving:
    """Of one store. It may be interrupted, and goes on where it was."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._gone = [0, 0]
        """Open predictions and early truths, since it was asked last."""

    def expire(self, now_ms: int) -> Expired:
        """Forget, and say how many. Unavailable."""
        limits = self._slots.limits
        self._tidy()
        for kind, span_ms in ((PREDICTIONS, limits.retention_ms), (EARLY, limits.early_ms)):
            while self._forget(kind, now_ms - span_ms, _NEVER):
                pass
            while (much := excess(kind, self.sizes(), limits)) > 0 and self._forget(kind, _NEVER, much):
                pass
        gone, self._gone = Expired(*self._gone), [0, 0]
        return gone

    def sizes(self) -> Sizes:
        """What there is. Unavailable."""
        with self._slots.server.transaction() as cursor:
            still_open, joined, early = cursor.execute(statements.COUNTS).fetchone()
            size = cursor.execute(statements.BYTES).fetchone()[0]
        return Sizes(still_open or 0, joined or 0, early or 0, size)

    def _tidy(self) -> None:
        """Forget answers that nobody has asked for, and replicas that nobody has seen."""
        mine = self._slots.replica
        with self._slots.server.transaction() as cursor:
            cursor.execute(statements.SEEN, (mine,))
            cursor.execute(statements.FOLD, (self._slots.limits.retention_ms + _DAY_MS, mine, mine))
            cursor.execute(statements.UNHEARD, (ANSWERS_KEPT_S,))

    def _forget(self, kind: str, least_ms: int, most: int) -> bool:
        """Forget some of the oldest, so many at the most, none from a time on; whether there may be more."""
        answer = self._slots.call(("leave",), lambda call: self._leave(call, kind, least_ms, most))
        still_open, early, seen = json.loads(answer)
        self._gone[0] += still_open
        self._gone[1] += early
        return bool(seen)

    def _leave(self, call: Call, kind: str, least_ms: int, most: int) -> str:
        statement = statements.OLD if kind == PREDICTIONS else statements.OLD_EARLY
        before = self._slots.read(call.cursor, statement, least_ms, min(most, _AT_ONCE))
        doomed = sorted(
            (time_of(one), key, place)
            for key, slot in before.items()
            for place, one in enumerate(slot.of(kind))
            if time_of(one) < least_ms
        )
        places: defaultdict[int, set[int]] = defaultdict(set)
        for _, key, place in doomed[:most]:
            places[key].add(place)
        after = {key: before[key].without(kind, gone) for key, gone in places.items()}
        call.replace(before, after)
        gone, left = sums(before[key] for key in after), sums(after.values())
        return json.dumps([gone.open - left.open, gone.early - left.early, len(before)])
