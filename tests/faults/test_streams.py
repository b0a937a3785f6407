"""Whatever passes, in whatever pieces: nothing changes, nothing raises, nothing stays behind, everything is counted."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from faults.lockstep import Bench, Conversation, Exchange, Outcome, Said, conversation, whole
from faults.own import OwnClients
from faults.stage import fault
from faults.streams import conversations, sizes
from http11.talk import cut
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proxy.test_observer import bench as tap_bench

from exporter.handoff.tally import INCOMPLETE, Slot
from exporter.proxy.observer import Observer


def in_pieces(said: Sequence[Said], lengths: Sequence[int]) -> Conversation:
    return conversation("in pieces", said, lambda data: cut(data, lengths))


def looked_at(pieces: Sequence[Said], *, put_off: bool) -> Outcome:
    """What an observer makes of these reads; `put_off` has it look at many together, as in a worker."""
    desk = tap_bench(ring_bytes=1 << 20, max_body=1000, max_pending=1 << 20)
    if put_off:
        desk.tap.schedule = desk.later.append
    observer = Observer(desk.tap)
    for side, piece in pieces:
        (observer.response if side else observer.request)(piece)
        if not put_off:
            desk.catch_up()
    observer.response_eof()
    observer.close("client")
    desk.catch_up()
    assert desk.nothing_held()
    assert observer._backlog is None
    assert desk.tap.turns.bytes == 0
    exchanges = desk.exchanges()
    assert desk.slot(Slot.OFFERED) == len(exchanges) + desk.slot(Slot.RING_FULL)
    losses = Counter(desk.reasons()) + Counter(dict(zip(INCOMPLETE, desk.incomplete(), strict=True)))
    assert not losses["observer_error"]
    return Outcome(Counter(map(Exchange.of, exchanges)), losses)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(conversations(), sizes, st.booleans())
def test_an_observer_makes_the_same_of_a_conversation_in_whatever_pieces_it_comes(
    said: list[Said], lengths: list[int], put_off: bool
) -> None:
    uncut = looked_at(conversation("whole", said, whole).pieces, put_off=False)
    assert looked_at(in_pieces(said, lengths).pieces, put_off=put_off) == uncut


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench.new() as running:
        yield running


@fault(
    32, "Conversations in random pieces",
    "80 conversations made up of well-formed messages and noise, each whole and in random pieces",
    "both ends get what the other one sent, piece by piece",
)  # fmt: skip
@settings(
    max_examples=80, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],  # what clients saw adds up
)  # fmt: skip
@given(conversations(), sizes)
def test_a_conversation_passes_unchanged_and_is_observed_alike_in_whatever_pieces_it_comes(
    bench: Bench, own_clients: OwnClients, said: list[Said], lengths: list[int]
) -> None:
    assert bench.converse([conversation("whole", said, whole)]) == {}
    uncut = bench.outcome()
    assert bench.converse([in_pieces(said, lengths)]) == {}
    assert bench.outcome() == uncut
    assert "observer_error" not in uncut.losses
    own_clients.saw(2, wrong=0)
    own_clients.say("the same exchanges and the same `proxy_unobservable_connections_total` however it is cut")
