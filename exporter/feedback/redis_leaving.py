"""What leaves Redis: what is too old, in whole panes; what is too much, the oldest first as far as its pane tells."""

import json
import os
from collections.abc import Iterable
from typing import Final

from exporter.feedback.redis_change import Change, end_of, is_in, key_of, word_of
from exporter.feedback.redis_slots import Slots
from exporter.feedback.slots import Held, Slot
from exporter.feedback.stores import Expired, Sizes
from exporter.truths import Truth

_AT_ONCE: Final = 1000
_LOOKED_AT: Final = 10_000
"""Keys of a pane that the oldest of are looked for among, where there are too many."""


class Leaving:
    """Of one store. It may be interrupted, and goes on where it was."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._gone = [0, 0]
        """Open predictions and early truths, since it was asked last."""

    def expire(self, now_ms: int) -> Expired:
        """Forget, and say how many. Unavailable."""
        limits = self._slots.limits
        for kind, span_ms in (("p", limits.retention_ms), ("e", limits.early_ms)):
            self._old(kind, now_ms - span_ms)
            while (excess := self._excess(kind)) > 0 and self._crowd(kind, excess):
                pass
        gone, self._gone = Expired(*self._gone), [0, 0]
        return gone

    def sizes(self) -> Sizes:
        """What there is. Unavailable."""
        found = {"o": 0, "j": 0, "e": 0}
        for field, count in self._slots.server.run("HGETALL", self._slots.names.counts).items():
            found[field[-1:].decode()] += int(count)
        return Sizes(found["o"], found["j"], found["e"], 0)

    def _excess(self, kind: str) -> int:
        sizes, limits = self.sizes(), self._slots.limits
        return sizes.open + sizes.joined - limits.predictions if kind == "p" else sizes.early - limits.most_early

    def _old(self, kind: str, least_ms: int) -> None:
        names, server = self._slots.names, self._slots.server
        while found := server.run("ZRANGEBYSCORE", names.of(f"t:{kind}"), "-inf", least_ms, "LIMIT", 0, 1):
            self._forget(kind, found[0].decode(), None)

    def _crowd(self, kind: str, excess: int) -> bool:
        """Forget some of the oldest; whether there is anything."""
        found = self._slots.server.run("ZRANGE", self._slots.names.of(f"t:{kind}"), 0, 0)
        if found:
            self._forget(kind, found[0].decode(), excess)
        return bool(found)

    def _forget(self, kind: str, pane: str, most: int | None) -> None:
        """Forget some of a pane, so many at the most, and the pane where nothing is in it."""
        answer = self._slots.call(("leave",), lambda change: self._leave(change, kind, pane, most))
        for place, count in enumerate(json.loads(answer)):
            self._gone[place] += count

    def _leave(self, change: Change, kind: str, pane: str, most: int | None) -> None:
        names, server = self._slots.names, self._slots.server
        change.check(server.get([names.leaving])[0] or b"", "GET", names.leaving)  # nobody else is at it
        listed = names.of(f"l:{kind}:{pane}")
        refs = server.run("LRANGE", listed, 0, (_AT_ONCE if most is None else _LOOKED_AT) - 1)
        if refs:
            self._some(change, kind, pane, (refs, most))
        else:
            self._close(change, kind, pane)
        change.do("SET", names.leaving, os.urandom(8), "PX", 1000)

    def _close(self, change: Change, kind: str, pane: str) -> None:
        """Take away a pane. What is counted there still has left by itself."""
        names = self._slots.names
        change.check("0", "LLEN", names.of(f"l:{kind}:{pane}"))
        left = {}
        for state in "oj" if kind == "p" else "e":
            field = f"{pane}:{state}"
            said = self._slots.server.run("HGET", names.counts, field) or b""
            change.check(said, "HGET", names.counts, field)
            change.do("HDEL", names.counts, field)
            left[state] = int(said or 0)
        change.do("ZREM", names.of(f"t:{kind}"), pane)
        change.answer = json.dumps([left.get("o", 0), left.get("e", 0)])

    def _some(self, change: Change, kind: str, pane: str, which: tuple[list[bytes], int | None]) -> None:
        refs, most = which
        read = self._slots.read(map(key_of, refs))
        doomed = {(key, place): one for key, slot in read.slots.items() for place, one in _of(slot, kind, pane)}
        if most is not None and most < len(doomed):
            oldest = sorted(doomed, key=lambda which: _time(doomed[which]))
            doomed = {which: doomed[which] for which in oldest[:most]}
        left = {key: _without(slot, kind, doomed, key) for key, slot in read.slots.items()}
        self._slots.write(change, read, {key: slot for key, slot in left.items() if slot != read.slots[key]})
        held = [one for one in doomed.values() if isinstance(one, Held)]
        self._slots.unnumber(change, held)
        names = self._slots.names
        change.do("LTRIM", names.of(f"l:{kind}:{pane}"), len(refs), -1)
        for key, slot in left.items():
            if any(True for _ in _of(slot, kind, pane)):
                change.refer(kind, pane, key)
        joined = sum(one.number > 0 for one in held)
        change.count(pane, "j", -joined)
        change.count(pane, "o" if kind == "p" else "e", joined - len(doomed))
        change.answer = json.dumps([len(held) - joined, len(doomed) - len(held)])


def _of(slot: Slot, kind: str, pane: str) -> "Iterable[tuple[int, Held | Truth]]":
    """What of a slot lies in a pane, and its place in the slot."""
    ones: tuple[Held | Truth, ...] = slot.held if kind == "p" else slot.early
    return ((place, one) for place, one in enumerate(ones) if is_in(pane, _time(one)))


def _time(one: Held | Truth) -> int:
    return one.at_ms if isinstance(one, Held) else one.told_ms


def _without(slot: Slot, kind: str, doomed: dict[tuple[int, int], Held | Truth], key: int) -> Slot:
    ones = slot.held if kind == "p" else slot.early
    left = tuple(one for place, one in enumerate(ones) if (key, place) not in doomed)
    return slot._replace(held=left) if kind == "p" else slot._replace(early=left)
