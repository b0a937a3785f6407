"""A whole message in one read, which most are, understood at a glance.

llhttp judges and frames the bytes as ever, but tells of a body and of an end alone: what is wanted of the head is cut
out of it afterwards, and calls from the parser into Python are most of what parsing costs. Anything that is not one
message from the first byte to the last is left, unjudged, to the readers of `http11`.

Clients and servers send the same head again and again. How long a body follows one was settled when llhttp read it
first, so that a head that is remembered is not read again.
"""

import re
from collections.abc import Callable, Collection
from typing import Any, Final

import httptools

from exporter.messages import KEPT_HEADERS, LONGEST_PATH, LONGEST_VALUE

_HEAD_END: Final = b"\r\n\r\n"
_LONGEST_HEAD: Final = 4096
_MOST_REMEMBERED: Final = 256
"""Heads. With what is made of them five megabytes at the very most, of both directions."""


class Head:
    """What a head says. It is shared by all messages that begin with it."""

    __slots__ = ("answered_by", "body_size", "fate", "form", "length", "raw", "size", "status", "texts", "wanted")

    def __init__(self, raw: bytes, body_size: int, texts: tuple[bytes, ...]) -> None:
        self.raw = raw
        self.size = len(raw)
        self.body_size = body_size
        self.length = len(raw) + body_size
        """Of the whole message, bytes."""
        self.texts = texts
        """As they travel to the analyser: method and path of a request, and the few headers that decoding needs."""
        self.status = 0
        """Of a response."""
        self.wanted = False
        """Of a request: its body, and its response's, are model input and output."""
        self.answered_by: Head | None = None
        """Of a request: the head of the response it had last. What the two make of a record is kept in `form`."""
        self.fate = 0
        """What became of the bodies then."""
        self.form = b""


class Glance:
    """One direction of all connections: a parser that is always between two messages."""

    __slots__ = ("_body_size", "_ends", "_head", "_last", "_parser", "_parser_type", "_remembered")

    def __init__(self, parser_type: Any, head: Callable[[Any, bytes, int], Head | None]) -> None:  # noqa: ANN401
        self._parser_type = parser_type
        self._head = head
        self._parser = parser_type(self)
        self._body_size = self._ends = 0
        self._last = Head(b"", -1, ())
        self._remembered: dict[bytes, Head] = {}

    def head_of(self, data: bytes) -> Head | None:
        """The head of the message that `data` is; None where it is not exactly one, or the last of its connection."""
        last = self._last
        if len(data) == last.length and data.startswith(last.raw):
            return last
        size = data.find(_HEAD_END) + len(_HEAD_END)
        head = self._remembered.get(data[:size])
        if head is None or head.length != len(data):
            head = self._read(data, size) if len(_HEAD_END) <= size <= _LONGEST_HEAD else None
        if head is not None:
            self._last = head
        return head

    def _read(self, data: bytes, size: int) -> Head | None:
        self._body_size = self._ends = 0
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._ends = 0
        # One part of body that is all there is behind the head: nothing is chunked, nothing follows.
        if self._ends != 1 or self._body_size != len(data) - size:
            self._parser = self._parser_type(self)
            return None
        head = self._head(self._parser, data[:size], self._body_size)
        if head is not None:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[head.raw] = head
        return head

    # httptools' callbacks

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        self._body_size = len(part)

    def on_message_complete(self) -> None:
        """The end of a message; one that is its connection's last is none of ours."""
        self._ends += self._parser.should_keep_alive()


def requests(wants: Callable[[str, str], bool], kept: Collection[bytes] = KEPT_HEADERS) -> Glance:
    """A glance at requests; `wants` says of a method and a path whether the bodies are model input and output.

    `kept` are the names of the headers that are of use later, in lower case.
    """
    headers = _lines(kept)

    def head_of(parser: Any, head: bytes, body_size: int) -> Head | None:  # noqa: ANN401
        method = parser.get_method()
        if method == b"HEAD":  # its response may look like one that has only begun
            return None
        path = head.split(None, 2)[1].partition(b"?")[0][:LONGEST_PATH]
        said = Head(head, body_size, (method, path, _kept_headers(head, headers)))
        said.wanted = wants(method.decode("latin-1"), path.decode("latin-1"))
        return said

    return Glance(httptools.HttpRequestParser, head_of)


def responses(kept: Collection[bytes] = KEPT_HEADERS) -> Glance:
    """A glance at final responses; `kept` as for requests."""
    headers = _lines(kept)

    def head_of(parser: Any, head: bytes, body_size: int) -> Head | None:  # noqa: ANN401
        status = parser.get_status_code()
        if status < 200:
            return None
        said = Head(head, body_size, (_kept_headers(head, headers),))
        said.status = status
        return said

    return Glance(httptools.HttpResponseParser, head_of)


def _lines(kept: Collection[bytes]) -> "re.Pattern[bytes]":
    """Lines of a head with one of the names; these are told by their first letter first, which is most of the work."""
    by_letter: dict[bytes, list[bytes]] = {}
    for name in sorted(kept):
        by_letter.setdefault(name[:1], []).append(re.escape(name[1:]))
    names = b"|".join([re.escape(letter) + b"(?:" + b"|".join(rest) + b")" for letter, rest in by_letter.items()])
    return re.compile(rb"\r\n(" + names + rb"):[ \t]*([^\r\n]*)", re.IGNORECASE)


def _kept_headers(head: bytes, lines: "re.Pattern[bytes]") -> bytes:
    """The few headers that are of use later, as they travel; of two with one name the last."""
    kept = {name.lower(): value[:LONGEST_VALUE] for name, value in lines.findall(head)}
    return b"\n".join([name + b":" + value for name, value in kept.items()])
