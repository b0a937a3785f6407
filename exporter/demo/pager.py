"""Somebody to be paged: a receiver of Alertmanager's webhooks."""

import json
import queue
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple

_MOST_BYTES: Final = 16 << 20
_PATIENCE_S: Final = 10.0
_OF_COLUMNS: Final = ("ModelFeature", "ModelPrediction")
"""What names of alerts about single columns begin with."""
_COLUMN: Final = re.compile(r"\b(?:Feature|Output) ([^ :]+)[ :]")
"""Names the columns in their descriptions."""


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
        """Which part of the model it is about, the first where it names several; empty where it is about the whole."""
        if label := self.labels.get("feature") or self.labels.get("output"):
            return label
        found = _COLUMN.search(self.annotations.get("description", ""))
        return found[1] if found and self.alert.startswith(_OF_COLUMNS) else ""

    def same(self, other: "Page") -> bool:
        """Whether both are news of one alert."""
        return (self.receiver, self.labels) == (other.receiver, other.labels)


class Pager:
    """What arrived, each piece of news once: Alertmanager repeats the rest of a group with every change in it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._seen: set[tuple[str, str, str, str]] = set()
        self._pages: queue.SimpleQueue[Page] = queue.SimpleQueue()

    def receive(self, body: bytes) -> bool:
        """Whether that is a webhook; if so it has been taken."""
        try:
            told = _read(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
        for key, page in told:
            if key not in self._seen:
                self._seen.add(key)
                self._pages.put(page)
        return True

    def new(self) -> list[Page]:
        """What has arrived since the last call."""
        return [self._pages.get_nowait() for _ in range(self._pages.qsize())]


def _read(document: Any) -> list[tuple[tuple[str, str, str, str], Page]]:  # noqa: ANN401 (whatever somebody sent)
    """The alerts of a webhook, each with what tells it from others."""
    receiver, now = str(document["receiver"]), time.monotonic()
    return [
        ((receiver, str(alert["fingerprint"]), str(alert["startsAt"]), str(alert["status"])),
         Page(now, receiver, str(alert["status"]), _texts(alert["labels"]), _texts(alert["annotations"])))
        for alert in document["alerts"]
    ]  # fmt: skip


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in values.items()}


class _Receiving(BaseHTTPRequestHandler):
    """Webhooks are taken; anything else that is posted to this port is refused."""

    timeout = _PATIENCE_S
    server: "_Server"

    def do_POST(self) -> None:
        taken = self.server.pager.receive(self._body())
        self.send_response(200 if taken else 400)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)  # whoever asks wants to know that it is here
        self.send_header("content-length", "0")
        self.end_headers()

    def _body(self) -> bytes:
        """What was sent; nothing where that cannot be told."""
        length = self.headers.get("content-length", "")
        plain = length.isascii() and length.isdigit() and len(length) <= len(str(_MOST_BYTES))
        return self.rfile.read(int(length)) if plain and int(length) <= _MOST_BYTES else b""

    def log_message(self, *_: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    pager: Pager

    def handle_error(self, *_: object) -> None:
        """Quiet: a client that went away is no news, and this is the demo's screen."""


@contextmanager
def pager(host: str = "127.0.0.1", port: int = 0) -> Iterator[Pager]:
    """A receiver, on a free port of the loopback where nothing else is said, in threads of this process."""
    server = _Server((host, port), _Receiving)
    server.pager = found = Pager(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
