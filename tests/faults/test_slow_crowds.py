"""Clients that are slow on purpose (slowhttptest) harm nobody beside them, in a whole sidecar as in a relay alone."""

from pathlib import Path

from faults.stage import CONNECTIONS, Case, Stage, fault, stage
from faults.test_slow_clients import ATTACKS, CROWD, LONG, MANY, Attack, attacked
from proxy.rig import Peer
from support import eventually, tool

from exporter.handoff.tally import Slot

ENDLESS = LONG.replace(b"Content-Length: ", b"Content-Length: 9")
"""More than is ever sent, so that no answer is complete."""


def _serve(peer: Peer) -> None:
    """Begin an answer where something long is wanted; read whatever is sent."""
    peer.until(b"\r\n\r\n")
    if peer.received.startswith(b"GET /long "):
        peer.send(ENDLESS)
    peer.to_end()


def _count(scene: Stage, slot: Slot) -> int:
    return sum(ring.slots[slot] for ring in scene.rings)


def _suffer(scene: Stage, attack: Attack) -> None:
    """Be attacked until those who are to be let go are gone, or until a crowd is there that stays."""
    let_go = _count(scene, Slot.CLOSED_HEAD_TIMEOUT) + attack.closed

    def enough() -> bool:
        there = attack.closed or _count(scene, Slot.CONNECTIONS_OPEN) >= MANY + CONNECTIONS
        return bool(there) and _count(scene, Slot.CLOSED_HEAD_TIMEOUT) >= let_go

    with attacked(scene.script_port, attack):
        eventually(enough, what="slow clients")


@fault(
    17, "Slow heads, slow bodies and slow reads",
    f"slowhttptest -H, -B and -X with {CROWD} connections each, one after the other; `head_timeout` 1 s",
    "those whose head does not end are let go after a second, the others may take as long as they like",
)  # fmt: skip
def test_slow_clients_harm_nobody(profile: Path, case: Case) -> None:
    tool("slowhttptest", "slowhttptest")
    with stage(profile, "--head-timeout", "1s") as scene:
        scene.script.script = _serve
        with case.streaming(scene.running):
            for attack in ATTACKS.values():
                _suffer(scene, attack)
        case.unharmed()
        case.accounted()
        assert case.tell("proxy_closed_connections_total", reason="head_timeout") == CROWD
        assert case.moved("proxy_unobservable_connections_total") == 0
