"""Halves become exchanges, in any order, within bounds; none is observed twice and none is forgotten."""

import itertools

import pytest
from events import loggers
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.events import halves, modes
from exporter.events.halves import Arrival, Half
from exporter.events.joining import Joiner, Pair

S = 1_000_000_000


def half(kind: str, identity: str, at_s: float = 0.0, body: bytes = b"{}") -> Half:
    headers, body = loggers.kserve(kind, body, identity)
    [event] = modes.events(loggers.lower(headers), body, 1 << 20)
    return halves.half(event, Arrival(round(at_s * S), 0))


def joiner(most: int = 100, most_bytes: int = 1 << 20, wait_s: float = 10.0) -> Joiner:
    return Joiner(most, most_bytes, wait_s)


@pytest.mark.parametrize("order", [("request", "response"), ("response", "request")])
def test_two_halves_are_an_exchange_whichever_comes_first(order: tuple[str, str]) -> None:
    joining = joiner()
    assert joining.add(half(order[0], "a")) == []
    assert len(joining) == 1
    [pair] = joining.add(half(order[1], "a")) or []
    assert pair.kind == "whole"
    assert [one.kind for one in _halves(pair)] == ["request", "response"]
    assert len(joining) == 0


def test_a_half_that_is_delivered_twice_is_known_before_and_after_it_was_joined() -> None:
    joining = joiner()
    joining.add(half("request", "a"))
    assert joining.add(half("request", "a")) is None
    assert joining.add(half("response", "a")) != []
    assert joining.add(half("response", "a")) is None
    assert joining.add(half("request", "a")) is None
    assert joining.overdue(10 * S) == []
    assert joining.add(half("request", "a", 11)) == [], "by then it is another one's"


def test_a_half_that_waited_long_enough_is_observed_alone() -> None:
    joining = joiner(wait_s=10)
    joining.add(half("request", "a", 0))
    joining.add(half("response", "b", 5))
    assert joining.overdue(round(9.9 * S)) == []
    assert [pair.kind for pair in joining.overdue(10 * S)] == ["request"]
    assert [pair.kind for pair in joining.overdue(15 * S)] == ["response"]
    assert len(joining) == 0
    joining.add(half("response", "a", 16))
    assert [pair.kind for pair in joining.rest()] == ["response"], "too late, and alone, too"


def test_beyond_the_bound_of_number_the_oldest_is_observed_alone() -> None:
    joining = joiner(most=3)
    given_up = [joining.add(half("request", str(number))) for number in range(5)]
    assert given_up[:3] == [[], [], []]
    assert [pair.request.key[0] for pairs in given_up[3:] for pair in pairs] == ["0", "1"]
    assert len(joining) == 3


def test_beyond_the_bound_of_bytes_the_oldest_are_observed_alone() -> None:
    small = half("request", "0").cost
    joining = joiner(most_bytes=4 * small)
    for number in range(4):
        assert joining.add(half("request", str(number))) == []
    assert len(joining.add(half("request", "4", body=b"x" * small)) or []) == 2
    assert len(joining) == 3


IDS, KINDS = st.sampled_from("abcd"), st.sampled_from(["request", "response"])


@settings(deadline=None)
@given(st.lists(st.tuples(KINDS, IDS, st.floats(0, 3))), st.integers(1, 4))
def test_every_half_ends_in_one_pair_or_is_a_duplicate(steps: list[tuple[str, str, float]], most: int) -> None:
    joining, pairs, duplicates, now = joiner(most=most, wait_s=5), [], 0, 0.0
    for kind, identity, pause in steps:
        now += pause
        found = joining.add(half(kind, identity, now))
        duplicates += found is None
        pairs += (found or []) + joining.overdue(round(now * S))
        assert len(joining) <= most
    pairs += joining.rest()
    seen = list(itertools.chain.from_iterable(_halves(pair) for pair in pairs))
    assert len(seen) + duplicates == len(steps)
    assert len({id(one) for one in seen}) == len(seen)
    for pair in pairs:
        if pair.kind == "whole":
            assert pair.request.key == pair.response.key


def _halves(pair: Pair) -> list[Half]:
    return [one for one in pair if one is not None]
