"""The one file that knows the HTTP parser: copied bytes in, messages out.

It reads what has already been relayed, so it refuses nothing and repairs nothing. What it cannot follow raises
`Unobservable` once, with a reason, and the connection is then relayed unread. Framing is RFC 9112 section 6;
httptools (llhttp) does the parsing, and what it gets wrong or leaves to its caller is handled here:
  - a response to HEAD has no body whatever its Content-Length says, but llhttp waits for one;
  - on a request with `Upgrade:` llhttp skips the body, although most servers ignore the wish and read it;
  - a response that ends with its connection has no end that llhttp would report.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import httptools

from exporter.records import Capture

_KEPT_HEADERS: Final = frozenset((b"content-type", b"content-encoding", b"user-agent", b"x-request-id"))
_LONGEST_VALUE: Final = 512
_LONGEST_PATH: Final = 1024
_HEAD_LIMIT: Final = 64 << 10
"""Bytes a message may spend on its head (and per 16 bytes of body on framing) before we stop following it."""
_FRAMING_RATIO: Final = 16
_HEAD_END: Final = b"\r\n\r\n"
_HTTP2_PREFACE: Final = b"PRI * HTTP/2.0\r\n"


class Unobservable(Exception):
    """The bytes cannot be followed any further; `args[0]` is the reason, one of `tally.UNOBSERVABLE`."""


class Message:
    """A request or a response as far as it has passed."""

    __slots__ = (
        "begun_ns", "body_size", "capture", "chunks", "complete", "headers", "method", "status", "target"
    )  # fmt: skip

    def __init__(self, begun_ns: int) -> None:
        self.begun_ns = begun_ns
        self.method = ""
        self.target = b""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body_size = 0
        self.capture = Capture.SKIPPED
        """Whether the body is kept; the listener decides."""
        self.chunks: list[bytes] = []
        """The body's parts, while `capture` is WHOLE."""
        self.complete = False

    @property
    def path(self) -> str:
        """The target without its query, cut at 1024 bytes."""
        return self.target.partition(b"?")[0][:_LONGEST_PATH].decode("latin-1")


class Listener(Protocol):
    """Who is told of the messages of one direction."""

    def head(self, message: Message) -> None:
        """A message's head is complete."""

    def body(self, message: Message, part: bytes) -> None:
        """A part of its body was seen (the size is already added)."""

    def done(self, message: Message) -> None:
        """Its last byte was seen."""


class _Reader:
    """What both directions share: httptools' callbacks and the bound on work per message."""

    syntax_reason: str

    def __init__(self, listener: Listener, clock: Callable[[], int]) -> None:
        self._listener = listener
        self._clock = clock
        self._message: Message | None = None
        self._fed = 0
        self._parser = self._new_parser()

    def _new_parser(self) -> Any:  # noqa: ANN401 (httptools has no types)
        raise NotImplementedError

    @property
    def idle(self) -> bool:
        """Between two messages."""
        return self._message is None

    def _parse(self, data: bytes) -> bytes:
        """Feed `data`; what lies behind an upgrade comes back unread."""
        message = self._message
        if message and self._fed - message.body_size > _HEAD_LIMIT + _FRAMING_RATIO * message.body_size:
            # Names and values that arrive in pieces are joined in quadratic time: never let them grow.
            raise Unobservable("head_limit")
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return data[upgrade.args[0] :]
        except httptools.HttpParserCallbackError as error:
            raise (error.__context__ or error) from None
        except httptools.HttpParserError:
            raise Unobservable(self.syntax_reason) from None
        return b""

    # httptools' callbacks

    def on_message_begin(self) -> None:
        self._message = Message(self._clock())

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        if lower in _KEPT_HEADERS and self._message:
            text = value[:_LONGEST_VALUE].decode("latin-1").replace("\n", " ")
            self._message.headers[lower.decode()] = text

    def on_body(self, part: bytes) -> None:
        if self._message:
            self._message.body_size += len(part)
            self._listener.body(self._message, part)

    def on_message_complete(self) -> None:
        message, self._message = self._message, None
        self._fed = 0
        if message:
            message.complete = True
            self._listener.done(message)


class RequestReader(_Reader):
    """Requests of one connection. A message is told of (`head`) before its body arrives."""

    syntax_reason = "request_syntax"

    def __init__(self, listener: Listener, clock: Callable[[], int]) -> None:
        super().__init__(listener, clock)
        self._framing = b""
        self._skipped_body = False
        self._replaying = False
        self._first = True

    def _new_parser(self) -> Any:  # noqa: ANN401
        return httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        """Read on. Unobservable where the bytes are not HTTP/1 or stop being so."""
        if self._first:
            self._first = False
            if data.startswith(_HTTP2_PREFACE):
                raise Unobservable("http2")
        rest = self._parse(data)
        while self._skipped_body:
            self._replay_head()
            rest = self._parse(rest) if rest else b""

    def _replay_head(self) -> None:
        # The same framing without the wish to upgrade, so that the body is read.
        self._skipped_body, self._replaying = False, True
        self._parser = self._new_parser()
        self._parser.feed_data(b"POST / HTTP/1.1\r\nhost: x\r\n" + self._framing + b"\r\n")

    def on_message_begin(self) -> None:
        if not self._replaying:
            self._framing = b""
            super().on_message_begin()

    def on_url(self, part: bytes) -> None:
        if self._message and not self._replaying:
            self._message.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._replaying:
            return
        if name.lower() in {b"content-length", b"transfer-encoding"}:
            self._framing += name + b": " + value + b"\r\n"
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._replaying:
            self._replaying = False
            return
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

    def __init__(
        self, listener: Listener, clock: Callable[[], int], requested: Callable[[], Sequence[Message]]
    ) -> None:
        """`requested` gives the requests that are not answered yet, oldest first."""
        super().__init__(listener, clock)
        self._requested = requested
        self._length: int | None = None
        self._chunked = False
        self._final = False
        self._last_bytes = b""

    def _new_parser(self) -> Any:  # noqa: ANN401
        return httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Read on. Unobservable where the bytes are not HTTP/1, or another protocol begins."""
        while data:
            if not any(request.method == "HEAD" for request in self._requested()):
                self._parse(data)
                return
            cut = self._next_end(data)
            self._parse(data[:cut])
            data = data[cut:]
            self._end_if_bodiless()

    def _next_end(self, data: bytes) -> int:
        """How many bytes may be fed so that no message can end before the last of them."""
        message = self._message
        if message and self._final and self._length is not None:
            return max(self._length - message.body_size, 1)
        joined = self._last_bytes + data
        found = joined.find(_HEAD_END)
        cut = found + len(_HEAD_END) - len(self._last_bytes) if found >= 0 else len(data)
        self._last_bytes = joined[-3:] if found < 0 else b""
        return cut

    def _end_if_bodiless(self) -> None:
        if self._message and self._final and self._requested()[0].method == "HEAD":
            self.on_message_complete()
            self._parser = self._new_parser()

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
        lower = name.lower()
        if lower == b"content-length" and value.isdigit():
            self._length = int(value[:19])
        elif lower == b"transfer-encoding":
            self._chunked = value.lower().endswith(b"chunked")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status == 101:
            raise Unobservable("upgrade")
        if not self._requested():
            raise Unobservable("unsolicited_response")
        self._final = not 100 <= status < 200
        if self._message and self._final:
            self._message.status = status
            self._listener.head(self._message)

    def on_message_complete(self) -> None:
        if self._final:
            super().on_message_complete()
        self._message = None
        self._fed = 0
