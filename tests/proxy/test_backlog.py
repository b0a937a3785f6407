"""What takes long to look at is looked at a little at a time, in order, within bounds, and then given up."""

import itertools

import pytest
from proxy.rig import MIB, Peer, converse, recorder, relay
from proxy.test_observer import GET, NOTHING, Bench, answer, bench, post

from exporter.handoff.tally import Slot
from exporter.proxy.observer import Observer
from exporter.records import Capture

TINY = b"1\r\nx\r\n"
CHUNKED = b"POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


@pytest.fixture(params=["every look takes long", "no look takes long"])
def desk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bench:
    step = 10**7 if request.param == "every look takes long" else 0
    times = itertools.count(0, step) if step else itertools.repeat(0)
    monkeypatch.setattr("exporter.proxy.backlog.time.thread_time_ns", lambda: next(times))
    return bench(ring_bytes=16 << 20, max_body=1 << 20, max_pending=32 << 20)


def test_a_giant_read_is_looked_at_in_slices_and_nothing_is_missed(desk: Bench) -> None:
    observer = Observer(desk.tap)
    observer.request(CHUNKED + TINY * 40_000 + END + GET * 3)
    observer.response(answer(b"a") + NOTHING * 3)
    observer.close("client")
    desk.catch_up()
    first, *others = desk.exchanges()
    assert first.request == (40_000, Capture.WHOLE, b"x" * 40_000)
    assert first.response.content == b"a"
    assert [one.status for one in others] == [204] * 3
    assert desk.nothing_held()
    assert desk.tap.turns.bytes == 0
    assert desk.incomplete() == [0, 0, 0]
    assert sum(desk.reasons().values()) == 0


def test_directions_keep_their_order_while_one_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, times = bench(), itertools.count(0, 10**7)
    monkeypatch.setattr("exporter.proxy.backlog.time.thread_time_ns", lambda: next(times))
    observer = Observer(desk.tap)
    observer.request(CHUNKED + TINY * 5000)
    assert len(desk.later) == 1
    observer.request(END)
    observer.response(answer(b"one"))
    observer.request(post(b"two"))
    observer.response(answer(b"three"))
    assert desk.exchanges() == []
    assert not observer.idle
    desk.turn()
    assert desk.exchanges() == [], "a turn is one slice where looking takes long"
    desk.catch_up()
    assert [one.response.content for one in desk.exchanges()] == [b"one", b"three"]
    assert observer.idle
    observer.request(post(b"four"))
    assert desk.later == []
    assert desk.slot(Slot.IN_FLIGHT) == 1


def test_a_connection_that_sends_faster_than_can_be_followed_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, times = bench(), itertools.count(0, 10**7)
    monkeypatch.setattr("exporter.proxy.backlog.time.thread_time_ns", lambda: next(times))
    observer = Observer(desk.tap)
    observer.request(CHUNKED)
    for _ in range(10):
        observer.request(TINY * 40_000)
        assert desk.tap.turns.bytes <= 2 << 20
    assert desk.reasons()["limit"] == 1
    assert desk.nothing_held()
    assert desk.tap.turns.bytes == 0
    assert not observer.idle
    observer.request(TINY * 40_000)
    observer.close("client")
    desk.catch_up()
    assert sum(desk.reasons().values()) == 1
    assert desk.incomplete() == [0, 0, 0]


def test_all_connections_together_may_put_off_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, times = bench(), itertools.count(0, 10**7)
    monkeypatch.setattr("exporter.proxy.backlog.time.thread_time_ns", lambda: next(times))
    observers = [Observer(desk.tap) for _ in range(60)]
    for _, observer in itertools.product(range(2), observers):
        observer.request(CHUNKED + TINY * 40_000)
        assert desk.tap.turns.bytes <= 32 << 20
    assert 0 < desk.reasons()["limit"] < 60
    for observer in observers:
        observer.close("client")
    desk.catch_up()
    assert desk.tap.turns.bytes == 0
    assert desk.nothing_held()
    assert all(observer.idle or desk.reasons()["limit"] for observer in observers)


@pytest.mark.parametrize("end", ["client", "upstream"])
def test_an_end_waits_for_its_turn(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, times = bench(), itertools.count(0, 10**7)
    monkeypatch.setattr("exporter.proxy.backlog.time.thread_time_ns", lambda: next(times))
    observer = Observer(desk.tap)
    observer.request(GET)
    observer.response(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 50_000)
    if end == "upstream":
        observer.response_eof()
    observer.close("client")
    assert desk.slot(Slot.IN_FLIGHT) == 1
    desk.catch_up()
    assert len(desk.exchanges()) == (end == "upstream")
    assert desk.incomplete() == [int(end == "client"), 0, 0]
    assert desk.nothing_held()


def test_a_flood_of_tiny_chunks_passes_unchanged_and_others_are_observed_meanwhile() -> None:
    flood = CHUNKED + TINY * 2_000_000 + END

    def serve(peer: Peer) -> None:
        peer.read(1)
        if peer.received.startswith(b"G"):
            peer.send(NOTHING)
        else:
            peer.read(len(flood) - 1)
            peer.send(answer(b"all"))

    with recorder(serve) as server, relay(server.port) as running:
        with running.connect() as client:
            for at in range(0, len(flood), MIB):
                client.send(flood[at : at + MIB])
                assert converse(running.port, lambda peer: peer.send(GET)).received == NOTHING
            client.read(len(answer(b"all")))
            assert client.received == answer(b"all")
        running.settled()
        assert max(peer.count for peer in server.peers) == len(flood)
        floods = [one for one in running.exchanges() if one.method == "POST"]
        given_up = running.unobservable().get("limit", 0)
        assert len(floods) + given_up == 1, "seen whole, or said not to be"
        assert all(one.request.size == 2_000_000 for one in floods)
        assert running.slot(Slot.OFFERED) == -(-len(flood) // MIB) + len(floods)
        assert running.resident() < 80 * MIB
