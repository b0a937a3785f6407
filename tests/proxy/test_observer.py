"""What an observer makes of the bytes: exchanges handed over or counted, memory given back, and never an exception."""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.handoff import frames, ring
from exporter.handoff.reader import Reader
from exporter.handoff.ring import Ring, Writer
from exporter.handoff.tally import INCOMPLETE, UNOBSERVABLE, Slot, Tally
from exporter.proxy.filters import Filter
from exporter.proxy.observer import Observer
from exporter.proxy.tap import Tap
from exporter.records import Capture, Exchange

GET = b"GET /g HTTP/1.1\r\nHost: x\r\n\r\n"
NOTHING = b"HTTP/1.1 204 No Content\r\n\r\n"


def post(body: bytes) -> bytes:
    return b"POST /p HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Bench(NamedTuple):
    """A tap over a real ring, and the ring's other end."""

    tap: Tap
    reader: Reader
    later: list[Callable[[], None]]
    """What was put off to the next turn of the loop."""

    def turn(self) -> None:
        for work in [self.later.pop(0) for _ in list(self.later)]:
            work()

    def catch_up(self) -> None:
        while self.later:
            self.turn()

    def slot(self, slot: int) -> int:
        return self.tap.tally.slots[slot]

    def exchanges(self) -> list[Exchange]:
        return [frames.unpack(record) for record in self.reader.take(10**6, 1 << 30)]

    def reasons(self) -> dict[str, int]:
        return {reason: self.slot(Slot.UNOBSERVABLE + at) for at, reason in enumerate(UNOBSERVABLE)}

    def incomplete(self) -> list[int]:
        return [self.slot(Slot.INCOMPLETE + at) for at in range(len(INCOMPLETE))]

    def nothing_held(self) -> bool:
        return self.tap.held == 0 and self.slot(Slot.IN_FLIGHT) == 0


def bench(
    ring_bytes: int = 1 << 20, max_body: int = 1000, max_pending: int = 10_000, wanted: Filter | None = None
) -> Bench:
    fd = ring.create(ring_bytes)
    shared = Ring(fd)
    os.close(fd)
    desk = Bench(Tap(Tally(shared.block), Writer(shared), max_body, max_pending, wanted), Reader(shared), [])
    desk.tap.turns.soon = desk.later.append
    return desk


def test_an_exchange_is_handed_over_with_both_bodies() -> None:
    desk = bench()
    observer = Observer(desk.tap)
    observer.request(post(b"[1]"))
    assert not observer.idle
    assert desk.slot(Slot.IN_FLIGHT) == 1
    assert desk.tap.held == 2 * len(post(b"[1]")) - 3, "what passed, in case it has to be read closely, and its head"
    observer.response(answer(b"[2]"))
    assert observer.idle
    (exchange,) = desk.exchanges()
    assert (exchange.method, exchange.path, exchange.status) == ("POST", "/p", 200)
    assert exchange.request == (3, Capture.WHOLE, b"[1]")
    assert exchange.response == (3, Capture.WHOLE, b"[2]")
    assert exchange.request_headers == {"content-type": "application/json"}
    assert desk.nothing_held()


