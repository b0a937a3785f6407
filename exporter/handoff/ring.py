"""A single-producer single-consumer ring of records over shared memory, without locks or system calls.

Head and tail count bytes since the beginning and only grow; the writer owns the first, the reader the second. A
record is published by moving the head after its bytes are written. On x86 stores are seen in order; elsewhere a
pair of uncontended lock operations stands between them as a barrier, and a CRC over the record's length, sequence
number and first bytes lets the reader tell a torn record from a whole one.
"""

import mmap
import struct
import threading
import zlib
from collections.abc import Sequence
from typing import Final

from exporter.handoff import memory
from exporter.handoff.tally import HEAD_BYTES, SLOTS, Slot

_MAGIC: Final = 0x31474E49525849  # "IXRING1", little endian
_RECORD: Final = struct.Struct("<IIQI4x")  # magic, length, sequence, CRC
_COVERED: Final = struct.Struct("<IQ")  # what of a record's head its CRC covers: length, sequence
_RECORD_MAGIC: Final = 0x52435849
_PADDING_MAGIC: Final = 0x50445849
_ALIGN: Final = 8
_CRC_SPAN: Final = 1024
_RESERVED_FOR_HEADS: Final = 4
"""One part in so many of the ring is kept for records without bodies."""


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

    __slots__ = ("_barrier", "_ring", "longest")

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._barrier = threading.Lock()
        self.longest = ring.capacity // 2 - _RECORD.size
        """Longest record that is ever accepted, bytes."""
        self._finish()

    def offer(self, parts: Sequence[bytes], *, reserve: bool) -> bool:
        """Append one record made of `parts`; False, at once, where there is no room.

        With `reserve` the last quarter of the ring is left alone: bodies are shed before heads.
        """
        ring = self._ring
        length = sum(map(len, parts))
        size = _RECORD.size + length + -length % _ALIGN
        head = ring.slots[Slot.HEAD]
        position = head % ring.capacity
        to_end = ring.capacity - position
        padding = to_end if size > to_end else 0
        free = ring.capacity - (head - ring.slots[Slot.TAIL])
        if reserve:
            free -= ring.capacity // _RESERVED_FOR_HEADS
        if length > self.longest or size + padding > free:
            return False
        if padding:
            self._pad(position, to_end)
            position = 0
        self._write(position, length, parts)
        self._publish(head + padding + size)
        return True

    def _pad(self, position: int, to_end: int) -> None:
        # Too short for a record head: the reader knows by the room left.
        if to_end >= _RECORD.size:
            _RECORD.pack_into(self._ring.data, position, _PADDING_MAGIC, to_end - _RECORD.size, 0, 0)

    def _write(self, position: int, length: int, parts: Sequence[bytes]) -> None:
        data = self._ring.data
        start = cursor = position + _RECORD.size
        for part in parts:
            data[cursor : cursor + len(part)] = part
            cursor += len(part)
        sequence = self._ring.slots[Slot.SEQUENCE]
        crc = _checksum(length, sequence, data[start : start + min(length, _CRC_SPAN)])
        _RECORD.pack_into(data, position, _RECORD_MAGIC, length, sequence, crc)

    def _publish(self, head: int) -> None:
        for _ in range(2):  # release, then acquire: a full barrier where the processor needs one
            self._barrier.acquire()
            self._barrier.release()
        slots = self._ring.slots
        slots[Slot.PENDING] = head
        slots[Slot.SEQUENCE] += 1
        slots[Slot.HEAD] = head

    def _finish(self) -> None:
        # A predecessor killed while it published had the record whole: count it once, and show it.
        ring, slots = self._ring, self._ring.slots
        head, pending = slots[Slot.HEAD], slots[Slot.PENDING]
        if pending > head:
            position = head % ring.capacity
            wrapped = position + (pending - head) > ring.capacity
            _, _, sequence, _ = _RECORD.unpack_from(ring.data, 0 if wrapped else position)
            slots[Slot.SEQUENCE] = sequence + 1
            slots[Slot.HEAD] = pending


def _checksum(length: int, sequence: int, first: bytes | memoryview) -> int:
    return zlib.crc32(first, zlib.crc32(_COVERED.pack(length, sequence)))


class Reader:
    """The consuming end. A reader that is started again goes on at the tail."""

    __slots__ = ("_next", "_ring", "corrupt")

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
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
        head = slots[Slot.HEAD]
        tail = self._skip_padding(slots[Slot.TAIL], head)
        # A predecessor killed between its two stores left `TAKEN` ahead of the tail: the record there knows better.
        found = self._parse(tail) if tail < head and self._end(tail, head) else None
        return found[0] if found else slots[Slot.TAKEN]

    def take(self, most_records: int, most_bytes: int) -> list[bytes]:
        """Take records, oldest first, up to either bound (at least one). They are gone from the ring then."""
        slots = self._ring.slots
        tail, head = slots[Slot.TAIL], slots[Slot.HEAD]
        records: list[bytes] = []
        size = 0
        while len(records) < most_records and size < most_bytes:
            tail = self._skip_padding(tail, head)
            if tail >= head:
                break
            record, tail = self._read(tail, head)
            if record is not None:
                records.append(record)
                size += len(record)
        slots[Slot.TAKEN] = self._next
        slots[Slot.TAIL] = tail
        return records

    def _skip_padding(self, tail: int, head: int) -> int:
        if tail >= head:
            return tail
        position = tail % self._ring.capacity
        to_end = self._ring.capacity - position
        if to_end >= _RECORD.size and _RECORD.unpack_from(self._ring.data, position)[0] != _PADDING_MAGIC:
            return tail
        return min(tail + to_end, head)  # beyond the head it was no padding, only damage that looks like it

    def _read(self, tail: int, head: int) -> tuple[bytes | None, int]:
        end = self._end(tail, head)
        if end is None:
            # Where the length cannot be trusted, neither can anything behind it: go on at the head.
            return None, head
        found = self._parse(tail)
        if found is None:
            return None, end
        sequence, record = found
        self.corrupt += max(sequence - self._next, 0)
        self._next = sequence + 1
        return record, end

    def _end(self, tail: int, head: int) -> int | None:
        """Where the record at `tail` ends, by its own word; None where that cannot be true."""
        position = tail % self._ring.capacity
        magic, length, *_ = _RECORD.unpack_from(self._ring.data, position)
        size = _RECORD.size + length + -length % _ALIGN
        plausible = magic == _RECORD_MAGIC and position + size <= self._ring.capacity and tail + size <= head
        return tail + size if plausible else None

    def _parse(self, tail: int) -> tuple[int, bytes] | None:
        """Sequence number and bytes of the record at `tail`; None where they are damaged."""
        position = tail % self._ring.capacity
        _, length, sequence, crc = _RECORD.unpack_from(self._ring.data, position)
        start = position + _RECORD.size
        record = bytes(self._ring.data[start : start + length])
        return (sequence, record) if _checksum(length, sequence, record[:_CRC_SPAN]) == crc else None
