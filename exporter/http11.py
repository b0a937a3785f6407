"""The one file that knows the HTTP parser: copied bytes in, messages out.

It reads what has already been relayed, so it refuses nothing and repairs nothing. What it cannot follow raises
`Unobservable` once, with a reason, and the connection is then relayed unread. Framing is RFC 9112 section 6;
httptools (llhttp) does the parsing, and what it gets wrong or leaves to its caller is handled here:
  - a response to HEAD has no body whatever its Content-Length says, but llhttp waits for one;
  - on a request with `Upgrade:` llhttp skips the body, although most servers ignore the wish and read it;
  - a response that ends with its connection has no end that llhttp would report.
"""

from collections.abc import Callable, Collection
from typing import Any, Final

import httptools

from exporter.messages import KEPT_HEADERS, LONGEST_PATH, Listener, Message, Unanswered, header_text
from exporter.records import Capture

_HEAD_LIMIT: Final = 64 << 10
"""Bytes that may pass without a message beginning, ending or gaining body before we stop following them."""
_HEAD_END: Final = b"\r\n\r\n"
_HTTP2_PREFACE: Final = b"PRI * HTTP/2.0\r\n"


class Unobservable(Exception):
    """The bytes cannot be followed any further; `args[0]` is the reason, one of `tally.UNOBSERVABLE`."""


class _Reader:
    """What both directions share: httptools' callbacks and the bound on work per message."""

    syntax_reason: str
    parser_type: Any  # httptools has no types

    def __init__(self, listener: Listener, clock: Callable[[], int], kept: Collection[bytes]) -> None:
        self._listener = listener
        self._clock = clock
        self._kept = kept
        self._message: Message | None = None
        self._in_head = False
        self._stalled = 0
        self._progress = False
        self._parser = self.parser_type(self)
        self._goes_on = True

    @property
    def idle(self) -> bool:
        """Between two messages."""
        return self._message is None

    @property
    def fresh(self) -> bool:
        """Between two messages of a connection that goes on: whole messages may pass by without being read here."""
        return self.idle and self._goes_on

    def _parse(self, data: bytes | memoryview) -> bytes | memoryview:
        """Feed `data`; what lies behind an upgrade comes back unread."""
        if self._stalled > _HEAD_LIMIT:
            # Names and values that arrive in pieces are joined in quadratic time: never let them grow.
            raise Unobservable("head_limit")
        self._progress = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return data[upgrade.args[0] :]
        except httptools.HttpParserCallbackError as error:
            raise (error.__context__ or error) from None
        except httptools.HttpParserError:
            raise Unobservable(self.syntax_reason) from None
        self._stalled = 0 if self._progress else self._stalled + len(data)
        return b""

    # httptools' callbacks

    def on_message_begin(self) -> None:
        self._message = Message(self._clock())
        self._in_head = self._progress = True

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        if lower in self._kept and self._message:
            self._message.headers[lower.decode()] = header_text(value)

    def on_body(self, part: bytes) -> None:
        if self._message:
            self._progress = True
            self._message.body_size += len(part)
            self._listener.body(self._message, part)

    def on_message_complete(self) -> None:
        message, self._message = self._message, None
        self._progress = True
        self._goes_on = self._parser.should_keep_alive()
        if message:
            message.complete = True
            self._listener.done(message)


