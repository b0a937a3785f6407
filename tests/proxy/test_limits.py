"""What bounds clients: slow heads, too many of them, and a process out of descriptors."""

import ctypes
import os
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from proxy.rig import INSTANCES, NOTHING, PREDICT, Peer, Relay, converse, recorder, relay
from support import eventually

from exporter.handoff.tally import Slot

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
_PIDFD_GETFD = 438


def answer_all(peer: Peer) -> None:
    while peer.some():
        if peer.received.endswith(b"\r\n\r\n"):
            peer.send(NOTHING)


# --- the head of a request


@pytest.fixture
def impatient() -> Iterator[Relay]:
    with recorder(answer_all) as server, relay(server.port, head_timeout=0.3) as running:
        yield running


@pytest.mark.parametrize("already", [0, 2], ids=["a fresh connection", "one that was used before"])
def test_a_head_that_does_not_end_is_not_waited_for(impatient: Relay, already: int) -> None:
    with impatient.connect() as client:
        for number in range(already):
            client.send(GET)
            client.read(len(NOTHING) * (number + 1) - client.count)
        client.send(GET[:-2])
        client.to_end()
        assert impatient.slot(Slot.CLOSED_HEAD_TIMEOUT) == 1
    impatient.settled()
    assert impatient.incomplete() == {"client": 1}


def test_a_trickle_does_not_help(impatient: Relay) -> None:
    over = threading.Event()

    def trickle(peer: Peer) -> None:
        peer.send(GET[:-2])
        while not over.wait(0.05):
            try:
                peer.send(b"X: y\r\n")
            except OSError:
                return

    with impatient.connect() as client:
        writer = threading.Thread(target=trickle, args=(client,))
        writer.start()
        eventually(lambda: impatient.slot(Slot.CLOSED_HEAD_TIMEOUT) == 1)
        over.set()
        writer.join(10)


@pytest.mark.parametrize("sent", [b"", GET, PREDICT + INSTANCES[:-1]], ids=["nothing", "a request", "half a body"])
def test_whoever_is_idle_or_sends_a_body_is_waited_for(sent: bytes) -> None:
    with (
        recorder(Peer.to_end) as server,
        relay(server.port, head_timeout=0.1) as running,
        running.connect() as client,
    ):
        client.send(sent)
        with running.connect() as slow:  # proves that somebody looked
            slow.send(GET[:-2])
            eventually(lambda: running.slot(Slot.CLOSED_HEAD_TIMEOUT) == 1)
        client.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.to_end()


def test_a_second_head_may_wait_for_the_first_answer() -> None:
    go_on = threading.Event()

    def server_script(peer: Peer) -> None:
        peer.until(GET + GET[:-2])
        assert go_on.wait(30)
        peer.send(NOTHING)
        peer.read(2)
        peer.send(NOTHING)

    with (
        recorder(server_script) as server,
        relay(server.port, head_timeout=0.1) as running,
        running.connect() as client,
        running.connect() as slow,
    ):
        client.send(GET, GET[:-2])
        slow.send(GET[:-2])
        eventually(lambda: running.slot(Slot.CLOSED_HEAD_TIMEOUT) == 1, what="the slow one let go")
        go_on.set()
        client.send(GET[-2:])
        client.to_end()
        assert client.received == NOTHING * 2


# --- too many


def test_one_client_too_many_is_told_so_and_the_others_do_not_notice() -> None:
    with recorder(answer_all) as server, relay(server.port, max_connections=2) as running:
        with running.connect() as first, running.connect() as second:
            eventually(lambda: running.slot(Slot.CONNECTIONS_OPEN) == 2)
            third = converse(running.port, lambda peer: peer.send(GET))
            assert third.received.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert not third.was_reset
            for client in (first, second):
                client.send(GET)
                client.read(len(NOTHING))
                assert client.received == NOTHING
        running.settled()
        assert running.slot(Slot.CLOSED_MAX_CONNECTIONS) == 1
        with running.connect() as fourth:
            fourth.send(GET)
            fourth.read(len(NOTHING))
            assert fourth.received == NOTHING
        assert len(server.peers) == 3


