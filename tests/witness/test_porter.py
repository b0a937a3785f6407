"""Things that are carried away by a thread: bounded, counted, and never waited for."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from support import eventually

from exporter.witness.counting import Counting
from exporter.witness.porter import DELIVERED, Limits, Outcome, Porter
from exporter.witnessed import SPAN_LOSSES, Carried

AT_ONCE = Limits(most=100, batch=10, linger_s=0.01)


def waiting(until: threading.Event) -> Callable[[Sequence[Any]], Outcome]:
    """One who takes nothing before that."""

    def take(_: Sequence[Any]) -> Outcome:
        until.wait()
        return DELIVERED

    return take


def test_all_that_there_is_room_for_arrives_in_order() -> None:
    came: list[int] = []

    def take(batch: Sequence[int]) -> Outcome:
        came.extend(batch)
        return DELIVERED

    porter = Porter("things", take, AT_ONCE)
    for thing in range(50):
        porter.put(thing)
    porter.finish(30)
    assert came == list(range(50))
    assert porter.counted() == (50, 50, {})


def test_who_puts_never_waits_and_what_there_is_no_room_for_is_counted() -> None:
    go_on = threading.Event()
    porter = Porter("things", waiting(go_on), AT_ONCE)
    for thing in range(100_000):
        porter.put(thing)
    offered, delivered, dropped = porter.counted()
    assert (offered, delivered) == (100_000, 0)
    assert dropped["queue_full"] == 100_000 - 100
    go_on.set()
    porter.finish(30)
    assert porter.counted()[1] == 100


def test_what_is_heavy_counts_by_its_weight() -> None:
    go_on = threading.Event()
    porter = Porter("things", waiting(go_on), AT_ONCE)
    for _ in range(4):
        porter.put("thing", 40)
    assert porter.counted()[2] == {"queue_full": 2}
    go_on.set()
    porter.finish(30)


def test_a_batch_that_may_be_taken_later_is_tried_again_and_given_up_after_that() -> None:
    tries: list[int] = []

    def refuse(batch: Sequence[int]) -> Outcome:
        tries.append(len(batch))
        return Outcome("collector", "come again", is_final=False)

    porter = Porter("things", refuse, AT_ONCE._replace(attempts=2))
    porter.put(1)
    eventually(lambda: porter.counted()[2] == {"collector": 1}, what="given up")
    assert tries == [1, 1]


def test_a_part_of_a_batch_may_be_lost_and_an_error_is_a_loss_as_well() -> None:
    porter = Porter("things", lambda batch: Outcome("io", "half of it", len(batch) // 2), AT_ONCE)
    for thing in range(10):
        porter.put(thing)
    porter.finish(30)
    assert porter.counted() == (10, 5, {"io": 5})

    def fail(_: Sequence[int]) -> Outcome:
        raise RuntimeError

    broken = Porter("things", fail, AT_ONCE)
    broken.put(1)
    broken.finish(30)
    assert broken.counted() == (1, 0, {"io": 1})


def test_the_end_waits_no_longer_than_it_is_told() -> None:
    never = threading.Event()
    porter = Porter("things", waiting(never), AT_ONCE)
    porter.put(1)
    begun = time.monotonic()
    porter.finish(0.1)
    assert time.monotonic() - begun < 60, "a guard, no measure"
    assert porter.counted()[1] == 0


def test_counts_go_on_after_another_process_and_what_waited_is_lost() -> None:
    go_on = threading.Event()
    porter = Porter("spans", waiting(go_on), AT_ONCE)
    first = Counting(porter, SPAN_LOSSES)
    first.settle()
    assert not first.look()
    for thing in range(5):
        porter.put(thing)
    assert first.look()
    assert first.counts() == Carried(5, 0, dict.fromkeys(SPAN_LOSSES, 0))
    kept = first.array.copy()
    go_on.set()

    after = Porter("spans", lambda _: DELIVERED, AT_ONCE)
    second = Counting(after, SPAN_LOSSES)
    second.array[...] = kept
    second.settle()
    assert second.counts().dropped["analyser_lost"] == 5
    after.put(1)
    after.finish(30)
    assert second.look()
    assert second.counts() == Carried(6, 1, {"queue_full": 0, "collector": 0, "analyser_lost": 5})
