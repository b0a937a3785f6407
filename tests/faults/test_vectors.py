"""What parsers of HTTP are tested with passes unchanged, however it is cut, and the observer stays on its feet."""

from collections.abc import Callable, Iterator
from typing import Final

import pytest
from faults import vectors
from faults.lockstep import Bench, Cut, Outcome, Side, byte_by_byte, conversation, line_by_line, whole
from faults.own import OwnClients
from faults.stage import fault
from proxy.rig import ANSWER, INSTANCES, PREDICT

HEAD: Final = b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
ROLES: Final[dict[str, Callable[[bytes], tuple[bytes, bytes]]]] = {
    "as requests": lambda vector: (vector, ANSWER),
    "as responses": lambda vector: ((PREDICT + INSTANCES) * 3, vector),
    "as responses to HEAD": lambda vector: (HEAD * 3, vector),
}
CUTS: Final = {"whole": whole, "byte by byte": byte_by_byte, "cut behind every CRLF": line_by_line}


@pytest.fixture(scope="module")
def suite(request: pytest.FixtureRequest) -> dict[str, bytes]:
    """All vectors by name."""
    cache = request.config.cache.mkdir("sdists")
    llhttp, gunicorn = vectors.llhttp(cache), vectors.gunicorn(cache)
    assert (len(llhttp), len(gunicorn)) == (272, 143)
    return llhttp | gunicorn


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench.new() as running:
        yield running


def relayed(bench: Bench, suite: dict[str, bytes], role: str, cut: Cut) -> Outcome:
    """All vectors pass: both ends get what the other one sent."""
    said = {name: list(zip(Side, ROLES[role](vector), strict=True)) for name, vector in suite.items()}
    assert bench.converse([conversation(name, pieces, cut) for name, pieces in said.items()]) == {}
    return bench.outcome()


@fault(
    32, "What parsers are tested with, in pieces",
    "415 vectors of llhttp and gunicorn, as requests, as responses and as responses to HEAD: each whole, byte by byte"
    " and cut behind every CRLF",
    "both ends get what the other one sent, piece by piece",
)  # fmt: skip
@pytest.mark.parametrize("role", ROLES)
def test_every_vector_arrives_unchanged_and_is_observed_alike_however_it_is_cut(
    bench: Bench, suite: dict[str, bytes], role: str, own_clients: OwnClients
) -> None:
    outcomes = {name: relayed(bench, suite, role, cut) for name, cut in CUTS.items()}
    for name, outcome in outcomes.items():
        assert "observer_error" not in outcome.losses, name
        assert outcome == outcomes["whole"], name
    assert outcomes["whole"].exchanges.total() > 40, "it must not be all noise"
    own_clients.saw(bench.connections, wrong=0)
    own_clients.say("the same exchanges and the same `proxy_unobservable_connections_total` however it is cut")
