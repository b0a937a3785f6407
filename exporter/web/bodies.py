"""The body of a POST, from its socket, within bounds. Every refusal says why."""

from collections.abc import Mapping
from typing import IO, Any, Final

from flask import Response, request

from exporter.errors import PostError
from exporter.web.streams import Crowded, TooLong

STATUS: Final = {"malformed": 400, "too_slow": 408, "too_large": 413, "busy": 429}
_AGAIN_S: Final = "1"
_PIECE: Final = 64 << 10
_CUT_SHORT: Final = "the body ends early"


def read(most: int, key: str) -> bytes:
    """All of it; `key` is the setting that says how many bytes that is at most.

    PostError: too_large, too_slow, busy, malformed.
    """
    environ: Mapping[str, Any] = request.environ
    chunked = bool(environ.get("wsgi.input_terminated"))
    declared = environ.get("CONTENT_LENGTH") or "0"
    if not chunked and (not declared.isascii() or not declared.isdigit() or len(declared) > 18):
        raise PostError("malformed", "content-length: not a number of bytes")
    if not chunked and int(declared) > most:
        raise PostError("too_large", f"the body is longer than {most} bytes ({key})")
    try:
        body = _read(environ["wsgi.input"], most)
    except TooLong:
        raise PostError("too_large", f"the body is longer than {most} bytes ({key})") from None
    except Crowded:
        raise PostError("busy", "too many others are still sending theirs") from None
    except TimeoutError:
        raise PostError("too_slow", "the body did not arrive in time") from None
    except (OSError, ValueError):
        raise PostError("malformed", _CUT_SHORT) from None
    if not chunked and len(body) < int(declared):
        raise PostError("malformed", _CUT_SHORT)
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


def headers() -> dict[str, str]:
    """Those of the request at hand: names in lower case, as WSGI has them; an underscore is a hyphen."""
    environ: Mapping[str, Any] = request.environ
    found = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    return found | {"content-type": environ.get("CONTENT_TYPE", "")}


def refusal(error: PostError) -> Response:
    """Why a body that was read cannot be taken, and when to come again."""
    response = Response(f"{error}\n", STATUS[error.reason], mimetype="text/plain")
    if error.reason == "busy":
        response.headers["Retry-After"] = _AGAIN_S
    return response


def unread(text: str, status: int) -> Response:
    """What may not have been read to its end cannot be followed by another request."""
    again = {"Retry-After": _AGAIN_S} if status == STATUS["busy"] else {}
    return Response(f"{text}\n", status, mimetype="text/plain", headers={"Connection": "close", **again})
