"""Which case is asked when: rounds, second looks, servers that are not there or not ready, and hang."""

import threading
from collections.abc import Sequence

from exporter.golden.cases import ANY, Case, Expected, Golden, Request
from exporter.rounds.news import Checked, Loaded, Over, Unusable
from exporter.rounds.pace import Pace, Pacer

GOOD, BAD, GONE, UNREADY, LATE = "good", "bad", "gone", "unready", "late"


class Server:
    """What becomes of each case, as a test says; it remembers what it was asked."""

    def __init__(self, *names: str) -> None:
        self.how = dict.fromkeys(names, GOOD)
        self.asked: list[str] = []

    @property
    def golden(self) -> Golden:
        request = Request("POST", "/v1/models/m:predict")
        return Golden(tuple(Case(name, request, {ANY: Expected()}) for name in self.how), "digest")

    def look(self) -> tuple[Golden, Sequence[Loaded | Unusable]]:
        return self.golden, ()

    def ask(self, _: Golden, case: Case) -> Checked:
        self.asked.append(case.name)
        how = self.how[case.name]
        return Checked(
            case.name, {BAD: "value", UNREADY: "status", LATE: "timeout", GONE: "unreachable"}.get(how, ""),
            is_gone=how == GONE, is_unready=how == UNREADY,
        )  # fmt: skip

    def asked_since(self) -> list[str]:
        asked, self.asked = self.asked, []
        return asked


def pacer(server: Server, interval_s: float = 0.001) -> Pacer:
    return Pacer(Pace(interval_s), server.look, server.ask)


def one_round(paced: Pacer) -> tuple[bool, list[tuple[str, str]], list[bool]]:
    """One round: whether a server was there, what was told of cases, and how rounds ended."""
    reached = paced.ask_all(threading.Event())
    news = paced.take()
    return (
        reached,
        [(one.name, one.failure) for one in news if isinstance(one, Checked)],
        [one.is_complete for one in news if isinstance(one, Over)],
    )


def test_each_case_is_asked_once_in_a_round() -> None:
    server = Server("a", "b", "c")
    paced = pacer(server)
    assert one_round(paced) == (True, [("a", ""), ("b", ""), ("c", "")], [True])
    assert server.asked == ["a", "b", "c"]


def test_what_begins_to_fail_is_asked_again_at_the_end_of_the_round_and_then_once() -> None:
    server = Server("a", "b", "c")
    paced = pacer(server)
    server.how |= {"a": BAD, "c": BAD}
    assert one_round(paced)[1] == [("a", "value"), ("b", ""), ("c", "value"), ("a", "value"), ("c", "value")]
    assert one_round(paced)[1] == [("a", "value"), ("b", ""), ("c", "value")]
    server.how["a"] = GOOD
    one_round(paced)
    server.how["a"] = BAD
    assert [name for name, _ in one_round(paced)[1]] == ["a", "b", "c", "a"]


def test_a_server_that_was_never_there_is_not_told() -> None:
    server = Server("a", "b")
    server.how["a"] = GONE
    paced = pacer(server)
    assert one_round(paced) == (False, [], [])
    assert server.asked_since() == ["a"]
    server.how["a"] = GOOD
    assert one_round(paced) == (True, [("a", ""), ("b", "")], [True])


def test_a_server_that_goes_away_ends_the_round_and_is_told_once_an_interval() -> None:
    server = Server("a", "b", "c")
    paced = pacer(server, 3600.0)
    paced._pace = Pace(0.001)
    one_round(paced)
    paced._pace = Pace(3600.0)
    server.how = dict.fromkeys(server.how, GONE)
    server.asked_since()
    assert one_round(paced) == (False, [], [False])
    assert one_round(paced) == (False, [], [])
    assert server.asked_since() == ["a", "a"]


