"""A web server in threads of the test's process, behind a guard, and clients of it over real sockets."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple

from proxy.rig import Peer

from exporter import web
from exporter.collect.exposition import Block
from exporter.collect.rendered import Rendered
from exporter.web import feedback, lifecycle, status
from exporter.web.entrance import Entrance, Said

PAGE = Rendered(
    [Block("model_x", b"# TYPE model_x gauge\n", b"# TYPE model_x gauge\n", b"model_x 1\n" * 10_000, 10_000)]
)
TEXT = b"# TYPE model_x gauge\n" + b"model_x 1\n" * 10_000


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Served(NamedTuple):
    """One that runs."""

    port: int
    entrance: Entrance
    authority: Path | None

    def context(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=str(self.authority)) if self.authority else None

    def ask(self, path: str = "/metrics", method: str = "GET", **more: Any) -> Answer:
        """One request on a connection of its own; `context` and `headers` where they are not the usual ones."""
        context = more.get("context", self.context())
        connection = (
            HTTPSConnection("localhost", self.port, timeout=30, context=context) if context
            else HTTPConnection("localhost", self.port, timeout=30)
        )  # fmt: skip
        try:
            connection.request(method, path, more.get("body"), more.get("headers", {}))
            return _answer(connection.getresponse())
        finally:
            connection.close()

    def refused(self) -> dict[str, int]:
        return {reason: count for reason, count in self.entrance.standing.refused.items() if count}


def _answer(found: HTTPResponse) -> Answer:
    return Answer(found.status, dict(found.getheaders()), found.read())


@contextmanager
def served(
    config: Path | None = None, authority: Path | None = None, tokens: Mapping[str, tuple[str, str]] | None = None,
    hosts: tuple[str, ...] = (), address: str = "0.0.0.0:0", **more: Any,
) -> Iterator[Served]:  # fmt: skip
    """What serves a page; `more` is of `create_app`, but for `supervisor`, `truths`, `alerts`, `source` and `port`."""
    listener = socket.create_server(("127.0.0.1", more.pop("port", 0)), backlog=512)
    entrance = Entrance(Said(address, str(config) if config else None, hosts, tokens or {}))
    supervisor, truths, alerts, source = (more.pop(name, None) for name in ("supervisor", "truths", "alerts", "source"))
    app = web.create_app(lambda: PAGE, **more)
    lifecycle.add(app, supervisor)
    feedback.add(app, truths)
    if alerts:
        alerts.open(app)
    if source:
        status.add(app, source)
    takers = [one for one in (more.get("events"), truths, alerts) if one]
    running = entrance.open(listener, app, max((one.most_bytes for one in takers), default=0))
    try:
        yield Served(listener.getsockname()[1], entrance, authority)
    finally:
        running.stop()
        listener.close()


def peer(port: int) -> Peer:
    return Peer(socket.create_connection(("127.0.0.1", port), timeout=30))


def rest(client: Peer) -> bytes:
    """All that comes until the connection ends."""
    with suppress(OSError):
        while part := client.sock.recv(1 << 16):
            client.received += part
    return bytes(client.received)
