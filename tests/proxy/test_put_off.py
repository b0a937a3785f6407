"""Reads are looked at later, many at a time, and most of them at a glance: what that must not change."""

import itertools
from collections.abc import Callable

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proxy.test_observer import GET, NOTHING, Bench, answer, bench, post

from exporter.glance import Glance
from exporter.handoff.tally import Slot
from exporter.proxy.observer import Observer
from exporter.records import Capture

HEAD = b"HEAD /h HTTP/1.1\r\n\r\n"
HEADS_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nConnection: close\r\n\r\n"


def patient(**bounds: int) -> tuple[Bench, list[Callable[[], None]]]:
    """A tap that puts its looks off, and what it wants to have called."""
    desk, wanted = bench(**bounds), []
    desk.tap.schedule = wanted.append
    return desk, wanted


def test_reads_are_looked_at_later_and_keep_their_own_moments() -> None:
    desk, wanted = patient()
    times = iter([100, 900, 1000, 1300])
    desk.tap.clock = lambda: next(times, 1300)
    first, second = Observer(desk.tap), Observer(desk.tap)
    for observer in (first, second):
        observer.request(post(b"[1]"))
        observer.response(answer(b"[2]"))
    assert (desk.slot(Slot.OFFERED), len(wanted)) == (0, 1)
    wanted[0]()
    assert [(one.ended_ns, one.duration_ns) for one in desk.exchanges()] == [(900, 800), (1300, 300)]
    assert desk.slot(Slot.OFFERED) == 2
    assert desk.nothing_held()


def test_what_is_put_off_is_bounded() -> None:
    desk, _ = patient(ring_bytes=16 << 20, max_body=1 << 20, max_pending=1 << 30)
    observer = Observer(desk.tap)
    for number in range(100):
        observer.request(post(b"x" * 2000))
        observer.response(NOTHING)
        assert number + 1 - desk.slot(Slot.OFFERED) <= 16


def test_reads_that_take_long_are_not_looked_at_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, wanted = patient(ring_bytes=1 << 20)
    times = itertools.count(0, 10**7)
    monkeypatch.setattr("exporter.proxy.backlog.time.thread_time_ns", lambda: next(times))
    observers = [Observer(desk.tap) for _ in range(6)]
    for observer in observers:
        observer.request(CHUNKED)
        observer.response(answer(b"abc"))
    wanted[0]()
    assert 0 < desk.slot(Slot.OFFERED) < 6
    before = desk.slot(Slot.OFFERED)
    desk.turn()
    assert before <= desk.slot(Slot.OFFERED) < 6, "a turn is one look where looking takes long"
    observers[-1].request(CHUNKED)
    observers[-1].response(answer(b"abcd"))
    desk.catch_up()
    assert [one.response.content for one in desk.exchanges()] == [b"abc"] * 6 + [b"abcd"]
    assert desk.slot(Slot.BYTES_TO_SERVER) == 7 * len(CHUNKED)
    assert desk.nothing_held()
    assert all(observer.idle for observer in observers)


