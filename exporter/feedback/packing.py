"""Slots as bytes, for servers. A record is a run of items, little-endian; `run` is a length in four bytes, and bytes.

    o  mark of its owner (6 bytes), at_ms (8), said (run)                                  a prediction
    j  the same; replica, number, told_ms (8 each), true, extra (runs)                     one with truth
    e  told_ms (8), model, true, extra (runs)                                              a truth that waits

Owners are told by marks, of which each server has a table. No I/O, no clock.
"""

import hashlib
import json
import struct
from collections.abc import Iterator
from typing import Final

from exporter.feedback.slots import Held, Slot
from exporter.truths import Owner, Truth

_HEAD: Final = struct.Struct("<6sqI")
_JOINT: Final = struct.Struct("<qqqI")
_EARLY: Final = struct.Struct("<qI")
_LENGTH: Final = struct.Struct("<I")
_O, _J, _E = b"o", b"j", b"e"


class Owners:
    """Owners by their marks, as far as they are known here."""

    def __init__(self) -> None:
        self._marks: dict[Owner, bytes] = {}
        self._owners: dict[bytes, Owner] = {}
        self.strangers: set[bytes] = set()
        """Marks that were asked for and are not known."""

    def mark(self, owner: Owner) -> bytes:
        """Of an owner."""
        known = self._marks.get(owner)
        return known if known is not None else self._learn(owner)

    def learn(self, mark: bytes, text: str | bytes) -> None:
        """Know the owner of a mark by its spelling from now on."""
        owner = Owner(*json.loads(text))
        self._marks[owner], self._owners[mark] = mark, owner
        self.strangers.discard(mark)

    def of(self, mark: bytes) -> Owner:
        """Of a mark; one that is not known is nobody's, and stays apart."""
        if mark not in self._owners:
            self.strangers.add(mark)
        return self._owners.get(mark) or Owner("", "", mark.hex())

    def _learn(self, owner: Owner) -> bytes:
        text = spelled(owner)
        mark = hashlib.blake2b(text.encode(), digest_size=6).digest()
        self.learn(mark, text)
        return mark


def spelled(owner: Owner) -> str:
    """An owner in ASCII, whatever its names hold."""
    return json.dumps(owner)


def pack(slot: Slot, owners: Owners) -> bytes:
    """A slot's record; empty where nothing is left."""
    return b"".join((*(_held(one, owners) for one in slot.held), *map(_early, slot.early)))


def _held(one: Held, owners: Owners) -> bytes:
    head = _HEAD.pack(owners.mark(one.owner), one.at_ms, len(one.said)) + one.said
    if not one.number:
        return _O + head
    joint = _JOINT.pack(one.replica, one.number, one.told_ms, len(one.true))
    return b"".join((_J, head, joint, one.true, _LENGTH.pack(len(one.extra)), one.extra))


def _early(truth: Truth) -> bytes:
    model = truth.model.encode("utf-8", "surrogatepass")
    lengths = _LENGTH.pack(len(truth.content)), _LENGTH.pack(len(truth.extra))
    head = _EARLY.pack(truth.told_ms, len(model))
    return b"".join((_E, head, model, lengths[0], truth.content, lengths[1], truth.extra))


def unpack(key: int, record: bytes | None, owners: Owners) -> Slot:
    """The slot of a record; of none an empty one."""
    if record is None:
        return Slot()
    held, early = [], []
    for item in _items(key, record, owners):
        if isinstance(item, Held):
            held.append(item)
        else:
            early.append(item)
    return Slot(tuple(held), tuple(early))


def _items(key: int, record: bytes, owners: Owners) -> Iterator[Held | Truth]:
    at = 0
    while at < len(record):
        kind = record[at : at + 1]
        if kind == _E:
            told_ms, length = _EARLY.unpack_from(record, at + 1)
            at += 1 + _EARLY.size + length
            model = record[at - length : at].decode("utf-8", "surrogatepass")
            true, at = _run(record, at)
            extra, at = _run(record, at)
            yield Truth(key, model, told_ms, 0, true, extra)
            continue
        mark, at_ms, length = _HEAD.unpack_from(record, at + 1)
        at += 1 + _HEAD.size + length
        one = Held(owners.of(mark), at_ms, record[at - length : at])
        if kind == _J:
            replica, number, told_ms, length = _JOINT.unpack_from(record, at)
            at += _JOINT.size + length
            true = record[at - length : at]
            extra, at = _run(record, at)
            one = one._replace(replica=replica, number=number, told_ms=told_ms, true=true, extra=extra)
        yield one


def _run(record: bytes, at: int) -> tuple[bytes, int]:
    """Bytes behind their length, and where they end."""
    (length,) = _LENGTH.unpack_from(record, at)
    end = at + _LENGTH.size + length
    return record[end - length : end], end
