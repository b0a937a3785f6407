"""A web site over TLS, with a certificate that nobody but its own authority vouches for, and what it was asked."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from proxy.test_tls import make


class Page(NamedTuple):
    """What is answered at a path."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}  # noqa: RUF012 (never changed)
    behave: Callable[[BaseHTTPRequestHandler], None] | None = None
    """Instead of all that."""


class Site:
    """Pages by path, to be changed at any time."""

    def __init__(self, port: int, certificate: str | None) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.port = port
        self.certificate = certificate

    def url(self, path: str, who: str = "") -> str:
        return f"{'http' if self.certificate is None else 'https'}://{who}localhost:{self.port}{path}"

    def put(self, path: str, body: bytes, **headers: str) -> None:
        self.pages[path] = Page(200, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def count(self, path: str) -> int:
        return sum(one == path for one, _ in self.asked)


def endless(handler: BaseHTTPRequestHandler) -> None:
    """A body without an end."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" " * (1 << 20))
    except OSError:
        pass


def silent(handler: BaseHTTPRequestHandler) -> None:
    """Not a word, until the client has gone."""
    handler.connection.settimeout(60)
    handler.rfile.read(1)


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then: every one in time, all of them never."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" ")
            time.sleep(0.1)
    except OSError:
        pass


@contextmanager
def site(directory: Path | None) -> Iterator[Site]:
    """A site; over TLS where there is a directory for its certificate."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            path = self.path
            serving.asked.append((path, dict(self.headers)))
            page = serving.pages.get(path.partition("?")[0], Page(404))
            if page.behave is not None:
                page.behave(self)
                return
            tag = page.headers.get("ETag") or page.headers.get("Last-Modified")
            asked = self.headers.get("If-None-Match") or self.headers.get("If-Modified-Since")
            status, body = (304, b"") if tag and asked == tag else (page.status, page.body)
            self.send_response(status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    certificate = None
    if directory is not None:
        files = make(directory, "localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.cert, files.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        certificate = files.cert
    serving = Site(server.server_port, certificate)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield serving
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
