"""What leaves PostgreSQL: what is too old or too much, the oldest first, some at a time."""

import json
from typing import Final

from exporter.feedback import postgres_statements as statements
from exporter.feedback.doubts import ANSWERS_KEPT_S
from exporter.feedback.postgres_slots import Call, Slots
from exporter.feedback.slots import Held, Slot
from exporter.feedback.stores import Expired, Sizes
from exporter.truths import Truth

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
        for kind, span_ms in (("p", limits.retention_ms), ("e", limits.early_ms)):
            while self._forget(kind, now_ms - span_ms, _NEVER):
                pass
            while (excess := self._excess(kind)) > 0 and self._forget(kind, _NEVER, excess):
                pass
        gone, self._gone = Expired(*self._gone), [0, 0]
        return gone

    def sizes(self) -> Sizes:
        """What there is. Unavailable."""
        with self._slots.server.transaction() as cursor:
            counts = cursor.execute(statements.COUNTS).fetchone()
            size = cursor.execute(statements.BYTES).fetchone()[0]
        return Sizes(*(count or 0 for count in counts), bytes=size)

    def _excess(self, kind: str) -> int:
        sizes, limits = self.sizes(), self._slots.limits
        return sizes.open + sizes.joined - limits.predictions if kind == "p" else sizes.early - limits.most_early

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
        statement = statements.OLD if kind == "p" else statements.OLD_EARLY
        before = self._slots.read(call.cursor, statement, least_ms, min(most, _AT_ONCE))
        doomed = [
            (_time(one), key, place)
            for key, slot in before.items()
            for place, one in enumerate(_of(slot, kind))
            if _time(one) < least_ms
        ]
        chosen = {(key, place) for _, key, place in sorted(doomed)[:most]}
        after = {key: _without(slot, kind, chosen, key) for key, slot in before.items()}
        call.replace(before, after)
        ones = [_of(before[key], kind)[place] for key, place in chosen]
        still_open = sum(isinstance(one, Held) and not one.number for one in ones)
        return json.dumps([still_open, len(ones) if kind == "e" else 0, len(before)])


def _of(slot: Slot, kind: str) -> tuple[Held | Truth, ...]:
    return slot.held if kind == "p" else slot.early


def _time(one: Held | Truth) -> int:
    return one.at_ms if isinstance(one, Held) else one.told_ms


def _without(slot: Slot, kind: str, chosen: set[tuple[int, int]], key: int) -> Slot:
    left = (one for place, one in enumerate(_of(slot, kind)) if (key, place) not in chosen)
    return slot._replace(held=tuple(left)) if kind == "p" else slot._replace(early=tuple(left))  # type: ignore[arg-type]
