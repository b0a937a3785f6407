"""Where a fault is injected: a sidecar, model servers in processes of their own, and the steady stream before it all.

A case is judged by what the stream's clients saw, then by the accounts, then by what is there again afterwards. What
was found is its row of docs/reliability.md.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from faults.probe import HANG_S
from proxy.rig import Peer, Recorder, recorder
from support import Metrics, Sidecar, eventually, free_port, sidecar

from exporter.handoff.ring import Ring
from exporter.handoff.tally import Slot

RATE: Final = 200
CONNECTIONS: Final = 8
LULL_S: Final = 0.5
"""Before and after a fault."""
SHORTEST_S: Final = 1.0
"""What is over sooner is still seen by so much of the stream."""
SETTLED_S: Final = 120.0
"""An analyser yields to everybody else: on a machine that is busy a page may be late."""
FAST: Final = ("--windows.pane", "1s", "--windows.lengths", "60s,600s", "--windows.snapshot-interval", "300ms")
_TESTS: Final = Path(__file__).parent.parent
_SABOTAGE: Final = Path(__file__).parent / "sabotage"
_PHASES: Final = ("before", "during", "after")


class Fault(NamedTuple):
    """What a test injects, and what its clients may see of it: three columns of its row."""

    number: int
    title: str
    injected: str
    clients: str


def fault(number: int, title: str, injected: str, clients: str = "") -> pytest.MarkDecorator:
    """Mark a test as a row; `number` orders the rows, `clients` says what the clients of the fault itself saw."""
    return pytest.mark.fault(Fault(number, title, injected, clients))


# --- processes


class ModelServer:
    """A model server's process, which may be killed, stopped and started again on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "faults.server", str(self.port)], cwd=_TESTS, stdin=subprocess.DEVNULL
        )
        eventually(lambda: listens(self.port), what="model server")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


def under_way(scene: "Stage", requests: int) -> None:
    """Wait until so many requests are under way, not counting those of the stream, which come and go."""

    def lowest() -> bool:
        looks = []
        for _ in range(10):
            looks.append(scene.in_flight)
            time.sleep(0.01)
        return min(looks) >= requests

    eventually(lowest, what=f"{requests} under way")


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def model() -> Iterator[ModelServer]:
    server = ModelServer()
    try:
        yield server
    finally:
        server.kill()


class Probe:
    """The stream's process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.probe"],
            cwd=_TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def tell(self, **order: Any) -> None:
        assert self._process.stdin
        print(json.dumps(order), file=self._process.stdin, flush=True)

    def enter(self, phase: str) -> None:
        """Begin a phase; no request that was sent before is under way any longer."""
        self.tell(phase=phase, told=True)
        assert self._process.stdout
        assert self._process.stdout.readline() == "{}\n"

    def pause(self) -> dict[str, Any]:
        self.tell(pause=True)
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def stream() -> Iterator[Probe]:
    probe = Probe()
    try:
        yield probe
    finally:
        probe.close()


def descriptors(pid: int) -> list[str]:
    """What a process has open."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.append(str(entry.readlink()))
    return found


def connect(port: int) -> Peer:
    return Peer(socket.create_connection(("127.0.0.1", port), timeout=60))


def _rings(supervisor: int) -> list[Ring]:
    """The memory between workers and analyser, as the supervisor holds it."""
    found = {}
    for entry in sorted(Path(f"/proc/{supervisor}/fd").iterdir()):
        with suppress(FileNotFoundError):  # others come and go
            if "inference-exporter-ring" in str(entry.readlink()) and entry.stat().st_ino not in found:
                fd = os.open(entry, os.O_RDWR)
                found[entry.stat().st_ino] = Ring(fd)
                os.close(fd)
    return list(found.values())


class Stage:
    """A sidecar with three routes: to a server that does its best, to one that is abused, and to a script."""

    def __init__(self, running: Sidecar, server: ModelServer, victim: ModelServer, script: Recorder) -> None:
        self.running, self.server, self.victim, self.script = running, server, victim, script
        self.rings = _rings(running.process.pid)
        self.victim_port = self.script_port = 0

    @property
    def port(self) -> int:
        return self.running.port

    @property
    def worker(self) -> int:
        return self.running.pid_of("exporter.worker")

    @property
    def analyser(self) -> int:
        return self.running.pid_of("exporter.analyser")

    @property
    def in_flight(self) -> int:
        """Requests under way, as the workers count them."""
        return sum(ring.slots[Slot.IN_FLIGHT] for ring in self.rings)


