"""What probes meet: servers that answer, hang, drip, flood, die and come back. Real sockets on loopback."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nup\n"
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
Script = Callable[["Caller"], None]


class Caller:
    """A connection that was accepted, its request's head read."""

    def __init__(self, sock: socket.socket, stop: threading.Event) -> None:
        self.sock = sock
        self.stop = stop
        self.head = b""
        self.sent = 0

    def read_head(self) -> None:
        while b"\r\n\r\n" not in self.head:
            piece = self.sock.recv(4096)
            if not piece:
                return
            self.head += piece

    def send(self, content: bytes) -> None:
        self.sock.sendall(content)
        self.sent += len(content)


class Listener:
    """A port that can be closed and opened again; what a script says to each caller, in a thread of its own."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._context = context
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.port = 0
        self.callers: list[Caller] = []
        self.open()

    def open(self) -> None:
        self._sock = socket.socket()
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._sock.bind(("127.0.0.1", self.port))
        self._sock.listen(64)
        self.port = self._sock.getsockname()[1]
        self._start(self._accept, self._sock)

    def close(self) -> None:
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def end(self) -> None:
        self._stop.set()
        self.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *words: object) -> None:
        thread = threading.Thread(target=target, args=words, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        while not self._stop.is_set():
            try:
                sock, _ = listening.accept()
            except OSError:
                return
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(30)
        with suppress(OSError), self._spoken(sock) as spoken:
            caller = Caller(spoken, self._stop)
            self.callers.append(caller)
            self._script(caller)

    def _spoken(self, sock: socket.socket) -> socket.socket:
        """The connection as it is spoken on; closed where there can be no TLS."""
        try:
            return self._context.wrap_socket(sock, server_side=True) if self._context else sock
        except OSError:
            sock.close()
            raise


@contextmanager
def listening(script: Script, context: ssl.SSLContext | None = None) -> Iterator[Listener]:
    listener = Listener(script, context)
    try:
        yield listener
    finally:
        listener.end()


def answers(content: bytes) -> Script:
    """One that answers each request with some bytes, and hangs up."""

    def script(caller: Caller) -> None:
        caller.read_head()
        caller.send(content)

    return script


def hangs_up(_: Caller) -> None:
    """At once."""


def says_nothing(caller: Caller) -> None:
    """It takes the request and never answers."""
    caller.read_head()
    caller.stop.wait(60)


def drips(caller: Caller, first: bytes = b"") -> None:
    """A byte now and then, for ever: no single read waits long."""
    caller.read_head()
    caller.send(first)
    while not caller.stop.wait(0.1):
        caller.send(b"H")


def drips_a_body(caller: Caller) -> None:
    drips(caller, b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")


def floods(caller: Caller) -> None:
    """A body without end, as fast as it is taken."""
    caller.read_head()
    caller.send(ENDLESS)
    while not caller.stop.is_set():
        caller.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")


def floods_a_head(caller: Caller) -> None:
    caller.read_head()
    caller.send(b"HTTP/1.1 200 OK\r\n")
    while not caller.stop.is_set():
        caller.send(b"X-A: " + b"x" * 1000 + b"\r\n")
