"""Scrapers share one question, and nobody waits longer than they may."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import eventually

from exporter.merging import flights
from exporter.merging.flights import Flights


def test_those_who_ask_at_once_and_within_a_second_share_an_answer() -> None:
    asked, gate = Counter[str](), threading.Event()

    def look(key: str) -> object:
        asked[key] += 1
        gate.wait(10)
        return object()

    shared = Flights(look)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(shared.outcome, "text", 10.0) for _ in range(8)]
        eventually(lambda: asked["text"])
        gate.set()
        found = {id(one.result()) for one in waiting}
    assert len(found) == 1
    assert shared.outcome("text", 10.0) is not None
    assert asked == {"text": 1}
    shared.outcome("open", 10.0)
    assert asked == {"text": 1, "open": 1}


def test_an_answer_is_asked_for_again_when_it_is_old() -> None:
    asked = []
    shared = Flights(lambda key: asked.append(key) or len(asked))
    assert shared.outcome("text", 10.0) == 1
    assert eventually(lambda: shared.outcome("text", 10.0) == 2, within_s=10 * flights.FRESH_S)


def test_who_cannot_wait_has_nothing_and_sends_nobody_else() -> None:
    gate, asked = threading.Event(), []

    def look(key: str) -> str:
        asked.append(key)
        gate.wait(30)
        return "late, but here"

    shared = Flights(look)
    assert [shared.outcome("text", 0.01) for _ in range(3)] == [None] * 3
    assert asked == ["text"]
    gate.set()
    assert eventually(lambda: shared.outcome("text", 0.01)) == "late, but here"


def test_of_a_crowd_only_some_wait_for_long() -> None:
    gate = threading.Event()
    shared = Flights(lambda _: gate.wait(30))
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(shared.outcome, "text", 30.0) for _ in range(20)]
        eventually(lambda: sum(one.done() for one in waiting) == 12)
        gate.set()
        found = Counter(one.result() for one in waiting)
    assert found == {None: 12, True: 8}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_question_that_fails_leaves_nothing_and_the_next_is_asked() -> None:
    asked = []

    def look(_: str) -> int:
        asked.append(1)
        if len(asked) == 1:
            raise MemoryError
        return 2

    shared = Flights(look)
    assert shared.outcome("text", 10.0) is None
    assert eventually(lambda: shared.outcome("text", 10.0)) == 2