def test_glances_that_take_long_are_not_taken_in_one_go_either(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, wanted = patient(ring_bytes=1 << 20)
    times = itertools.count(1, 10**7)
    monkeypatch.setattr("exporter.proxy.backlog.time.thread_time_ns", lambda: next(times))
    observers = [Observer(desk.tap) for _ in range(15)]
    for observer in observers:
        observer.request(post(b"[1]"))
        observer.response(answer(b"[2]"))
    wanted[0]()
    assert desk.slot(Slot.OFFERED) == 4, "the time is looked at after eight of the thirty reads"
    desk.catch_up()
    assert [one.response.content for one in desk.exchanges()] == [b"[2]"] * 15
    assert desk.slot(Slot.BYTES_TO_CLIENT) == 15 * len(answer(b"[2]"))
    assert desk.nothing_held()
    assert all(observer.idle for observer in observers)


def test_whoever_asks_and_whatever_ends_waits_for_no_later_look() -> None:
    desk, _ = patient()
    observer = Observer(desk.tap)
    assert observer.idle
    observer.request(post(b"abc"))
    assert not observer.idle
    observer.response(answer(b"abc")[:-1])
    observer.close("client")
    assert desk.incomplete() == [1, 0, 0]
    ended = Observer(desk.tap)
    ended.request(GET)
    ended.response(b"HTTP/1.1 200 OK\r\n\r\nto the end")
    ended.response_eof()
    assert [exchange.status for exchange in desk.exchanges()] == [200]
    assert desk.nothing_held()


def test_what_one_connection_does_to_its_observer_is_nothing_to_the_others() -> None:
    desk, wanted = patient()
    mad, sane = Observer(desk.tap), Observer(desk.tap)
    mad.request(b"\0")
    sane.request(post(b"abc"))
    mad.request(post(b"abc"))
    sane.response(answer(b"abc"))
    wanted[0]()
    assert desk.reasons()["request_syntax"] == 1
    assert len(desk.exchanges()) == 1
    assert desk.nothing_held() or not sane.idle


@pytest.mark.parametrize("side", ["requests", "responses"])
def test_a_fault_of_ours_costs_one_connection_its_observation_and_nothing_else(side: str) -> None:
    desk, wanted = patient()

    def broken(*_: object) -> None:
        raise RuntimeError(side)

    unlucky, other = Observer(desk.tap), Observer(desk.tap)
    sound = getattr(desk.tap, side)
    parser = {"requests": httptools.HttpRequestParser, "responses": httptools.HttpResponseParser}[side]
    other.request(CHUNKED)  # read closely, without a glance
    unlucky.request(post(b"[1]"))
    unlucky.response(answer(b"[2]"))
    setattr(desk.tap, side, Glance(parser, broken))
    wanted[0]()
    setattr(desk.tap, side, sound)
    assert desk.reasons()["observer_error"] >= 1
    unlucky.request(post(b"[1]"))
    unlucky.close("client")
    fresh = Observer(desk.tap)
    fresh.request(post(b"[1]"))
    fresh.response(answer(b"[2]"))
    fresh.close("client")
    other.close("client")
    assert len(desk.exchanges()) == 1
    assert desk.nothing_held()


def test_a_ring_that_is_full_is_asked_again_when_something_was_taken() -> None:
    desk, wanted = patient(ring_bytes=1 << 16)
    observer = Observer(desk.tap)

    def batch() -> None:
        for _ in range(10):
            observer.request(post(b"[1]"))
            observer.response(answer(b"[2]"))
        wanted.pop()()

    while not desk.slot(Slot.RING_FULL):
        batch()
    for _ in range(5):
        offered, refused = desk.slot(Slot.OFFERED), desk.slot(Slot.RING_FULL)
        batch()
        assert (desk.slot(Slot.OFFERED), desk.slot(Slot.RING_FULL)) == (offered + 10, refused + 10)
    taken, refused = len(desk.exchanges()), desk.slot(Slot.RING_FULL)
    batch()
    assert (len(desk.exchanges()), desk.slot(Slot.RING_FULL)) == (10, refused)
    assert desk.slot(Slot.OFFERED) == taken + 10 + refused
    assert desk.nothing_held()


def test_a_fault_of_ours_on_the_way_into_the_ring_is_counted_and_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, wanted = patient()
    one, other = Observer(desk.tap), Observer(desk.tap)

    def broken(_: bytes) -> int:
        raise MemoryError

    for observer in (one, other):
        observer.request(post(b"[1]"))
        observer.response(answer(b"[2]"))
    with monkeypatch.context() as patch:
        patch.setattr("exporter.handoff.ring.zlib.crc32", broken)
        wanted[0]()
        one.request(CHUNKED)
        one.response(answer(b"[2]"))
        wanted[1]()
    assert (desk.slot(Slot.OFFERED), desk.slot(Slot.WORKER_LOST)) == (3, 3)
    assert desk.reasons()["observer_error"] == 1, "what is read closely ends there, a batch is nobody's alone"
    assert desk.slot(Slot.BYTES_TO_SERVER) == 2 * len(post(b"[1]")) + len(CHUNKED)
    other.request(post(b"[1]"))
    other.response(answer(b"[2]"))
    wanted[2]()
    assert (desk.slot(Slot.OFFERED), len(desk.exchanges())) == (4, 1)
    assert desk.nothing_held()


def test_a_request_that_was_only_glanced_at_is_read_where_its_answer_comes_in_pieces() -> None:
    desk = bench()
    now = [100]
    desk.tap.clock = lambda: now[0]
    observer = Observer(desk.tap)
    observer.request(post(b"[1]"))
    now[0] = 300
    observer.response(answer(b"[2]")[:-2])
    now[0] = 700
    observer.response(answer(b"[2]")[-2:])
    [exchange] = desk.exchanges()
    assert (exchange.duration_ns, exchange.request.content, exchange.response.content) == (600, b"[1]", b"[2]")
    assert exchange.request_headers == {"content-type": "application/json"}
    assert desk.nothing_held()


def test_what_is_asked_while_observation_is_off_is_not_followed() -> None:
    desk = bench()
    observer, other = Observer(desk.tap), Observer(desk.tap)
    observer.request(post(b"[1]"))
    desk.tap.tally.slots[Slot.PAUSED] = 1
    observer.response(answer(b"[2]"))
    other.request(post(b"[1]"))
    assert len(desk.exchanges()) == 1, "what was under way is completed"
    assert desk.reasons()["switched_off"] == 1
    assert desk.nothing_held()


MESSAGES = [
    (post(b"[1]"), answer(b"[2]")), (GET, NOTHING), (HEAD, HEADS_ANSWER), (CHUNKED, answer(b"ok")),
    (post(b"x" * 90), b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"y" * 90)),
    (GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(MESSAGES), st.integers(0, 200), st.integers(0, 200)), max_size=8),
    st.sampled_from([(), ((LAST, NOTHING), 0, 0)]),
)
def test_it_does_not_matter_which_messages_come_whole(
    said: list[tuple[tuple[bytes, bytes], int, int]], last: tuple[tuple[bytes, bytes], int, int] | tuple[()]
) -> None:
    """The same conversation, cut somewhere or not at all: the same exchanges."""
    script = [*said, *([last] if last else [])]
    found = []
    for cut in (False, True):
        desk, wanted = patient(max_body=50)
        desk.tap.clock, desk.tap.wall_clock = lambda: 1, lambda: 2
        observer = Observer(desk.tap)
        for (request, response), at, to in script:
            for pass_on, data, place in ((observer.request, request, at), (observer.response, response, to)):
                for piece in (data[:place], data[place:]) if cut else (data,):
                    if piece:
                        pass_on(piece)
        observer.close("client")
        assert desk.nothing_held()
        assert wanted or not script
        found.append((desk.exchanges(), desk.reasons(), desk.incomplete()))
    assert found[0] == found[1]
    assert len(found[0][0]) == len(script)


@pytest.mark.parametrize("ring_bytes", [16_384, 1 << 20])
def test_what_goes_into_the_ring_together_is_accounted_for_one_by_one(ring_bytes: int) -> None:
    desk, wanted = patient(ring_bytes=ring_bytes)
    observers = [Observer(desk.tap) for _ in range(8)]
    for _ in range(200):
        for observer in observers:
            observer.request(post(b"x" * 100))
        for observer in observers:
            observer.response(answer(b"y" * 100))
        for look in wanted:
            look()
        wanted.clear()
    exchanges = desk.exchanges()
    captures = [exchange.request.capture for exchange in exchanges]
    assert desk.slot(Slot.OFFERED) == 1600 == len(exchanges) + desk.slot(Slot.RING_FULL)
    assert desk.slot(Slot.BODIES_SHED) == captures.count(Capture.SHED)
    assert desk.slot(Slot.BODIES_SAMPLED) == captures.count(Capture.SAMPLED)
    assert (Capture.SHED in captures) == (ring_bytes < 1 << 20)
    assert desk.nothing_held()
