"""What leaves Redis: what is too old, in whole panes; what is too much, the oldest first as far as its pane tells."""

import json
import os
from collections import defaultdict
from typing import Final

from exporter.feedback.slots import EARLY, PREDICTIONS, Held, excess, sums, time_of
from exporter.feedback.stores import Expired, Sizes
from exporter.feedback.stores.redis.change import Change, is_in, key_of
from exporter.feedback.stores.redis.slots import Slots

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
        for kind, span_ms in ((PREDICTIONS, limits.retention_ms), (EARLY, limits.early_ms)):
            self._old(kind, now_ms - span_ms)
            while (much := excess(kind, self.sizes(), limits)) > 0 and self._crowd(kind, much):
                pass
        gone, self._gone = Expired(*self._gone), [0, 0]
        return gone

    def sizes(self) -> Sizes:
        """What there is. Unavailable."""
        found = {"o": 0, "j": 0, "e": 0}
        for field, count in self._slots.server.run("HGETALL", self._slots.names.counts).items():
            found[field[-1:].decode()] += int(count)
        return Sizes(found["o"], found["j"], found["e"], 0)

    def _old(self, kind: str, least_ms: int) -> None:
        names, server = self._slots.names, self._slots.server
        while found := server.run("ZRANGEBYSCORE", names.of(f"t:{kind}"), "-inf", least_ms, "LIMIT", 0, 1):
            self._forget(kind, found[0].decode(), None)

    def _crowd(self, kind: str, much: int) -> bool:
        """Forget some of the oldest; whether there is anything."""
        found = self._slots.server.run("ZRANGE", self._slots.names.of(f"t:{kind}"), 0, 0)
        if found:
            self._forget(kind, found[0].decode(), much)
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
        for state in "oj" if kind == PREDICTIONS else "e":
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
        there = sorted(
            (time_of(one), key, place)
            for key, slot in read.slots.items()
            for place, one in enumerate(slot.of(kind))
            if is_in(pane, time_of(one))
        )
        places: defaultdict[int, set[int]] = defaultdict(set)
        for _, key, place in there[:most]:
            places[key].add(place)
        after = {key: read.slots[key].without(kind, gone) for key, gone in places.items()}
        self._slots.write(change, read, after)
        doomed = [read.slots[key].of(kind)[place] for key, gone in places.items() for place in gone]
        self._slots.unnumber(change, (one for one in doomed if isinstance(one, Held)))
        change.do("LTRIM", self._slots.names.of(f"l:{kind}:{pane}"), len(refs), -1)
        for key in {key for _, key, _ in there[len(doomed) :]}:
            change.refer(kind, pane, key)
        before = sums(read.slots[key] for key in after)
        left = sums(after.values())
        for state, gone in zip("oje", (one - other for one, other in zip(left, before, strict=True)), strict=True):
            change.count(pane, state, gone)
        change.answer = json.dumps([before.open - left.open, before.early - left.early])
