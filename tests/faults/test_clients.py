"""Hostile, hasty and unlucky clients: what they send reaches the server as it is, and costs the others nothing."""

import hashlib
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from faults.server import answer
from faults.stage import Case, Stage, connect, descriptors, fault, talk
from proxy.rig import ANSWER, BLOCK, INSTANCES, MIB, NOTHING, PREDICT, Peer
from support import eventually

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
UNREAD = "proxy_unobservable_connections_total"


def _digest(parts: Sequence[bytes]) -> tuple[int, str]:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part)
    return sum(map(len, parts)), whole.hexdigest()


def _passes(scene: Stage, *parts: bytes) -> None:
    """What a client sends reaches the server whole, and the server's answer the client."""
    size, digest = _digest(parts)
    got: list[Peer] = []
    scene.script.script = lambda peer: (
        peer.read(size), got.append(peer), peer.send(NOTHING), peer.finish(), peer.to_end()
    )  # fmt: skip
    with connect(scene.script_port) as client:
        client.send(*parts)
        client.to_end()
        assert client.received == NOTHING
    assert [peer.digest for peer in got] == [(size, digest)]


@fault(
    18, "Floods of heads", "10,000 header lines, a header of 4 MiB, a target of 100 KB",
    "reach the server unchanged, and its answers come back",
)  # fmt: skip
def test_heads_beyond_all_measure_pass_unread(shared: Stage, case: Case) -> None:
    with case.streaming(shared.running):
        _passes(shared, b"GET / HTTP/1.1\r\n", *[b"X-%d: y\r\n" % number for number in range(10_000)], b"\r\n")
        _passes(shared, b"GET / HTTP/1.1\r\nX: ", b"y" * (4 * MIB), b"\r\n\r\n")
        _passes(shared, b"GET /", b"x" * 100_000, b" HTTP/1.1\r\n\r\n")
    case.unharmed()
    case.accounted(others=lambda: 3 - case.moved(UNREAD))
    assert case.tell(UNREAD, exact=False, reason="head_limit") >= 1


@fault(
    19, "Bytes without end or sense", "600 KB of empty lines, a chunk extension of 4 MiB, a million chunks of one byte",
    "reach the server unchanged, and its answers come back",
)  # fmt: skip
def test_padding_and_tiny_chunks_pass(shared: Stage, case: Case) -> None:
    chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    with case.streaming(shared.running):
        _passes(shared, b"\r\n" * 300_000, GET)
        _passes(shared, chunked, b"1;", b"x" * (4 * MIB), b"\r\na\r\n0\r\n\r\n")
        _passes(shared, chunked, *[b"1\r\na\r\n" * 10_000] * 100, b"0\r\n\r\n")
    case.unharmed()
    case.accounted(others=lambda: 3 - case.moved(UNREAD))
    assert case.tell(UNREAD, exact=False) > 0


def _giants(scene: Stage, case: Case, blocks: int) -> None:
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (blocks * MIB)
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (blocks * MIB)
    got: list[Peer] = []

    def both_ways(peer: Peer, sent: bytes, awaited: bytes) -> None:
        writer = threading.Thread(target=peer.send, args=(sent, *[BLOCK] * blocks))
        writer.start()
        time.sleep(1)  # nobody reads: every buffer on the way fills
        peer.read(len(awaited) + blocks * MIB)
        writer.join(60)
        got.append(peer)

    scene.script.script = lambda peer: (both_ways(peer, reply, head), peer.to_end())
    before, most = _resident(scene.worker), 0
    with case.streaming(scene.running), connect(scene.script_port) as client:
        conversation = threading.Thread(target=both_ways, args=(client, head, reply))
        conversation.start()
        while conversation.is_alive():
            conversation.join(0.1)
            most = max(most, _resident(scene.worker))
    assert {peer.digest for peer in got} == {_digest([one, *[BLOCK] * blocks]) for one in (head, reply)}
    assert most - before < 24 * MIB
    case.unharmed()
    case.accounted(others=lambda: 1 - case.moved(UNREAD))
    case.say("the worker's memory grows by less than 24 MiB")


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


