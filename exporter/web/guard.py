"""Before any page: who asks, by what name, from where, and how often. Around the application, whatever it is.

In this order: a name under which nobody asks (DNS rebinding), a browser's page that posts, the rate limit, and then a
token where the path has one, else a password where there are users. Whoever is refused hears why, in a line of text.
"""

import ipaddress
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from exporter.web.connection import HEADERS
from exporter.web.in_force import Terms
from exporter.web.passwords import Passwords, Verdict
from exporter.web.refused import Refused
from exporter.web.tokens import Token

_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
"""What changes nothing."""
_AGAIN_S: Final = "2"
Environ = dict[str, Any]
Answer = Callable[..., Any]
"""WSGI's start_response."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What does not change while the process runs."""

    hosts: Collection[str] | None = None
    """Names by which it may be asked for, beside `localhost` and addresses; None is any."""
    tokens: Mapping[str, Token] = field(default_factory=dict)
    """By path; there it counts instead of a password."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why somebody is not served."""

    status: str
    reason: str
    text: str
    headers: tuple[tuple[str, str], ...] = ()


class Guard:
    """A WSGI application around another."""

    def __init__(self, app: Any, terms: Callable[[], Terms | None], rules: Rules, refused: Refused) -> None:  # noqa: ANN401
        self._app = app
        self._terms = terms
        self._rules = rules
        self._refused = refused
        self._passwords = Passwords()

    def __call__(self, environ: Environ, start_response: Answer) -> Iterable[bytes]:
        """Answer, or have the application do so."""
        terms = self._terms()
        refusal = _UNSERVED if terms is None else self._refusal(environ, terms)
        answer = _with_headers(start_response, terms.headers if terms else {})
        if refusal is None:
            found: Iterable[bytes] = self._app(environ, answer)
            return found
        self._refused.count(refusal.reason)
        text = f"{refusal.text}\n".encode()
        answer(refusal.status, [
            ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text))),
            ("Connection", "close"), *refusal.headers,
        ])  # fmt: skip
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [text]

    def _refusal(self, environ: Environ, terms: Terms) -> _Refusal | None:
        if not _is_host(environ.get("HTTP_HOST", ""), self._rules.hosts):
            return _HOST
        if environ["REQUEST_METHOD"] not in _SAFE and _is_page(environ):
            return _ORIGIN
        if terms.bucket is not None and not terms.bucket.take():
            return _OFTEN
        shown = environ.get("HTTP_AUTHORIZATION", "")
        token = self._rules.tokens.get(environ["PATH_INFO"])
        if token is not None:
            return None if token.is_shown(shown) else _TOKEN
        if not terms.users:
            return None
        return _PASSWORD[self._passwords.judge(shown, terms.users, environ.get("REMOTE_ADDR", ""))]


def _is_host(said: str, allowed: Collection[str] | None) -> bool:
    """Whether a Host header names us: an address and `localhost` are nobody else's names; no browser leaves it out."""
    if allowed is None or not said:
        return True
    name = said[1:].partition("]")[0] if said.startswith("[") else said.partition(":")[0]
    name = name.lower().rstrip(".")
    if name == "localhost" or name in allowed:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_page(environ: Environ) -> bool:
    """Whether a browser's page asks: none of ours posts anything, and no program says where it comes from."""
    return "HTTP_ORIGIN" in environ or environ.get("HTTP_SEC_FETCH_SITE", "none") != "none"


def _with_headers(start_response: Answer, said: Mapping[str, str]) -> Answer:
    """Puts ours on every answer that says nothing of them itself, and what the file of `--web.config.file` says."""
    ours = {name.lower(): (name, value) for name, value in HEADERS}
    told = {name.lower(): (name, value) for name, value in said.items()}

    def answer(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:  # noqa: ANN401 (WSGI)
        own = {name.lower() for name, _ in headers}
        kept = [pair for pair in headers if pair[0].lower() not in told]
        added = {name: pair for name, pair in ours.items() if name not in own} | told
        return start_response(status, [*kept, *added.values()], *rest)

    return answer


_UNSERVED: Final = _Refusal("503 Service Unavailable", "unserved", "nobody is served: see the log")
_HOST: Final = _Refusal("421 Misdirected Request", "host", "this is not asked for by that name: see web.allowed_hosts")
_ORIGIN: Final = _Refusal("403 Forbidden", "origin", "pages of browsers may not post anything here")
_OFTEN: Final = _Refusal(
    "429 Too Many Requests", "rate_limit", "too many requests: see rate_limit", (("Retry-After", _AGAIN_S),)
)
_TOKEN: Final = _Refusal(
    "401 Unauthorized", "token", "a bearer token is needed",
    (("WWW-Authenticate", 'Bearer realm="inference-exporter"'),),
)  # fmt: skip
_PASSWORD: Final = {
    Verdict.RIGHT: None,
    Verdict.WRONG: _Refusal(
        "401 Unauthorized", "password", "a name and a password are needed",
        (("WWW-Authenticate", 'Basic realm="inference-exporter", charset="UTF-8"'),),
    ),
    Verdict.PUT_OFF: _Refusal(
        "429 Too Many Requests", "password_put_off", "too many wrong passwords of late", (("Retry-After", _AGAIN_S),)
    ),
}  # fmt: skip
