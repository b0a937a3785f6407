"""What clients see of workers and a supervisor that die or hang: whoever was under way in them, and nobody else."""

import os
import signal
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from faults.stage import CONNECTIONS, Case, Stage, connect, fault, listens, stage, under_way
from proxy.rig import INSTANCES, Peer
from support import Sidecar, children, eventually

from exporter.handoff.tally import Slot
from exporter.proxy.tap import _MOST_READS

SLOW = b"POST /v1/models/m:predict?wait=2 HTTP/1.1\r\nhost: m\r\ncontent-length: 22\r\n\r\n" + INSTANCES
ASK = SLOW.replace(b"?wait=2", b"")
UNCOUNTED = _MOST_READS
"""Reads that a worker may have passed on and not looked at when it is killed."""


def workers(running: Sidecar) -> list[int]:
    return [pid for pid, command in children(running.process.pid) if "exporter.worker" in command]


def _cut_off(clients: list[Peer], victims: int) -> None:
    """Of requests under way so many break off without a byte, and the others are answered."""
    answered = 0
    for client in clients:
        client.to_end() if victims == len(clients) else client.until(b'"}')
        answered += client.received.startswith(b"HTTP/1.1 200 ")
        assert client.received.endswith(b'"}') if client.received else client.count == 0
    assert answered == len(clients) - victims


@fault(
    10, "Worker killed, one of one", "SIGKILL to the only worker while 10 requests are under way in it",
    "these 10 break off; 20 who come before the next worker is there wait for it and are answered",
)  # fmt: skip
def test_a_killed_worker_costs_what_was_under_way_in_it(shared: Stage, case: Case) -> None:
    worker = shared.worker
    with case.streaming(shared.running), ExitStack() as crowd:
        long = [crowd.enter_context(connect(shared.port)) for _ in range(10)]
        for client in long:
            client.send(SLOW)
        under_way(shared, 10)
        os.kill(worker, signal.SIGKILL)
        waiting = [crowd.enter_context(connect(shared.port)) for _ in range(20)]
        for client in waiting:
            client.send(ASK)
        _cut_off(long, 10)
        _cut_off(waiting, 0)
    case.unharmed("reset", "closed", most=CONNECTIONS)
    case.accounted(others=20, lost={"worker_lost"}, uncounted=UNCOUNTED)
    assert case.tell("process_restarts_total", process="worker-0", reason="signalled") == 1
    assert shared.worker != worker


@fault(
    10, "Worker killed, one of four", "SIGKILL to one of four workers while 40 requests are under way",
    "those in the killed one break off, the others are answered",
)  # fmt: skip
def test_one_of_four_workers_takes_only_its_own_with_it(profile: Path, case: Case) -> None:
    with stage(profile, "--workers", "4") as scene:
        with case.streaming(scene.running), ExitStack() as crowd:
            long = [crowd.enter_context(connect(scene.port)) for _ in range(40)]
            for client in long:
                client.send(SLOW)
            under_way(scene, 40)
            held = [ring.slots[Slot.CONNECTIONS_OPEN] for ring in scene.rings]
            os.kill(workers(scene.running)[0], signal.SIGKILL)
            for client in long:
                client.until(b'"}')
        answered = sum(client.received.startswith(b"HTTP/1.1 200 ") for client in long)
        assert all(client.received.endswith(b'"}') for client in long if client.received)
        assert 40 - max(held) <= answered < 40
        case.unharmed("reset", "closed", most=CONNECTIONS)
        case.accounted(others=answered, lost={"worker_lost"}, uncounted=UNCOUNTED)
        assert case.moved("process_restarts_total") == 1
        case.say('`process_restarts_total{reason="signalled"}` +1')


@pytest.mark.slow
@fault(
    11, "Worker hangs, one of two", "SIGSTOP to one of two workers and nothing else",
    "those in the stopped one wait until it is killed and break off then, the others do not notice",
)  # fmt: skip
def test_a_worker_that_hangs_is_replaced_and_the_other_does_not_notice(profile: Path, case: Case) -> None:
    with stage(profile, "--workers", "2") as scene:
        with case.streaming(scene.running):
            victim = workers(scene.running)[0]
            os.kill(victim, signal.SIGSTOP)
            eventually(
                lambda: victim not in workers(scene.running) and len(workers(scene.running)) == 2, what="another"
            )
        case.unharmed("reset", "closed", most=CONNECTIONS)
        assert case.seen.phases["during"]["answered"] > 0
        case.accounted(lost={"worker_lost"}, uncounted=UNCOUNTED)
        assert case.moved("process_restarts_total", reason="hung") == case.moved("process_restarts_total") == 1
        case.say('`process_restarts_total{reason="hung"}` +1')


@fault(12, "Supervisor killed", "SIGKILL to the supervisor")
def test_workers_outlive_their_supervisor(profile: Path, case: Case) -> None:
    with stage(profile) as scene:
        worker, analyser = scene.worker, scene.analyser
        try:
            with case.streaming(scene.running):
                scene.running.process.kill()
                scene.running.process.wait(10)
                eventually(lambda: not Path(f"/proc/{analyser}").exists(), what="the analyser's end")
                assert not listens(scene.running.health_port), "a platform's probe fails, and restarts the container"
            case.unharmed()
            os.kill(worker, signal.SIGTERM)
            eventually(lambda: _ended(worker), what="the worker's end on SIGTERM, as nobody else can tell it")
        finally:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
    case.say("they end with the analyser, and so do the answers to liveness probes")
    case.remark = "traffic holds; the container is to be restarted"


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
