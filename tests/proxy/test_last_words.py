"""`Connection: close` while draining: put in where it is certainly right, and not one byte changed anywhere else."""

import signal
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxy.rig import ANSWER, INSTANCES, PREDICT, Peer, Recorder, Relay, recorder, relay
from support import eventually, model_server, sidecar

from exporter.proxy.last_words import with_close

CLOSED = ANSWER.replace(b"200 OK\r\n", b"200 OK\r\nConnection: close\r\n")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize("head", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 503 Busy\r\nA: Connection: x\r\n\r\nbody",
    b"HTTP/1.1 204\r\n\r\n", b"HTTP/1.0 200 OK\r\nX-Upgrade: y\r\n\r\n",
])  # fmt: skip
def test_a_head_that_says_nothing_of_its_connection_gets_one_line_more(head: bytes) -> None:
    line, rest = head.split(b"\r\n", 1)
    assert with_close(head) == line + b"\r\nConnection: close\r\n" + rest


@pytest.mark.parametrize("data", [
    b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n", b"HTTP/1.1 200 OK\r\ncONNECTION : close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\n\r\n", b"HTTP/1.1 426 No\r\nUpgrade: h2c\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n", CONTINUE, b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/2 200\r\n\r\n",
    b"\r\nHTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\nA: b\n\n", b"", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\n\r\n",
])  # fmt: skip
def test_anything_else_passes_unchanged(data: bytes) -> None:
    assert with_close(data) == data


_LINE = b"\r\nConnection: close"


@given(st.binary())
def test_whatever_it_is_no_byte_of_it_is_lost(data: bytes) -> None:
    assert with_close(data).replace(_LINE, b"", 1) in {data, data.replace(_LINE, b"", 1)}


# --- on real connections


def _answers(peer: Peer) -> None:
    while True:
        peer.until(INSTANCES)
        if not peer.received.endswith(INSTANCES):
            return
        peer.received.clear()
        peer.send(ANSWER)


@pytest.fixture
def ending() -> Iterator[tuple[Recorder, Relay]]:
    with recorder(_answers) as server, relay(server.port, announce_end=True) as running:
        yield server, running


def _read(client: Peer, count: int) -> bytes:
    client.received.clear()
    client.read(count)
    return bytes(client.received)


def test_every_answer_says_so_and_is_observed_as_the_server_sent_it(ending: tuple[Recorder, Relay]) -> None:
    _, running = ending
    with running.connect() as client:
        for _ in range(2):
            client.send(PREDICT, INSTANCES)
            assert _read(client, len(CLOSED)) == CLOSED
    running.settled()
    exchanges = running.exchanges()
    assert [one.response.content for one in exchanges] == [ANSWER.partition(b"\r\n\r\n")[2]] * 2
    assert running.unobservable() == {}


def test_with_requests_in_a_row_only_the_last_answer_says_so(ending: tuple[Recorder, Relay]) -> None:
    server, running = ending

    def both_then_one_by_one(peer: Peer) -> None:
        peer.read(2 * len(PREDICT + INSTANCES))
        peer.send(ANSWER)
        assert seen.wait(10)
        peer.send(ANSWER)
        peer.to_end()

    seen = threading.Event()
    server.script = both_then_one_by_one
    with running.connect() as client:
        client.send(PREDICT, INSTANCES, PREDICT, INSTANCES)
        assert _read(client, len(ANSWER)) == ANSWER
        seen.set()
        assert _read(client, len(CLOSED)) == CLOSED


def test_interim_answers_and_bodies_that_look_like_heads_pass_unchanged(ending: tuple[Recorder, Relay]) -> None:
    server, running = ending
    body = b"HTTP/1.1 200 OK\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * len(body))
    step = threading.Semaphore(0)

    def in_parts(peer: Peer) -> None:
        peer.read(len(PREDICT + INSTANCES))
        for part in (CONTINUE, head, body, body):
            peer.send(part)
            assert step.acquire(timeout=10)
        peer.to_end()

    server.script = in_parts
    with running.connect() as client:
        client.send(PREDICT, INSTANCES)
        for part in (CONTINUE, head.replace(b"OK", b"OK\r\nConnection: close"), body, body):
            assert _read(client, len(part)) == part
            step.release()


def test_a_head_in_pieces_passes_unchanged(ending: tuple[Recorder, Relay]) -> None:
    server, running = ending
    step = threading.Event()

    def in_pieces(peer: Peer) -> None:
        peer.read(len(PREDICT + INSTANCES))
        peer.send(ANSWER[:20])
        assert step.wait(10)
        peer.send(ANSWER[20:])
        peer.to_end()

    server.script = in_pieces
    with running.connect() as client:
        client.send(PREDICT, INSTANCES)
        assert _read(client, 20) == ANSWER[:20]
        step.set()
        assert _read(client, len(ANSWER) - 20) == ANSWER[20:]


def test_a_slow_client_still_slows_the_server_down(ending: tuple[Recorder, Relay]) -> None:
    server, running = ending
    size = 64 << 20
    done = threading.Event()

    def much(peer: Peer) -> None:
        peer.read(len(PREDICT))
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, b"x" * size)
        done.set()

    server.script = much
    with running.connect() as client:
        client.send(PREDICT)
        assert not done.wait(1)
        client.to_end()
        assert client.count == size + len(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 67108864\r\n\r\n")


@pytest.mark.parametrize("wanted", ["true", "false"])
def test_a_sidecar_says_so_from_sigterm_on_and_not_before(wanted: str) -> None:
    flags = ("--drain.delay", "60s", "--drain.close-header", wanted)
    with model_server() as upstream, sidecar(upstream, *flags) as running:
        with Peer(socket.create_connection(("127.0.0.1", running.port), timeout=30)) as client:

            def ask() -> bytes:
                client.received.clear()
                client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                client.until(b"ready\n")
                return bytes(client.received)

            assert b"Connection: close" not in ask()
            running.process.send_signal(signal.SIGTERM)
            eventually(lambda: "draining" in running.log(), what="the drain")
            if wanted == "true":
                eventually(lambda: b"Connection: close" in ask(), what="the header")
            else:
                assert b"Connection: close" not in ask()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(30) == 0
