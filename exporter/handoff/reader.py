"""The consuming end of a ring. What holds there, and why, is said in `ring`."""

import time
import zlib
from array import array
from typing import Final, NamedTuple

from exporter.handoff import memory
from exporter.handoff.ring import ALIGN, BATCH, BEGINNING, CRC, LENGTHS, PADDING, RECORD, REST, Ring
from exporter.handoff.tally import Slot

_KINDS: Final = frozenset((BEGINNING, BATCH, REST, PADDING))
_RECORDS: Final = frozenset((BEGINNING, BATCH))
_READINGS: Final = 4
_PAUSE_S: Final = 0.0005
"""Between two readings of what looks torn: a thousand times what a store needs to be seen."""


class _Piece(NamedTuple):
    """What the reader finds at one place."""

    kind: int
    """0 where it is damaged."""
    following: int
    sequence: int
    content: bytes
    end: int


class Reader:
    """The consuming end. A reader that is started again goes on at the tail."""

    __slots__ = ("_barrier", "_next", "_ring", "_settled", "corrupt")

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._barrier = memory.Barrier()
        self._settled = 0
        """Up to here everything was published before an earlier look: nothing there is torn because it is new."""
        self._next = self.taken()
        self.corrupt = 0
        """Records skipped as torn or damaged since this reader started: gaps in the sequence taken."""

    @property
    def queued_bytes(self) -> int:
        """Bytes written and not yet taken."""
        slots = self._ring.slots
        return slots[Slot.HEAD] - slots[Slot.TAIL]

    def taken(self) -> int:
        """Records taken out since the ring was made: the sequence number of the next one."""
        slots = self._ring.slots
        tail, head = slots[Slot.TAIL], slots[Slot.HEAD]
        self._barrier()
        # A predecessor killed between its two stores left `TAKEN` ahead of the tail: the record there knows better.
        while tail < head:
            piece = self._piece(tail, head)
            if piece.kind in _RECORDS:
                return piece.sequence
            if not piece.kind:
                break
            tail = piece.end
        return slots[Slot.TAKEN]

    def take(self, most_records: int, most_bytes: int) -> list[bytes]:
        """Take records, oldest first, up to either bound (at least one). They are gone from the ring then.

        A batch is taken whole, even where it is more than the bound. A record whose rest was lost is its beginning
        alone.
        """
        slots = self._ring.slots
        tail, head = slots[Slot.TAIL], slots[Slot.HEAD]
        self._barrier()
        records: list[bytes] = []
        size = 0
        while tail < head and len(records) < most_records and size < most_bytes:
            piece = self._piece(tail, head)
            tail = piece.end
            if piece.kind not in _RECORDS:  # padding, damage, or the rest of what was damaged
                continue
            found = [piece.content]
            if piece.kind == BATCH:
                found = _records(piece)
            elif piece.following:
                rest, tail = self._rest(piece, head)
                found[0] += rest
            self.corrupt += max(piece.sequence - self._next, 0)
            self._next = piece.sequence + len(found)
            records += found
            size += sum(map(len, found))
        self._settled = head
        slots[Slot.TAKEN] = self._next
        slots[Slot.TAIL] = tail
        return records

    def _rest(self, beginning: _Piece, head: int) -> tuple[bytes, int]:
        """The rest of a record, empty where any of it is lost, and the place behind what was read."""
        found: list[bytes] = []
        following, tail = beginning.following, beginning.end
        while following:
            if tail >= head:
                return b"", tail
            piece = self._piece(tail, head)
            if piece.kind != PADDING:
                expected = (REST, following - len(piece.content), beginning.sequence)
                if (piece.kind, piece.following, piece.sequence) != expected:
                    return b"", tail
                found.append(piece.content)
                following = piece.following
            tail = piece.end
        return b"".join(found), tail

    def _piece(self, tail: int, head: int) -> _Piece:
        piece = self._read(tail, head)
        if piece.kind or tail < self._settled:
            return piece
        for _ in range(_READINGS - 1):
            time.sleep(_PAUSE_S)
            piece = self._read(tail, head)
            if piece.kind:
                return piece
        self._settled = head  # waited for once, all of it
        return piece

    def _read(self, tail: int, head: int) -> _Piece:
        data, capacity = self._ring.data, self._ring.capacity
        position = tail % capacity
        start = position + RECORD.size
        if start > capacity:
            return _Piece(PADDING, 0, 0, b"", min(tail + capacity - position, head))
        own = bytes(data[position:start])
        crc, kind, length, following, sequence = RECORD.unpack(own)
        end = tail + RECORD.size + length + -length % ALIGN
        if kind not in _KINDS or start + length > capacity or end > head:
            # Where the length cannot be trusted, neither can anything behind it: go on at the head.
            return _Piece(0, 0, 0, b"", head)
        content = bytes(data[start : start + length])
        if zlib.crc32(content, zlib.crc32(own[CRC.size :])) != crc:
            return _Piece(0, 0, 0, b"", end)
        end = tail + capacity - position if kind == PADDING else end
        return _Piece(kind, following, sequence, content, end)


def _records(batch: _Piece) -> list[bytes]:
    lengths = array(LENGTHS)
    at = batch.following * lengths.itemsize
    lengths.frombytes(batch.content[:at])
    records = []
    for length in lengths:
        records.append(batch.content[at : at + length])
        at += length
    return records
