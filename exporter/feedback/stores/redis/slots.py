"""Slots in Redis: read, and written where nobody else has changed them meanwhile."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from exporter.feedback.doubts import Doubts
from exporter.feedback.packing import Owners, pack, spelled, unpack
from exporter.feedback.slots import Held, Slot
from exporter.feedback.stores import Limits, Unavailable
from exporter.feedback.stores.redis.change import SCRIPT, Change, Names
from exporter.feedback.stores.redis.server import Server

_TRIES: Final = 100


class Read(NamedTuple):
    """Slots of some keys, as they were."""

    slots: dict[int, Slot]
    records: dict[int, bytes | None]


class Slots:
    """What is in one server."""

    def __init__(self, server: Server, limits: Limits) -> None:
        """Nothing is asked yet."""
        self.server = server
        self.limits = limits
        self.names = Names(server.prefix, limits)
        self._owners = Owners()
        self._doubts = Doubts()

    def call(self, name: tuple[object, ...], prepare: Callable[[Change], None]) -> bytes:
        """The answer of a call that `prepare` decides on, as often as others come between. Unavailable."""
        return self._doubts.ask(name, lambda token, is_again: self._done(token, is_again, prepare))

    def _done(self, token: str, is_again: bool, prepare: Callable[[Change], None]) -> bytes:
        for _ in range(_TRIES):
            change = Change(self.names, self.limits)
            prepare(change)
            if change.is_empty and not is_again:  # it may be asked again and again
                return change.answer.encode()
            words = change.words(self._doubts.heard)
            answer = self.server.commit(SCRIPT, self.names.answer(token), words)
            if answer is not None:
                return answer
        raise Unavailable("redis: others change the same predictions all the time")

    def read(self, keys: Iterable[int]) -> Read:
        """Slots of keys, each once. Unavailable."""
        listed = list(dict.fromkeys(keys))
        found = self.server.get([self.names.slot(key) for key in listed])
        records = dict(zip(listed, found, strict=True))
        slots = {key: unpack(key, record, self._owners) for key, record in records.items()}
        if self._owners.strangers:
            self._meet()
            slots = {key: unpack(key, record, self._owners) for key, record in records.items()}
            self._owners.strangers.clear()  # whom nobody knows
        return Read(slots, records)

    def _meet(self) -> None:
        table = self.server.run("HGETALL", self.names.owners)
        for mark, text in table.items():
            self._owners.learn(mark, text)

    def write(self, change: Change, read: Read, slots: Mapping[int, Slot]) -> None:
        """Have a change write slots, if they are as they were read."""
        for key, slot in slots.items():
            before = read.records[key]
            change.check(before or b"", "GET", self.names.slot(key))
            change.put(key, pack(slot, self._owners), before, is_early=not slot.held)
        for owner in {one.owner for slot in slots.values() for one in slot.held}:
            change.do("HSET", self.names.owners, self._owners.mark(owner), spelled(owner))

    def unnumber(self, change: Change, held: Iterable[Held]) -> None:
        """Have a change forget where predictions with truth are among the joined ones."""
        for one in held:
            if one.number:
                change.do("XDEL", self.names.of(f"j:{one.replica}"), f"{one.number}-0")

    def uncount(self, change: Change, slot: Slot) -> None:
        """Have a change no longer count what is in a slot."""
        for one in slot.held:
            change.count(self.names.pane("p", one.at_ms), "j" if one.number else "o", -1)
        for truth in slot.early:
            change.count(self.names.pane("e", truth.told_ms), "e", -1)
