"""What hostile clients do to the web side, each until it is killed: `python benchmarks/attacks.py NAME PORT`.

A process of its own, so that what it costs is not ours.
"""

import base64
import contextlib
import itertools
import os
import random
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping

_BODY = 10 << 20
_CROWD = 400
_COSTLY = ("/?at=16", "/?q=", "/api/v1/trails?side=feature&name=", "/api/v1/features?per_page=100&page=")
"""To each a number is added."""
_PAUSE_S = 0.08
"""Of sixteen threads: two hundred in a second."""
_GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def _drained(sock: socket.socket, most: int = 1 << 30) -> None:
    while most > 0 and (data := sock.recv(1 << 16)):
        most -= len(data)


def nobody(_: int, __: str) -> None:
    """Only what an attacker's process costs by itself, where it shares a machine: it attacks nobody."""
    sum(range(10_000))


def scrapes(port: int, password: str) -> None:
    """Scrapes of the whole page, uncompressed, without a pause."""
    with _connect(port) as sock:
        sock.sendall(_GET + _basic(password) + b"Connection: close\r\n\r\n")
        _drained(sock)


def queries(port: int, password: str) -> None:
    """Pages of the status and answers of its API, none asked for before, on one connection."""
    with _connect(port) as sock:
        for number in itertools.count(random.randrange(1 << 30)):
            path = _COSTLY[number % len(_COSTLY)] + str(number)
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode() + _basic(password) + b"\r\n")
            if not sock.recv(1 << 18):
                return
            time.sleep(_PAUSE_S)


def bodies(port: int, _: str) -> None:
    """Bodies of 10 MB to /events, which takes 4 MiB; their sizes are not said beforehand."""
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with _connect(port) as sock:
        sock.sendall(b"POST /events HTTP/1.1\r\nHost: localhost\r\nCe-Type: a.inference.request\r\nCe-Id: 1\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n")  # fmt: skip
        for _ in range(_BODY // 65536):
            sock.sendall(piece)
        sock.sendall(b"0\r\n\r\n")
        _drained(sock)


def passwords(port: int, _: str) -> None:
    """Wrong passwords."""
    with _connect(port) as sock:
        sock.sendall(_GET + _basic(str(random.random())) + b"Connection: close\r\n\r\n")
        _drained(sock)


def pipelines(port: int, password: str) -> None:
    """A thousand requests at once on one connection."""
    with _connect(port) as sock:
        threading.Thread(target=_reading, args=(sock,), daemon=True).start()
        sock.sendall((b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n" + _basic(password) + b"\r\n") * 1000)


def connections(port: int, _: str) -> None:
    """Connections that are opened and closed."""
    _connect(port).close()


def handshakes(port: int, _: str) -> None:
    """Whole handshakes of TLS, and nothing after them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(_connect(port)):
        pass


def _reading(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        _drained(sock)


def _basic(password: str) -> bytes:
    return b"Authorization: Basic " + base64.b64encode(f"prometheus:{password}".encode()) + b"\r\n"


def slowloris(port: int, _: str) -> None:
    """Four hundred heads that never end, a byte a second each."""
    _crowd(port, _GET + b"X:", lambda sock: sock.send(b"x"))


def unread(port: int, password: str) -> None:
    """Four hundred that ask for the page and read a byte a second."""
    _crowd(port, _GET + _basic(password) + b"\r\n", lambda sock: sock.recv(1))


def unread_pages(port: int, password: str) -> None:
    """The same of the status, each a page of its own."""
    _crowd(port, b"GET /?q=%d HTTP/1.1\r\nHost: localhost\r\n" + _basic(password) + b"\r\n", lambda sock: sock.recv(1))


def half_handshakes(port: int, _: str) -> None:
    """Four hundred that begin a handshake of TLS and say a byte a second."""
    _crowd(port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", lambda sock: sock.send(b"x"))


def _crowd(port: int, first: bytes, goes_on: Callable[[socket.socket], object]) -> None:
    there: list[socket.socket] = []
    while True:
        while len(there) < _CROWD:
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(0.01)
            with contextlib.suppress(OSError):
                sock.connect(("127.0.0.1", port))
                sock.sendall(first.replace(b"%d", b"%d" % random.randrange(1 << 30)))
            there.append(sock)
        time.sleep(1)
        for sock in list(there):
            try:
                goes_on(sock)
            except TimeoutError:
                pass
            except OSError:
                sock.close()
                there.remove(sock)


ATTACKS: Mapping[str, tuple[Callable[[int, str], None], int]] = {
    "nobody": (nobody, 1), "scrapes": (scrapes, 30), "slowloris": (slowloris, 1), "unread": (unread, 1),
    "queries": (queries, 16), "unread_pages": (unread_pages, 1),
    "passwords": (passwords, 16), "bodies": (bodies, 16), "pipelines": (pipelines, 8), "connections": (connections, 8),
    "handshakes": (handshakes, 8), "half_handshakes": (half_handshakes, 1),
}  # fmt: skip
"""By name: what is done again and again, and in how many threads."""
OVER_TLS = ("handshakes", "half_handshakes")


def _again(does: Callable[[int, str], None], port: int, password: str) -> None:
    for _ in itertools.count():
        try:
            does(port, password)
        except OSError:
            time.sleep(0.001)


def main() -> None:
    name, port = sys.argv[1], int(sys.argv[2])
    does, threads = ATTACKS[name]
    for _ in range(threads - 1):
        threading.Thread(target=_again, args=(does, port, os.environ.get("PASSWORD", "")), daemon=True).start()
    _again(does, port, os.environ.get("PASSWORD", ""))


if __name__ == "__main__":
    main()