def test_a_crowd_of_refused_clients_is_refused_in_turns() -> None:
    with recorder(answer_all) as server, relay(server.port, max_connections=1) as running, running.connect():
        eventually(lambda: running.slot(Slot.CONNECTIONS_OPEN) == 1)
        with ExitStack() as crowd:
            clients = [crowd.enter_context(running.connect()) for _ in range(100)]
            eventually(lambda: running.slot(Slot.CLOSED_MAX_CONNECTIONS) >= 32)
            for client in clients:
                client.send(GET)
            for client in clients:
                client.to_end()
                assert client.received.startswith(b"HTTP/1.1 503 ")
        assert running.slot(Slot.CLOSED_MAX_CONNECTIONS) == 100


# --- out of descriptors


def _limit(running: Relay, spare: int | None) -> None:
    """Leave the worker so many descriptors that are free, or all that it had."""
    used = {int(entry.name) for entry in Path(f"/proc/{running.process.pid}/fd").iterdir()}
    hard = resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)[1]
    free = [number for number in range(len(used) + 9) if number not in used]
    resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (hard if spare is None else free[spare], hard))


def test_clients_for_whom_there_is_no_descriptor_wait_until_there_is_one() -> None:
    with recorder(answer_all) as server, relay(server.port) as running, ExitStack() as crowd:
        known = crowd.enter_context(running.connect())
        eventually(lambda: running.slot(Slot.CONNECTIONS_OPEN) == 1)
        _limit(running, 0)
        waiting = [crowd.enter_context(running.connect()) for _ in range(5)]
        for client in waiting:
            client.send(GET)
        eventually(lambda: running.slot(Slot.ACCEPT_ERRORS_DESCRIPTORS) >= 3, what="some tries")
        before = running.slot(Slot.ACCEPT_ERRORS_DESCRIPTORS)
        known.send(GET)
        known.read(len(NOTHING))
        assert known.received == NOTHING
        assert running.slot(Slot.ACCEPT_ERRORS_DESCRIPTORS) - before < 100, "it must not spin"
        _limit(running, None)
        for client in waiting:
            client.read(len(NOTHING))
            assert client.received == NOTHING


def test_a_client_for_whose_server_there_is_no_descriptor_is_told_so() -> None:
    with recorder(answer_all) as server, relay(server.port) as running:
        converse(running.port, lambda peer: (peer.send(GET), peer.read(len(NOTHING)), peer.finish()))
        running.settled()
        _limit(running, 1)
        assert converse(running.port, lambda peer: peer.send(GET)).received.startswith(b"HTTP/1.1 502 ")
        _limit(running, None)
        again = converse(running.port, lambda peer: (peer.send(GET), peer.read(len(NOTHING)), peer.finish()))
        assert again.received == NOTHING
        assert running.slot(Slot.CONNECT_ERRORS) == 1


# --- what the sockets are like


def _sockets(pid: int) -> list[socket.socket]:
    """The sockets of another process, as descriptors of our own."""
    pidfd = os.pidfd_open(pid)
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        if str(entry.readlink()).startswith("socket:"):
            fd = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, pidfd, int(entry.name), 0)
            if fd < 0:
                pytest.skip("this machine does not let a test look into another process's sockets")
            found.append(socket.socket(fileno=fd))
    os.close(pidfd)
    return found


def test_neither_leg_delays_small_packets() -> None:
    with recorder(answer_all) as server, relay(server.port) as running, running.connect() as client:
        client.send(GET)
        client.read(len(NOTHING))
        sockets = _sockets(running.process.pid)
        try:
            legs = [
                one for one in sockets
                if one.family == socket.AF_INET and not one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            ]  # fmt: skip
            assert len(legs) == 2
            assert all(one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in legs)
        finally:
            for one in sockets:
                one.close()
