"""Between the store and everybody else: nobody waits, nothing is lost that is not counted, whatever the store does."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from feedback.places import LONG
from feedback.spoken import NOW_MS, ONE, TWO, prediction, truth
from support import eventually

from exporter.condition import FeedbackCounts
from exporter.feedback.keeping import Busy, Keeping
from exporter.feedback.stores import Limits, Store, Unavailable, open_store
from exporter.handoff import board
from exporter.truths import Joined, Prediction, Told, Truth, key_of

PATIENCE_S = 60.0
ROOM = 16 << 20


class Moody:
    """A real store that can be told to be away, to be slow, or to fail at what it is given."""

    def __init__(self, url: str = "memory:", limits: Limits = LONG) -> None:
        self.url, self.limits = url, limits
        self.away = False
        self.slow = threading.Event()
        self.slow.set()
        self.bad_key: int | None = None
        self.real: Store | None = None

    def __call__(self) -> "Moody":
        """As what opens it."""
        self._mood()
        self.real = open_store(self.url, self.limits, "a")
        return self

    def _mood(self) -> None:
        self.slow.wait(PATIENCE_S)
        if self.away:
            raise Unavailable("it is away")

    def __getattr__(self, name: str) -> object:
        held = getattr(self.real, name)
        if name in {"set_aside", "close"}:
            return held

        def ask(*given: Sequence[Prediction | Truth]) -> object:
            self._mood()
            if name in {"open", "tell"} and self.bad_key in [one.key for one in given[0]]:
                raise ZeroDivisionError("a fault of the store itself")
            return held(*given)

        return ask


def seats() -> "memoryview[int]":
    return board.attach(board.create())


@contextmanager
def keeping(
    opens: Callable[[], Store], at: "memoryview[int] | None" = None, room: int = ROOM, limits: Limits = LONG
) -> Iterator[Keeping]:
    one = Keeping(opens, "memory", limits, room, seats() if at is None else at)
    one.settle()
    try:
        yield one
    finally:
        one.close(PATIENCE_S)
        one.sync()
        balanced(one.snapshot())


def balanced(counts: FeedbackCounts) -> bool:
    """Whether all that is said of them adds up at this moment, but for what the store has now."""
    assert counts.predictions == counts.kept + counts.known + sum(counts.dropped.values()) + counts.predictions_waiting
    assert counts.truths == sum(counts.told.values()) + counts.lost + counts.truths_waiting
    assert min(counts.predictions_waiting, counts.truths_waiting, counts.lost, *counts.dropped.values()) >= 0
    assert all(later <= counts.told[outcome] for outcome, later in counts.told_later.items())
    return True


def settled(one: Keeping) -> FeedbackCounts:
    """The counts once nothing waits and the store has said how much it has."""

    def look() -> FeedbackCounts | None:
        one.sync()
        counts = one.snapshot()
        balanced(counts)
        is_quiet = not counts.predictions_waiting and not counts.truths_waiting and not counts.buffer_bytes
        return counts if is_quiet and _agrees(counts) else None

    return eventually(look, PATIENCE_S, "quiet accounts that agree with the store")


def _agrees(counts: FeedbackCounts) -> bool:
    is_open = counts.found + counts.kept - counts.joined_since - sum(counts.gone.values()) == counts.open
    return is_open and counts.found_early + counts.told["early"] - sum(counts.waited.values()) == counts.early


def told(one: Keeping, *truths: Truth) -> list[str] | None:
    answers = one.tell(truths, PATIENCE_S)
    return None if answers is None else [answer.outcome for answer in answers]


def some(names: Sequence[str] | range, **more: object) -> list[Prediction]:
    return [prediction(str(name), **more) for name in names]


# --- in and out


def test_what_was_handed_over_is_there_for_whoever_tells_the_truth_next() -> None:
    with keeping(Moody()) as one:
        one.open(some("ab"))
        one.open(some("b", owner=TWO))
        assert told(one, truth("a"), truth("b"), truth("c"), truth("a", b"0")) == [
            "matched",
            "matched",
            "early",
            "conflicting",
        ]
        counts = settled(one)
        assert (counts.predictions, counts.kept, counts.joined_since, counts.open, counts.early) == (3, 3, 3, 0, 1)
        assert counts.told | {"matched": 2, "early": 1, "conflicting": 1} == counts.told
        assert counts.up


def test_answers_go_to_who_asked_though_many_ask_at_once() -> None:
    with keeping(Moody()) as one:
        one.open(some(range(400)))
        answers: dict[int, list[Told] | None] = {}

        def ask(first: int) -> None:
            names = [str(place) for place in range(first, first + 20)]
            answers[first] = one.tell([truth(name) for name in names], PATIENCE_S)

        threads = [threading.Thread(target=ask, args=(first,)) for first in range(200, 600, 20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for first, answer in answers.items():
            assert {each.outcome for each in answer or ()} == {"matched" if first < 400 else "early"}
            assert len(answer or ()) == 20
        assert settled(one).told_later == dict.fromkeys(settled(one).told, 0)


def test_the_loop_gets_every_joined_prediction_once_and_in_order() -> None:
    number = 12_000
    with keeping(Moody(limits=LONG._replace(predictions=10**6)), limits=LONG._replace(predictions=10**6)) as one:
        assert one.joined(0) == []
        taken: list[Joined] = []
        for start in range(0, number, 1000):
            names = [str(place) for place in range(start, start + 1000)]
            one.open(some(names))
            one.tell([truth(name) for name in names], PATIENCE_S)
            taken += one.joined(taken[-1].number if taken else 0)

        def rest() -> bool:
            taken.extend(one.joined(taken[-1].number if taken else 0))
            return len(taken) >= number

        eventually(rest, PATIENCE_S, "all joined ones")
        assert [row.number for row in taken] == sorted({row.number for row in taken})
        assert len(taken) == number
        middle = taken[number // 2].number
        again: list[Joined] = []

        def anew() -> bool:
            again.extend(one.joined(again[-1].number if again else middle))
            return len(again) >= number // 2 - 1

        eventually(anew, PATIENCE_S, "the second half again")
        assert again == taken[number // 2 + 1 :]


def test_what_was_joined_before_is_known_by_its_number(tmp_path: Path) -> None:
    at = Moody(f"sqlite:{tmp_path}/f.db")
    with keeping(at) as one:
        one.open(some("ab"))
        told(one, truth("a"))
        assert eventually(lambda: one.first_number is not None)
        assert one.first_number == 0
    with keeping(at) as one:
        eventually(lambda: one.first_number)
        told(one, truth("b"))
        rows = list(one.joined(0)) or eventually(lambda: one.joined(0))
        assert [row.number <= (one.first_number or 0) for row in rows] == [True, False]
        counts = settled(one)
        assert (counts.found, counts.kept, counts.joined_since) == (1, 0, 1)


def test_erasing_forgets_and_says_how_many() -> None:
    with keeping(Moody()) as one:
        one.open(some("abc"))
        told(one, truth("a"), truth("d"))
        assert one.erase([key_of(name) for name in "abdz"], PATIENCE_S) == 3
        counts = settled(one)
        assert (counts.gone["erased"], counts.waited["erased"], counts.open) == (1, 1, 1)


def test_old_ones_are_forgotten_without_being_asked() -> None:
    limits = LONG._replace(predictions=100)
    with keeping(Moody(limits=limits), limits=limits) as one:
        one.open(some(range(3000)))
        assert eventually(lambda: one.sync() and one.snapshot().gone["expired"] >= 1900)
        one.open(some(range(3000, 4500)))
        told(one, truth("not there"))
        counts = settled(one)
        assert counts.gone["expired"] + counts.open == 4500


# --- a store that is down


def test_while_the_store_is_down_all_of_it_waits_and_is_told_later_in_order() -> None:
    at = Moody()
    with keeping(at) as one:
        one.open(some("a"))
        assert told(one, truth("a")) == ["matched"]
        at.away = True
        one.open(some("bc"))
        begun = time.monotonic()
        assert told(one, truth("b"), truth("c"), truth("x")) is None
        assert told(one, truth("b")) is None
        assert one.erase([key_of("c")], PATIENCE_S) is None
        assert (
            time.monotonic() - begun < PATIENCE_S
        )  # nobody waits out his patience for a store that is known to be down
        one.sync()
        counts = one.snapshot()
        assert (counts.up, counts.predictions_waiting, counts.truths_waiting) == (False, 2, 4)
        assert counts.failures > 0
        at.away = False
        counts = settled(one)
        assert counts.up
        assert counts.told_later | {"matched": 2, "early": 1, "duplicate": 1} == counts.told_later
        assert counts.told["matched"] == 3
        assert counts.joined == 2  # c was erased after it was joined


def test_a_store_that_cannot_be_opened_is_tried_again() -> None:
    at = Moody()
    at.away = True
    with keeping(at) as one:
        one.open(some("a"))
        assert told(one, truth("a")) is None
        assert one.first_number is None
        at.away = False
        assert settled(one).told_later["matched"] == 1


def test_who_is_patient_enough_gets_no_answer_from_a_slow_store_but_his_truth_is_joined() -> None:
    at = Moody()
    with keeping(at) as one:
        one.open(some("a"))
        told(one)
        at.slow.clear()
        assert one.tell([truth("a")], 0.2) is None
        at.slow.set()
        counts = settled(one)
        assert (counts.told["matched"], counts.told_later["matched"]) == (1, 1)


@pytest.mark.parametrize(("away", "reason"), [(True, "store_down"), (False, "no_room")])
def test_what_there_is_no_room_for_is_dropped_and_counted(away: bool, reason: str) -> None:
    at = Moody()
    with keeping(at, room=40_000) as one:
        told(one)
        at.away = away
        if away:
            told(one, truth("x"))
        else:
            at.slow.clear()
        for start in range(0, 1000, 10):
            one.open(some(range(start, start + 10)))
        one.sync()
        counts = one.snapshot()
        assert counts.dropped[reason] == sum(counts.dropped.values()) > 800
        assert counts.buffer_bytes <= counts.buffer_limit_bytes == 40_000
        at.away = False
        at.slow.set()
        counts = settled(one)
        assert counts.kept == 1000 - counts.dropped[reason] > 0


@pytest.mark.parametrize("room", [64 << 10, 1 << 20])
def test_of_more_predictions_at_once_than_there_is_room_for_some_are_kept(room: int) -> None:
    at = Moody()
    with keeping(at, room=room) as one:
        told(one)
        at.slow.clear()
        one.open(some(range(10_000)))
        one.sync()
        assert room // 8 < one.snapshot().buffer_bytes <= room // 2
        at.slow.set()
        counts = settled(one)
        assert counts.kept > room // 2048
        assert counts.kept + counts.dropped["no_room"] == 10_000


def test_who_tells_more_than_there_is_room_for_is_asked_to_come_again_and_predictions_still_have_theirs() -> None:
    at = Moody()
    with keeping(at, room=40_000) as one:
        told(one)
        at.away = True
        told(one, truth("x"))
        many = [truth(str(place)) for place in range(30)]
        one.tell(many, 0.0)
        one.tell(many, 0.0)
        with pytest.raises(Busy):
            one.tell(many, 0.0)
        with pytest.raises(Busy):
            one.erase([1] * 300, 0.0)
        one.open(some("a"))
        one.sync()
        counts = one.snapshot()
        assert (counts.refused, counts.predictions_waiting, sum(counts.dropped.values())) == (30, 1, 0)
        at.away = False
        counts = settled(one)
        assert counts.told | {"early": 31, "duplicate": 30} == counts.told


# --- a store with a fault


def test_one_batch_that_the_store_fails_at_does_not_hold_up_the_others(caplog: pytest.LogCaptureFixture) -> None:
    at = Moody()
    at.bad_key = key_of("bad")
    with keeping(at) as one:
        told(one)
        at.slow.clear()
        for names in ("a", "b", ["bad", "c"], "d"):
            one.open(some(names))
        at.slow.set()
        counts = settled(one)
        assert (counts.dropped["refused"], counts.kept) == (2, 3)
        eventually(lambda: one.snapshot().up)
        assert told(one, truth("a"), truth("b"), truth("d")) == ["matched"] * 3
        assert told(one, truth("bad"), truth("e")) == ["malformed"] * 2
        assert settled(one).told["malformed"] == 2
    assert "ZeroDivisionError" in caplog.text


def test_what_was_in_a_file_that_had_to_be_set_aside_is_counted_as_lost(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    at = Moody(f"sqlite:{path}", LONG._replace(predictions=10**6))
    with keeping(at, limits=LONG._replace(predictions=10**6)) as one:
        one.open(some(range(5000), said=bytes(1200)))  # more than it has in memory
        told(one, *[truth(str(place)) for place in range(1000)], *[truth(f"early-{place}") for place in range(10)])
        settled(one)
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (path.stat().st_size - 4096))
        one.open(some("z"))
        told(one, *[truth(str(place)) for place in range(1000)])
        counts = settled(one)
        assert counts.set_aside == 1
        assert (counts.gone["store_lost"], counts.waited["lost"]) == (4000, 10)
        assert one.tell([truth("z")], PATIENCE_S)[0].owners == (ONE,)


# --- an analyser that dies


def successor(before: Keeping, opens: Callable[[], Store], at: "memoryview[int]") -> Keeping:
    """One that goes on from what was committed."""
    one = Keeping(opens, "memory", LONG, ROOM, at)
    one.counts[...] = before.counts
    one.settle()
    return one


def test_what_was_handed_over_and_not_committed_when_the_analyser_died_is_counted_as_lost() -> None:
    at, place = Moody(), seats()
    first = Keeping(at, "memory", LONG, ROOM, place)
    first.settle()
    first.open(some("abc"))
    told(first, truth("a"), truth("e"))
    settled(first)  # committed
    at.away = True
    first.open(some("de"))
    told(first, truth("b"), truth("c"), truth("d"))
    second = successor(first, Moody(), place)
    counts = settled(second)
    assert (counts.dropped["analyser_lost"], counts.lost) == (2, 3)
    assert (counts.gone["store_lost"], counts.waited["lost"]) == (2, 1)  # what was in memory went, too
    assert (counts.kept, counts.told["matched"]) == (3, 1)
    second.open(some("f"))
    assert told(second, truth("f")) == ["matched"]
    settled(second)
    third = successor(second, Moody(), place)
    assert settled(third).dropped["analyser_lost"] == 2
    for one in (first, second, third):
        one.close(0.1)


def test_what_the_store_has_is_found_again_though_it_was_not_committed(tmp_path: Path) -> None:
    at, place = Moody(f"sqlite:{tmp_path}/f.db"), seats()
    first = Keeping(at, "sqlite", LONG, ROOM, place)
    first.settle()
    first.open(some("abc"))
    settled(first)
    first.open(some("de"))
    told(first, truth("a"), truth("x"))  # and it dies before it commits
    first.close(PATIENCE_S)
    second = successor(first, at, place)
    counts = settled(second)
    assert (counts.open, counts.joined, counts.early) == (4, 1, 1)
    assert (counts.dropped["analyser_lost"], counts.lost) == (2, 2)
    assert counts.gone["store_lost"] == 0
    second.close(PATIENCE_S)


# --- the end


def test_what_waits_at_the_end_is_done_and_nothing_more_is_taken(tmp_path: Path) -> None:
    with keeping(Moody(f"sqlite:{tmp_path}/f.db")) as one:
        one.open(some(range(100)))
    with pytest.raises(Busy):
        one.tell([truth("1")], 0.0)
    store = open_store(f"sqlite:{tmp_path}/f.db", LONG, "a")
    assert store.sizes().open == 100
    store.close()


def test_the_end_does_not_wait_for_a_store_that_is_down() -> None:
    at = Moody()
    one = Keeping(at, "memory", LONG, ROOM, seats())
    one.settle()
    told(one)
    at.away = True
    one.open(some("a"))
    one.close(PATIENCE_S)
    assert not one._thread.is_alive()


# --- all at once


def test_accounts_add_up_while_everybody_does_everything_and_the_store_comes_and_goes(tmp_path: Path) -> None:
    at = Moody(f"sqlite:{tmp_path}/f.db", LONG._replace(predictions=2000))
    with keeping(at, room=300_000, limits=at.limits) as one:
        over = threading.Event()
        taken: list[int] = []

        def tells(first: int) -> None:
            for place in range(first, 20_000, 41):
                try:
                    one.tell([truth(str(place)), truth(str(place), b"0"), truth(f"no-{place}")], 0.05)
                except Busy:
                    time.sleep(0.001)

        def trouble() -> None:
            while not over.wait(0.02):
                at.away = not at.away
            at.away = False

        threads = [threading.Thread(target=tells, args=(first,)) for first in (1, 7, 19)]
        others = threading.Thread(target=trouble)
        for thread in (*threads, others):
            thread.start()
        for start in range(0, 20_000, 20):
            one.open(some(range(start, start + 20), at_ms=NOW_MS + start))
            taken += [row.number for row in one.joined(taken[-1] if taken else 0)]
            one.sync()
            balanced(one.snapshot())
        for thread in threads:
            thread.join()
        over.set()
        others.join()
        counts = settled(one)
        assert counts.predictions == 20_000
        eventually(
            lambda: (
                taken.extend(row.number for row in one.joined(taken[-1] if taken else 0))
                or len(taken) >= counts.joined_since
            )
        )
        assert taken == sorted(set(taken))
        assert len(taken) == counts.joined_since
