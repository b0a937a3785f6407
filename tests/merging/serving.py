"""Servers that answer as they are told to, byte by byte."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from exporter.merging.asking import Limits, Target

LIMITS = Limits(timeout_s=2.0, most_bytes=1 << 20, most_series=1000)
IMPATIENT = LIMITS._replace(timeout_s=0.3)
TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPEN_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
Script = Callable[[bytes], Iterable[bytes]]
"""From the head of a request to what is sent, piece by piece."""


def answer(body: bytes, *headers: str, status: str = "200 OK", media: str = TYPE) -> bytes:
    """A whole answer."""
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {media}", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


class Server:
    """What a server was asked, and where it is."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.heads: list[bytes] = []

    def target(self, path: str = "/metrics") -> Target:
        return Target(("127.0.0.1", self.port), f"127.0.0.1:{self.port}", path)


@contextmanager
def serving(script: Script) -> Iterator[Server]:
    """Each connection gets one answer; whatever is not taken of it ends with the test."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        server = Server(listener.getsockname()[1])

        def serve() -> None:
            while not ended.is_set():
                with suppress(TimeoutError):
                    client, _ = listener.accept()
                    threading.Thread(target=_converse, args=(client, script, server, ended), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            ended.set()
            thread.join(5)


def _converse(client: socket.socket, script: Script, server: Server, ended: threading.Event) -> None:
    with client, suppress(OSError):
        client.settimeout(5)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = client.recv(65536)
            if not piece:
                return
            head += piece
        server.heads.append(head)
        for piece in script(head):
            if ended.is_set():
                return
            client.sendall(piece)
        client.shutdown(socket.SHUT_WR)
        client.recv(1)
