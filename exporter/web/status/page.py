"""GET /: the status of all models, for people. It says what `/api/v1` says, and needs no script to be read.

A page is made once for each query and snapshot, by one thread at a time, and paid from a budget: a browser that asks
for ever new pages gets 503 until there is something left.
"""

import gzip
import threading
from collections import OrderedDict
from functools import cached_property
from hashlib import blake2b
from typing import Final

import jinja2
from flask import Flask, Response, request

from exporter import __version__
from exporter.status.facts import StatusFacts
from exporter.status.source import Source
from exporter.web import negotiation
from exporter.web.status import assets
from exporter.web.status.asked import Asked, parse
from exporter.web.status.budget import AGAIN_S, Budget, Crowded
from exporter.web.status.drawing import along
from exporter.web.status.links import Links
from exporter.web.status.view import show
from exporter.web.status.wording import FILTERS

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Of this page alone: all other answers need neither scripts nor styles."""
_MOST_HELD: Final = 32
_MOST_BYTES: Final = 4 << 20
"""Of those that are held, but for the last."""
_LONGEST_WAIT_S: Final = 2.0
_HTML: Final = "text/html; charset=utf-8"


class Made:
    """A page that was made."""

    def __init__(self, text: str) -> None:
        self.body = text.encode("utf-8", "replace")
        self.tag = blake2b(self.body, digest_size=12).hexdigest()

    @cached_property
    def packed(self) -> bytes:
        """The same, compressed."""
        return gzip.compress(self.body, 6, mtime=0)


class Press:
    """Makes pages, and holds those of the last snapshot that were asked for last."""

    def __init__(self, source: Source, links: Links, budget: Budget) -> None:
        self._source, self._links, self._budget = source, links, budget
        self._turn = threading.Lock()
        self._facts: StatusFacts | None = None
        self._held: OrderedDict[Asked, Made] = OrderedDict()
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("exporter.web.status"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
            undefined=jinja2.StrictUndefined, auto_reload=False,
        )  # fmt: skip
        self._templates.filters |= FILTERS
        self._templates.globals |= {"product": __version__, "links": links, "hashes": assets.hashes(), "ALONG": along}

    def page(self, asked: Asked) -> Made | None:
        """A page; None where it would cost too much now."""
        try:
            with self._budget.spending():
                return self._in_turn(asked)
        except Crowded:
            return None

    def _in_turn(self, asked: Asked) -> Made | None:
        if not self._turn.acquire(timeout=_LONGEST_WAIT_S):
            return None
        try:
            return self._page(asked)
        finally:
            self._turn.release()

    def _page(self, asked: Asked) -> Made | None:
        facts = self._source.now()
        if facts is not self._facts:
            self._facts = facts
            self._held.clear()
        if asked in self._held:
            self._held.move_to_end(asked)
            return self._held[asked]
        return None if self._budget.is_spent else self._make(facts, asked)

    def _make(self, facts: StatusFacts | None, asked: Asked) -> Made:
        if facts is None:
            return Made(self._templates.get_template("waiting.html").render())
        shown = show(self._source, facts, asked)
        made = Made(self._templates.get_template("page.html").render(asked=asked, now=facts.time, **shown._asdict()))
        made.packed  # noqa: B018 (it is paid here, too)
        if not shown.lacks:
            self._held[asked] = made
            while len(self._held) > _MOST_HELD or (len(self._held) > 1 and self.held > _MOST_BYTES):
                self._held.popitem(last=False)
        return made

    @property
    def held(self) -> int:
        """Bytes of the pages that are here."""
        return sum(len(one.body) + len(one.packed) for one in self._held.values())


def add(app: Flask, source: Source, links: Links, budget: Budget) -> None:
    """Have an application show it."""
    press = Press(source, links, budget)
    assets.add(app)

    @app.get("/")
    def status() -> Response:
        made = press.page(parse(request.args))
        answer = None if made is None else _answer(made)
        if answer is None or not budget.hold(answer):
            answer = _busy()
        answer.headers["Content-Security-Policy"] = POLICY
        return answer


def _busy() -> Response:
    answer = Response("too many pages were asked for: once more in a moment\n", 503, mimetype="text/plain")
    answer.headers["Retry-After"] = str(AGAIN_S)
    return answer


def _answer(made: Made) -> Response:
    is_packed = negotiation.takes_gzip(request.accept_encodings)
    answer = Response(made.packed if is_packed else made.body, content_type=_HTML)
    if is_packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.set_etag(f"{made.tag}{'-gz' if is_packed else ''}")
    answer.headers["Vary"] = "Accept-Encoding"
    answer.headers["Cache-Control"] = "no-cache"
    answer.make_conditional(request)
    return answer
