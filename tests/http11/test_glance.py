"""What is understood at a glance is what the parser, told of everything, would have said; all else is left to it."""

from typing import NamedTuple

import httptools
import pytest
from http11.talk import GET, OK, UPGRADING
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exporter import glance
from exporter.glance import Glance
from exporter.messages import KEPT_HEADERS, LONGEST_PATH

POST = b"POST /p?q HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"


class Told(NamedTuple):
    first: bytes | int
    path: bytes
    headers: dict[str, str]
    body: bytes


def requests() -> Glance:
    return glance.requests(lambda method, path: (method, path) == ("POST", "/p"))


class Ear:
    """Hears everything the parser has to say."""

    def __init__(self, parser_type: type) -> None:
        self.parser = parser_type(self)
        self.begun = self.ended = 0
        self.target = self.body = b""
        self.headers: dict[str, str] = {}
        self.last = False

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower().decode()
        if lower in {header.decode() for header in KEPT_HEADERS}:
            self.headers[lower] = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.ended += 1
        self.last = not self.parser.should_keep_alive()

    def hear(self, data: bytes) -> Told | None:
        """The one message that the bytes are, after which another one may come."""
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return None
        if (self.begun, self.ended) != (1, 1) or self.last:
            return None
        request = isinstance(self.parser, httptools.HttpRequestParser)
        first = self.parser.get_method() if request else self.parser.get_status_code()
        if first == b"HEAD" or (not request and first < 200):
            return None
        return Told(first, self.target.partition(b"?")[0][:LONGEST_PATH], self.headers, self.body)


lines = st.sampled_from([
    b"Host: x\r\n", b"Content-Type: application/json\r\n", b"content-type:\t text/plain \t\r\n", b"User-Agent:a\r\n",
    b"X-Request-Id: 1\r\n", b"X-Request-Id: 2\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n",
    b"Content-Length: 0\r\n", b"Content-Length: 2\r\n", b"Content-Length: 002 \r\n", b"Content-Length: 9\r\n",
    b"Content-Length: +2\r\n", b" folded\r\n", b"Expect: 100-continue\r\n", b"Content-Encoding : gzip\r\n",
    b"A: \n\r\n",
    b"no colon\r\n", b"Content-Type: \xe4\r\n",
])  # fmt: skip
request_lines = st.sampled_from([
    b"POST /p?q HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n", b"\r\nPUT  /two  HTTP/1.1\r\n", b"HEAD / HTTP/1.1\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n", b"POST / HTTP/1.0\r\n", b"GET /\x0c/ HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n",
    b"post / H\r\n",
])  # fmt: skip
status_lines = st.sampled_from([
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 204 No\r\n", b"HTTP/1.1 304 Not\r\n", b"HTTP/1.1 100 C\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 101 S\r\n", b"HTTP/1.1 199 ?\r\n", b"HTTP/1.1  200\r\n", b"\r\nHTTP/1.1 500 E\r\n",
    b"HTTP/2.0 200 OK\r\n",
])  # fmt: skip
bodies = st.sampled_from([
    b"", b"hi", b"hi" + GET, b"2\r\nhi\r\n0\r\n\r\n", b"2\r\nhi\r\n0\r\nContent-Type: no\r\n\r\n", b"h", b"hi\r\n",
    b"123456789",
    b"\r\n\r\n", b"\r\n", OK, GET + GET,
])  # fmt: skip


def messages(first: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    heads = st.builds(lambda line, rest: line + b"".join(rest) + b"\r\n", first, st.lists(lines, max_size=5))
    return st.builds(bytes.__add__, heads, bodies)


def agree(parser_type: type, looking: Glance, stream: list[bytes]) -> None:
    for data in stream * 2:  # a head is remembered the second time
        told, head = Ear(parser_type).hear(data), looking.head_of(data)
        if head is None:
            continue
        assert told is not None
        *line, kept = head.texts
        pairs = [text.partition(":") for text in kept.decode("latin-1").split("\n") if text]
        headers = {name: value for name, _, value in pairs}
        first, path = line or (head.status, b"")
        assert Told(first, path, headers, data[head.size :]) == told
        assert head.body_size == len(told.body)
        assert head.wanted == (line == [b"POST", b"/p"])


@settings(max_examples=600, deadline=None)
@given(st.lists(messages(request_lines) | st.binary(max_size=30), max_size=6))
@example([POST, POST + b"!", POST[:-1], GET + GET, UPGRADING + b"\r\n"])
def test_a_request_is_understood_as_the_parser_understands_it(stream: list[bytes]) -> None:
    agree(httptools.HttpRequestParser, requests(), stream)


@settings(max_examples=600, deadline=None)
@given(st.lists(messages(status_lines) | st.binary(max_size=30), max_size=6))
def test_a_response_is_understood_as_the_parser_understands_it(stream: list[bytes]) -> None:
    agree(httptools.HttpResponseParser, glance.responses(), stream)


@pytest.mark.parametrize(
    ("data", "understood"),
    [
        (GET, True),
        (POST, True),
        (b"\r\n" + POST, True),
        (POST[:-1], False),
        (POST + b"x", False),
        (POST + b"\r\n", False),
        (POST + POST, False),
        (POST.replace(b"Host: x", b"Connection: close"), False),
        (POST.replace(b"1.1", b"1.0"), False),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", False),
        (UPGRADING + b"Content-Length: 2\r\n\r\nhi", False),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 5000 + b"\r\n\r\n", False),
        (b"", False),
    ],
)
def test_one_whole_message_after_which_another_may_come_is_understood(data: bytes, understood: bool) -> None:
    looking = requests()
    for _ in range(3):
        assert (looking.head_of(data) is not None) == understood
        assert looking.head_of(GET) is not None, "whatever came before"


def test_heads_are_remembered_within_bounds() -> None:
    looking = requests()
    for number in range(1000):
        assert looking.head_of(b"GET /%d HTTP/1.1\r\n\r\n" % number)
        assert len(looking._remembered) <= 256