@contextmanager
def stage(profile: Path, *flags: str, sabotage: str = "") -> Iterator[Stage]:
    """`sabotage` is one of those of sabotage/sitecustomize.py."""
    environ = {"PYTHONPATH": str(_SABOTAGE), "SABOTAGE": sabotage} if sabotage else {}
    ports = [free_port(), free_port()]
    with ExitStack() as stack:
        server, victim = stack.enter_context(model()), stack.enter_context(model())
        script = stack.enter_context(recorder(lambda _: None))
        routes = [
            word
            for port, upstream in zip(ports, (victim.port, script.port), strict=True)
            for word in ("--route", f"127.0.0.1:{port}=http://127.0.0.1:{upstream}")
        ]
        words = ("--profile", str(profile), *FAST, *routes, *flags)
        running = stack.enter_context(sidecar(server.port, *words, environ=environ))
        scene = Stage(running, server, victim, script)
        scene.victim_port, scene.script_port = ports
        yield scene


def talk(scene: Stage, *turns: tuple[bytes, bytes]) -> None:
    """Request and answer in turns over one connection, each of them whole when it comes to the other side."""

    def server(peer: Peer) -> None:
        for asked, said in turns:
            peer.read(len(asked))
            peer.send(said)
        peer.finish()
        peer.to_end()

    before = len(scene.script.peers)
    scene.script.script = server
    with connect(scene.script_port) as client:
        for asked, said in turns:
            client.send(asked)
            client.read(len(said))
        client.to_end()
        assert client.received == b"".join(said for _, said in turns)
    [peer] = scene.script.peers[before:]
    assert peer.received == b"".join(asked for asked, _ in turns)


# --- a case

Count = float | Callable[[], float]


