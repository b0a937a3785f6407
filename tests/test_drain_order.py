"""The two orders in which Kubernetes ends a pod: server and sidecar at once, or the sidecar after its server."""

import os
import signal
import socket
import threading

from proxy.rig import NOTHING, Peer, recorder
from support import sidecar

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def _client(port: int) -> Peer:
    return Peer(socket.create_connection(("127.0.0.1", port), timeout=30))


def test_told_at_the_same_time_as_its_server_it_lets_the_server_finish() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def server_script(peer: Peer) -> None:
        if not peer.some():
            return
        asked.set()
        assert go_on.wait(30)
        peer.send(NOTHING)
        peer.finish()  # as a server that drains does
        peer.to_end()

    with recorder(server_script) as server, sidecar(server.port) as running:
        with _client(running.port) as idle, _client(running.port) as busy:
            busy.send(GET)
            assert asked.wait(10)
            os.kill(running.process.pid, signal.SIGTERM)
            idle.to_end()
            assert not idle.was_reset
            assert running.process.poll() is None, "an answer is awaited"
            go_on.set()
            busy.to_end()
            assert busy.received == NOTHING
            assert not busy.was_reset
        assert running.process.wait(30) == 0


def test_told_after_its_server_has_gone_it_ends_and_resets_nobody() -> None:
    def server_script(peer: Peer) -> None:
        while peer.some():
            peer.send(NOTHING)

    with recorder(server_script) as server, sidecar(server.port) as running:
        with _client(running.port) as client:
            client.send(GET)
            client.read(len(NOTHING))
            for peer in server.peers:
                peer.finish()
            server.close()
            client.to_end()
            assert client.received == NOTHING
            assert not client.was_reset, "the server's end is passed on as what it was"
        with _client(running.port) as late:
            late.send(GET)
            late.to_end()
            assert late.received.startswith(b"HTTP/1.1 502 ")
        assert running.stop() == 0
