"""Records in pieces, and records whose bytes are seen later than the head that announces them."""

import os
import random
import subprocess
import sys
from typing import Any

import pytest
from handoff.rings import drain, new
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.handoff import frames, ring
from exporter.handoff.reader import Reader
from exporter.handoff.ring import Ring, Writer
from exporter.handoff.tally import Slot
from exporter.records import Body, Capture, Exchange

RECORD_HEAD = 24
KIND_AT = 4


def test_a_long_record_needs_no_room_of_its_length_in_one_place() -> None:
    shared = new(1 << 20)
    writer, reader = Writer(shared), Reader(shared)
    body = random.Random(1).randbytes(writer.longest)
    for _ in range(40):
        assert writer.offer_long([b"head"], [body[: 1 << 15], body[1 << 15 :]])
        assert reader.take(1, 1) == [b"head" + body]
    assert shared.slots[Slot.HEAD] > 4 * shared.capacity, "it went around"
    assert shared.slots[Slot.SEQUENCE] == reader.taken() == 40, "pieces are no records"
    assert reader.corrupt == 0


def test_a_long_record_keeps_off_what_is_reserved() -> None:
    shared = new(1 << 16)
    writer = Writer(shared)
    while writer.offer_long([b"head"], [b"b" * 8000]):
        pass
    assert shared.slots[Slot.HEAD] - shared.slots[Slot.TAIL] <= shared.capacity * 3 // 4
    assert writer.offer([b"head"], reserve=False)


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.integers(600, 4000), min_size=1, max_size=6),
    before=st.integers(0, 20),
    flips=st.lists(st.tuples(st.integers(0, 2**20), st.integers(1, 255)), min_size=1, max_size=4),
    restart=st.booleans(),
)
def test_damage_costs_the_rest_or_the_record_and_is_never_read(
    sizes: list[int], before: int, flips: list[tuple[int, int]], restart: bool
) -> None:
    shared = new(1 << 15)
    writer, reader = Writer(shared), Reader(shared)
    for _ in range(before):
        assert writer.offer([b"." * 3000], reserve=False)
        assert reader.take(1, 1)
    start = shared.slots[Slot.HEAD]
    records = [(b"<%d>" % number, bytes([number]) * size) for number, size in enumerate(sizes)]
    offered = sum(writer.offer_long([head], [rest]) for head, rest in records)
    written = shared.slots[Slot.HEAD] - start
    for at, mask in flips if written else ():
        shared.data[(start + at % written) % shared.capacity] ^= mask
    if restart:
        reader = Reader(shared)
    seen = drain(reader)
    assert writer.offer([b"last"], reserve=False), "the ring goes on"
    seen += drain(reader)
    assert seen.pop() == b"last"
    allowed = {head + rest for head, rest in records} | {head for head, _ in records}
    assert set(seen) <= allowed
    assert len(seen) + reader.corrupt + before == before + offered == reader.taken() - 1


def test_a_damaged_piece_sheds_the_bodies_and_keeps_the_exchange() -> None:
    shared = new()
    writer, reader = Writer(shared), Reader(shared)
    sent = Exchange(
        1, 2, 3, 200, "POST", "/p", {"content-type": "a/b"}, {},
        Body(100_000, Capture.WHOLE, b"q" * 100_000), Body(0, Capture.WHOLE, b""),
    )  # fmt: skip
    parts = frames.pack(sent)
    for _ in range(2):
        assert writer.offer_long(parts[: frames.BODIES], parts[frames.BODIES :])
    shared.data[90_000] ^= 1
    first, second = (frames.unpack(record) for record in reader.take(10, 1 << 30))
    assert second == sent
    assert first == sent._replace(request=Body(100_000, Capture.SHED, b""))
    assert reader.corrupt == 0