class Seen(NamedTuple):
    """What the stream's clients saw."""

    phases: Mapping[str, Mapping[str, Any]]

    def total(self, what: str) -> int:
        return sum(self.phases.get(phase, {}).get(what, 0) for phase in _PHASES)

    def errors(self, *phases: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for phase in phases or _PHASES:
            for kind, count in self.phases.get(phase, {}).get("errors", {}).items():
                found[kind] = found.get(kind, 0) + count
        return found

    def slowdown(self, which: str) -> str:
        """How many times `which` (p50, p99) of before that of during is."""
        ratio = self.phases["during"][which] / self.phases["before"][which]
        return "over ×100" if ratio > 100 else f"×{ratio:.0f}" if ratio > 10 else f"×{ratio:.1f}"


class Case:
    """One fault, injected while the stream goes on."""

    def __init__(self, plan: Fault, probe: Probe) -> None:
        self.plan = plan
        self._probe = probe
        self._told: list[str] = []
        self.remark = ""
        """What the verdict has to add."""
        self.seen = Seen({})
        self._first = self.last = Metrics("")
        self._running: Sidecar | None = None

    @contextmanager
    def streaming(self, running: Sidecar, port: int = 0) -> Iterator[None]:
        """The stream goes on: before, during what is done inside, and after. What moves meanwhile is on record."""
        self._running = running
        self._first = eventually(lambda: _quiet(running), SETTLED_S, "nothing under way before the fault")
        try:
            with self.streaming_past(port or running.port):
                yield
        except BaseException:
            print(running.log(), file=sys.stderr)
            raise

    @contextmanager
    def streaming_past(self, port: int, *, to_the_end: bool = False) -> Iterator[None]:
        """The stream alone; `to_the_end` where there is nothing after."""
        self._probe.tell(go=port, rate=RATE, connections=CONNECTIONS)
        try:
            time.sleep(LULL_S)
            self._probe.enter("during")
            until = time.monotonic() + SHORTEST_S
            yield
            time.sleep(max(until - time.monotonic(), 0) if not to_the_end else 0)
            if not to_the_end:
                self._probe.tell(phase="after")
                time.sleep(LULL_S)
        finally:
            self.seen = Seen(self._probe.pause())

    # judgement

    def unharmed(self, *allowed: str, most: int = 0) -> None:
        """No wrong byte, no error but at most so many of those that the fault is meant to cause, nobody hangs."""
        assert self.seen.total("requests") > 0
        assert self.seen.total("wrong") == 0
        assert self.seen.errors("before", "after") == {}, self.seen.phases
        assert self.seen.phases.get("after", {"answered": 1})["answered"] > 0, "service goes on"
        errors = self.seen.errors("during")
        assert errors.keys() <= set(allowed), self.seen.phases
        assert sum(errors.values()) <= most, self.seen.phases
        assert all(phase["longest"] < HANG_S for name, phase in self.seen.phases.items() if name in _PHASES)

    def accounted(self, others: Count = 0, lost: Collection[str] = (), uncounted: int = 0) -> Metrics:
        """offered = observed + dropped, dropped for the reasons given alone, and offered = what clients saw answered.

        `others` are complete exchanges of clients beside the stream, or what gives their number. `uncounted` is how
        many a worker that was killed may have relayed and not counted; it may as well have counted what its client
        never saw.
        """
        running = self._running
        assert running

        def settled() -> Metrics | None:
            metrics = _quiet(running)
            if metrics is None:
                return None
            self.last = metrics
            offered = self.moved("exchanges_offered_total")
            answered = self.seen.total("answered") + (others() if callable(others) else others)
            assert offered <= answered + uncounted, (offered, answered)
            return metrics if offered >= answered - uncounted else None

        eventually(settled, SETTLED_S, "what clients saw answered, accounted for")
        for labels, _ in self.last.all("inference_exporter_exchanges_dropped_total"):
            if labels["reason"] not in lost:
                assert self.moved("exchanges_dropped_total", **labels) == 0, labels
        return self.last

    def moved(self, name: str, **labels: str) -> float:
        """How far a counter of ours has moved, over all the series with these labels."""
        name = name if name.startswith("model_") else f"inference_exporter_{name}"
        return self.last.total(name, **labels) - self._first.total(name, **labels)

    # the row

    def tell(self, name: str, *, exact: bool = True, **labels: str) -> float:
        """Put into the row how far a counter has moved; a number that varies is not told, that it moved is."""
        moved = self.moved(name, **labels)
        shown = ",".join(f'{label}="{value}"' for label, value in labels.items() if value)
        self._told.append(f"`{name}{{{shown}}}` ".replace("{}", "") + (f"+{moved:g}" if exact else "rises"))
        return moved

    def say(self, words: str) -> None:
        """Put into the row what is no counter."""
        self._told.append(words)

    def row(self) -> dict[str, Any]:
        requests, failed = self.seen.total("requests"), sum(self.seen.errors().values())
        kinds = f" ({', '.join(sorted(self.seen.errors()))})" if failed else ""
        return {
            "number": self.plan.number, "title": self.plan.title, "injected": self.plan.injected,
            "clients": self.plan.clients, "requests": f"{rounded(requests)}, {failed}{kinds}, "
            f"{self.seen.total('wrong')}", "latency": f"{self.seen.slowdown('p50')}, {self.seen.slowdown('p99')}",
            "metrics": "; ".join(self._told) or ("the exchanges, and nothing else" if self._running else "–"),
            "verdict": self.remark,
        }  # fmt: skip


def rounded(count: int) -> str:
    """Two digits of it: what varies from run to run is not written."""
    unit = 10 ** max(len(str(count)) - 2, 0)
    return f"{round(count / unit) * unit:,}"


def _quiet(running: Sidecar) -> Metrics | None:
    """A page on which nothing is under way and everything is accounted for; None where there is no such page yet."""
    status, body = running.get(running.web_port, "/metrics")
    if status != 200:
        return None
    metrics = Metrics(body.decode())
    offered, observed = (metrics.value(f"inference_exporter_exchanges_{one}_total") for one in ("offered", "observed"))
    waits = offered - observed - metrics.total("inference_exporter_exchanges_dropped_total")
    open_ = metrics.total("inference_exporter_proxy_connections_open")
    return None if waits or open_ or metrics.value("model_requests_in_flight") else metrics
