"""What h11 writes is read alike in all segments, and no bytes at all raise anything but `Unobservable`."""

from typing import NamedTuple

import h11
from http11.talk import GET, HEAD, OK, UPGRADING, Read, Talk, cut
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exporter.handoff.tally import UNOBSERVABLE

methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE"])
paths = st.text("abc/:.-_%0123456789?=&", max_size=30).map(lambda text: "/" + text)
statuses = st.sampled_from([200, 201, 204, 304, 400, 404, 500])
framings = st.sampled_from(["length", "chunked", "none"])
sizes = st.lists(st.integers(1, 40), max_size=60)


class Turn(NamedTuple):
    method: str
    path: str
    status: int
    framing: str
    sent: bytes
    answer: bytes
    interim: int
    upgrade: bool


turns = st.builds(
    Turn, methods, paths, statuses, framings, st.binary(max_size=60), st.binary(max_size=60), st.integers(0, 2),
    st.booleans(),
)  # fmt: skip


def _body(framing: str, body: bytes) -> tuple[list[tuple[str, str]], bytes]:
    if framing == "chunked":
        return [("Transfer-Encoding", "chunked")], body
    return ([("Content-Length", str(len(body)))], body) if framing == "length" or body else ([], b"")


def _written(turn: Turn) -> tuple[bytes, bytes]:
    """One exchange in h11's words."""
    client, server = h11.Connection(h11.CLIENT), h11.Connection(h11.SERVER)
    headers, sent = _body(turn.framing if turn.method in {"POST", "PUT"} else "none", turn.sent)
    if turn.method not in {"POST", "PUT"}:
        headers, sent = [], b""
    wish = [("Connection", "Upgrade"), ("Upgrade", "h2c")] if turn.upgrade else []
    head = h11.Request(method=turn.method, target=turn.path, headers=[("Host", "x"), *wish, *headers])
    request = client.send(head) + (client.send(h11.Data(data=sent)) if sent else b"") + client.send(h11.EndOfMessage())
    server.receive_data(request)
    while not isinstance(server.next_event(), h11.EndOfMessage):
        pass
    response = b"".join(
        server.send(h11.InformationalResponse(status_code=103, headers=[("Link", "a")])) for _ in range(turn.interim)
    )
    headers, answer = _body("chunked" if turn.framing == "chunked" else "length", turn.answer)
    response += server.send(h11.Response(status_code=turn.status, headers=headers, reason=b"Any"))
    bodiless = turn.method == "HEAD" or turn.status in {204, 304}
    response += b"" if bodiless else server.send(h11.Data(data=answer))
    return request, response + server.send(h11.EndOfMessage())


@settings(max_examples=300, deadline=None)
@given(st.lists(turns, min_size=1, max_size=8), sizes, sizes)
def test_what_h11_writes_is_read_alike_in_all_segments(
    said: list[Turn], request_sizes: list[int], response_sizes: list[int]
) -> None:
    written = [_written(turn) for turn in said]
    requests = b"".join(request for request, _ in written)
    responses = b"".join(response for _, response in written)
    both = Talk()
    assert both.hear(cut(requests, request_sizes), cut(responses, response_sizes), eof=True) == ""
    assert both.asked.read() == [
        Read(turn.method, turn.path, turn.sent if turn.method in {"POST", "PUT"} else b"", complete=True)
        if turn.framing != "none" or turn.sent
        else Read(turn.method, turn.path, b"", complete=True)
        for turn in said
    ]
    assert both.answered.read() == [
        Read(
            str(turn.status),
            "",
            b"" if turn.method == "HEAD" or turn.status in {204, 304} else turn.answer,
            complete=True,
        )
        for turn in said
    ]
    assert both.requests.idle
    assert both.responses.idle


fragments = st.sampled_from([
    GET, HEAD, OK, UPGRADING, b"POST / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 101 S\r\n",
    b"HTTP/1.1 100 C\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Content-Length: 3\r\n", b"Content-Length: \r\n", b"Content-Length: +3\r\n",
    b"Content-Length: 99999999999999999999\r\n", b"Content-Length: 3 \r\n", b"Connection: close\r\n", b"\r\n",
    b"0\r\n\r\n", b"3\r\nabc\r\n", b" fold\r\n", b"\n", b"PRI * HTTP/2.0\r\n", b"CONNECT a HTTP/1.1\r\n",
    b"HTTP/1.1 999 \xff\r\n", b"HTTP/0.9",
])  # fmt: skip
soup = st.lists(fragments | st.binary(max_size=12), max_size=14).map(b"".join)


@settings(max_examples=600, deadline=None)
@given(soup, soup, sizes, sizes, st.booleans())
@example(UPGRADING + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\n", b"", [], [], False)
@example(GET, b"HTTP/1.1 200 OK\r\nContent-Length:  \t 3 \t\r\n\r\nabc", [], [], True)
def test_no_bytes_raise_anything_but_unobservable(
    requests: bytes, responses: bytes, request_sizes: list[int], response_sizes: list[int], eof: bool
) -> None:
    both = Talk()
    reason = both.hear(cut(requests, request_sizes), cut(responses, response_sizes), eof=eof)
    assert reason in {"", *UNOBSERVABLE} - {"observer_error"}
    whole = Talk()
    if reason == "":
        assert whole.hear([requests], [responses], eof=eof) == ""
        assert whole.asked.read() == both.asked.read()
        assert whole.answered.read() == both.answered.read()
