"""Servers that take a whole request and say what they are told to, byte by byte, and cases to ask them with."""

import json
from typing import Any

from probing.peers import Caller, Script

from exporter.golden import reading
from exporter.golden.cases import Answer, Case
from exporter.reaching import Way

PATH = "/v1/models/churn:predict"


def answer(body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    """A whole answer as bytes."""
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


def says(*pieces: bytes) -> Script:
    """One that takes the request to its end, as what is left unread would reset the connection."""

    def script(caller: Caller) -> None:
        take(caller)
        for piece in pieces:
            caller.send(piece)

    return script


def take(caller: Caller) -> None:
    caller.read_head()
    head, _, body = caller.head.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    left = int(lengths[0]) - len(body) if lengths else 0
    while left > 0:
        piece = caller.sock.recv(65536)
        if not piece:
            return
        left -= len(piece)
        caller.head += piece


def way(port: int) -> Way:
    return Way(("127.0.0.1", port))


def case(expect: Any, **more: Any) -> Case:
    """A case that expects something; `more` is said of it, or in the file."""
    top = {key: more.pop(key) for key in ("defaults",) if key in more}
    request = {"path": PATH, "body": {"instances": [[1, 2]]}, **more.pop("request", {})}
    return reading.golden({"cases": [{"name": "one", "request": request, "expect": expect, **more}], **top}).cases[0]


def told(document: Any, **headers: str) -> Answer:
    """An answer that says a JSON value."""
    return Answer(200, {"content-type": "application/json", **headers}, json.dumps(document).encode())
