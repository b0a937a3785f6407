"""http:// and https:// are up where a request is answered with a code that is expected, in time.

One connection for each probe, straight there: proxies of the environment are not asked. Certificates are verified. Of
the body as much is read as `wire` lets through, and dropped: a code that is followed by an endless body is a code.

The standard library's client, on sockets of our own: it is loaded in this process anyway (with Flask), where requests
would take 1.5 MB and 45 ms more; and neither knows a deadline for a whole answer.
"""

import contextlib
import ssl
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urljoin, urlsplit

from exporter import __version__
from exporter.dependencies import Dependency
from exporter.probing import wire
from exporter.probing.findings import Attempt, Deadline, Failed

_MOST_REDIRECTS: Final = 5
_MOVED: Final = frozenset((301, 302, 303, 307, 308))
_LONGEST_SECRET: Final = 16 << 10
_PIECE: Final = 4096
_HEAD: Final = {"User-Agent": f"inference-exporter/{__version__}", "Accept": "*/*", "Connection": "close"}


def attempt(asked: Dependency) -> Attempt:
    """A probe of one place. It keeps what certificates are believed, which takes 50 ms to load."""
    trust = _Trust(asked)

    def asks(deadline: Deadline) -> float:
        url, secrets = asked.url, _secrets(asked)
        for _ in range(_MOST_REDIRECTS + 1):
            is_home = _origin(url) == _origin(asked.url)
            status, target, expiry = _Asking(asked, trust, deadline).ask(url, secrets if is_home else {})
            if not asked.follow_redirects or status not in _MOVED or not target:
                return _judged(asked, status, expiry)
            url = _next(url, target)
        raise Failed("status", f"more than {_MOST_REDIRECTS} redirects")

    return asks


def _judged(asked: Dependency, status: int, expiry: float) -> float:
    if not _is_expected(asked, status):
        raise Failed("status", f"it answered {status}")
    return expiry


def _is_expected(asked: Dependency, status: int) -> bool:
    return str(status) in asked.expect or f"{status // 100}xx" in asked.expect


def _next(url: str, target: str) -> str:
    try:
        following = urljoin(url, target)
        parts = urlsplit(following)
        usable = parts.hostname and parts.port != 0 and parts.username is None and following.isascii()
    except ValueError:
        usable = False
    if not usable or parts.scheme not in {"http", "https"}:
        raise Failed("status", "redirected to what is no web address")
    if (urlsplit(url).scheme, parts.scheme) == ("https", "http"):
        raise Failed("status", "redirected from https to http")
    return following


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _secrets(asked: Dependency) -> dict[str, str]:
    """Headers as their files have them now: secrets are renewed."""
    try:
        found = {name: _content(file) for name, file in asked.header_files}
        if asked.bearer_token_file:
            found["Authorization"] = f"Bearer {_content(asked.bearer_token_file)}"
    except (OSError, ValueError) as error:
        raise Failed("local", f"the file of a secret cannot be read ({type(error).__name__})") from None
    return found


def _content(file: str) -> str:
    with Path(file).open(encoding="ascii") as opened:
        text = opened.read(_LONGEST_SECRET).strip()
    if not text or not text.isprintable():
        raise ValueError
    return text


class _Trust:
    """Which certificates are believed: made when first asked for, and anew when the file is another one."""

    def __init__(self, asked: Dependency) -> None:
        self._asked = asked
        self._mark: tuple[int, int, int] | None = None
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """Failed where the file cannot be used."""
        try:
            mark = self._of_file()
            if self._context is None or mark != self._mark:
                self._context, self._mark = self._made(), mark
        except (OSError, ValueError) as error:
            raise Failed("local", f"ca_file cannot be read ({type(error).__name__})") from None
        return self._context

    def _of_file(self) -> tuple[int, int, int] | None:
        if not self._asked.ca_file:
            return None
        found = Path(self._asked.ca_file).stat()
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _made(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._asked.ca_file or None)
        if self._asked.insecure_skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class _Asking:
    """One request and its answer."""

    def __init__(self, asked: Dependency, trust: _Trust, deadline: Deadline) -> None:
        self._asked = asked
        self._trust = trust
        self._deadline = deadline

    def ask(self, url: str, secrets: Mapping[str, str]) -> tuple[int, str, float]:
        """The code, where else it sends us, and when the certificate ends."""
        parts = urlsplit(url)
        is_secure = parts.scheme == "https"
        place = cast("str", parts.hostname), parts.port or (443 if is_secure else 80)
        context = self._trust.context() if is_secure else None
        with closing(wire.connect(place, self._deadline)) as sock:
            if context is None:
                return *self._exchange(url, cast("Any", sock), secrets), 0.0
            sock.settimeout(self._deadline.left())
            with closing(context.wrap_socket(sock, server_hostname=place[0])) as secured:
                return *self._exchange(url, secured, secrets), _expiry(secured)

    def _exchange(self, url: str, sock: Any, secrets: Mapping[str, str]) -> tuple[int, str]:  # noqa: ANN401 (any socket)
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = HTTPConnection("localhost")  # for its words alone: it is connected, and Host is said below
        spoken = wire.Wire(sock, self._deadline)
        connection.sock = cast("Any", spoken)
        connection.request(self._asked.method, target, headers={"Host": parts.netloc, **_HEAD, **secrets})
        try:
            answer = connection.getresponse()
        except wire.TooMuch:
            raise Failed("protocol", "the head of its answer does not end") from None
        spoken.reading.is_in_head = False
        with answer:
            self._read_on(answer)
            return answer.status, answer.headers.get("Location", "")

    def _read_on(self, answer: HTTPResponse) -> None:
        """The body, where the code is one that is expected: a server that hangs in the middle is not up."""
        if not _is_expected(self._asked, answer.status):
            return
        with contextlib.suppress(wire.TooMuch):
            while answer.read(_PIECE):
                pass


def _expiry(secured: ssl.SSLSocket) -> float:
    """Unix time; 0 where the certificate was not verified."""
    found = secured.getpeercert() or {}
    return float(ssl.cert_time_to_seconds(str(found["notAfter"]))) if "notAfter" in found else 0.0