@pytest.mark.parametrize("before", [0, 13, 15])
@pytest.mark.parametrize("counted", [False, True])
def test_a_long_record_whose_writer_died_while_publishing_is_published_once(before: int, counted: bool) -> None:
    shared = new(1 << 16)
    reader = Reader(shared)
    for _ in range(before):
        Writer(shared).offer([b"." * 4200], reserve=False)
        reader.take(1, 1)
    head, sequence = shared.slots[Slot.HEAD], shared.slots[Slot.SEQUENCE]
    assert Writer(shared).offer_long([b"h" * 3000], [b"r" * 8000])
    shared.slots[Slot.HEAD] = head
    shared.slots[Slot.SEQUENCE] = sequence + counted
    Writer(shared)
    assert shared.slots[Slot.SEQUENCE] == sequence + 1 == before + 1
    assert reader.take(10, 10**6) == [b"h" * 3000 + b"r" * 8000]
    assert reader.corrupt == 0


# --- a processor that shows the head before the record


@pytest.mark.parametrize("what", ["kind", "length", "content", "padding", "piece"])
def test_a_record_seen_before_its_bytes_is_read_again_and_not_torn(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = new(1 << 16)
    writer, reader = Writer(shared), Reader(shared)
    while what == "padding" and shared.slots[Slot.HEAD] < shared.capacity - 500:
        assert writer.offer([b"." * 400], reserve=False)
        reader.take(1, 1)
    start = shared.slots[Slot.HEAD]
    assert writer.offer_long([b"head" * 200], [b"rest" * 2000])
    late = bytes(shared.data)
    at = start % shared.capacity + {"kind": KIND_AT, "length": 8, "piece": 2000, "padding": KIND_AT}.get(what, 300)
    shared.data[at : at + 4] = b"\0old"
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            shared.data[:] = late

    monkeypatch.setattr("exporter.handoff.reader.time.sleep", sleep)
    assert reader.take(10, 1 << 20) == [b"head" * 200 + b"rest" * 2000]
    assert len(waits) == 2
    assert reader.corrupt == 0


def test_waiting_for_bytes_that_never_come_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = new(1 << 16)
    writer, reader = Writer(shared), Reader(shared)
    for _ in range(50):
        writer.offer([b"x" * 100], reserve=False)
    for number in range(50):
        shared.data[number * 128 + 60] ^= 1
    waits: list[float] = []
    monkeypatch.setattr("exporter.handoff.reader.time.sleep", waits.append)
    assert reader.take(100, 1 << 20) == []
    assert 0 < len(waits) <= 3, "what is behind the first has been waited for with it"
    writer.offer([b"next"], reserve=False)
    assert reader.take(100, 1 << 20) == [b"next"]
    assert reader.corrupt == 50


# --- two processes

CONSUMER = """
import sys
from exporter.handoff.reader import Reader
from exporter.handoff.ring import Ring
reader, want, seen = Reader(Ring(int(sys.argv[1]))), int(sys.argv[2]), 0
while seen < want:
    for record in reader.take(500, 1 << 20):
        assert record == b"%d:" % seen + b"%d" % (seen % 7) * (seen * 7919 % 30_000), seen
        seen += 1
print(seen, reader.corrupt, reader.taken())
"""


def test_two_processes_pass_on_long_records_and_short_ones_in_order() -> None:
    fd, count = ring.create(1 << 18), 5000
    shared = Ring(fd)
    consumer: Any = subprocess.Popen(
        [sys.executable, "-c", CONSUMER, str(fd), str(count)], pass_fds=(fd,), stdout=subprocess.PIPE, text=True
    )
    try:
        writer = Writer(shared)
        for number in range(count):
            head, body = b"%d:" % number, b"%d" % (number % 7) * (number * 7919 % 30_000)
            while not (
                writer.offer_long([head], [body]) if len(body) > 5000 else writer.offer([head, body], reserve=False)
            ):
                assert consumer.poll() is None
        assert consumer.communicate(timeout=60)[0].split() == [str(count), "0", str(count)]
    finally:
        consumer.kill()
        consumer.wait(10)
        os.close(fd)
