"""The ring: records come out whole, in order and counted, whoever dies on either side."""

import os
import random
import subprocess
import sys
from collections import deque

import pytest
from handoff.rings import drain, new
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from exporter.handoff import memory, ring
from exporter.handoff.reader import Reader
from exporter.handoff.ring import Ring, Writer
from exporter.handoff.tally import HEAD_BYTES, Slot, Tally

RECORD_HEAD = 24
MOST_IN_A_BATCH = 5


class RingMachine(RuleBasedStateMachine):
    """The ring against a plain queue."""

    @initialize(capacity=st.integers(200, 8000))
    def make(self, capacity: int) -> None:
        self.ring = new(capacity)
        self.writer, self.reader = Writer(self.ring), Reader(self.ring)
        self.queue: deque[bytes] = deque()
        self.written = self.taken = self.number = 0

    @rule(parts=st.lists(st.integers(0, 300), max_size=4), reserve=st.booleans())
    def offer(self, parts: list[int], reserve: bool) -> None:
        self.number += 1
        content = [bytes([(self.number + at) % 256]) * size for at, size in enumerate(parts)]
        record = b"".join(content)
        used = self.reader.queued_bytes
        if self.writer.offer(content, reserve=reserve):
            self.queue.append(record)
            self.written += 1
            assert self.reader.queued_bytes <= self.ring.capacity
            if reserve:
                assert self.reader.queued_bytes <= self.ring.capacity - self.ring.capacity // 4
        else:
            assert self.reader.queued_bytes == used, "a refusal leaves no trace"
            needed = 2 * (RECORD_HEAD + len(record) + 8)  # its own room, and at most as much to the ring's end
            free = self.ring.capacity - used - (self.ring.capacity // 4 if reserve else 0)
            assert len(record) > self.writer.longest or needed > free

    @rule(head=st.integers(0, 200), rest=st.lists(st.integers(0, 900), max_size=3))
    def offer_long(self, head: int, rest: list[int]) -> None:
        self.number += 1
        parts = [bytes([self.number % 256]) * head]
        bodies = [bytes([(self.number + at) % 256]) * size for at, size in enumerate(rest)]
        used = self.reader.queued_bytes
        if self.writer.offer_long(parts, bodies):
            self.queue.append(b"".join(parts + bodies))
            self.written += 1
            assert self.reader.queued_bytes <= self.ring.capacity - self.ring.capacity // 4
        else:
            assert self.reader.queued_bytes == used, "a refusal leaves no trace"

    @rule(sizes=st.lists(st.integers(0, 60), min_size=1, max_size=MOST_IN_A_BATCH), reserve=st.booleans())
    def offer_all(self, sizes: list[int], reserve: bool) -> None:
        self.number += 1
        records = [bytes([(self.number + at) % 256]) * size for at, size in enumerate(sizes)]
        used = self.reader.queued_bytes
        if self.writer.offer_all(sizes, b"".join(records), reserve=reserve):
            self.queue.extend(records)
            self.written += len(records)
            limit = self.writer.for_bodies if reserve else self.ring.capacity
            assert self.reader.queued_bytes <= limit
        else:
            assert self.reader.queued_bytes == used, "a refusal leaves no trace"

    @rule(most=st.integers(1, 5), size=st.integers(1, 500))
    def take(self, most: int, size: int) -> None:
        records = self.reader.take(most, size)
        assert len(records) < most + MOST_IN_A_BATCH, "a batch is taken whole"
        assert sum(map(len, records[:-MOST_IN_A_BATCH])) < size
        assert bool(records) == bool(self.queue)
        for record in records:
            assert record == self.queue.popleft()
        self.taken += len(records)

    @rule()
    def restart_reader(self) -> None:
        self.reader = Reader(self.ring)

    @rule()
    def restart_writer(self) -> None:
        self.writer = Writer(self.ring)

    @precondition(lambda self: not self.queue)
    @rule()
    def empty(self) -> None:
        assert self.reader.take(10, 10**6) == []
        assert self.reader.queued_bytes == 0

    @invariant()
    def exact(self) -> None:
        if hasattr(self, "ring"):
            assert self.reader.taken() == self.taken
            assert self.ring.slots[Slot.SEQUENCE] == self.written
            assert self.reader.corrupt == 0


TestRing = RingMachine.TestCase
TestRing.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


def test_the_last_quarter_is_kept_for_records_without_bodies() -> None:
    writer = Writer(new(8192))
    while writer.offer([b"b" * 200], reserve=True):
        pass
    heads = 0
    while writer.offer([b"h" * 40], reserve=False):
        heads += 1
    assert heads * 64 >= 8192 // 4


def test_a_record_longer_than_an_eighth_of_the_ring_is_refused_for_ever() -> None:
    writer = Writer(new(4096))
    assert not writer.offer([b"x" * (writer.longest + 1)], reserve=False)
    assert writer.offer([b"x" * writer.longest], reserve=False)
    assert not writer.offer_long([b"x"], [b"y" * writer.longest, b"z"])
    assert not writer.offer_long([b"x" * (writer.longest + 1)], [b"z"])
    assert writer.longest == 4096 // 8


def test_what_is_no_ring_is_refused() -> None:
    with pytest.raises(ValueError, match="not a ring"):
        Ring(memory.create("other", HEAD_BYTES + 4096))


def test_memory_handed_down_cannot_shrink() -> None:
    fd = ring.create(4096)
    with pytest.raises(PermissionError):
        os.ftruncate(fd, 100)
    os.close(fd)


# --- damage


@settings(max_examples=300, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 120), min_size=1, max_size=20),
    before=st.integers(0, 30),
    flips=st.lists(st.tuples(st.integers(0, 2**20), st.integers(1, 255)), min_size=1, max_size=6),
    restart=st.booleans(),
)
def test_damaged_records_are_skipped_and_counted_as_gaps(
    lengths: list[int], before: int, flips: list[tuple[int, int]], restart: bool
) -> None:
    shared = new(4096)
    writer, reader = Writer(shared), Reader(shared)
    for _ in range(before):  # so that some of it wraps around
        assert writer.offer([b"." * 90], reserve=False)
        assert reader.take(1, 1)
    records = [bytes([number]) * length for number, length in enumerate(lengths)]
    start = shared.slots[Slot.HEAD]
    offered = sum(writer.offer([record], reserve=False) for record in records)
    written = shared.slots[Slot.HEAD] - start
    for at, mask in flips:
        shared.data[(start + at % written) % shared.capacity] ^= mask
    if restart:
        reader = Reader(shared)
    seen = drain(reader)
    assert writer.offer([b"last"], reserve=False), "the ring goes on"
    seen += drain(reader)
    assert seen[-1] == b"last"
    assert reader.queued_bytes == 0
    assert all(record in records for record in seen[:-1])
    assert len(seen) + reader.corrupt + before == reader.taken()
    assert reader.taken() == before + offered + 1


