"""What the relay says of its own cost."""

from proxy.rig import ANSWER, INSTANCES, PREDICT, recorder, relay
from proxy.test_observer import bench

from exporter.handoff import report
from exporter.handoff.tally import Slot
from exporter.proxy.meter import EVERY, Meter
from exporter.records import HOP_BOUNDS


def test_a_reading_forwards_and_is_counted() -> None:
    desk, done = bench(), []
    meter = Meter(desk.tap.tally)
    meter.left = 0
    meter.relay(done.append, b"x")
    assert done == [b"x"]
    assert meter.left == EVERY
    buckets = [desk.slot(Slot.HOP_BUCKETS + at) for at in range(len(HOP_BOUNDS) + 1)]
    assert sum(buckets) == 1
    assert desk.slot(Slot.HOP_NS) > 0


def test_one_read_in_so_many_is_timed_of_both_directions() -> None:
    turns = 3 * EVERY

    def serve(peer: object) -> None:
        for _ in range(turns):
            peer.read(len(PREDICT + INSTANCES))  # type: ignore[attr-defined]
            peer.send(ANSWER)  # type: ignore[attr-defined]

    with recorder(serve) as server, relay(server.port) as running:
        with running.connect() as client:
            for _ in range(turns):
                client.send(PREDICT + INSTANCES)
                client.read(len(ANSWER))
        running.settled()
        found = report.relay([running.ring], 0, 0)
        # A read may be of two parts; it never is of fewer than one request or answer.
        assert sum(found.hop.counts) >= 2 * turns // EVERY
        assert found.hop.total > 0
        assert found.observer_seconds["worker-0"] > 0
        assert len(running.exchanges()) == turns


def test_what_was_put_off_is_accounted_for_too() -> None:
    desk = bench()
    spent: list[int] = []
    desk.tap.turns._account = spent.append
    desk.tap.turns._turn()
    assert len(spent) == 1
