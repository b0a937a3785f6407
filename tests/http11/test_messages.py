"""Messages as they are read from copied bytes, whatever the segments in which the bytes came."""

import pytest
from http11.talk import CHUNKED, GET, HEAD, OK, UPGRADING, Talk, cut


@pytest.mark.parametrize(
    ("request_head", "response", "eof", "expected"),
    [
        (GET, OK + b"ok", False, [("200", b"ok", True)]),
        (HEAD, OK, False, [("200", b"", True)]),
        (HEAD + GET, OK + OK + b"ok", False, [("200", b"", True), ("200", b"ok", True)]),
        (HEAD, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", False, [("200", b"", True)]),
        (HEAD + HEAD, b"HTTP/1.1 200 OK\r\n\r\n" * 2, False, [("200", b"", True)] * 2),
        (HEAD + GET, b"HTTP/1.1 204 No\r\n\r\n" + OK + b"ok", False, [("204", b"", True), ("200", b"ok", True)]),
        (GET + HEAD, b"HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n" + OK, False,
         [("304", b"", True), ("200", b"", True)]),
        (GET, b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nLink: a\r\n\r\n" + OK + b"ok", False, [("200", b"ok", True)]),
        (HEAD, b"HTTP/1.1 103 E\r\nLink: a\r\n\r\n" + OK, False, [("200", b"", True)]),
        (GET, b"HTTP/1.1 200 OK\r\n\r\nuntil close", True, [("200", b"until close", True)]),
        (GET, b"HTTP/1.1 200 OK\r\n\r\nuntil close", False, [("200", b"until close", False)]),
        (GET, b"HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nraw", True, [("200", b"raw", True)]),
        (GET, OK + b"o", True, [("200", b"o", False)]),
        (GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked \r\n\r\n2\r\nok\r\n", True, [("200", b"ok", False)]),
        (GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n", True, [("200", b"ok", False)]),
        (GET, b"HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok", False,
         [("200", b"ok", True)]),
        (GET + HEAD, CHUNKED + b"4\r\n\r\n\r\n\r\n0\r\nX-Length: 7\r\n\r\n" + OK, False,
         [("200", b"\r\n\r\n", True), ("200", b"", True)]),
        (GET + HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 0000000000000000000000004\r\n\r\nbody" + OK, False,
         [("200", b"body", True), ("200", b"", True)]),
    ],
)  # fmt: skip
def test_responses_are_framed_as_their_requests_ask(
    request_head: bytes, response: bytes, eof: bool, expected: list[tuple[str, bytes, bool]]
) -> None:
    for sizes in ([], [1] * len(response), [7] * len(response)):
        both = Talk()
        assert both.hear([request_head], cut(response, sizes), eof=eof) == ""
        assert [(read.what, read.body, read.complete) for read in both.answered.read()] == expected


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (UPGRADING + b"Content-Length: 5\r\n\r\nhello", [("POST", b"hello", True)]),
        (UPGRADING + b"Content-Length: 5\r\n\r\nhe", [("POST", b"he", False)]),
        (UPGRADING + b"Content-Length: 0\r\n\r\n" + GET, [("POST", b"", True), ("GET", b"", True)]),
        (UPGRADING + b"\r\n" + GET, [("POST", b"", True), ("GET", b"", True)]),
        (UPGRADING + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n" + GET,
         [("POST", b"hi", True), ("GET", b"", True)]),
        ((UPGRADING + b"Content-Length: 2\r\n\r\nhi") * 3, [("POST", b"hi", True)] * 3),
        (b"\r\n\r\n" + GET + b"\r\n" + GET, [("GET", b"", True)] * 2),
        (b"PROPFIND / HTTP/1.1\r\nHost: x\r\n\r\n", [("PROPFIND", b"", True)]),
    ],
)  # fmt: skip
def test_requests_are_read_with_their_bodies(request_bytes: bytes, expected: list[tuple[str, bytes, bool]]) -> None:
    for sizes in ([], [1] * len(request_bytes), [11] * len(request_bytes)):
        both = Talk()
        assert both.hear(cut(request_bytes, sizes), []) == ""
        assert [(read.what, read.body, read.complete) for read in both.asked.read()] == expected


@pytest.mark.parametrize(
    ("request_bytes", "response", "reason"),
    [
        (b"", OK, "unsolicited_response"),
        (GET, OK + b"ok" + OK, "unsolicited_response"),
        (GET[:9], b"HTTP/1.1 408 Timeout\r\n\r\n", "unsolicited_response"),
        (GET, b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "upgrade"),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", b"", "connect"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"", "http2"),
        (b"\x16\x03\x01", b"", "request_syntax"),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"", "request_syntax"),
        (UPGRADING + b"Transfer-Encoding: chunked\r\n\r\nnot hex\r\n", b"", "request_syntax"),
        (GET, b"220 hello\r\n", "response_syntax"),
        (GET, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nokmore", "response_syntax"),
    ],
)
def test_what_cannot_be_followed_says_why(request_bytes: bytes, response: bytes, reason: str) -> None:
    for size in (1, 5, 1 << 20):
        both = Talk()
        found = both.hear(cut(request_bytes, [size] * len(request_bytes)), cut(response, [size] * len(response)))
        assert found == reason


def test_a_trailer_is_no_header() -> None:
    body = (
        b"Transfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n0\r\nContent-Type: x\r\nUser-Agent: y\r\n\r\n"
    )
    both = Talk()
    assert both.hear([b"POST / HTTP/1.1\r\n" + body], [b"HTTP/1.1 200 OK\r\n" + body]) == ""
    for message in (both.asked.messages[0], both.answered.messages[0]):
        assert message.headers == {"content-type": "text/plain"}


def test_header_values_are_cut_and_a_path_is_without_its_query() -> None:
    both = Talk()
    both.hear([b"GET /%s?secret=1 HTTP/1.1\r\nContent-Type: %s\r\n\r\n" % (b"p" * 5000, b"v" * 5000)], [])
    message = both.asked.messages[0]
    assert message.path == "/" + "p" * 1023
    assert message.headers == {"content-type": "v" * 512}
    assert Talk().hear([b"GET /?a=/b HTTP/1.1\r\n\r\n"], []) == ""


# --- limits

ENDLESS = {
    "header": (b"GET / HTTP/1.1\r\nX: ", b"v" * 4096),
    "headers": (b"GET / HTTP/1.1\r\n", b"X: v\r\n" * 500),
    "path": (b"GET /", b"p" * 4096),
    "method": (b"", b"\r\n" * 2048),
    "chunk extension": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"e" * 4096),
    "chunk length": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 4096),
    "trailer after a large body": (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\nX: " % (1 << 20, b"b" * (1 << 20)),
        b"t" * 4096,
    ),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_never_ends_is_given_up_before_it_costs_anything(what: str) -> None:
    opening, piece = ENDLESS[what]
    both = Talk()
    assert both.hear([opening], []) == ""
    fed = 0
    while not (reason := both.hear([piece], [])):
        fed += len(piece)
        assert fed <= (64 << 10) + 2 * len(piece), "work must not grow with what was already read"
    assert reason == "head_limit"


def test_many_small_things_are_no_endless_thing() -> None:
    both = Talk()
    assert both.hear([b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 100_000], []) == ""
    assert both.asked.messages[0].body_size == 100_000
    both = Talk()
    assert both.hear([GET], [b"HTTP/1.1 102 Processing\r\nX: %s\r\n\r\n" % (b"x" * 400)] * 1000) == ""
    assert both.hear([], [OK + b"ok"]) == ""


def test_awaiting_one_head_costs_no_more_than_a_look_at_each_byte() -> None:
    both = Talk()
    size = 4 << 20
    blank = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (
        size,
        b"\r\n\r\n" * (size // 4),
    )
    assert both.hear([GET + HEAD], [blank, OK]) == ""
    assert [read.complete for read in both.answered.read()] == [True, True]
