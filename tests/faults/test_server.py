"""What clients and accounts see of a model server that dies, hangs or breaks off: just that, and nothing added."""

import signal
import time

import pytest
from faults.server import STALLED
from faults.stage import Case, Stage, connect, fault
from proxy.rig import ANSWER, INSTANCES, PREDICT, Peer, converse
from support import eventually

ASK = b"POST /v1/models/m:predict?%s HTTP/1.1\r\nhost: m\r\ncontent-length: 22\r\n\r\n" + INSTANCES


@fault(
    1, "Model server killed amid an answer",
    "SIGKILL after half of an answer with Content-Length, and of a chunked one",
    "the half and the connection's end; no terminating chunk, no error page",
)  # fmt: skip
def test_half_an_answer_stays_half_an_answer(shared: Stage, case: Case) -> None:
    with case.streaming(shared.running):
        for kind in ("length", "chunked"):
            _killed_amid(shared, kind)
    case.unharmed()
    case.accounted()
    assert case.tell("proxy_incomplete_exchanges_total", ended_by="upstream") == 2


def _killed_amid(scene: Stage, kind: str) -> None:
    with connect(scene.victim_port) as client:
        client.send(ASK % f"stall={kind}".encode())
        client.read(len(STALLED[kind]))
        scene.victim.kill()
        client.to_end()
        assert client.received == STALLED[kind]
    scene.victim.start()


@fault(
    2, "Model server killed amid a stream",
    "SIGKILL amid an answer that ends with its connection, and amid an event stream",
    "the bytes so far and the connection's end, as they would without a relay",
)  # fmt: skip
def test_a_stream_that_ends_early_ends(shared: Stage, case: Case) -> None:
    with case.streaming(shared.running):
        for kind in ("close", "events"):
            _killed_amid(shared, kind)
    case.unharmed()
    case.accounted(others=2)
    assert case.moved("proxy_incomplete_exchanges_total") == 0
    case.say("counted as answered: what ends with its connection cannot be told from what was broken off")


@fault(
    3, "Model server not there", "the server is killed, its port refuses, it is started again",
    "502 at once while it is away, answers as soon as it is back",
)  # fmt: skip
def test_a_server_that_is_away_is_a_502(shared: Stage, case: Case) -> None:
    with case.streaming(shared.running):
        shared.victim.kill()
        for _ in range(5):
            client = converse(shared.victim_port, lambda peer: peer.send(ASK % b""))
            assert client.received.startswith(b"HTTP/1.1 502 ")
        shared.victim.start()
        with connect(shared.victim_port) as client:
            client.send(ASK % b"")
            client.until(b'"}')
            assert client.received.startswith(b"HTTP/1.1 200 ")
    case.unharmed()
    case.accounted(others=1)
    assert case.tell("proxy_connect_errors_total") == 5


@fault(
    4, "Model server never answers", "20 requests to a server that reads and is silent; then their clients reset",
    "no time-out of ours; each reset reaches the server",
)  # fmt: skip
def test_a_client_that_gives_up_is_gone_for_the_server_too(shared: Stage, case: Case) -> None:
    peers: list[Peer] = []
    shared.script.script = lambda peer: (peer.to_end(), peers.append(peer))
    before = len(shared.script.peers)
    with case.streaming(shared.running):
        clients = [connect(shared.script_port) for _ in range(20)]
        for client in clients:
            client.send(PREDICT, INSTANCES)
        eventually(lambda: _heard(shared, before) == 20, what="20 under way")
        for client in clients:
            client.reset()
        eventually(lambda: len(peers) == 20, what="20 ends")
    assert all(peer.was_reset and peer.received == PREDICT + INSTANCES for peer in peers)
    case.unharmed()
    case.accounted()
    assert case.tell("proxy_incomplete_exchanges_total", ended_by="client") == 20


def _heard(scene: Stage, before: int) -> int:
    """How many connections of the script, of those after some, have brought a whole request."""
    return sum(peer.count == len(PREDICT + INSTANCES) for peer in scene.script.peers[before:])


def _stopped(scene: Stage, case: Case, seconds: float) -> None:
    with case.streaming(scene.running, scene.victim_port):
        scene.victim.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        scene.victim.process.send_signal(signal.SIGCONT)
    case.unharmed()
    case.accounted()
    assert case.seen.phases["during"]["longest"] > seconds / 2
    slow = case.moved("proxy_request_duration_seconds_bucket", le="+Inf") - case.moved(
        "proxy_request_duration_seconds_bucket", le="1.0"
    )
    assert slow == 8, "one of each connection waited"
    case.say(f"`proxy_request_duration_seconds` has {slow:g} more above 1 s, one of each connection")


@fault(5, "Model server hangs for 3 s", "SIGSTOP, 3 s, SIGCONT to the server of the stream itself")
def test_who_waits_for_a_stopped_server_is_answered_at_last(shared: Stage, case: Case) -> None:
    _stopped(shared, case, 3)


@pytest.mark.slow
@fault(5, "Model server hangs for 30 s", "SIGSTOP, 30 s, SIGCONT to the server of the stream itself")
def test_who_waits_for_a_server_stopped_for_long_is_answered_at_last(shared: Stage, case: Case) -> None:
    _stopped(shared, case, 30)


@fault(
    6, "Model server resets a kept connection", "the server answers once and resets while the next request is written",
    "the answer, then the reset; nothing is sent twice",
)  # fmt: skip
def test_a_reset_between_two_requests_is_passed_on(shared: Stage, case: Case) -> None:
    shared.script.script = lambda peer: (
        peer.read(len(PREDICT + INSTANCES)), peer.send(ANSWER), peer.read(1), peer.reset()
    )  # fmt: skip
    connections = len(shared.script.peers)
    with case.streaming(shared.running):
        for _ in range(10):
            with connect(shared.script_port) as client:
                client.send(PREDICT + INSTANCES)
                client.read(len(ANSWER))
                client.send(PREDICT + INSTANCES)
                client.to_end()
                assert client.received == ANSWER
                assert client.was_reset
    assert len(shared.script.peers) == connections + 10, "one connection each, none tried again"
    case.unharmed()
    case.accounted(others=10)
    assert case.tell("proxy_incomplete_exchanges_total", ended_by="upstream") == 10