@fault(
    20, "64 MiB each way at once", "request and answer of 64 MiB at the same time; neither side reads for a second",
    "both arrive, SHA-256 equal",
)  # fmt: skip
def test_giants_pass_each_other(shared: Stage, case: Case) -> None:
    _giants(shared, case, 64)


@pytest.mark.slow
@fault(
    20, "1 GiB each way at once", "request and answer of 1 GiB at the same time; neither side reads for a second",
    "both arrive, SHA-256 equal",
)  # fmt: skip
def test_greater_giants_pass_each_other(shared: Stage, case: Case) -> None:
    _giants(shared, case, 1024)


def _storm(scene: Stage, case: Case, count: int) -> None:
    draw = random.Random(29)
    worker = scene.worker
    before = len(descriptors(worker))
    arrivals: list[Callable[[Peer], object]] = [
        Peer.finish, Peer.reset, lambda peer: peer.send(draw.randbytes(100)), lambda peer: peer.send(GET[:9]),
    ]  # fmt: skip
    with case.streaming(scene.running):
        for _ in range(count // 100):
            crowd = [connect(scene.port) for _ in range(100)]
            for number, client in enumerate(crowd):
                with suppress(OSError):
                    arrivals[number % 4](client)
            for client in crowd:
                client.sock.close()
    case.unharmed()
    case.accounted()
    assert case.moved("proxy_connections_total") >= count
    assert scene.worker == worker
    eventually(lambda: len(descriptors(worker)) <= before, what="no descriptor more than before")
    case.tell("proxy_connections_total", exact=False)
    case.say("no descriptor is left open")


@fault(29, "A storm of 2,000 connections", "opened and closed, reset, half-open, with bytes of a port scan")
def test_a_storm_of_connections_leaves_nothing_behind(shared: Stage, case: Case) -> None:
    _storm(shared, case, 2000)


@pytest.mark.slow
@fault(29, "A storm of 10,000 connections", "opened and closed, reset, half-open, with bytes of a port scan")
def test_a_greater_storm_leaves_nothing_behind(shared: Stage, case: Case) -> None:
    _storm(shared, case, 10_000)


def _heard(scene: Stage, connections: int, size: int) -> None:
    """Wait until one more connection than those has brought so many bytes to the script."""
    eventually(lambda: [one.count for one in scene.script.peers[connections:]] == [size], what="a request under way")


@fault(
    30, "Clients abort", "resets amid a request, behind its head, and amid the answer, 10 of each",
    "the server is reset, too, each time",
)  # fmt: skip
def test_an_abort_reaches_the_server(shared: Stage, case: Case) -> None:
    peers: list[Peer] = []

    def server(peer: Peer) -> None:
        peer.until(b"\r\n\r\n")
        if b"amid-answer" in peer.received:
            peer.send(ANSWER[:-5])
        peer.to_end()
        peers.append(peer)

    shared.script.script = server
    aborted = [PREDICT + INSTANCES[:5], PREDICT, PREDICT.replace(b"/m:", b"/amid-answer:") + INSTANCES] * 10
    before = len(shared.script.peers)
    with case.streaming(shared.running):
        for number, sent in enumerate(aborted):
            client = connect(shared.script_port)
            client.send(sent)
            if b"amid-answer" in sent:
                client.read(len(ANSWER) - 5)
            else:
                _heard(shared, before + number, len(sent))
            client.reset()
        eventually(lambda: len(peers) == 30, what="30 ends")
    assert all(peer.was_reset for peer in peers)
    case.unharmed()
    case.accounted()
    assert case.tell("proxy_incomplete_exchanges_total", ended_by="client") == 30


@fault(31, "1,000 requests at once", "1,000 pipelined POSTs in one write on one connection", "1,000 answers, in order")
def test_pipelined_requests_are_answered_in_order(shared: Stage, case: Case) -> None:
    bodies = [b'{"instances": [[%d, 30, "red"]]}' % number for number in range(1000)]
    with case.streaming(shared.running), connect(shared.port) as client:
        client.send(b"".join(b"POST /m HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(one), one) for one in bodies))
        client.finish()
        client.to_end()
        found = [part.partition(b"\r\n\r\n")[2] for part in bytes(client.received).split(b"HTTP/1.1 200 OK\r\n")[1:]]
        assert found == [answer(body) for body in bodies]
    case.unharmed()
    case.accounted(others=1000)
    assert case.moved("payloads_decoded_total", side="request") >= 1000


_H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
_WEBSOCKET = b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


@fault(
    33, "Upgrades", "POST with `Upgrade: h2c`, a WebSocket, an upgrade that is refused, one that is answered by 200",
    "bodies and frames arrive unchanged",
)  # fmt: skip
def test_upgrades_pass(shared: Stage, case: Case) -> None:
    accepted = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    frames = random.Random(33).randbytes(5000)
    post = PREDICT.replace(b"Host: x\r\n", b"Host: x\r\n" + _H2C) + INSTANCES
    with case.streaming(shared.running):
        talk(shared, (post, ANSWER), (PREDICT + INSTANCES, ANSWER))
        talk(shared, (_WEBSOCKET, accepted), (frames, frames[::-1]))
        talk(shared, (_WEBSOCKET, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"), (GET, NOTHING))
        talk(shared, (_WEBSOCKET, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), (GET, NOTHING))
    case.unharmed()
    case.accounted(others=6)
    assert case.tell(UNREAD, reason="upgrade") == 1


@fault(
    34, "Expect: 100-continue", "answered by 100, by 417, by nothing but the answer, and by the answer before the body",
    "as without a relay",
)  # fmt: skip
def test_expectations_pass(shared: Stage, case: Case) -> None:
    head = PREDICT.replace(b"Host: x\r\n", b"Host: x\r\nExpect: 100-continue\r\n")
    refused = b"HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with case.streaming(shared.running):
        talk(shared, (head, b"HTTP/1.1 100 Continue\r\n\r\n"), (INSTANCES, ANSWER), (GET, NOTHING))
        talk(shared, (head, refused))
        talk(shared, (head + INSTANCES, ANSWER), (GET, NOTHING))
        talk(shared, (head, ANSWER), (INSTANCES, b""), (GET, NOTHING))
    case.unharmed()
    case.accounted(others=lambda: 7 - case.moved(UNREAD))
    assert case.moved(UNREAD) == 0


@fault(
    35, "Answers without bodies, with odd ones, of old versions",
    "HEAD, 204 and 304 with Content-Length, 1xx, HTTP/1.0, a body that ends with its connection",
    "as without a relay; the next message of the connection is read right",
)  # fmt: skip
def test_odd_answers_pass_and_the_next_is_read_right(shared: Stage, case: Case) -> None:
    head = b"HEAD /m HTTP/1.1\r\nHost: x\r\n\r\n"
    predict = PREDICT + INSTANCES
    with case.streaming(shared.running):
        talk(shared, (head, b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), (predict, ANSWER))
        talk(shared, (GET, b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), (predict, ANSWER))
        talk(shared, (GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), (predict, ANSWER))
        talk(shared, (predict, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ANSWER), (predict, ANSWER))
        talk(shared, (b"POST /m HTTP/1.0\r\nContent-Length: 22\r\n\r\n" + INSTANCES, ANSWER))
        talk(shared, (predict, b'HTTP/1.1 200 OK\r\n\r\n{"predictions": [3]}'))
    case.unharmed()
    case.accounted(others=10)
    assert case.moved(UNREAD) == case.moved("proxy_incomplete_exchanges_total") == 0


@fault(
    36, "A refusal while the client still sends", "413 and close after the head of a request of 64 MiB, 5 times",
    "413, though writing fails",
)  # fmt: skip
def test_an_early_refusal_arrives(shared: Stage, case: Case) -> None:
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (64 * MIB)
    refusal = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    shared.script.script = lambda peer: (peer.read(len(request)), peer.send(refusal))
    with case.streaming(shared.running):
        for _ in range(5):
            with connect(shared.script_port) as client:
                with suppress(ConnectionResetError, BrokenPipeError):
                    client.send(request, *[BLOCK] * 64)
                client.to_end()
                assert client.received == refusal
    case.unharmed()
    case.accounted(others=5)
    assert case.moved("proxy_requests_total", code="413") == 5