def test_a_server_that_dies_between_the_failure_and_the_second_look_is_gone() -> None:
    server = Server("a")
    paced = pacer(server)
    one_round(paced)
    server.how["a"] = BAD
    answers = iter((BAD, GONE))

    def ask(golden: Golden, case: Case) -> Checked:
        server.how["a"] = next(answers)
        return server.ask(golden, case)

    paced._ask = ask
    assert one_round(paced) == (False, [("a", "value")], [False])


def test_a_server_that_is_not_ready_yet_is_no_failure() -> None:
    server = Server("a", "b")
    server.how = dict.fromkeys(server.how, UNREADY)
    paced = pacer(server)
    assert one_round(paced) == (False, [], [False])
    server.how["a"] = GOOD
    assert one_round(paced) == (True, [("a", "")], [True])


def test_one_that_was_ready_and_says_that_it_is_not_fails() -> None:
    server = Server("a", "b")
    paced = pacer(server)
    one_round(paced)
    server.how["b"] = UNREADY
    assert one_round(paced)[1] == [("a", ""), ("b", "status"), ("b", "status")]


def test_a_server_that_came_back_may_get_ready_again() -> None:
    server = Server("a")
    paced = pacer(server)
    one_round(paced)
    server.how["a"] = GONE
    one_round(paced)
    server.how["a"] = UNREADY
    assert one_round(paced)[1] == []


def test_one_that_never_gets_ready_fails_at_last() -> None:
    server = Server("a", "b")
    server.how["b"] = UNREADY
    paced = pacer(server)
    one_round(paced)
    paced._unready["b"] -= 600
    assert ("b", "status") in one_round(paced)[1]


def test_a_server_that_hangs_is_not_waited_for_by_every_case() -> None:
    server = Server(*"abcdefg")
    server.how = dict.fromkeys(server.how, LATE)
    paced = pacer(server)
    assert [name for name, _ in one_round(paced)[1]] == ["a", "b", "c", "a"]
    assert [name for name, _ in one_round(paced)[1]] == ["d", "e", "f", "d"]
    server.how = dict.fromkeys(server.how, GOOD)
    assert sorted(name for name, _ in one_round(paced)[1]) == list("abcdefg")


def test_a_thread_that_is_told_to_stop_asks_no_further() -> None:
    server, stop = Server("a", "b"), threading.Event()
    stop.set()
    paced = pacer(server)
    paced.ask_all(stop)
    assert server.asked == ["a"]
    assert [type(one) for one in paced.take()] == [Checked]


def test_rounds_are_spread_over_a_quarter_of_the_interval_and_never_follow_at_once() -> None:
    pace = Pace(60.0)
    assert [pace.gap_s(cases) * cases for cases in (3, 30, 1000)] == [15.0, 15.0, 15.0]
    assert pace.gap_s(1) == 5.0
    assert all(54 - 1e-9 <= pace.pause_s(0.0) <= 60 for _ in range(100))
    assert all(39 - 1e-9 <= pace.pause_s(15.0) <= 45 for _ in range(100))
    assert pace.pause_s(1e6) == 1.0
    assert pace.retry_s == 2.0
    assert all(0 <= pace.first_s <= 1 for _ in range(100))


def test_without_a_file_that_could_be_used_nothing_is_asked() -> None:
    server = Server("a")
    paced = Pacer(Pace(0.001), lambda: (None, [Unusable("not YAML")]), server.ask)
    assert paced.ask_all(threading.Event())
    assert paced.take() == [Unusable("not YAML")]
    assert not server.asked


def test_other_cases_are_asked_at_once_however_long_the_interval() -> None:
    server, stop = Server("a"), threading.Event()
    looks = iter([(server.golden, [Loaded(("a",))]), (server.golden, [Loaded(("a",))])])
    paced = Pacer(Pace(3600.0), lambda: next(looks), server.ask)
    assert paced._rested(stop, 0.01) is False
    assert paced._rested(stop, 0.01) is False
    assert paced.take() == [Loaded(("a",)), Loaded(("a",))]
