"""What a client meets when the model server cannot be reached."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from proxy.rig import NOTHING, Peer, Relay, converse, recorder, relay
from support import eventually, free_port

from exporter.handoff.tally import Slot
from exporter.proxy.upstream import UNREACHABLE

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def deserted() -> Iterator[Relay]:
    """A relay whose upstream does not listen."""
    with relay(free_port()) as running:
        yield running


def test_a_client_is_told_that_the_server_cannot_be_reached(deserted: Relay) -> None:
    errors = deserted.slot(Slot.CONNECT_ERRORS)
    client = converse(deserted.port, lambda peer: peer.send(GET))
    head, _, body = bytes(client.received).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert b"\r\nconnection: close" in head
    assert b"\r\ncontent-length: %d" % len(body) in head
    assert not client.was_reset
    deserted.settled()
    assert deserted.slot(Slot.CONNECT_ERRORS) == errors + 1
    assert deserted.slot(Slot.OFFERED) == 0
    assert deserted.slot(Slot.BYTES_TO_SERVER) == 0


def test_the_refusal_survives_a_long_upload(deserted: Relay) -> None:
    client = converse(deserted.port, lambda peer: (peer.send(GET, b"x" * 4_000_000), peer.finish()))
    assert client.received.startswith(b"HTTP/1.1 502 ")
    assert not client.was_reset


def test_a_client_that_speaks_http2_is_not_answered_in_http1(deserted: Relay) -> None:
    assert converse(deserted.port, lambda peer: peer.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).count == 0


def test_a_client_that_says_nothing_is_let_go_when_it_leaves(deserted: Relay) -> None:
    assert converse(deserted.port, Peer.finish).count == 0
    deserted.settled()


def test_a_storm_of_refusals_leaves_nothing_behind(deserted: Relay) -> None:
    before = deserted.slot(Slot.CONNECTIONS)
    for number in range(200):
        with deserted.connect() as client:
            if number % 2:
                client.send(GET)
            if number % 3 == 0:
                client.reset()
    eventually(lambda: deserted.slot(Slot.CONNECTIONS) == before + 200, what="every one of them let in")
    deserted.settled()
    eventually(lambda: _descriptors(deserted) < 40, what="sockets given back")


def _descriptors(running: Relay) -> int:
    return len(list(Path(f"/proc/{running.process.pid}/fd").iterdir()))


def test_a_name_that_cannot_even_be_encoded_is_a_refusal_too() -> None:
    with relay(80, host="a" * 70 + ".invalid") as running:
        assert converse(running.port, lambda peer: peer.send(GET)).received.startswith(b"HTTP/1.1 502 ")
        running.settled()
        assert running.slot(Slot.CONNECT_ERRORS) == 1


def test_clients_that_leave_while_the_connect_hangs_leave_nothing_behind() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        crowd = []
        for _ in range(4):  # a full backlog: further handshakes are not answered
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
            crowd.append(sock)
        with relay(full.getsockname()[1]) as running:
            quiet = [running.connect() for _ in range(5)]
            eventually(lambda: running.slot(Slot.CONNECTIONS_OPEN) == 5)
            for number, client in enumerate(quiet):
                client.reset() if number % 2 else client.sock.close()
            eventually(lambda: running.slot(Slot.CONNECTIONS_OPEN) == 3, what="clients that reset let go at once")
            for sock in crowd:
                sock.close()
            full.settimeout(0.1)

            def over() -> bool:
                with suppress(TimeoutError):
                    full.accept()[0].close()
                return running.slot(Slot.CONNECTIONS_OPEN) == 0

            eventually(over, what="an ordinary end passed on once the connect is through")
            assert running.slot(Slot.IN_FLIGHT) == 0


@pytest.mark.parametrize("event_loop", ["uvloop", "asyncio"])
def test_a_refusal_that_nobody_waits_for_any_more_is_no_error(
    event_loop: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        socket.create_connection(full.getsockname()),
        relay(full.getsockname()[1], event_loop=event_loop, connect_timeout=0.5) as running,
    ):
        clients = [running.connect() for _ in range(5)]
        for client in clients:
            client.send(GET)
        eventually(lambda: running.slot(Slot.CONNECTIONS_OPEN) == 5, what="every one of them let in")
        time.sleep(0.1)  # their bytes are read, and no more is read of them
        for client in clients:
            client.sock.close()
        running.settled()
        running.stop()
        assert capfd.readouterr().err == ""


def answer_one(peer: Peer) -> None:
    peer.until(GET)
    peer.send(NOTHING)


def test_a_server_that_comes_and_goes_is_looked_for_at_every_connect() -> None:
    with recorder(answer_one) as server, relay(server.port, host="localhost") as running:
        assert converse(running.port, lambda peer: peer.send(GET)).received.startswith(b"HTTP/1.1 204")
        server.close()
        assert converse(running.port, lambda peer: peer.send(GET)).received.startswith(b"HTTP/1.1 502")
        running.settled()
        assert running.slot(Slot.OFFERED) == 1


@pytest.mark.parametrize("moment", [1.0, 1.01, 1.02, 1.03])
def test_a_client_whose_connect_succeeds_as_time_runs_out_is_served_or_refused(moment: float) -> None:
    """At a server whose queue was full the kernel knocks again after a second: just then we give up."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        socket.create_connection(full.getsockname()),
        relay(full.getsockname()[1], connect_timeout=moment) as running,
    ):
        clients = [running.connect() for _ in range(100)]
        for client in clients:
            client.send(GET)
        eventually(lambda: running.slot(Slot.CONNECTIONS) == 100, what="every one of them let in")
        full.listen(256)
        with recorder(answer_one, full.dup()):
            for client in clients:
                client.to_end()
                client.sock.close()
        running.settled()
        answers = Counter(bytes(client.received) for client in clients)
        assert answers[NOTHING] + answers[UNREACHABLE] == 100
        assert running.slot(Slot.CONNECT_ERRORS) == answers[UNREACHABLE]
        assert running.slot(Slot.OFFERED) == answers[NOTHING]
