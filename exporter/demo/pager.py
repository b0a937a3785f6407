"""Somebody to be paged: a receiver of Alertmanager's webhooks."""

import json
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Page(NamedTuple):
    """The news that an alert fires, or that it no longer does."""

    at: float
    """When it arrived: seconds of `time.monotonic`."""
    receiver: str
    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def firing(self) -> bool:
        """It has begun; otherwise it has ended."""
        return self.status == "firing"

    @property
    def critical(self) -> bool:
        """It wakes somebody; otherwise it is a ticket for the day."""
        return self.labels.get("severity") == "critical"

    @property
    def alert(self) -> str:
        """The alert's name."""
        return self.labels.get("alertname", "?")

    @property
    def subject(self) -> str:
        """Which part of the model it is about; empty where it is about the whole."""
        return self.labels.get("feature") or self.labels.get("output") or ""


class Pager:
    """What arrived, each piece of news once: Alertmanager repeats the rest of a group with every change in it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._seen: set[tuple[str, str, str, str]] = set()
        self._pages: queue.SimpleQueue[Page] = queue.SimpleQueue()

    def receive(self, document: Mapping[str, Any]) -> None:
        """One webhook."""
        for alert in document["alerts"]:
            key = (document["receiver"], alert["fingerprint"], alert["startsAt"], alert["status"])
            if key not in self._seen:
                self._seen.add(key)
                self._pages.put(
                    Page(time.monotonic(), document["receiver"], alert["status"], alert["labels"], alert["annotations"])
                )

    def new(self) -> list[Page]:
        """What has arrived since the last call."""
        return [self._pages.get_nowait() for _ in range(self._pages.qsize())]


@contextmanager
def pager() -> Iterator[Pager]:
    """A receiver on a free port of the loopback, in threads of this process."""

    class Receiving(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.receive(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiving)
    server.daemon_threads = True
    found = Pager(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
