"""A single-producer single-consumer ring of records over shared memory, without locks or system calls.

Head and tail count bytes since the beginning and only grow; the writer owns the first, the reader the second. A
record is published by moving the head after its bytes are written. A long one travels as its beginning and a rest in
pieces of 64 KiB at most, published by the same single store: it needs no room of its length in one place, and a
damaged piece costs the rest, never the beginning.

Nothing here relies on the order in which a processor lets others see its stores. x86 keeps it; aarch64 may show the
new head before the record's bytes, or let the reader fetch those bytes before it fetched the head. A pair of
uncontended lock operations stands on each side as a barrier (a release, then an acquire), and what holds whatever a
lock is made of is the CRC: it covers all of a piece, so bytes of an earlier lap never pass for a record. Stores become
visible in a matter of nanoseconds, so what does not fit its CRC near the head is read again, a few times and a little
later, before it counts as torn. The reader judges copies of its own: nothing can change between check and use. Room is
given back and taken again by stores that depend on what was loaded before, and those no processor moves ahead.
"""

import mmap
import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from exporter.handoff import memory
from exporter.handoff.tally import HEAD_BYTES, SLOTS, Slot

Buffer = bytes | bytearray | memoryview
_MAGIC: Final = 0x32474E49525849  # "IXRING2", little endian
_RECORD: Final = struct.Struct("<IIIIQ")  # CRC of all that follows, kind, length, bytes of the rest to come, sequence
_CRC: Final = struct.Struct("<I")
_COVERED: Final = struct.Struct("<IIIQ")  # what of a record's head its CRC covers
_BEGINNING: Final = 0x52435849
_REST: Final = 0x53525849
_PADDING: Final = 0x50445849
_KINDS: Final = frozenset((_BEGINNING, _REST, _PADDING))
_ALIGN: Final = 8
_PADS: Final = tuple(b"\0" * count for count in range(_ALIGN))
_LONGEST_PIECE: Final = 64 << 10
_HEAD, _TAIL, _SEQUENCE, _PENDING = map(int, (Slot.HEAD, Slot.TAIL, Slot.SEQUENCE, Slot.PENDING))  # cheaper by half
_SHARE_OF_ONE: Final = 8
"""One record may take one part in so many of the ring."""
_RESERVED_FOR_HEADS: Final = 4
"""One part in so many of the ring is kept for records without bodies."""
_READINGS: Final = 4
_PAUSE_S: Final = 0.0005
"""Between two readings of what looks torn: a thousand times what a store needs to be seen."""


def create(capacity: int) -> int:
    """A new ring's memfd with room for `capacity` bytes of records."""
    capacity -= capacity % _ALIGN
    fd = memory.create("ring", HEAD_BYTES + capacity)
    with memory.attach(fd) as block:
        view = memory.slots(block, SLOTS)
        view[Slot.MAGIC], view[Slot.CAPACITY] = _MAGIC, capacity
        view.release()
    return fd


class Ring:
    """What writer and reader share: the mapping and its slots."""

    __slots__ = ("block", "capacity", "data", "slots")

    def __init__(self, fd: int) -> None:
        self.block: mmap.mmap = memory.attach(fd)
        self.slots = memory.slots(self.block, SLOTS)
        if self.slots[Slot.MAGIC] != _MAGIC:
            raise ValueError("not a ring")
        self.capacity = self.slots[Slot.CAPACITY]
        self.data = memoryview(self.block)[HEAD_BYTES : HEAD_BYTES + self.capacity]


