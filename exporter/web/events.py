"""POST /events: a body from a socket, within bounds, to whoever takes events. Every answer says why.

200 and no content is what loggers and brokers take for delivered: KServe's logs anything else as a fault, and a broker
takes content for an event in reply. 429 asks to come again.
"""

import threading
from collections.abc import Mapping
from typing import IO, Any, Final, Protocol

from flask import Response, request

from exporter.errors import EventError
from exporter.web.streams import Crowded, TooLong

_PIECE: Final = 64 << 10
_STATUS: Final = {"malformed": 400, "too_slow": 408, "too_large": 413, "busy": 429}
_MOST_AT_ONCE: Final = 12
"""Bodies are read one after the other; so many threads wait for that at most, and others are left for other pages."""
_turns: Final = threading.Semaphore(_MOST_AT_ONCE)
_CUT_SHORT: Final = "the body ends early"


class Receiver(Protocol):
    """Who takes events."""

    @property
    def most_bytes(self) -> int:
        """Longest body that is taken."""

    def post(self, headers: Mapping[str, str], body: bytes) -> None:
        """Take what a POST holds. EventError, which is counted already."""

    def refuse(self, error: EventError) -> None:
        """Count what could not be received."""


def take(receiver: Receiver | None) -> Response:
    """The answer to the POST at hand."""
    if receiver is None:
        return _refusal("taking events is not enabled: set events.enable", 403)
    try:
        body = _body(receiver)
        if not _turns.acquire(blocking=False):
            raise EventError("busy", "too many other events are being read")
    except EventError as error:
        receiver.refuse(error)
        return _refusal(str(error), _STATUS[error.reason])
    try:
        receiver.post(_headers(request.environ), body)
    except EventError as error:
        response = Response(f"{error}\n", _STATUS[error.reason], mimetype="text/plain")
        if error.reason == "busy":
            response.headers["Retry-After"] = "1"
        return response
    finally:
        _turns.release()
    return Response(b"", 200)


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """Names in lower case, as WSGI has them: an underscore cannot be told from a hyphen."""
    found = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    return found | {"content-type": environ.get("CONTENT_TYPE", "")}


def _refusal(text: str, status: int) -> Response:
    """What may not have been read to its end cannot be followed by another request."""
    return Response(f"{text}\n", status, mimetype="text/plain", headers={"Connection": "close"})


def _body(receiver: Receiver) -> bytes:
    """All of it. EventError: too_large, too_slow, busy, malformed."""
    environ: Mapping[str, Any] = request.environ
    chunked = bool(environ.get("wsgi.input_terminated"))
    declared = environ.get("CONTENT_LENGTH") or "0"
    if not chunked and (not declared.isascii() or not declared.isdigit() or len(declared) > 18):
        raise EventError("malformed", "content-length: not a number of bytes")
    most = receiver.most_bytes
    if not chunked and int(declared) > most:
        raise EventError("too_large", f"the body is longer than {most} bytes (events.max_body)")
    try:
        body = _read(environ["wsgi.input"], most)
    except TooLong:
        raise EventError("too_large", f"the body is longer than {most} bytes (events.max_body)") from None
    except Crowded:
        raise EventError("busy", "too many others are still sending their events") from None
    except TimeoutError:
        raise EventError("too_slow", "the body did not arrive in time") from None
    except (OSError, ValueError):
        raise EventError("malformed", _CUT_SHORT) from None
    if not chunked and len(body) < int(declared):
        raise EventError("malformed", _CUT_SHORT)
    return body


def _read(stream: IO[bytes], most: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := stream.read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise TooLong
    return b"".join(pieces)
