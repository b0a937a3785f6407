"""The web server over real sockets: no client keeps its threads or makes it hold more than it should."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection

import pytest
from events import loggers
from proxy.rig import Peer
from support import eventually

from exporter import web
from exporter.collect.exposition import Block
from exporter.collect.rendered import Rendered
from exporter.events.desk import Desk
from exporter.handoff import board
from exporter.sections import Events
from exporter.web import streams
from exporter.web.server import WebServer

PAGE = b"model_x 1\n" * 10_000


def _page() -> Rendered:
    return Rendered([Block("model_x", b"", b"", PAGE, 10_000)])


@pytest.fixture
def desk() -> Desk:
    return Desk(Events(max_body=1 << 20), board.attach(board.create()))


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "REQUEST_S", 2.0)


@contextmanager
def serving(desk: Desk) -> Iterator[int]:
    """A web server in threads of the test's process; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    running = WebServer(listener, web.create_app(_page, None, desk), desk.most_bytes)
    try:
        yield port
    finally:
        running.stop()
        listener.close()


def peer(port: int) -> Peer:
    return Peer(socket.create_connection(("127.0.0.1", port), timeout=30))


def head(*lines: str) -> bytes:
    return "\r\n".join(
        ("POST /events HTTP/1.1", "Host: x", "Ce-Type: a.inference.request", "Ce-Id: 1", *lines, "", "")
    ).encode()


def answer(client: Peer) -> bytes:
    """All that comes until the connection ends."""
    while part := client.sock.recv(1 << 16):
        client.received += part
    return bytes(client.received)


def scrape(port: int) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    finally:
        connection.close()


def dropped(desk: Desk, reason: str) -> int:
    return desk.snapshot().dropped[reason]


def test_the_page_is_served_while_bodies_never_come(desk: Desk) -> None:
    with serving(desk) as port, ExitStack() as crowd:
        clients = [crowd.enter_context(peer(port)) for _ in range(40)]
        for client in clients:
            client.send(head("Content-Length: 1000") + b"x")
        eventually(lambda: dropped(desk, "busy") == 32, what="those beyond eight being refused")
        for _ in range(5):
            assert scrape(port) == PAGE
        refused = [client for client in clients if _has_answer(client)]
        assert len(refused) == 32
        assert all(b" 429 " in answer(client) for client in refused)


def _has_answer(client: Peer) -> bool:
    client.sock.setblocking(False)
    try:
        return bool(client.sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        client.sock.settimeout(30)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("drip", [b"", b"x"])
def test_a_body_that_takes_too_long_is_given_up(desk: Desk, drip: bytes) -> None:
    with serving(desk) as port, peer(port) as client:
        client.send(head("Content-Length: 1000") + b"x")
        while not _has_answer(client):
            client.send(drip)
            time.sleep(0.5)
        assert b" 408 " in answer(client)
        assert dropped(desk, "too_slow") == 1


@pytest.mark.usefixtures("hurried")
def test_a_head_that_takes_too_long_is_given_up(desk: Desk) -> None:
    with serving(desk) as port, peer(port) as client:
        client.send(b"POST /events HTTP/1.1\r\n")
        while not _has_answer(client):
            client.send(b"A: b\r\n")
            time.sleep(0.5)
        assert b" 408 " in answer(client)
        assert scrape(port) == PAGE


def test_a_body_in_pieces_is_taken_and_so_is_the_next_one(desk: Desk) -> None:
    with serving(desk) as port, peer(port) as client:
        for number in range(3):
            client.send(head("Content-Length: 10"))
            for _ in range(10):
                client.send(b"x")
                time.sleep(0.01)
            client.until(b"\r\n\r\n")
            assert client.received.startswith(b"HTTP/1.1 200"), number
            client.received.clear()
        assert desk.snapshot().received == 3


def test_a_body_in_chunks_is_taken(desk: Desk) -> None:
    headers, body = loggers.kserve("request", loggers.instances(*([[1, 2]] * 1000)), "x")
    connection_body = (body[at : at + 100] for at in range(0, len(body), 100))
    with serving(desk) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", "/events", connection_body, headers, encode_chunked=True)
        assert connection.getresponse().status == 200
        connection.close()
    [(_, exchange)] = _all(desk)
    assert exchange.request.content == body


def _all(desk: Desk) -> list[object]:
    desk.close()
    desk.take()
    return desk.rest()


@pytest.mark.parametrize("lines", [
    ("Content-Length: 1048577",),
    ("Content-Length: 99999999999999999",),
    ("Content-Length: 9999999999999999999999999",),
    ("Content-Length: -1",),
])  # fmt: skip
def test_a_length_beyond_the_bound_is_refused_before_a_byte_is_read(desk: Desk, lines: tuple[str, ...]) -> None:
    with serving(desk) as port, peer(port) as client:
        client.send(head(*lines))
        status = answer(client).split()[1]
        reason = {b"413": "too_large", b"400": "malformed"}[status]
        assert dropped(desk, reason) == 1
        assert scrape(port) == PAGE


@pytest.mark.parametrize("size", [b"fffffffffffffff", b"40000000", b"100001"])
def test_a_chunk_of_any_declared_size_takes_no_more_memory_than_its_bytes(desk: Desk, size: bytes) -> None:
    with serving(desk) as port, peer(port) as client:
        start = head("Transfer-Encoding: chunked") + size + b"\r\n"
        sender = threading.Thread(target=_flood, args=(client, start, min(int(size, 16), 3 << 20)))
        sender.start()
        assert b" 413 " in answer(client)
        sender.join(30)
        assert dropped(desk, "too_large") == 1
        assert scrape(port) == PAGE


def _flood(client: Peer, start: bytes, size: int) -> None:
    with suppress(OSError):  # it was given up
        client.sock.sendall(start + b"x" * size + b"\r\n0\r\n\r\n")


@pytest.mark.parametrize("rest", [b"zz\r\n", b"5\r\nabcdefgh", b"", b"5\r\nab"])
def test_a_body_that_is_broken_off_is_refused(desk: Desk, rest: bytes) -> None:
    with serving(desk) as port, peer(port) as client:
        client.send(head("Transfer-Encoding: chunked") + rest)
        client.sock.shutdown(socket.SHUT_WR)
        assert b" 400 " in answer(client)
        assert dropped(desk, "malformed") == 1


def test_a_body_that_ends_early_is_refused(desk: Desk) -> None:
    with serving(desk) as port, peer(port) as client:
        client.send(head("Content-Length: 10") + b"12345")
        client.sock.shutdown(socket.SHUT_WR)
        assert b" 400 " in answer(client)
        assert dropped(desk, "malformed") == 1


def test_clients_that_leave_and_paths_that_are_none_keep_nothing(desk: Desk) -> None:
    with serving(desk) as port:
        for _ in range(40):
            with peer(port) as client:
                client.send(head("Content-Length: 1000") + b"x")
        with peer(port) as client:
            client.send(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
            client.sock.sendall(b"x" * 1000)
            client.sock.shutdown(socket.SHUT_WR)
            assert b" 404 " in answer(client)
        assert scrape(port) == PAGE
