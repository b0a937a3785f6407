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
import zlib
from array import array
from collections.abc import Iterator, Sequence
from typing import Final

from exporter.handoff import memory
from exporter.handoff.tally import HEAD_BYTES, SLOTS, Slot

Buffer = bytes | bytearray | memoryview
_MAGIC: Final = 0x33474E49525849  # "IXRING3", little endian
RECORD: Final = struct.Struct("<IIIIQ")  # CRC of all that follows, kind, length, bytes of the rest to come, sequence
CRC: Final = struct.Struct("<I")
LENGTHS: Final = "I"
"""How a batch says of each of its records how long it is."""
BEGINNING: Final = 0x52435849
BATCH: Final = 0x42435849
"""Several records behind their lengths. In the place of the rest to come stands how many there are."""
REST: Final = 0x53525849
PADDING: Final = 0x50445849
ALIGN: Final = 8
_LONGEST_PIECE: Final = 64 << 10
_HEAD, _TAIL, _SEQUENCE, _PENDING = map(int, (Slot.HEAD, Slot.TAIL, Slot.SEQUENCE, Slot.PENDING))  # cheaper by half
_SHARE_OF_ONE: Final = 8
"""One record may take one part in so many of the ring."""
_RESERVED_FOR_HEADS: Final = 4
"""One part in so many of the ring is kept for records without bodies."""


def create(capacity: int) -> int:
    """A new ring's memfd with room for `capacity` bytes of records."""
    capacity -= capacity % ALIGN
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
        return self._offer((BEGINNING, sum(map(len, parts)), 0), parts, reserve=reserve)

    def offer_all(self, lengths: Sequence[int], records: bytes, *, reserve: bool) -> bool:
        """Append several records that lie behind each other, at the price of one; False where there is no room."""
        batch = array(LENGTHS, lengths).tobytes()
        form = (BATCH, len(batch) + len(records), len(lengths))
        return self._offer(form, (batch, records), reserve=reserve)

    def _offer(self, form: tuple[int, int, int], parts: Sequence[Buffer], *, reserve: bool) -> bool:
        kind, length, count = form
        size = RECORD.size + length + -length % ALIGN
        head = self._ring.slots[_HEAD]
        position = head % self.capacity
        to_end = self.capacity - position
        padding = to_end if size > to_end else 0
        if length > self.longest or size + padding > self._free(head, reserve=reserve):
            return False
        if padding:
            self._pad(position, to_end)
            position = 0
        self._write(position, form, parts)
        self._publish(head + padding + size, count if kind == BATCH else 1)
        return True

    def offer_long(self, parts: Sequence[Buffer], rest: Sequence[Buffer]) -> bool:
        """Append a record whose `rest` travels in pieces; False where there is no room beside what is reserved."""
        slots, length, following = self._ring.slots, sum(map(len, parts)), sum(map(len, rest))
        pieces = [piece for one in rest for piece in _cut(one, self.piece)]
        most = RECORD.size + ALIGN
        # A rest of an eighth of the ring wraps around once at most, and then wastes less than its longest piece.
        room = length + following + most * (len(pieces) + 1) + max(self.piece, length) + most
        head = slots[_HEAD]
        if length > self.longest or following > self.longest or room > self._free(head, reserve=True):
            return False
        head = self._append(head, (BEGINNING, length, following), parts)
        for piece in pieces:
            following -= len(piece)
            head = self._append(head, (REST, len(piece), following), (piece,))
        self._publish(head)
        return True

    def _free(self, head: int, *, reserve: bool) -> int:
        return (self.for_bodies if reserve else self.capacity) - (head - self._ring.slots[_TAIL])

    def _append(self, head: int, form: tuple[int, int, int], parts: Sequence[Buffer]) -> int:
        """Write one piece at `head`, which is known to have room, and give the place behind it."""
        size = RECORD.size + form[1] + -form[1] % ALIGN
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
        if to_end >= RECORD.size:
            self._write(position, (PADDING, 0, 0), ())

    def _write(self, position: int, form: tuple[int, int, int], parts: Sequence[Buffer]) -> None:
        data = self._ring.data
        cursor = position + RECORD.size
        RECORD.pack_into(data, position, 0, *form, self._ring.slots[_SEQUENCE])
        for part in parts:
            data[cursor : cursor + len(part)] = part
            cursor += len(part)
        CRC.pack_into(data, position, zlib.crc32(data[position + CRC.size : cursor]))

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
            if to_end < RECORD.size:
                head += to_end
                continue
            _, kind, length, count, sequence = RECORD.unpack_from(ring.data, position)
            if kind in {BEGINNING, BATCH}:
                slots[Slot.SEQUENCE] = sequence + (count if kind == BATCH else 1)
            head += to_end if kind == PADDING else RECORD.size + length + -length % ALIGN
        slots[Slot.HEAD] = max(slots[Slot.HEAD], pending)


def _cut(content: Buffer, size: int) -> Iterator[memoryview]:
    view = memoryview(content)
    return (view[at : at + size] for at in range(0, len(view), size))
