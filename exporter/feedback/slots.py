"""What a server keeps under one key: the predictions of an id, and truths that wait for one.

A store reads the slots of all keys in question, lets `matching` decide, and writes those that changed, if nobody else
has changed them since; `packing` has them as bytes. No I/O, no clock.
"""

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from exporter.feedback.matching import Kept, Match, Matching
from exporter.feedback.stores import Erased, Limits, Opened, Sizes
from exporter.truths import Joined, Owner, Prediction, Told, Truth

PREDICTIONS: Final = "p"
EARLY: Final = "e"


class Held(NamedTuple):
    """A prediction that a server has."""

    owner: Owner
    at_ms: int
    said: bytes
    replica: int = 0
    """Mark of who joined it; zero or empty, as the rest, while it is open."""
    number: int = 0
    told_ms: int = 0
    true: bytes = b""
    extra: bytes = b""

    def joined(self) -> Joined:
        """As it is handed over."""
        return Joined(self.number, self.owner, self.at_ms, self.told_ms, self.said, self.true, self.extra)


class Slot(NamedTuple):
    """All that there is under a key."""

    held: tuple[Held, ...] = ()
    early: tuple[Truth, ...] = ()

    @property
    def sizes(self) -> Erased:
        """How many there are of each."""
        joined = sum(one.number > 0 for one in self.held)
        return Erased(len(self.held) - joined, joined, len(self.early))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is there."""
        return not (self.held or self.early)

    def of(self, kind: str) -> "tuple[Item, ...]":
        """Predictions (p) or early truths (e)."""
        return self.held if kind == PREDICTIONS else self.early

    def without(self, kind: str, places: Container[int]) -> "Slot":
        """What is left where some of a kind go."""
        if kind == PREDICTIONS:
            return self._replace(held=tuple(one for place, one in enumerate(self.held) if place not in places))
        return self._replace(early=tuple(one for place, one in enumerate(self.early) if place not in places))


class Changes(NamedTuple):
    """What a call makes of slots."""

    slots: dict[int, Slot]
    """Those that are no longer as they were."""
    added: list[Prediction]
    matched: list[Held]
    """With truth from now on, in the order of their numbers; their keys are in the next."""
    matched_keys: list[int]
    early: list[Truth]
    """They wait from now on; the next no longer do."""
    ended: list[Truth]
    number: int
    """The last one that was used."""


class Rules:
    """One call: slots as they were read, and `matching` over what came."""

    def __init__(self, limits: Limits, replica: int, number: int, slots: Mapping[int, Slot]) -> None:
        """`slots` of all keys that are asked about; `number` is the last one used."""
        self._replica = replica
        self._before = slots
        kept = ((key, _kept(one)) for key, slot in slots.items() for one in slot.held)
        self._matching = Matching(limits, number, kept, (one for slot in slots.values() for one in slot.early))

    def open(self, predictions: Sequence[Prediction]) -> Opened:
        """What becomes of predictions."""
        for one in predictions:
            self._matching.open(one)
        made = self._matching
        return Opened(len(made.added), len(predictions) - len(made.added), len(made.matches), len(made.ended))

    def tell(self, truths: Sequence[Truth]) -> list[Told]:
        """What becomes of truths."""
        return [self._matching.tell(one) for one in truths]

    def changes(self) -> Changes:
        """What is to be written."""
        made = self._matching
        slots: dict[int, Slot] = {}
        for one in made.added:
            slot = self._now(slots, one.key)
            slots[one.key] = slot._replace(held=(*slot.held, Held(one.owner, one.at_ms, one.content)))
        matched = [self._match(match, slots) for match in made.matches]
        for ended in made.ended:
            slot = self._now(slots, ended.key)
            slots[ended.key] = slot._replace(early=tuple(one for one in slot.early if one != ended))
        for truth in made.early:
            slot = self._now(slots, truth.key)
            slots[truth.key] = slot._replace(early=(*slot.early, truth))
        keys = [match.key for match in made.matches]
        return Changes(slots, made.added, matched, keys, made.early, made.ended, made.number)

    def _now(self, slots: Mapping[int, Slot], key: int) -> Slot:
        return slots.get(key) or self._before[key]

    def _match(self, match: Match, slots: dict[int, Slot]) -> Held:
        slot = self._now(slots, match.key)
        found = next(one for one in slot.held if one.owner == match.owner)
        joined = found._replace(
            replica=self._replica, number=match.number, told_ms=match.told_ms, true=match.true, extra=match.extra
        )
        slots[match.key] = slot._replace(held=tuple(joined if one is found else one for one in slot.held))
        return joined


Item = Held | Truth


def time_of(item: Item) -> int:
    """When a prediction was answered, or a truth came."""
    return item.at_ms if isinstance(item, Held) else item.told_ms


def sums(slots: Iterable[Slot]) -> Erased:
    """How much there is in slots."""
    each = [slot.sizes for slot in slots]
    return Erased(sum(one.open for one in each), sum(one.joined for one in each), sum(one.early for one in each))


def excess(kind: str, sizes: Sizes, limits: Limits) -> int:
    """How many more there are of a kind than there may be."""
    if kind == PREDICTIONS:
        return sizes.open + sizes.joined - limits.predictions
    return sizes.early - limits.most_early


def _kept(one: Held) -> Kept:
    return Kept(one.owner, one.number, one.told_ms, one.true, one.extra)


def replica_of(name: str) -> int:
    """What a replica is called, 64 bits, signed."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)