def test_a_flipped_sequence_number_does_not_invent_losses() -> None:
    shared = new(4096)
    writer, reader = Writer(shared), Reader(shared)
    for number in range(3):
        writer.offer([bytes([number]) * 10], reserve=False)
    shared.data[16 + 5] ^= 0x80  # a high byte of the first record's sequence number
    assert len(reader.take(10, 1000)) == 2
    assert reader.corrupt == 1


# --- deaths


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("size", [10, 500])
def test_a_record_whose_writer_died_while_publishing_is_published_once(counted: bool, size: int) -> None:
    shared = new(4096)
    reader = Reader(shared)
    for number in range(3):
        head, sequence = shared.slots[Slot.HEAD], shared.slots[Slot.SEQUENCE]
        assert Writer(shared).offer([bytes([number]) * size], reserve=False)
        # As if killed between the stores that publish it.
        shared.slots[Slot.HEAD] = head
        shared.slots[Slot.SEQUENCE] = sequence + counted
        Writer(shared)
        assert shared.slots[Slot.SEQUENCE] == sequence + 1
        assert reader.take(10, 10**6) == [bytes([number]) * size]
    assert reader.corrupt == 0


@pytest.mark.parametrize("left", [0, 2])
def test_a_reader_that_died_between_its_stores_is_settled_exactly(left: int) -> None:
    shared = new(4096)
    writer, reader = Writer(shared), Reader(shared)
    for number in range(5):
        writer.offer([bytes([number])], reserve=False)
    reader.take(5 - left, 1000)
    assert Reader(shared).taken() == 5 - left
    shared.slots[Slot.TAIL] = 0  # as if killed after `TAKEN` was stored and before the tail was
    again = Reader(shared)
    assert again.taken() == 0
    assert len(again.take(10, 1000)) == 5
    assert again.corrupt == 0


