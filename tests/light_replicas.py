"""Replicas that cost little: of a sidecar what watches and what renders its page, many in the test's own process.

What is real: the monitor with its windows and evidence, in real time, and the page that Prometheus scrapes. What is not
there: the relay, the hand-off and processes of their own. Rows are given to the monitor as exchanges.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from monitor_scenes import exchange

from exporter import collect
from exporter.collect.rendered import TEXT
from exporter.collect.scene import Page, Scene
from exporter.condition import Health, ServerVitals
from exporter.decode import Decoder
from exporter.guarantees import Evidence
from exporter.handoff import report
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.said import Said
from exporter.override import Overrides
from exporter.reference import Profile
from exporter.sections import Windows

Row = dict[str, Any]
_DECODER: Final = Decoder()
_SERVER: Final = ServerVitals(up=True)


class Replica:
    """One, of one version of a model."""

    def __init__(self, profile: Profile, windows: Windows, overrides: Overrides) -> None:
        self._started_s = time.time()
        offset = self._started_s - time.monotonic()
        watching = Watching(Evidence(), lambda at: at + offset)
        self._profile, self._renderer = profile, collect.Renderer()
        self._monitor = Monitor(profile, windows, (), Said(overrides), watching)
        self._lock = threading.Lock()

    def see(self, rows: Sequence[Row], answers: Sequence[float]) -> None:
        """A request with so many rows and its answer, now."""
        seen = exchange(list(rows), list(answers), time.monotonic(), wall_ns=time.time_ns())
        with self._lock:
            self._monitor.observe(seen, _DECODER.decode(seen))

    def page(self) -> bytes:
        """What is on its /metrics now."""
        with self._lock:
            self._monitor.flush()
            snapshot = self._monitor.snapshot(time.monotonic())
        now = time.time()
        health = Health(self._started_s, 0, report.relay([], 0, 0), snapshot_wall_s=now, relaying=False)
        label = (self._profile.model or "m", self._profile.version or "1")
        scene = Scene(*label, self._profile, snapshot, _SERVER, health)
        return b"".join(self._renderer.render(Page((scene,), health)).pieces(TEXT))


class _Pages(ThreadingHTTPServer):
    daemon_threads = True
    replicas: list[Replica]


class _Answering(BaseHTTPRequestHandler):
    server: _Pages

    def do_GET(self) -> None:
        body = self.server.replicas[int(self.path.strip("/"))].page()
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # of a scraper that waits no longer
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Pages:
    """Where the pages of replicas are, and how Prometheus is told of them."""

    def __init__(self, server: _Pages) -> None:
        self._server = server

    def add(self, replica: Replica) -> dict[str, Any]:
        """What file discovery says of one more: it is its own instance, though all have one address."""
        self._server.replicas.append(replica)
        place = len(self._server.replicas) - 1
        labels = {"__metrics_path__": f"/{place}", "instance": f"light-{place}:9877"}
        return {"targets": [f"127.0.0.1:{self._server.server_port}"], "labels": labels}


@contextmanager
def pages() -> Iterator[Pages]:
    server = _Pages(("127.0.0.1", 0), _Answering)
    server.replicas = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Pages(server)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
