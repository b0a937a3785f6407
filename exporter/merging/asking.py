"""The model server's metrics, fetched: within a time and a size, whatever it answers.

It is asked itself, not through the relay, so that nothing is counted as a request of the model.
"""

import http.client
import ssl
import time
import zlib
from typing import Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from exporter import __version__, reaching
from exporter.addresses import Place
from exporter.collect.rendered import OPEN_METRICS, TEXT
from exporter.reaching import Way, Wire

MARK: Final = "X-Inference-Exporter-Merge"
"""A header that our own question has: who is asked so answers with what is its own, and no circle closes."""
UNREACHABLE, TIMEOUT, STATUS, FORMAT, ENCODING, TOO_LARGE, PROTOCOL = (
    "unreachable", "timeout", "status", "format", "encoding", "too_large", "protocol",
)  # fmt: skip
_GZIP: Final = 31
"""How zlib calls the largest window with the head and the sum of gzip."""
_PIECE: Final = 64 << 10
_MOST_WAYS: Final = 3
"""That one question may go: a framework sends whoever asks for /metrics to /metrics/."""
_MOVED: Final = frozenset((301, 302, 307, 308))
_FORMATS: Final = {
    "": TEXT,  # as Prometheus takes it
    "text/plain": TEXT,
    "application/openmetrics-text": OPEN_METRICS,
}
_ACCEPT: Final = {
    TEXT: "text/plain;version=0.0.4,*/*;q=0.1",
    OPEN_METRICS: "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
}


class Target(NamedTuple):
    """What is asked, and how it is reached."""

    place: Place
    host: str
    """As it is called in a request."""
    path: str
    """With its query."""
    context: ssl.SSLContext | None = None
    name: str = ""
    """In its certificate."""
    preface: bytes = b""
    """What it wants to hear before a request."""

    @property
    def way(self) -> Way:
        """To it."""
        return Way(self.place, self.context, self.name, self.preface)


class Limits(NamedTuple):
    """How much is taken."""

    timeout_s: float
    most_bytes: int
    """Of the text, and of what it is packed into."""
    most_series: int


class Answer(NamedTuple):
    """What came."""

    media: str
    """TEXT or OPEN_METRICS."""
    text: str
    """Bytes that are no UTF-8 are surrogates."""


class Unusable(Exception):
    """Nothing that could be used came."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


def ask(target: Target, media: str, limits: Limits) -> Answer:
    """The page, in this format if there is a choice. Unusable."""
    try:
        return _asked(target, media, limits)
    except TimeoutError:
        raise Unusable(TIMEOUT, f"no whole answer within {limits.timeout_s:g} s") from None
    except http.client.HTTPException as error:
        raise Unusable(PROTOCOL, f"no HTTP as it should be ({type(error).__name__})") from None
    except OSError as error:  # one that TLS raises is a ValueError, too
        raise Unusable(UNREACHABLE, f"not reached: {error.strerror or type(error).__name__}") from None
    except ValueError as error:
        raise Unusable(PROTOCOL, f"no HTTP as it should be ({type(error).__name__})") from None


def _asked(target: Target, media: str, limits: Limits) -> Answer:
    until_s = time.monotonic() + limits.timeout_s
    for _ in range(_MOST_WAYS):
        sock = reaching.connected(target.way, until_s)
        try:
            found = _exchange(Wire(sock, until_s), target, media, limits)
        finally:
            sock.close()
        if isinstance(found, Answer):
            return found
        target = target._replace(path=_moved(target, found))
    raise Unusable(STATUS, "sent from one address to the next")


def _exchange(wire: Wire, target: Target, media: str, limits: Limits) -> Answer | str:
    """The answer, or where it is now."""
    wire.sendall(_request(target, media, wire.left()))
    response = http.client.HTTPResponse(wire, method="GET")  # type: ignore[arg-type]  # all that it needs of a socket
    response.begin()
    if response.status in _MOVED and response.headers.get("Location"):
        return str(response.headers["Location"])
    if response.status != 200:
        raise Unusable(STATUS, f"answered {response.status}")
    said = _FORMATS.get(response.headers.get("Content-Type", "").partition(";")[0].strip().lower())
    if said is None:
        raise Unusable(FORMAT, "neither text nor OpenMetrics")
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in {"identity", "gzip", "x-gzip"}:
        raise Unusable(ENCODING, "packed otherwise than asked for")
    body = _body(response, limits.most_bytes)
    content = body if packing == "identity" else _inflated(body, limits.most_bytes)
    return Answer(said, content.decode("utf-8", "surrogateescape"))


def _request(target: Target, media: str, left_s: float) -> bytes:
    lines = (
        f"GET {target.path} HTTP/1.1", f"Host: {target.host}", f"User-Agent: inference-exporter/{__version__}",
        f"Accept: {_ACCEPT[media]}", "Accept-Encoding: gzip", f"X-Prometheus-Scrape-Timeout-Seconds: {left_s:.3f}",
        f"{MARK}: 1", "Connection: close", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode("ascii")


def _moved(target: Target, location: str) -> str:
    """The path that it is sent to, which is to be of the same server."""
    here = f"{'http' if target.context is None else 'https'}://{target.host}{target.path}"
    there = urlsplit(urljoin(here, location))
    path = there.path + (f"?{there.query}" if there.query else "")
    if (
        (there.scheme, there.netloc) != urlsplit(here)[:2]
        or not path.isascii()
        or not path.isprintable()
        or " " in path
    ):
        raise Unusable(STATUS, "sent to another address")
    return path or "/"


def _body(response: http.client.HTTPResponse, most: int) -> bytes:
    pieces, length = [], 0
    while piece := response.read(_PIECE):
        pieces.append(piece)
        length += len(piece)
        if length > most:
            raise Unusable(TOO_LARGE, f"longer than {most} bytes")
    if response.length:
        raise Unusable(PROTOCOL, "cut off")
    return b"".join(pieces)


def _inflated(body: bytes, most: int) -> bytes:
    press = zlib.decompressobj(_GZIP)
    try:
        content = press.decompress(body, most + 1)
    except zlib.error:
        raise Unusable(ENCODING, "not packed as it says") from None
    if len(content) > most:
        raise Unusable(TOO_LARGE, f"longer than {most} bytes")
    if not press.eof or press.unused_data:
        raise Unusable(ENCODING, "not packed as it says")
    return content
