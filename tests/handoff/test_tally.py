"""What a worker counts, what its successor settles, and the sum over all of them."""

import os

import pytest

from exporter.handoff import report, ring
from exporter.handoff.ring import Ring, Writer
from exporter.handoff.tally import HEAD_BYTES, INCOMPLETE, SLOTS, UNOBSERVABLE, Slot, Tally
from exporter.records import DURATION_BOUNDS, HOP_BOUNDS


def new() -> tuple[Ring, Tally]:
    fd = ring.create(1 << 16)
    shared = Ring(fd)
    os.close(fd)
    return shared, Tally(shared.block)


def test_every_counter_has_a_place_of_its_own() -> None:
    assert SLOTS * 8 <= HEAD_BYTES
    singles = [slot for slot in Slot if slot < Slot.UNOBSERVABLE]
    assert len(set(Slot)) == len(Slot.__members__)
    assert max(singles) < Slot.UNOBSERVABLE
    assert Slot.UNOBSERVABLE + len(UNOBSERVABLE) <= Slot.INCOMPLETE
    assert Slot.INCOMPLETE + len(INCOMPLETE) <= Slot.DURATION_BUCKETS
    assert Slot.DURATION_BUCKETS + len(DURATION_BOUNDS) + 1 <= Slot.HOP_BUCKETS
    assert Slot.HOP_BUCKETS + len(HOP_BOUNDS) + 1 <= Slot.CODES
    assert Slot.CODES + 501 <= Slot.ACCEPT_ERRORS_DESCRIPTORS
    assert max(Slot) < SLOTS


@pytest.mark.parametrize(
    ("status", "code"), [(100, "100"), (200, "200"), (599, "599"), (600, "other"), (999, "other"), (99, "other")]
)
def test_status_codes_are_counted_one_by_one(status: int, code: str) -> None:
    shared, tally = new()
    tally.exchanges([(status, 0)])
    assert report.relay([shared], 0, 0).codes == {"200": 0} | {code: 1}


@pytest.mark.parametrize(
    ("duration_ns", "bucket"), [(0, 0), (10**6, 0), (10**6 + 1, 1), (60 * 10**9, 14), (60 * 10**9 + 1, 15)]
)
def test_a_latency_falls_into_the_bucket_whose_bound_it_does_not_exceed(duration_ns: int, bucket: int) -> None:
    shared, tally = new()
    tally.exchanges([(200, duration_ns)])
    duration = report.relay([shared], 0, 0).duration
    assert duration.counts.index(1) == bucket
    assert duration.total == duration_ns / 1e9


def test_a_successor_settles_what_was_offered_and_never_handed_over() -> None:
    shared, tally = new()
    writer = Writer(shared)
    for _ in range(5):
        tally.exchanges([(200, 1)])
        writer.offer([b"x"], reserve=False)
    tally.exchanges([(200, 1)])
    tally.add(Slot.RING_FULL)
    tally.exchanges([(200, 1)])  # and here it was killed
    tally.add(Slot.IN_FLIGHT, 3)
    tally.add(Slot.CONNECTIONS_OPEN, 2)
    for _ in range(3):  # settling twice settles nothing more
        Writer(shared)
        tally.take_over(77)
        assert shared.slots[Slot.WORKER_LOST] == 1
        assert shared.slots[Slot.IN_FLIGHT] == shared.slots[Slot.CONNECTIONS_OPEN] == 0
        assert shared.slots[Slot.PID] == 77
    tally.exchanges([(200, 1)])
    tally.take_over(78)
    assert shared.slots[Slot.WORKER_LOST] == 2
    assert shared.slots[Slot.OFFERED] == 5 + 1 + 2


def test_the_report_adds_workers_up() -> None:
    (first, one), (second, two) = new(), new()
    one.exchanges([(200, 10**9)])
    two.exchanges([(200, 10**9)])
    two.exchanges([(503, 1)])
    one.unobservable("http2")
    two.unobservable("http2")
    one.incomplete("client", 2)
    two.incomplete("shutdown", 1)
    one.add(Slot.BODIES_SHED, 2)
    two.add(Slot.BODIES_SAMPLED, 3)
    two.add(Slot.HALVINGS, 3)
    Writer(first).offer([b"x" * 40], reserve=False)
    found = report.relay([first, second], analyser_lost=4, corrupt=2)
    assert found.offered == 3
    assert found.codes == {"200": 2, "503": 1}
    assert found.unobservable == dict.fromkeys(UNOBSERVABLE, 0) | {"http2": 2}
    assert found.incomplete == {"client": 2, "upstream": 0, "shutdown": 1}
    assert found.dropped == {"ring_full": 0, "worker_lost": 0, "analyser_lost": 4, "corrupt": 2}
    assert found.ring_queued_bytes == 64
    assert found.bodies_shed == {"memory": 2, "sampled": 3}
    assert found.sampling == {"worker-0": 1.0, "worker-1": 0.125}
    assert found.ring_bytes == first.capacity + second.capacity
    assert sum(found.duration.counts) == 3
