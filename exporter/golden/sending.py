"""A golden request to a model server, straight there: one connection, one answer, within a time for all of it.

It says whose it is by its User-Agent and that it is none of a client's by its mark.
"""

import http.client
import socket
import ssl
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

from exporter import __version__, marks, reaching
from exporter.golden.cases import MOST_BODY, Answer, Case
from exporter.reaching import Way, Wire

_HEAD: Final = {"User-Agent": f"inference-exporter/{__version__}", "Accept": "*/*", "Connection": "close"}
_LONGEST_SECRET: Final = 16 << 10


class _Local(Exception):
    """What shall be sent is not there."""


def send(case: Case, way: Way, timeout_s: float) -> Answer:
    """Ask, and take what comes. Nothing is raised: a failure is an answer, too."""
    try:
        return _asked(case, way, timeout_s)
    except _Local as error:
        return Answer(failure="local", detail=str(error))
    except TimeoutError:
        return Answer(failure="timeout", detail=f"no whole answer within {timeout_s:g} s")
    except (OSError, http.client.HTTPException) as error:
        return Answer(failure="unreachable", detail=_words(error))


def _asked(case: Case, way: Way, timeout_s: float) -> Answer:
    headers = _headers(case)
    until_s = time.monotonic() + timeout_s
    connection = http.client.HTTPConnection(*_authority(way))
    with closing(reaching.connected(way, until_s)) as sock:
        connection.sock = cast("Any", Wire(sock, until_s))
        began_s = time.monotonic()
        connection.request(case.request.method, case.request.path, case.request.content or None, headers)
        with connection.getresponse() as answer:
            content = answer.read(MOST_BODY + 1)
            if len(content) <= MOST_BODY and answer.length:  # the standard library says nothing of it
                raise http.client.IncompleteRead(content)
            failure = "body" if len(content) > MOST_BODY else ""
            said = {name.lower(): value for name, value in answer.headers.items()}
            detail = f"longer than {MOST_BODY} bytes" if failure else ""
            return Answer(answer.status, said, content, time.monotonic() - began_s, failure, detail)


def _authority(way: Way) -> tuple[str, int | None]:
    """What the header Host says: a port that everybody expects is left out of it (RFC 9110, 7.2)."""
    if not isinstance(way.place, tuple):
        return "localhost", None
    host, port = way.place
    return (host, None) if way.context and port == 443 else (host, port)


def _headers(case: Case) -> dict[str, str]:
    """All of a request; the case's own before ours, but for the mark."""
    own = {**dict(case.request.headers), **{name: _content(name, file) for name, file in case.request.header_files}}
    given = {name.lower() for name in own}
    ours = {name: value for name, value in _HEAD.items() if name.lower() not in given}
    return {**ours, **own, marks.GOLDEN: quote(case.name, safe=" /")}


def _content(name: str, file: str) -> str:
    """As the file has it now: secrets are renewed."""
    try:
        with Path(file).open(encoding="ascii") as opened:
            text = opened.read(_LONGEST_SECRET).strip()
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or "not ASCII"
        raise _Local(f"the value of {name} cannot be read from {file}: {words}") from None
    if not text or not text.isprintable():
        raise _Local(f"{file} must hold the value of {name}, one line")
    return text


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or 'failed'}"
    if isinstance(error, socket.gaierror):
        return f"its name was not found ({error.strerror})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return {
        http.client.RemoteDisconnected: "it closed the connection without an answer",
        http.client.IncompleteRead: "its answer was cut off",
    }.get(type(error), f"no HTTP ({type(error).__name__})")
