"""Those whom Alertmanager tells things: whatever is posted over HTTP, and mail. Threads of the test's process."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Post(NamedTuple):
    """One POST: where to, and the JSON that came."""

    path: str
    body: Any


class Letterbox:
    """What has come, in the order in which it came."""

    def __init__(self) -> None:
        self.port = 0
        self.posts: list[Post] = []
        self.mails: list[EmailMessage] = []

    def posted(self, path: str) -> list[Any]:
        return [post.body for post in [*self.posts] if post.path == path]


class _Posts(BaseHTTPRequestHandler):
    letterbox: Letterbox

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.letterbox.posts.append(Post(self.path, body))
        answer = b"ok"  # Slack's; nobody else looks
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


class _Mails(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs that trusts whom it talks to."""

    letterbox: Letterbox

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().strip().upper():
            if line == b"DATA":
                self._say("354 go on")
                if not self._take():
                    return
            self._say("221 bye" if line == b"QUIT" else "250 ok")

    def _take(self) -> bool:
        """Whether it came whole: who sends it may be ended in the middle."""
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.letterbox.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))  # type: ignore[arg-type]
        return True

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def posts() -> Iterator[Letterbox]:
    """Somebody who takes every POST."""
    letterbox = Letterbox()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Of", (_Posts,), {"letterbox": letterbox}))
    server.daemon_threads = True
    letterbox.port = server.server_port
    with _serving(server):
        yield letterbox


@contextmanager
def mails() -> Iterator[Letterbox]:
    """Somebody who takes every mail."""
    letterbox = Letterbox()
    server = _MailServer(("127.0.0.1", 0), type("_Of", (_Mails,), {"letterbox": letterbox}))
    letterbox.port = server.server_address[1]
    with _serving(server):
        yield letterbox