class RequestReader(_Reader):
    """Requests of one connection. A message is told of (`head`) before its body arrives."""

    syntax_reason = "request_syntax"
    parser_type = httptools.HttpRequestParser

    def __init__(self, listener: Listener, clock: Callable[[], int], kept: Collection[bytes] = KEPT_HEADERS) -> None:
        """`kept` are the names of the headers that messages have, in lower case."""
        super().__init__(listener, clock, kept)
        self._framing = b""
        self._skipped_body = False
        self._replaying = False
        self._opening: bytes | None = b""

    def feed(self, data: bytes) -> None:
        """Read on. Unobservable where the bytes are not HTTP/1 or stop being so."""
        if self._opening is not None:
            data = self._opening + data
            if data.startswith(_HTTP2_PREFACE):
                raise Unobservable("http2")
            # As long as it may become the preface of HTTP/2 it is held back: llhttp would call it a syntax error.
            self._opening = data if _HTTP2_PREFACE.startswith(data) else None
        if self._opening is None:
            self._read(data)

    @property
    def idle(self) -> bool:
        """Between two messages."""
        return not self._message and not self._opening

    @property
    def head_begun_ns(self) -> int | None:
        """When the head began that is not complete yet; None where there is none."""
        return self._message.begun_ns if self._message and self._in_head else None

    def _read(self, data: bytes) -> None:
        rest = self._parse(data)
        while self._skipped_body:
            self._replay_head()
            rest = self._parse(rest) if rest else b""

    def _replay_head(self) -> None:
        # The same framing without the wish to upgrade, so that the body is read.
        self._skipped_body, self._replaying = False, True
        self._parser = self.parser_type(self)
        self._parse(b"POST / HTTP/1.1\r\nhost: x\r\n" + self._framing + b"\r\n")

    def on_message_begin(self) -> None:
        if not self._replaying:
            self._framing = b""
            super().on_message_begin()

    def on_url(self, part: bytes) -> None:
        if self._message and not self._replaying:
            self._message.target += part[: LONGEST_PATH - len(self._message.target)]

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._replaying or not self._in_head:  # a trailer is no header
            return
        if name.lower() in {b"content-length", b"transfer-encoding"}:
            self._framing += name + b": " + value + b"\r\n"
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._replaying:
            self._replaying = False
            return
        self._in_head = False
        method = self._parser.get_method().decode()
        if method == "CONNECT":
            raise Unobservable("connect")
        self._skipped_body = self._parser.should_upgrade()
        if self._message:
            self._message.method = method
            self._listener.head(self._message)

    def on_message_complete(self) -> None:
        if not self._skipped_body:
            super().on_message_complete()


class ResponseReader(_Reader):
    """Responses of one connection; interim ones (1xx) are passed over."""

    syntax_reason = "response_syntax"
    parser_type = httptools.HttpResponseParser

    def __init__(
        self, listener: Listener, clock: Callable[[], int], unanswered: Unanswered,
        kept: Collection[bytes] = KEPT_HEADERS,
    ) -> None:  # fmt: skip
        """`unanswered` are the requests; whoever listens takes the first away when its response is done."""
        super().__init__(listener, clock, kept)
        self._unanswered = unanswered
        self._length: int | None = None
        self._chunked = False
        self._final = False
        self._tail = b""

    def feed(self, data: bytes) -> None:
        """Read on. Unobservable where the bytes are not HTTP/1, or another protocol begins."""
        view = memoryview(data)
        start = 0
        while start < len(data):
            # The end of a response to HEAD is known to us alone, so while one is awaited we feed no further than
            # to the next place at which a message may end.
            end = self._next_end(data, start) if self._unanswered.heads else len(data)
            self._parse(view[start:end])
            self._end_if_bodiless()
            start = end

    def _next_end(self, data: bytes, start: int) -> int:
        message, tail = self._message, self._tail
        self._tail = b""
        if message and self._final and self._length is not None:
            return min(start + max(self._length - message.body_size, 1), len(data))
        across = (tail + data[start : start + 3]).find(_HEAD_END) if tail else -1
        if across >= 0:
            return start + across + len(_HEAD_END) - len(tail)
        found = data.find(_HEAD_END, start)
        if found >= 0:
            return found + len(_HEAD_END)
        self._tail = (tail + data[max(start, len(data) - 3) :])[-3:]
        return len(data)

    def _end_if_bodiless(self) -> None:
        if self._message and self._final and self._unanswered.first.method == "HEAD":
            self.on_message_complete()
            self._parser = self.parser_type(self)

    def abandon(self, release: Callable[[Message, Capture], None]) -> None:
        """Let go of a response that will not be finished."""
        if self._message:
            release(self._message, Capture.SKIPPED)

    def eof(self) -> None:
        """The server ended its side: a response without a length is complete now."""
        if self._message and self._final and self._length is None and not self._chunked:
            self.on_message_complete()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._length, self._chunked, self._final = None, False, False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:  # a trailer is no header
            return
        lower = name.lower()
        if lower == b"content-length":
            self._length = int(value.strip().lstrip(b"0")[:20] or b"0")
        elif lower == b"transfer-encoding":
            self._chunked = value.strip().lower().endswith(b"chunked")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        status = self._parser.get_status_code()
        if status == 101:
            raise Unobservable("upgrade")
        if not self._unanswered:
            raise Unobservable("unsolicited_response")
        self._final = not 100 <= status < 200
        if self._message and self._final:
            self._message.status = status
            self._listener.head(self._message)

    def on_message_complete(self) -> None:
        if self._final:
            super().on_message_complete()
        self._message = None
        self._progress = True