def test_a_live_writer_never_makes_a_new_reader_miscount() -> None:
    shared = new(4096)
    writer = Writer(shared)
    writer.offer([b"a"], reserve=False)
    Reader(shared).take(1, 1)
    shared.slots[Slot.SEQUENCE] += 1  # the moment in which the next record is counted and not yet to be seen
    assert Reader(shared).taken() == 1


# --- two processes

CONSUMER = """
import sys
from exporter.handoff.reader import Reader
from exporter.handoff.ring import Ring
reader, want, seen = Reader(Ring(int(sys.argv[1]))), int(sys.argv[2]), 0
while seen < want:
    for record in reader.take(500, 1 << 20):
        assert record == b"%d:" % seen + b"x" * (seen % 97), (seen, record)
        seen += 1
print(seen, reader.corrupt, reader.taken())
"""


def test_two_processes_pass_on_every_record_in_order() -> None:
    fd, count = ring.create(1 << 20), 200_000
    shared = Ring(fd)
    consumer = subprocess.Popen(
        [sys.executable, "-c", CONSUMER, str(fd), str(count)], pass_fds=(fd,), stdout=subprocess.PIPE, text=True
    )
    try:
        writer = Writer(shared)
        for number in range(count):
            while not writer.offer((b"%d:" % number, b"x" * (number % 97)), reserve=False):
                assert consumer.poll() is None
        assert consumer.communicate(timeout=60)[0].split() == [str(count), "0", str(count)]
    finally:
        consumer.kill()
        consumer.wait(10)
        os.close(fd)


PRODUCER = """
import os, sys
from exporter.handoff.ring import Ring, Writer
from exporter.handoff.tally import Slot, Tally
ring = Ring(int(sys.argv[1]))
writer, tally = Writer(ring), Tally(ring.block)
tally.take_over(os.getpid())
while True:
    tally.exchanges([(200, 1000)])
    if not writer.offer((b"record",), reserve=False):
        tally.add(Slot.RING_FULL)
    tally.exchanges([(200, 1000)] * 3)
    if not writer.offer_all([3, 7, 5], b"oneanotherthird", reserve=False):
        tally.add(Slot.RING_FULL, 3)
"""


def test_a_producer_that_is_killed_again_and_again_loses_nothing_uncounted() -> None:
    fd = ring.create(1 << 16)
    shared = Ring(fd)
    slots, reader, seen, corrupt = shared.slots, Reader(shared), 0, 0
    generator = random.Random(3)
    for round_ in range(12):
        producer = subprocess.Popen([sys.executable, "-c", PRODUCER, str(fd)], pass_fds=(fd,))
        offered = slots[Slot.OFFERED]
        while slots[Slot.OFFERED] < offered + generator.randrange(200, 5000):
            assert producer.poll() is None
            seen += len(reader.take(50, 1 << 20))
        producer.kill()
        producer.wait(10)
        if round_ % 3 == 0:
            corrupt += reader.corrupt
            reader = Reader(shared)
            assert reader.taken() == seen + corrupt
    Writer(shared)
    Tally(shared.block).take_over(0)
    while reader.queued_bytes:
        seen += len(reader.take(50, 1 << 20))
    assert corrupt + reader.corrupt == 0
    assert slots[Slot.OFFERED] == seen + slots[Slot.RING_FULL] + slots[Slot.WORKER_LOST]
    assert slots[Slot.WORKER_LOST] <= 12 * 3
    os.close(fd)
