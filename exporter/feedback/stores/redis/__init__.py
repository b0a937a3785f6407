"""Redis and Valkey, shared by replicas: a slot for each id, written only if it is still what was decided by.

Nothing is locked: who comes second reads again. Each call is one script, which runs at once or not at all.
"""

import json
from collections.abc import Sequence

from exporter.feedback import answers
from exporter.feedback.slots import Changes, Rules, Slot, replica_of, sums
from exporter.feedback.stores import Access, Erased, Expired, Limits, Opened, Sizes, first_number
from exporter.feedback.stores.redis.change import Change, key_of, word_of
from exporter.feedback.stores.redis.leaving import Leaving
from exporter.feedback.stores.redis.server import Server
from exporter.feedback.stores.redis.slots import Read, Slots
from exporter.truths import Joined, Prediction, Told, Truth


def connect(access: Access, limits: Limits) -> "Redis":
    """The store at redis://HOST:PORT/DB/PREFIX, or rediss:. ConfigError."""
    return Redis(Server(access), limits, access.replica)


def verify(access: Access) -> None:
    """ConfigError where there can be no such store."""
    Server(access).verify()


class Redis:
    """A `Store`."""

    def __init__(self, server: Server, limits: Limits, replica: str) -> None:
        """Of a server, which is not asked yet."""
        self._server = server
        self._slots = Slots(server, limits)
        self._leaving = Leaving(self._slots)
        self._replica = replica_of(replica)
        self._numbers = self._slots.names.of(f"n:{self._replica}")
        self._stream = self._slots.names.of(f"j:{self._replica}")
        self._known = 0
        """The last number that is known here: a server may have lost what it said."""

    @property
    def set_aside(self) -> int:
        """Servers do that themselves."""
        return 0

    # in

    def open(self, predictions: Sequence[Prediction]) -> Opened:
        """Add predictions. Unavailable."""

        def prepare(change: Change) -> None:
            read, last = self._look([one.key for one in predictions])
            rules = Rules(self._slots.limits, self._replica, last, read.slots)
            change.answer = json.dumps(rules.open(predictions))
            self._write(change, read, rules.changes())

        return Opened(*json.loads(self._slots.call(("open", predictions), prepare)))

    def tell(self, truths: Sequence[Truth]) -> list[Told]:
        """Join truths to their predictions. Unavailable."""

        def prepare(change: Change) -> None:
            read, last = self._look([one.key for one in truths])
            rules = Rules(self._slots.limits, self._replica, last, read.slots)
            change.answer = answers.of_told(rules.tell(truths))
            self._write(change, read, rules.changes())

        return answers.told(self._slots.call(("tell", truths), prepare))

    def _look(self, keys: Sequence[int]) -> tuple[Read, int]:
        """Slots, and the last number."""
        said = self._server.get([self._numbers])[0]
        self._known = max(self._known, int(said) if said else first_number())
        return self._slots.read(keys), self._known

    def _write(self, change: Change, read: Read, made: Changes) -> None:
        self._slots.write(change, read, made.slots)
        pane = self._slots.names.pane
        for one in made.added:
            change.count(pane("p", one.at_ms), "o", 1)
            change.refer("p", pane("p", one.at_ms), one.key)
        for truth in made.early:
            change.count(pane("e", truth.told_ms), "e", 1)
            change.refer("e", pane("e", truth.told_ms), truth.key)
        for truth in made.ended:
            change.count(pane("e", truth.told_ms), "e", -1)
        for held in made.matched:
            change.count(pane("p", held.at_ms), "o", -1)
            change.count(pane("p", held.at_ms), "j", 1)
        if made.matched:
            self._number(change, made)

    def _number(self, change: Change, made: Changes) -> None:
        """Numbers of what was joined. A stream takes no number that is not above all it has had."""
        for held, key in zip(made.matched, made.matched_keys, strict=True):
            change.do("XADD", self._stream, f"{held.number}-0", "k", word_of(key))
        change.keep(self._stream)
        change.do("SET", self._numbers, made.number, "PX", change.lasts_ms)

    # out

    def joined(self, after: int, most: int) -> list[Joined]:
        """What this replica joined, by number. Unavailable."""
        self._known = max(self._known, after)
        found: list[Joined] = []
        while len(found) < most:
            rows = self._server.run("XRANGE", self._stream, f"{after + 1}-0", "+", "COUNT", most - len(found))
            if not rows:
                break
            after = int(rows[-1][0].partition(b"-")[0])
            found += self._of({int(mark.partition(b"-")[0]): key_of(fields[b"k"]) for mark, fields in rows})
        return found

    def _of(self, keys: dict[int, int]) -> list[Joined]:
        """Of numbers and their keys; what has left meanwhile is not there."""
        slots = self._slots.read(keys.values()).slots
        by_number = {one.number: one for slot in slots.values() for one in slot.held if one.replica == self._replica}
        return [by_number[number].joined() for number in keys if number in by_number]

    def last_number(self) -> int:
        """The last number that was used. Unavailable."""
        return int(self._server.get([self._numbers])[0] or 0)

    def sizes(self) -> Sizes:
        """What there is. Unavailable."""
        return self._leaving.sizes()._replace(bytes=self._server.used_bytes())

    def close(self) -> None:
        """Let go of the server."""
        self._server.close()

    # forgotten

    def erase(self, keys: Sequence[int]) -> Erased:
        """Forget some keys. Unavailable."""

        def prepare(change: Change) -> None:
            read = self._slots.read(keys)
            there = {key: slot for key, slot in read.slots.items() if not slot.is_empty}
            self._slots.write(change, read, dict.fromkeys(there, Slot()))
            for slot in there.values():
                self._slots.unnumber(change, slot.held)
                self._slots.uncount(change, slot)
            change.answer = json.dumps(sums(there.values()))

        return Erased(*json.loads(self._slots.call(("erase", keys), prepare)))

    def expire(self, now_ms: int) -> Expired:
        """Forget what is too old or too much. Unavailable."""
        return self._leaving.expire(now_ms)
