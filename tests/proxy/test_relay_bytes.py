"""What either side receives through the relay is what it would have received without it, byte for byte."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from proxy.rig import (
    ANSWER,
    BLOCK,
    INSTANCES,
    MIB,
    NOTHING,
    PREDICT,
    Bench,
    Peer,
    Recorder,
    Script,
    answering,
    converse,
    recorder,
    sending,
)
from support import eventually, sidecar

from exporter.handoff.tally import Slot
from exporter.records import Capture


class Case(NamedTuple):
    """One conversation, and what the observer must make of it."""

    client: Script
    server: Script
    offered: int = 0
    unobservable: str = ""


def exchange(request: bytes, response: bytes, offered: int = 1, unobservable: str = "") -> Case:
    return Case(sending(request), answering(len(request), response), offered, unobservable)


def segmented(request: bytes, response: bytes, sizes: list[int]) -> Case:
    """The same bytes in segments of given sizes, the last of which repeats."""

    def pieces(data: bytes) -> Iterator[bytes]:
        at = 0
        for size in [*sizes, *[sizes[-1]] * len(data)]:
            if at < len(data):
                yield data[at : at + size]
            at += size

    def client(peer: Peer) -> None:
        for piece in pieces(request):
            peer.send(piece)
        peer.read(len(response))
        peer.finish()

    def server(peer: Peer) -> None:
        peer.read(len(request))
        for piece in pieces(response):
            peer.send(piece)
        peer.to_end()

    return Case(client, server, offered=1)


def chunked(*chunks: bytes) -> bytes:
    parts = [b"%x;ext=1\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b"")]
    return b"".join(parts)[:-2] + b"X-Trailer: yes\r\nContent-Type: not/this\r\n\r\n"


def pipelined() -> Case:
    methods = [b"HEAD" if number % 3 == 1 else b"GET" for number in range(100)]
    requests = b"".join(b"%s /%d HTTP/1.1\r\nHost: x\r\n\r\n" % (method, at) for at, method in enumerate(methods))
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
    answers = b"".join(head if method == b"HEAD" else head + b"\r\n\r\nabc" for method in methods)
    return exchange(requests, answers, offered=100)


def expecting() -> Case:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"

    def client(peer: Peer) -> None:
        peer.send(head)
        peer.read(len(interim))
        peer.send(b"hello")
        peer.read(len(NOTHING))
        peer.finish()

    def server(peer: Peer) -> None:
        peer.read(len(head))
        peer.send(interim)
        peer.read(5)
        peer.send(NOTHING)
        peer.to_end()

    return Case(client, server, offered=1)


def websocket() -> Case:
    head = b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    accepted = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    opaque = random.Random(2).randbytes(50_000)

    def client(peer: Peer) -> None:
        peer.send(head)
        peer.read(len(accepted))
        peer.send(opaque)
        peer.read(len(opaque))
        peer.finish()

    def server(peer: Peer) -> None:
        peer.read(len(head))
        peer.send(accepted)
        peer.read(len(opaque))
        peer.send(opaque[::-1])
        peer.to_end()

    return Case(client, server, unobservable="upgrade")


def large() -> Case:
    size = 64 * MIB
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    response = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size

    def body(peer: Peer, head: bytes) -> None:
        peer.send(head, *[BLOCK] * 64)

    def client(peer: Peer) -> None:
        body(peer, request)
        peer.read(len(response) + size)
        peer.finish()

    def server(peer: Peer) -> None:
        peer.read(len(request) + size)
        body(peer, response)
        peer.to_end()

    return Case(client, server, offered=1)


UPGRADING = (
    b"POST /p HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
)
CASES = {
    "a JSON POST": exchange(PREDICT + INSTANCES, ANSWER),
    "64 MiB each way": large(),
    "chunked both ways with trailers": exchange(
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"one", BLOCK[:70_000]),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Trailer\r\n\r\n" + chunked(b"\r\n\r\n", b"z"),
    ),
    "HTTP/1.0": exchange(b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    "HTTP/1.0 kept alive": exchange(
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2,
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok" * 2,
        offered=2,
    ),
    "a response until close": exchange(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n" + BLOCK),
    "HEAD with a length": exchange(
        b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        offered=2,
    ),
    "204": exchange(b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", NOTHING),
    "304 with a length": exchange(
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2,
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" + NOTHING,
        offered=2,
    ),
    "100 Continue": expecting(),
    "103 Early Hints": exchange(
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3 + NOTHING
    ),
    "100 requests in one packet": pipelined(),
    "an h2c wish on a POST that is ignored": exchange(
        UPGRADING + b"Content-Length: 5\r\n\r\nhello" + PREDICT + INSTANCES, ANSWER * 2, offered=2
    ),
    "an h2c wish on a chunked POST": exchange(
        UPGRADING + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", ANSWER
    ),
    "a WebSocket": websocket(),
    "garbage": exchange(b"\x00\x16\x03 garbage" + BLOCK[:9000], BLOCK[:5000], 0, "request_syntax"),
    "garbage in response": exchange(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", BLOCK[:5000], 0, "response_syntax"),
    "the preface of HTTP/2": exchange(
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + BLOCK[:500], b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", 0, "http2"
    ),
    "a server that speaks first": Case(
        lambda peer: (peer.read(4), peer.send(b"hi"), peer.finish()), answering(0, b"220 hello\r\n"), 0,
        "response_syntax",
    ),
    "an answer nobody asked for": Case(
        lambda peer: (peer.read(len(NOTHING)), peer.finish()), answering(0, NOTHING), 0, "unsolicited_response"
    ),
    "a header without end": exchange(b"GET / HTTP/1.1\r\nX: " + BLOCK.hex().encode(), NOTHING, 0, "head_limit"),
    "CONNECT": exchange(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", 0, "connect"),
    "one byte at a time": segmented(PREDICT + INSTANCES, ANSWER, [1]),
    "random segments": segmented(PREDICT + INSTANCES, ANSWER, [3, 17, 1, 40, 2, 9]),
}  # fmt: skip


def _both_ends(server: Recorder, port: int, case: Case) -> tuple[object, object]:
    server.script = case.server
    client = converse(port, case.client)
    server.join()
    return client.digest, [peer.digest for peer in server.peers if peer.count][-1]


@pytest.mark.parametrize("name", CASES)
def test_bytes_through_the_relay_equal_bytes_without_it(bench: Bench, name: str) -> None:
    case = CASES[name]
    offered, unobservable = bench.relay.slot(Slot.OFFERED), bench.relay.unobservable()
    direct = _both_ends(bench.server, bench.server.port, case)
    relayed = _both_ends(bench.server, bench.relay.port, case)
    assert relayed == direct
    bench.relay.settled()
    assert bench.relay.slot(Slot.OFFERED) - offered == case.offered
    assert Counter(bench.relay.unobservable()) - Counter(unobservable) == Counter([case.unobservable]) - Counter([""])
    assert bench.relay.incomplete() == {}


@pytest.mark.parametrize("name", ["a JSON POST", "100 requests in one packet", "garbage", "a response until close"])
def test_bytes_through_the_whole_sidecar_equal_bytes_without_it(name: str) -> None:
    case = CASES[name]
    with recorder(case.server) as server, sidecar(server.port) as running:
        direct = _both_ends(server, server.port, case)
        assert _both_ends(server, running.port, case) == direct
        eventually(
            lambda: (
                running.metrics().value("inference_exporter_exchanges_observed_total") == case.offered
                and running.metrics().total("inference_exporter_proxy_unobservable_connections_total")
                == bool(case.unobservable)
            )
        )


def test_what_was_relayed_is_what_was_observed(bench: Bench) -> None:
    bench.relay.exchanges()
    for name in ("a JSON POST", "chunked both ways with trailers", "an h2c wish on a POST that is ignored"):
        _both_ends(bench.server, bench.relay.port, CASES[name])
    bench.relay.settled()
    plain, with_chunks, upgrading, after = bench.relay.exchanges()
    assert (plain.method, plain.path, plain.status) == ("POST", "/v1/models/m:predict", 200)
    assert plain.request == (len(INSTANCES), Capture.WHOLE, INSTANCES)
    assert plain.response.content == b'{"predictions": [3]}'
    assert with_chunks.request.content == b"one" + BLOCK[:70_000]
    assert with_chunks.response.content == b"\r\n\r\nz"
    assert with_chunks.request_headers == {}, "a trailer is no header"
    assert (upgrading.path, upgrading.request.content) == ("/p", b"hello")
    assert after.request.content == INSTANCES
