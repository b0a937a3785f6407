"""Addresses of the web. Certificates are verified; proxies and private authorities are those of the environment.

Redirects are followed here, a few: never from https to http, and no password goes to another host.
"""

import base64
import ssl
from collections.abc import Iterator
from http.client import HTTPException, HTTPMessage
from typing import IO, Final
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from exporter.locations import Location
from exporter.places.content import Absent, Content, Refused, whole

_PATIENCE_S: Final = 10.0
"""Of each connect and each read; for all of it the process has its own."""
_MOST_REDIRECTS: Final = 5
_PIECE: Final = 1 << 16
_MOVED: Final = frozenset((301, 302, 303, 307, 308))
_SAYS: Final = {
    401: "the server wants other credentials (401)",
    403: "the server forbids it (403)",
    407: "the proxy forbids it (407)",
}
_SAME: Final = 304


def fetch(location: Location, mark: str) -> Content | None:
    """The bytes there; None where they are those of the mark, an ETag or else a date."""
    opener = request.OpenerDirector()
    for handler in (request.ProxyHandler(), request.HTTPHandler(), request.HTTPSHandler(),
                    request.HTTPErrorProcessor(), request.HTTPDefaultErrorHandler()):  # fmt: skip
        opener.add_handler(handler)
    url, credentials = _taken_apart(location.text)
    host = _origin(url)
    for _ in range(_MOST_REDIRECTS + 1):
        found = _ask(opener, _request(url, mark, credentials if _origin(url) == host else ""))
        if not isinstance(found, str):
            return found
        url = _next(url, found)
    raise Refused(f"more than {_MOST_REDIRECTS} redirects")


def _taken_apart(text: str) -> tuple[str, str]:
    """The address without user and password, and these as a header."""
    parts = urlsplit(text)
    who, _, host = parts.netloc.rpartition("@")
    header = f"Basic {base64.b64encode(unquote(who).encode()).decode()}" if who else ""
    return urlunsplit(parts._replace(netloc=host)), header


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _request(url: str, mark: str, credentials: str) -> request.Request:
    asked = request.Request(url, headers={"User-Agent": "inference-exporter", "Accept": "application/json, */*"})  # noqa: S310 (http and https alone)
    if mark:
        asked.add_header("If-None-Match" if mark.startswith(('"', "W/")) else "If-Modified-Since", mark)
    if credentials:
        asked.add_header("Authorization", credentials)
    return asked


def _ask(opener: request.OpenerDirector, asked: request.Request) -> Content | str | None:
    """What is there, or where it has gone."""
    try:
        with opener.open(asked, timeout=_PATIENCE_S) as answer:
            return Content(whole(_pieces(answer)), _mark(answer.headers))
    except HTTPError as error:
        with error:
            return _not_there(error)
    except URLError as error:
        raise Refused(_reason(error.reason)) from None
    except (OSError, HTTPException, ValueError) as error:
        raise Refused(_reason(error)) from None


def _pieces(answer: IO[bytes]) -> Iterator[bytes]:
    while piece := answer.read(_PIECE):
        yield piece


def _mark(headers: HTTPMessage) -> str:
    tag = headers.get("ETag", "")
    return tag if tag.startswith(('"', "W/")) else headers.get("Last-Modified", "")


def _not_there(error: HTTPError) -> str | None:
    if error.code == _SAME:
        return None
    if error.code in _MOVED and error.headers.get("Location"):
        return str(error.headers["Location"])
    if error.code in {404, 410}:
        raise Absent(f"the server has nothing there ({error.code})")
    raise Refused(_SAYS.get(error.code, f"the server answered {error.code}"))


def _next(url: str, target: str) -> str:
    following = urljoin(url, target)
    schemes = urlsplit(url).scheme, urlsplit(following).scheme
    if schemes[1] not in {"http", "https"}:
        raise Refused("redirected to what is no web address")
    if schemes == ("https", "http"):
        raise Refused("redirected from https to http")
    return _taken_apart(following)[0]


def _reason(error: object) -> str:
    """Why there was no answer. What a server may have put into it is left out."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not to be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason})"
    if isinstance(error, TimeoutError):
        return f"no answer within {_PATIENCE_S:g} s"
    if isinstance(error, OSError):
        return f"the server cannot be reached: {error.strerror or type(error).__name__}"
    return f"the server does not speak HTTP as it should ({type(error).__name__})"
