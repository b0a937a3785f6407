"""Half-closes and resets are passed on as what they are, and a slow reader slows its writer down."""

import threading
import time

import pytest
from proxy.rig import ANSWER, BLOCK, INSTANCES, MIB, NOTHING, PREDICT, Bench, Peer, Relay, answering, converse, sending
from support import eventually

from exporter.handoff.tally import Slot


def test_a_client_that_half_closes_still_gets_its_answer(bench: Bench) -> None:
    bench.server.script = lambda peer: (peer.to_end(), peer.send(ANSWER))
    client = converse(bench.relay.port, sending(PREDICT, INSTANCES))
    bench.server.join()
    assert client.received == ANSWER
    assert bench.server.peers[-1].received == PREDICT + INSTANCES
    bench.relay.settled()


def test_a_server_that_half_closes_still_hears_its_client(bench: Bench) -> None:
    bench.server.script = lambda peer: (peer.finish(), peer.to_end())
    client = converse(bench.relay.port, lambda peer: (peer.to_end(), peer.send(BLOCK), peer.finish()))
    bench.server.join()
    assert client.count == 0
    assert bench.server.peers[-1].count == MIB
    bench.relay.settled()


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200 OK\r\n\r\nhalf a bo"], ids=["before", "amid"])
def test_a_reset_by_the_server_reaches_the_client_as_a_reset(bench: Bench, part: bytes) -> None:
    before = bench.relay.incomplete().get("upstream", 0)
    got = threading.Event()

    def server(peer: Peer) -> None:
        peer.read(len(PREDICT))
        peer.send(part)
        assert got.wait(10)
        peer.reset()

    def client(peer: Peer) -> None:
        peer.send(PREDICT)
        peer.read(len(part))
        got.set()

    bench.server.script = server
    result = converse(bench.relay.port, client)
    bench.server.join()
    assert result.received == part
    assert result.was_reset, "a reset must not look like an ordinary end"
    bench.relay.settled()
    assert bench.relay.incomplete()["upstream"] == before + 1


def test_a_reset_by_the_client_reaches_the_server_as_a_reset(bench: Bench) -> None:
    before = bench.relay.incomplete().get("client", 0)
    bench.server.script = Peer.to_end
    with bench.relay.connect() as client:
        client.send(PREDICT)
        eventually(lambda: bench.relay.slot(Slot.IN_FLIGHT) == 1)
        client.reset()
    bench.server.join()
    assert bench.server.peers[-1].received == PREDICT
    assert bench.server.peers[-1].was_reset
    bench.relay.settled()
    assert bench.relay.incomplete()["client"] == before + 1


def test_an_end_amid_a_response_is_blamed_on_the_server(bench: Bench) -> None:
    before = bench.relay.incomplete().get("upstream", 0)
    bench.server.script = answering(len(PREDICT + INSTANCES), ANSWER[:-3])
    converse(bench.relay.port, lambda peer: peer.send(PREDICT, INSTANCES))
    bench.relay.settled()
    assert bench.relay.incomplete()["upstream"] == before + 1


def test_an_early_refusal_reaches_a_client_that_is_still_sending(bench: Bench) -> None:
    refusal = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (64 * MIB)

    def server(peer: Peer) -> None:
        peer.read(len(request))
        peer.send(refusal)  # and closes with most of the request unread: a reset follows

    def client(peer: Peer) -> None:
        try:
            peer.send(request, *[BLOCK] * 64)
        except (ConnectionResetError, BrokenPipeError):
            pass
        else:
            pytest.fail("the server refused and closed")

    bench.server.script = server
    for _ in range(10):
        offered = bench.relay.slot(Slot.OFFERED)
        assert converse(bench.relay.port, client).received == refusal
        bench.relay.settled()
        assert bench.relay.slot(Slot.OFFERED) == offered + 1


# --- memory


@pytest.mark.parametrize("slow", ["client", "server"])
def test_a_slow_reader_does_not_fill_the_relay(bench: Bench, slow: str) -> None:
    size = 256 * MIB
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    started, go_on = threading.Event(), threading.Event()

    def give(peer: Peer, first: bytes) -> None:
        peer.send(first)
        started.set()
        peer.send(*[BLOCK] * 256)

    def take(peer: Peer, count: int) -> None:
        assert go_on.wait(30)
        peer.read(count)

    def client(peer: Peer) -> None:
        if slow == "client":
            peer.send(PREDICT, INSTANCES)
            take(peer, len(answer) + size)
        else:
            give(peer, head)
        peer.finish()

    def server(peer: Peer) -> None:
        if slow == "client":
            peer.read(len(PREDICT + INSTANCES))
            give(peer, answer)
        else:
            take(peer, len(head) + size)
            peer.send(NOTHING)
        peer.to_end()

    bench.server.script = server
    before = bench.relay.resident()
    results: list[Peer] = []
    thread = threading.Thread(target=lambda: results.append(converse(bench.relay.port, client)))
    thread.start()
    assert started.wait(10)
    _stands_still(bench.relay)
    stuffed = bench.relay.resident()
    go_on.set()
    thread.join(60)
    bench.server.join()
    assert size <= max(results[0].count, bench.server.peers[-1].count) <= size + len(head) + len(answer)
    assert max(stuffed, bench.relay.resident()) - before < 24 * MIB
    bench.relay.settled()


def _stands_still(running: Relay) -> None:
    """Wait until no more bytes pass: every buffer on the way is full."""
    seen = [-1]

    def still() -> bool:
        seen.append(running.slot(Slot.BYTES_TO_SERVER) + running.slot(Slot.BYTES_TO_CLIENT))
        time.sleep(0.1)
        return seen[-1] == seen[-2]

    eventually(still)


def test_a_body_in_tiny_chunks_does_not_fill_the_relay(bench: Bench) -> None:
    chunks = b"2\r\nab\r\n" * 400_000
    request = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    before = bench.relay.resident()
    with bench.relay.connect() as client:
        bench.server.script = Peer.to_end
        client.send(request, chunks)
        _stands_still(bench.relay)
        assert bench.relay.resident() - before < 8 * MIB
    bench.relay.settled()