@pytest.mark.parametrize("pieces", [1, 2])
def test_what_decoding_needs_of_a_head_is_handed_over(pieces: int) -> None:
    desk = bench()
    observer = Observer(desk.tap)
    kept = {"content-type": "application/octet-stream", "content-encoding": "gzip", "user-agent": "u",
            "inference-header-content-length": "1", "x-request-id": "7"}  # fmt: skip
    head = "".join(f"{name.title()}: {value}\r\n" for name, value in {**kept, "accept": "*/*"}.items())
    message = f"POST /p HTTP/1.1\r\n{head}Content-Length: 1\r\n\r\nx".encode()
    for start in range(pieces):
        observer.request(message[len(message) * start // pieces : len(message) * (start + 1) // pieces])
    observer.response(message.replace(b"POST /p HTTP/1.1", b"HTTP/1.1 200 OK"))
    (exchange,) = desk.exchanges()
    assert exchange.request_headers == exchange.response_headers == kept


def test_times_are_from_first_request_byte_to_last_response_byte() -> None:
    desk = bench()
    now = [100]
    desk.tap.clock, desk.tap.wall_clock = lambda: now[0], lambda: now[0] + 5
    observer = Observer(desk.tap)
    observer.request(GET)
    now[0] = 900
    observer.response(NOTHING)
    (exchange,) = desk.exchanges()
    assert (exchange.duration_ns, exchange.ended_ns, exchange.wall_ns) == (800, 900, 905)
    assert exchange.first_byte_ns == 800, "its only read was its first"


def test_the_first_byte_of_an_answer_that_comes_in_pieces_is_timed() -> None:
    desk = bench()
    now = [100]
    desk.tap.clock = lambda: now[0]
    observer = Observer(desk.tap)
    observer.request(post(b"[1]"))
    for now[0], piece in (
        (200, b"HTTP/1.1 100 Continue\r\n\r\n"),
        (300, answer(b"[2]")[:9]),
        (900, answer(b"[2]")[9:]),
    ):
        observer.response(piece)
    (exchange,) = desk.exchanges()
    assert (exchange.first_byte_ns, exchange.duration_ns) == (200, 800)
    assert desk.nothing_held()


def test_methods_without_model_input_keep_no_body() -> None:
    desk = bench()
    observer = Observer(desk.tap)
    observer.request(b"DELETE / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")
    observer.response(answer(b"abcd"))
    assert desk.tap.held == 0
    (exchange,) = desk.exchanges()
    assert exchange.request == (3, Capture.SKIPPED, b"")
    assert exchange.response == (4, Capture.SKIPPED, b"")


def test_large_bodies_travel_in_pieces_and_arrive_whole() -> None:
    desk = bench(ring_bytes=16 << 20, max_body=1 << 20, max_pending=32 << 20)
    observer = Observer(desk.tap)
    sent, received = os.urandom(1 << 20), os.urandom(1_000_001)
    for _ in range(30):
        for piece in _pieces(post(sent), 65_536):
            observer.request(piece)
            desk.turn()
        for piece in _pieces(answer(received), 65_536):
            observer.response(piece)
            desk.turn()
        desk.catch_up()
        (exchange,) = desk.exchanges()
        assert exchange.request == (1 << 20, Capture.WHOLE, sent)
        assert exchange.response == (1_000_001, Capture.WHOLE, received)
    assert desk.reader.corrupt == 0
    assert desk.nothing_held()


# --- bounds


@pytest.mark.parametrize("long", ["request", "response"])
def test_a_body_beyond_the_cap_keeps_its_beginning_and_its_true_size(long: str) -> None:
    desk = bench(max_body=1000)
    observer = Observer(desk.tap)
    body, short = b"x" * 5000, b"y" * 1000
    for part in _pieces(post(body if long == "request" else short)):
        observer.request(part)
        assert desk.tap.held <= 1000
    for part in _pieces(answer(body if long == "response" else short)):
        observer.response(part)
        assert desk.tap.held <= 2000
    (exchange,) = desk.exchanges()
    assert getattr(exchange, long) == (5000, Capture.TRUNCATED, body[:1000])
    assert {exchange.request.capture, exchange.response.capture} == {Capture.WHOLE, Capture.TRUNCATED}
    assert desk.nothing_held()
    assert desk.slot(Slot.BODIES_SHED) == 0


def _pieces(data: bytes, size: int = 100) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def test_bodies_beyond_what_may_be_pending_are_shed_and_counted_once() -> None:
    desk = bench(max_pending=2500)
    observers = [Observer(desk.tap) for _ in range(5)]
    for observer in observers:
        observer.request(post(b"x" * 1000))
        assert desk.tap.held <= 2500
    for observer in observers:
        observer.response(NOTHING)
    captures = [exchange.request.capture for exchange in desk.exchanges()]
    assert captures == [Capture.WHOLE] * 2 + [Capture.SHED] * 3
    assert desk.slot(Slot.BODIES_SHED) == 3
    assert desk.nothing_held()


def test_a_filling_ring_sheds_bodies_first_and_only_then_drops() -> None:
    desk = bench(ring_bytes=16_384)
    observer = Observer(desk.tap)
    sampled_at = shed_at = dropped_at = 0
    for number in range(1, 400):
        observer.request(post(b"x" * 500))
        observer.response(answer(b"y" * 500))
        sampled_at = sampled_at or number * bool(desk.slot(Slot.BODIES_SAMPLED))
        shed_at = shed_at or number * bool(desk.slot(Slot.BODIES_SHED))
        dropped_at = dropped_at or number * bool(desk.slot(Slot.RING_FULL))
    assert 0 < sampled_at < shed_at < dropped_at
    exchanges = desk.exchanges()
    captures = [exchange.request.capture for exchange in exchanges]
    assert captures[: sampled_at - 1] == [Capture.WHOLE] * (sampled_at - 1)
    assert set(captures[sampled_at - 1 : shed_at - 1]) == {Capture.WHOLE, Capture.SAMPLED}
    assert set(captures[shed_at - 1 :]) == {Capture.SAMPLED, Capture.SHED}
    assert all(exchange.request.size == exchange.response.size == 500 for exchange in exchanges)
    assert desk.slot(Slot.BODIES_SHED) == captures.count(Capture.SHED), "what was dropped altogether shed no body"
    assert desk.slot(Slot.BODIES_SAMPLED) == captures.count(Capture.SAMPLED)
    halved = [exchange.halvings for exchange in exchanges]
    assert halved == sorted(halved), "the fraction is on record in each exchange"
    assert (halved[0], halved[-1], desk.slot(Slot.HALVINGS)) == (0, 4, 4)
    assert desk.slot(Slot.OFFERED) == 399 == len(exchanges) + desk.slot(Slot.RING_FULL)
    assert desk.nothing_held()


def test_exchanges_without_bodies_may_fill_the_ring_and_shed_nothing() -> None:
    desk = bench(ring_bytes=16_384)
    observer = Observer(desk.tap)
    while not desk.slot(Slot.RING_FULL):
        observer.request(GET)
        observer.response(NOTHING)
    assert desk.slot(Slot.BODIES_SHED) == 0
    assert desk.reader.queued_bytes > 16_000


def test_one_connection_cannot_run_up_unanswered_requests_without_end() -> None:
    desk = bench()
    observer = Observer(desk.tap)
    observer.request(GET * 1024)
    desk.catch_up()
    assert desk.slot(Slot.IN_FLIGHT) == 1024
    observer.request(GET)
    assert desk.reasons()["pipeline_limit"] == 1
    assert desk.nothing_held()
    assert not observer.idle, "who knows what goes on there"


# --- ends

HALF = post(b"x" * 500)[:-100]


@pytest.mark.parametrize("who", INCOMPLETE)
@pytest.mark.parametrize(
    ("request_bytes", "response", "cut_off"),
    [
        (b"", b"", 0),
        (post(b"abc"), answer(b"abc"), 0),
        (b"POST", b"", 1),
        (HALF, b"", 1),
        (post(b"abc"), answer(b"abc")[:-1], 1),
        (post(b"abc") * 3, answer(b"abc"), 2),
    ],
)
def test_what_a_connection_leaves_unfinished_is_counted_and_given_back(
    who: str, request_bytes: bytes, response: bytes, cut_off: int
) -> None:
    desk = bench()
    observer = Observer(desk.tap)
    observer.request(request_bytes)
    observer.response(response)
    for _ in range(2):
        observer.close(who)
        assert desk.incomplete() == [cut_off * (who == one) for one in INCOMPLETE]
        assert desk.nothing_held()
    observer.request(post(b"late"))
    assert desk.nothing_held()


def test_an_early_answer_ends_the_exchange_and_the_rest_of_the_request_is_let_pass() -> None:
    desk = bench()
    observer = Observer(desk.tap)
    whole = post(b"x" * 500)
    observer.request(whole[:-100])
    observer.response(NOTHING)
    assert desk.nothing_held()
    observer.request(whole[-100:] + post(b"next"))
    observer.response(NOTHING)
    early, after = desk.exchanges()
    assert early.request == (400, Capture.TRUNCATED, b"x" * 400)
    assert after.request.content == b"next"
    assert desk.nothing_held()


def test_the_end_of_the_server_completes_a_response_without_length() -> None:
    desk = bench()
    observer = Observer(desk.tap)
    observer.request(post(b"abc") + GET)
    observer.response(b"HTTP/1.1 200 OK\r\n\r\nto the end")
    observer.response_eof()
    (exchange,) = desk.exchanges()
    assert exchange.response.content == b"to the end"
    assert desk.incomplete() == [0, 1, 0], "the second request will never be answered"
    assert observer.idle
    assert desk.nothing_held()


@pytest.mark.parametrize("reason", ["request_syntax", "response_syntax", "upgrade", "http2", "unsolicited_response"])
def test_a_connection_that_becomes_unobservable_is_counted_once_and_holds_nothing(reason: str) -> None:
    requests = {"request_syntax": post(b"abc") + b"\0\0", "http2": b"PRI * HTTP/2.0\r\n\r\n"}
    responses = {
        "response_syntax": b"rubbish",
        "upgrade": b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        "unsolicited_response": NOTHING * 3,
    }
    desk = bench()
    observer = Observer(desk.tap)
    observer.request(requests.get(reason, post(b"abc") * 2))
    observer.response(responses.get(reason, b"anything"))
    observer.request(b"anything")
    observer.response_eof()
    observer.close("client")
    assert desk.reasons() == dict.fromkeys(UNOBSERVABLE, 0) | {reason: 1}
    assert desk.incomplete() == [0, 0, 0]
    assert desk.nothing_held()


def test_switched_off_what_is_under_way_is_finished_and_nothing_begun() -> None:
    desk = bench()
    under_way, idle, silent = (Observer(desk.tap) for _ in range(3))
    under_way.request(post(b"before"))
    idle.request(GET)
    idle.response(NOTHING)
    desk.tap.tally.slots[Slot.PAUSED] = 1
    under_way.response(answer(b"before"))
    for observer in (under_way, idle):
        observer.request(post(b"while off"))
        observer.response(answer(b"while off")[:-3])
    assert desk.reasons()["switched_off"] == 2
    desk.tap.tally.slots[Slot.PAUSED] = 0
    for observer in (under_way, idle):
        observer.response(b"off")
    for observer in (under_way, idle, silent, Observer(desk.tap)):
        observer.request(post(b"after"))
        observer.response(answer(b"after"))
    seen = [exchange.response.content for exchange in desk.exchanges()]
    assert seen == [b"", b"before", b"after", b"after"], "what was silent while it was off is followed as before"
    assert sum(desk.reasons().values()) == 2
    assert desk.slot(Slot.OFFERED) == 4
    assert desk.nothing_held()


# --- any bytes

fragments = st.sampled_from([
    GET, post(b"abc"), answer(b"abc"), NOTHING,
    b"HTTP/1.1 100 C\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HEAD / HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n",
    b"0\r\n\r\n", b"\r\n", b"PRI * HTTP/2.0\r\n",
])  # fmt: skip
data = fragments | st.binary(max_size=20)
steps = st.lists(
    st.tuples(st.sampled_from(["request", "response"]), data)
    | st.tuples(st.just("close"), st.sampled_from(INCOMPLETE))
    | st.tuples(st.just("eof"), st.none()),
    max_size=30,
)


@settings(max_examples=500, deadline=None)
@given(steps)
def test_no_bytes_in_any_order_make_an_observer_raise_or_keep_anything(script: list[tuple[str, object]]) -> None:
    desk = bench(max_body=50, max_pending=100)
    observer = Observer(desk.tap)
    calls = {"request": observer.request, "response": observer.response, "close": observer.close}
    for what, argument in script:
        calls[what](argument) if what != "eof" else observer.response_eof()  # type: ignore[arg-type]
        assert 0 <= desk.tap.held <= 100
    observer.close("client")
    assert desk.nothing_held()
    assert desk.reasons()["observer_error"] == 0
    assert sum(desk.reasons().values()) <= 1
    assert desk.slot(Slot.OFFERED) == len(desk.exchanges())
