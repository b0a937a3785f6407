"""Those to whom events are posted: real servers on loopback, who answer as a test wants it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Answer(NamedTuple):
    status: int = 200
    headers: Mapping[str, str] = {}


class Received(NamedTuple):
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """Who listens, and what came."""

    def __init__(self, answers: Callable[[int], Answer]) -> None:
        self.received: list[Received] = []
        self.answers = answers
        self.port = 0
        self.context: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.received.append(Received(headers, body))
        answer = self.receiver.answers(len(self.receiver.received))
        self.send_response(answer.status)
        for name, value in {"content-length": "0", **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def receiver(answers: Callable[[int], Answer] = lambda _: Answer(), port: int = 0) -> Iterator[Receiver]:
    """`answers` gives what the n-th post is answered, from 1."""
    found = Receiver(answers)
    server = ThreadingHTTPServer(("127.0.0.1", port), type("_Of", (_Handler,), {"receiver": found}))
    server.daemon_threads = True
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
