"""What the status may take of a sidecar: threads, and bytes of answers that nobody reads."""

import socket
import threading
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from web.status.sample import Sample

from exporter.status.facts import Trails
from exporter.web.limits import Bucket
from exporter.web.server import WebServer
from exporter.web.status import NOWHERE, api, page
from exporter.web.status.asked import parse
from exporter.web.status.budget import Budget


def plenty(**bounds: Any) -> Budget:
    return Budget(Bucket(1e9, 1e9), **bounds)


def client(source: Sample, budget: Budget) -> FlaskClient:
    return application(source, budget).test_client()


def application(source: Sample, budget: Budget) -> Flask:
    app = Flask("test", static_folder=None)
    page.add(app, source, NOWHERE, budget)
    api.add(app, source, budget)

    @app.get("/other")
    def other() -> str:
        return "as ever"

    return app


class Slow(Sample):
    """Panes are told when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.over = threading.Semaphore(0), threading.Event()
        self.asked = 0

    def trails(self, *asked: Any) -> Trails | None:
        self.asked += 1
        self.begun.release()
        assert self.over.wait(10)
        return super().trails(*asked)


def test_of_all_threads_only_some_wait_for_the_status_and_the_others_serve_what_else_there_is() -> None:
    source, codes = Slow(), list[int]()
    browser = client(source, plenty())
    asking = [
        threading.Thread(target=lambda: codes.append(browser.get("/api/v1/trails").status_code)) for _ in range(6)
    ]
    for one in asking:
        one.start()
        assert source.begun.acquire(timeout=10)
    for path in ("/", "/api/v1/models"):
        refused = browser.get(path)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert browser.get("/other").text == "as ever"
    source.over.set()
    for one in asking:
        one.join(10)
    assert codes == [200] * 6
    assert browser.get("/").status_code == 200


def test_who_was_too_busy_for_one_table_is_not_waited_for_by_the_next() -> None:
    class Busy(Sample):
        asked = 0

        def trails(self, *_: Any) -> Trails | None:
            self.asked += 1
            raise TimeoutError

    source = Busy()
    assert client(source, plenty()).get("/").status_code == 200
    assert source.asked == 1


def test_answers_that_nobody_reads_have_a_bound_and_leave_room_once_they_are_given_up() -> None:
    path = "/api/v1/trails"  # longer than what the kernel takes
    budget = plenty(most_unread=1_000_000)
    listener = socket.create_server(("127.0.0.1", 0))
    running = WebServer(listener, application(Sample(1000), budget))
    try:
        with ExitStack() as stack:
            begun = [_begun(stack, listener.getsockname()[1], path) for _ in range(12)]
            assert begun[0].startswith(b"HTTP/1.1 200 ")
            assert begun[-1].startswith(b"HTTP/1.1 503 ")
            assert 0 < budget._unread <= 1_000_000
        assert _in_time(lambda: not budget._unread)
        with ExitStack() as stack:
            assert _begun(stack, listener.getsockname()[1], path).startswith(b"HTTP/1.1 200 ")
    finally:
        running.stop()
        listener.close()


def _begun(stack: ExitStack, port: int, path: str) -> bytes:
    """The first bytes of an answer of which no more are read."""
    sock = stack.enter_context(socket.socket())
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.settimeout(10)
    sock.connect(("127.0.0.1", port))
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return sock.recv(32)


def test_a_page_for_which_there_is_no_room_is_put_off() -> None:
    refused = client(Sample(100), plenty(most_unread=50_000)).get("/")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert "Content-Security-Policy" in refused.headers


def _in_time(is_so: Any) -> bool:
    pause = threading.Event()
    return any(is_so() or pause.wait(0.05) for _ in range(200))


def test_pages_that_are_held_have_a_bound_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_MOST_BYTES", 300_000)
    press = page.Press(Sample(100), NOWHERE, plenty())
    for at in range(20):
        assert press.page(parse({"page": str(at)}))
        assert press.page(parse({"q": "f" * at}))
    assert press.held <= 300_000
    assert press._held
