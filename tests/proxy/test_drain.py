"""The end of the process: what is under way finishes, what is idle is closed, what outlasts it is reset."""

import signal
import socket
import threading
import time

from proxy.rig import (
    ANSWER,
    BLOCK,
    INSTANCES,
    PREDICT,
    Peer,
    Relay,
    converse,
    recorder,
    relay,
)
from support import PATIENCE_S, eventually

from exporter.handoff.tally import Slot


def test_draining_lets_a_slow_response_finish_and_closes_what_is_idle() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def server(peer: Peer) -> None:
        if peer.some(1) == b"P":
            peer.read(len(PREDICT + INSTANCES) - 1)
            asked.set()
            peer.send(ANSWER[:30])
            assert go_on.wait(30)
            peer.send(ANSWER[30:])
        peer.to_end()

    with recorder(server) as upstream, relay(upstream.port) as running, running.connect() as idle:
        results: list[Peer] = []
        thread = threading.Thread(
            target=lambda: results.append(converse(running.port, lambda peer: peer.send(PREDICT, INSTANCES)))
        )
        thread.start()
        assert asked.wait(10)
        running.close_listener()
        running.process.send_signal(signal.SIGUSR1)
        idle.to_end()
        assert not idle.was_reset
        assert running.process.poll() is None, "one response is still under way"
        go_on.set()
        thread.join(30)
        assert results[0].received == ANSWER
        assert running.stop() == 0


def _trickle(running: Relay, peer: Peer, size: int) -> int:
    """Send a little at a time, until the relay takes no more or so much has passed; how much has passed."""
    base = running.slot(Slot.BYTES_TO_CLIENT)
    passed = 0
    while passed < size:
        peer.send(BLOCK[: min(8192, size - passed)])
        sent = passed + min(8192, size - passed)
        deadline = time.monotonic() + 0.3
        while running.slot(Slot.BYTES_TO_CLIENT) - base < sent:
            if time.monotonic() > deadline:
                return passed
        passed = sent
    return passed


def test_draining_sends_what_is_buffered_for_a_slow_reader() -> None:
    sizes = [1 << 30]  # at first as much as the buffers hold, then a little less: the end waits in the relay itself
    ready = threading.Event()

    def server(peer: Peer) -> None:
        peer.read(len(PREDICT + INSTANCES))
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % sizes[-1]
        peer.send(head)
        eventually(lambda: running.slot(Slot.BYTES_TO_CLIENT) - base == len(head))
        sizes.append(_trickle(running, peer, sizes[-1]) - (40 << 10))
        ready.set()

    def slow_reader() -> Peer:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        sock.connect(("127.0.0.1", running.port))
        client = Peer(sock)
        client.send(PREDICT, INSTANCES)
        assert ready.wait(30)
        ready.clear()
        return client

    with recorder(server) as upstream, relay(upstream.port) as running:
        base = 0
        with slow_reader():
            pass
        running.settled()
        base = running.slot(Slot.BYTES_TO_CLIENT)
        with slow_reader() as client:
            running.process.send_signal(signal.SIGUSR1)
            eventually(lambda: running.slot(Slot.DRAINING) == 1)
            time.sleep(0.2)
            client.to_end()
            assert not client.was_reset
            assert client.count == running.slot(Slot.BYTES_TO_CLIENT) - base
        assert running.stop() == 0


def test_what_outlasts_the_drain_is_reset_and_counted() -> None:
    part = b"HTTP/1.1 200 OK\r\n\r\nhalf"
    with (
        recorder(lambda peer: (peer.read(len(PREDICT)), peer.send(part), peer.to_end())) as upstream,
        relay(upstream.port, drain_timeout=0.2) as running,
    ):
        with running.connect() as client:
            client.send(PREDICT)
            client.read(len(part))
            running.process.send_signal(signal.SIGUSR1)
            client.to_end()
            assert client.was_reset, "half a response must not look whole"
        assert running.process.wait(10) == 0
        assert running.incomplete() == {"shutdown": 1}
        assert running.slot(Slot.IN_FLIGHT) == 0


def test_a_worker_that_is_told_to_drain_until_it_has_ended_does_not_die_of_it() -> None:
    with recorder(lambda peer: peer.to_end()) as upstream, relay(upstream.port) as running:
        eventually(lambda: running.slot(Slot.HEARTBEAT_NS), what="its taking signals")
        deadline = time.monotonic() + PATIENCE_S
        while running.process.poll() is None and time.monotonic() < deadline:
            running.process.send_signal(signal.SIGUSR1)
        assert running.process.wait(1) == 0
