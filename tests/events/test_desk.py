"""Accounts of events: received = observed + dropped + waiting, to the unit, at any moment and after any death."""

import json
import threading
import time
from contextlib import suppress

import pytest
from events import loggers
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.condition import EventCounts
from exporter.errors import EventError
from exporter.events.desk import Desk
from exporter.handoff import board
from exporter.sections import Events

BATCHED = {"content-type": "application/cloudevents-batch+json"}


def desk(seats: "memoryview[int] | None" = None, **chosen: object) -> Desk:
    return Desk(Events(**chosen), board.attach(board.create()) if seats is None else seats)


def post(at: Desk, kind: str, identity: str, logger: object = loggers.kserve) -> None:
    headers, body = logger(kind, loggers.instances([1]), identity)
    at.post(loggers.lower(headers), body)


def balanced(counts: EventCounts) -> bool:
    return counts.received == sum(counts.observed.values()) + sum(counts.dropped.values()) + counts.waiting


def named(counts: EventCounts) -> dict[str, int]:
    return {name: count for name, count in (*counts.observed.items(), *counts.dropped.items()) if count}


def test_every_event_is_observed_dropped_for_a_reason_or_waits() -> None:
    at = desk()
    post(at, "request", "a")
    post(at, "request", "a")
    post(at, "response", "a")
    post(at, "feedback", "a", loggers.seldon)
    post(at, "outlier", "a")
    post(at, "response", "b")
    with pytest.raises(EventError, match="no CloudEvent"):
        at.post({}, b"")
    assert at.snapshot().waiting == 6
    [(pair, exchange)] = at.take()
    assert (pair.kind, exchange.status) == ("whole", 200)
    counts = at.snapshot()
    assert named(counts) == {"whole": 2, "duplicate": 1, "feedback": 1, "other_type": 1, "malformed": 1}
    assert (counts.received, counts.waiting) == (7, 1)
    assert balanced(counts)
    at.close()
    with pytest.raises(EventError, match="it is ending"):
        post(at, "request", "c")
    assert [pair.kind for pair, _ in at.rest()] == ["response"]
    counts = at.snapshot()
    assert named(counts) == {
        "whole": 2, "response": 1, "duplicate": 1, "feedback": 1, "other_type": 1, "malformed": 1, "busy": 1,
    }  # fmt: skip
    assert (counts.waiting, balanced(counts)) == (0, True)


def test_what_an_analyser_took_and_did_not_commit_is_lost_and_counted() -> None:
    seats = board.attach(board.create())
    first = desk(seats)
    post(first, "request", "a")
    post(first, "response", "a")
    first.take()
    committed = first.counts.copy()
    post(first, "request", "b")
    first.take()
    post(first, "request", "c")
    second = desk(seats)
    second.counts[:] = committed
    second.settle()
    counts = second.snapshot()
    assert named(counts) == {"whole": 2, "analyser_lost": 2}
    assert (counts.received, counts.waiting, balanced(counts)) == (4, 0, True)
    third = desk(seats)
    third.counts[:] = second.counts
    third.settle()
    assert third.snapshot() == counts


def test_a_queue_that_is_full_refuses_and_says_so() -> None:
    at = desk(max_body=1024, max_pending=16 << 10)
    for number in range(3):
        post(at, "request", str(number))
    with pytest.raises(EventError, match="too many events wait") as caught:
        post(at, "request", "one too many")
    assert caught.value.reason == "busy"
    at.take()
    post(at, "request", "again")
    assert named(at.snapshot()) == {"busy": 1}
    assert balanced(at.snapshot())


def test_a_batch_that_never_fits_is_too_large_and_counts_all_of_its_events() -> None:
    at = desk(max_body=1 << 20, max_pending=4 << 20)
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": "x"}
    with pytest.raises(EventError, match=r"events\.max_pending") as caught:
        at.post(BATCHED, json.dumps([event] * 2000).encode())
    assert caught.value.reason == "too_large"
    assert named(at.snapshot()) == {"too_large": 2000}


def test_threads_that_post_at_once_lose_no_count() -> None:
    at = desk()

    def work(name: str) -> None:
        for number in range(300):
            post(at, "request", f"{name}-{number}")
            post(at, "response", f"{name}-{number}")

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    pairs = 0
    while any(thread.is_alive() for thread in threads):
        pairs += len(at.take())
        time.sleep(0.001)
    while found := at.take():
        pairs += len(found)
    assert pairs == 1200
    counts = at.snapshot()
    assert counts.received == 2400
    assert named(counts) == {"whole": 2400}


def test_exchanges_come_in_the_order_of_their_moments() -> None:
    at = desk()
    for number, time_ in enumerate(("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2010-01-01T00:00:00Z", "")):
        for kind in ("request", "response"):
            headers, body = loggers.kserve(kind, b"{}", str(number), time=time_)
            at.post(loggers.lower(headers), body)
    moments = [exchange.ended_ns for _, exchange in at.take()]
    assert len(moments) == 4
    assert moments == sorted(moments)


KINDS = st.sampled_from(["request", "response", "feedback", "outlier", ""])


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.tuples(KINDS, st.sampled_from("abc")))), st.integers(1, 3))
def test_accounts_balance_after_every_step(steps: list[tuple[str, str] | None], most: int) -> None:
    at = desk(max_waiting=most, max_body=1024, max_pending=16 << 10)
    for step in steps:
        if step is None:
            at.take()
        else:
            with suppress(EventError):  # an event without an id, or no room
                post(at, *step)
        assert balanced(at.snapshot())
    at.close()
    while at.take():
        pass
    at.rest()
    counts = at.snapshot()
    assert counts.waiting == 0
    assert balanced(counts)