class Writer:
    """The producing end."""

    __slots__ = ("_barrier", "_ring", "capacity", "for_bodies", "longest", "piece")

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._barrier = memory.Barrier()
        self.capacity = ring.capacity
        self.for_bodies = ring.capacity - ring.capacity // _RESERVED_FOR_HEADS
        """Bytes that may be queued before bodies are shed."""
        self.longest = ring.capacity // _SHARE_OF_ONE
        """Longest record, or rest of one, that is ever accepted, bytes."""
        self.piece = min(_LONGEST_PIECE, self.longest)
        """Longest record that travels in one piece."""
        self._finish()

    def offer(self, parts: Sequence[Buffer], *, reserve: bool) -> bool:
        """Append one record made of `parts`; False, at once, where there is no room.

        With `reserve` the last quarter of the ring is left alone: bodies are shed before heads.
        """
        ring = self._ring
        length = sum(map(len, parts))
        size = _RECORD.size + length + -length % _ALIGN
        head = ring.slots[_HEAD]
        position = head % ring.capacity
        to_end = ring.capacity - position
        padding = to_end if size > to_end else 0
        if length > self.longest or size + padding > self._free(head, reserve=reserve):
            return False
        if padding:
            self._pad(position, to_end)
            position = 0
        self._write(position, (_BEGINNING, length, 0), parts)
        self._publish(head + padding + size)
        return True

    def offer_long(self, parts: Sequence[Buffer], rest: Sequence[Buffer]) -> bool:
        """Append a record whose `rest` travels in pieces; False where there is no room beside what is reserved."""
        slots, length, following = self._ring.slots, sum(map(len, parts)), sum(map(len, rest))
        pieces = [piece for one in rest for piece in _cut(one, self.piece)]
        most = _RECORD.size + _ALIGN
        # A rest of an eighth of the ring wraps around once at most, and then wastes less than its longest piece.
        room = length + following + most * (len(pieces) + 1) + max(self.piece, length) + most
        head = slots[_HEAD]
        if length > self.longest or following > self.longest or room > self._free(head, reserve=True):
            return False
        head = self._append(head, (_BEGINNING, length, following), parts)
        for piece in pieces:
            following -= len(piece)
            head = self._append(head, (_REST, len(piece), following), (piece,))
        self._publish(head)
        return True

    def offer_all(self, records: Sequence[bytes], *, reserve: bool) -> bool:
        """Append several records, each of one piece at most, and publish them together.

        False, at once, where there is no room for all of them in one place: they are offered one by one then.
        """
        slots = self._ring.slots
        head, sequence = slots[_HEAD], slots[_SEQUENCE]
        parts: list[bytes] = []
        for record in records:
            length = len(record)
            covered = _COVERED.pack(_BEGINNING, length, 0, sequence)
            parts += (_CRC.pack(zlib.crc32(record, zlib.crc32(covered))), covered, record, _PADS[-length % _ALIGN])
            sequence += 1
        block = b"".join(parts)
        position, size = head % self.capacity, len(block)
        if size > self.capacity - position or size > self._free(head, reserve=reserve):
            return False
        self._ring.data[position : position + size] = block
        self._publish(head + size, len(records))
        return True

    def _free(self, head: int, *, reserve: bool) -> int:
        return (self.for_bodies if reserve else self.capacity) - (head - self._ring.slots[_TAIL])

    def _append(self, head: int, form: tuple[int, int, int], parts: Sequence[Buffer]) -> int:
        """Write one piece at `head`, which is known to have room, and give the place behind it."""
        size = _RECORD.size + form[1] + -form[1] % _ALIGN
        position = head % self._ring.capacity
        to_end = self._ring.capacity - position
        if size > to_end:
            self._pad(position, to_end)
            head += to_end
            position = 0
        self._write(position, form, parts)
        return head + size

    def _pad(self, position: int, to_end: int) -> None:
        # Too short for a record head: the reader knows by the room left.
        if to_end >= _RECORD.size:
            self._write(position, (_PADDING, 0, 0), ())

    def _write(self, position: int, form: tuple[int, int, int], parts: Sequence[Buffer]) -> None:
        data = self._ring.data
        cursor = position + _RECORD.size
        _RECORD.pack_into(data, position, 0, *form, self._ring.slots[_SEQUENCE])
        for part in parts:
            data[cursor : cursor + len(part)] = part
            cursor += len(part)
        _CRC.pack_into(data, position, zlib.crc32(data[position + _CRC.size : cursor]))

    def _publish(self, head: int, records: int = 1) -> None:
        self._barrier()
        slots = self._ring.slots
        slots[_PENDING] = head
        slots[_SEQUENCE] += records
        slots[_HEAD] = head

    def _finish(self) -> None:
        # A predecessor killed while it published had its records whole: count them once, and show them.
        ring, slots = self._ring, self._ring.slots
        head, pending = slots[Slot.HEAD], slots[Slot.PENDING]
        while head < pending:
            position = head % ring.capacity
            to_end = ring.capacity - position
            if to_end < _RECORD.size:
                head += to_end
                continue
            _, kind, length, _, sequence = _RECORD.unpack_from(ring.data, position)
            if kind == _BEGINNING:
                slots[Slot.SEQUENCE] = sequence + 1
            head += to_end if kind == _PADDING else _RECORD.size + length + -length % _ALIGN
        slots[Slot.HEAD] = max(slots[Slot.HEAD], pending)


def _cut(content: Buffer, size: int) -> Iterator[memoryview]:
    view = memoryview(content)
    return (view[at : at + size] for at in range(0, len(view), size))


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
            if piece.kind == _BEGINNING:
                return piece.sequence
            if not piece.kind:
                break
            tail = piece.end
        return slots[Slot.TAKEN]

    def take(self, most_records: int, most_bytes: int) -> list[bytes]:
        """Take records, oldest first, up to either bound (at least one). They are gone from the ring then.

        A record whose rest was lost is its beginning alone.
        """
        slots = self._ring.slots
        tail, head = slots[Slot.TAIL], slots[Slot.HEAD]
        self._barrier()
        records: list[bytes] = []
        size = 0
        while tail < head and len(records) < most_records and size < most_bytes:
            piece = self._piece(tail, head)
            tail = piece.end
            if piece.kind != _BEGINNING:  # padding, damage, or the rest of what was damaged
                continue
            record = piece.content
            if piece.following:
                rest, tail = self._rest(piece, head)
                record += rest
            self.corrupt += max(piece.sequence - self._next, 0)
            self._next = piece.sequence + 1
            records.append(record)
            size += len(record)
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
            if piece.kind != _PADDING:
                expected = (_REST, following - len(piece.content), beginning.sequence)
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
        start = position + _RECORD.size
        if start > capacity:
            return _Piece(_PADDING, 0, 0, b"", min(tail + capacity - position, head))
        own = bytes(data[position:start])
        crc, kind, length, following, sequence = _RECORD.unpack(own)
        end = tail + _RECORD.size + length + -length % _ALIGN
        if kind not in _KINDS or start + length > capacity or end > head:
            # Where the length cannot be trusted, neither can anything behind it: go on at the head.
            return _Piece(0, 0, 0, b"", head)
        content = bytes(data[start : start + length])
        if zlib.crc32(content, zlib.crc32(own[_CRC.size :])) != crc:
            return _Piece(0, 0, 0, b"", end)
        end = tail + capacity - position if kind == _PADDING else end
        return _Piece(kind, following, sequence, content, end)
