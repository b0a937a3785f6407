"""Clients that are slow on purpose (slowhttptest) cost a bounded amount, and the others nothing."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import pytest
from proxy.rig import ANSWER, INSTANCES, MIB, PREDICT, Peer, Relay, recorder, relay
from support import eventually, tool

from exporter.handoff.tally import Slot

CROWD: Final = 200
MANY: Final = 150
"""Of them, there at once: some come late."""
LONG: Final = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (4 * MIB) + b"x" * 4 * MIB
"""More than sockets hold."""
MOST_BYTES_EACH: Final = 600 << 10
"""Of a slow client's connection: an event loop reads a quarter of a megabyte at once, and holds it twice at most."""


def serve(peer: Peer) -> None:
    """Answer predictions, anything else at length; read whatever is sent."""
    while peer.some():
        if peer.received.endswith(PREDICT + INSTANCES):
            peer.received.clear()
            peer.send(ANSWER)
        elif peer.received.startswith(b"GET /long ") and peer.received.endswith(b"\r\n\r\n"):
            peer.received.clear()
            peer.send(LONG)


class Others:
    """Ordinary clients: one that stays, and one after the other that comes."""

    def __init__(self, running: Relay) -> None:
        self.answered = 0
        self.wrong: list[str] = []
        self._relay = running
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with self._relay.connect() as stays:
            while not self._over.wait(0.02):
                with self._relay.connect() as comes:
                    for client in (stays, comes):
                        self._ask(client)

    def _ask(self, client: Peer) -> None:
        client.received.clear()
        client.send(PREDICT, INSTANCES)
        client.read(len(ANSWER))
        if client.received == ANSWER:
            self.answered += 1
        else:
            self.wrong.append(repr(bytes(client.received)))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()


class Attack(NamedTuple):
    options: tuple[str, ...]
    path: str
    closed: int
    """How many of the crowd the relay lets go by itself: those whose head does not end."""


ATTACKS: Final = {
    "slow heads": Attack(("-H", "-i", "1"), "/", closed=CROWD),
    "slow bodies": Attack(("-B", "-i", "1", "-s", "100000"), "/", closed=0),
    "slow reads": Attack(("-X", "-n", "1", "-z", "32", "-w", "512", "-y", "1024"), "/long", closed=0),
}


class Cost(NamedTuple):
    """What an attack took, at most."""

    connections: int
    resident: int
    """Bytes of the worker."""


@contextmanager
def attacked(port: int, attack: Attack) -> Iterator[None]:
    """Slow clients come, and are killed at the end."""
    command = [
        tool("slowhttptest", "slowhttptest"), *attack.options, "-c", str(CROWD), "-r", str(CROWD), "-l", "240",
        "-u", f"http://127.0.0.1:{port}{attack.path}",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as slow:
        try:
            yield
        finally:
            slow.kill()


def suffer(running: Relay, attack: Attack, others: Others) -> Cost:
    """Be attacked until all have come, and others were answered meanwhile; those that are let go have gone then."""
    most, answered, let_go = Cost(0, 0), 0, running.slot(Slot.CLOSED_HEAD_TIMEOUT) + attack.closed

    def enough() -> bool:
        nonlocal most, answered
        most = Cost(*map(max, most, (running.slot(Slot.CONNECTIONS_OPEN), running.resident())))
        came = attack.closed or most.connections >= MANY
        answered = answered or (others.answered if came else 0)
        return bool(answered) and others.answered >= answered + 50 and running.slot(Slot.CLOSED_HEAD_TIMEOUT) >= let_go

    with attacked(running.port, attack):
        eventually(enough, within_s=120, what="slow clients and others")
    return most


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_slow_clients_cost_a_bounded_amount_and_the_others_nothing(attack: Attack) -> None:
    tool("slowhttptest", "slowhttptest")
    with recorder(serve) as server, relay(server.port, head_timeout=1.0) as running:
        others = Others(running)
        with others.at_work():
            eventually(lambda: others.answered >= 100, what="others at work")
            resident, descriptors = running.resident(), running.descriptors()
            first = suffer(running, attack, others)
            eventually(lambda: running.descriptors() <= descriptors + 4, what="descriptors given back")
            again = suffer(running, attack, others)
        running.settled()
        assert others.wrong == []
        # Twice the same bound: what the first ones took is used again.
        assert max(first.resident, again.resident) - resident < CROWD * MOST_BYTES_EACH
        assert running.slot(Slot.CLOSED_HEAD_TIMEOUT) == attack.closed * 2
        assert running.unobservable() == {}
        assert running.slot(Slot.OFFERED) == len(running.exchanges()) >= others.answered
