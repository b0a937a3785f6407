"""What a machine can run out of: descriptors, processor time, readers of a log, memory to share."""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from faults.stage import CONNECTIONS, FAST, Case, Stage, connect, descriptors, fault, model, stage
from faults.test_processes import ASK, workers
from support import Sidecar, eventually

from exporter.handoff.tally import Slot

_BURN = "while True: pass"


@contextmanager
def _descriptors_left(pid: int, spare: int) -> Iterator[None]:
    """The process can open so many more."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = {int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    free = sorted(set(range(len(used) + spare + 1)) - used)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free[spare], hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


@fault(
    27, "Out of descriptors",
    "the worker's limit is lowered to what it has open; 20 clients come; the limit is raised. Once it is one more",
    "they wait in the kernel's queue and are answered at last; with one descriptor for a client and none for its server"
    " the answer is 502",
)  # fmt: skip
def test_clients_wait_for_descriptors_and_the_others_do_not_notice(shared: Stage, case: Case) -> None:
    [ring] = shared.rings
    with case.streaming(shared.running), ExitStack() as crowd:
        tries = ring.slots[Slot.ACCEPT_ERRORS_DESCRIPTORS]
        with _descriptors_left(shared.worker, 0):
            clients = [crowd.enter_context(connect(shared.port)) for _ in range(20)]
            for client in clients:
                client.send(ASK)
            eventually(lambda: ring.slots[Slot.ACCEPT_ERRORS_DESCRIPTORS] >= tries + 5, what="some tries")
        assert ring.slots[Slot.ACCEPT_ERRORS_DESCRIPTORS] - tries < 100, "it must not spin"
        for client in clients:
            client.until(b'"}')
            assert client.received.startswith(b"HTTP/1.1 200 ")
            client.sock.close()
        eventually(lambda: ring.slots[Slot.CONNECTIONS_OPEN] == CONNECTIONS, what="the stream alone")
        with _descriptors_left(shared.worker, 1), connect(shared.port) as client:
            client.send(ASK)
            client.to_end()
            assert client.received.startswith(b"HTTP/1.1 502 ")
    case.unharmed()
    case.accounted(others=20)
    assert case.tell("proxy_connect_errors_total") == 1
    assert case.tell("proxy_accept_errors_total", exact=False, reason="descriptors") > 0


@fault(28, "No shared memory of the usual kind", "memfd_create is refused, as under a strict seccomp profile")
def test_without_memfd_a_file_does(profile: Path, case: Case) -> None:
    with stage(profile, sabotage="memfd") as scene:
        with case.streaming(scene.running):
            pid = scene.analyser
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: scene.analyser not in {0, pid}, what="the next analyser")
        case.unharmed()
        case.accounted(lost={"analyser_lost"})
        assert not any("memfd" in one for one in descriptors(scene.worker))
        assert case.moved("payloads_decoded_total", side="request") > 0
        case.say("observed all the same: files without a name take its place")


@fault(
    39, "Slow readers of /metrics", "50 clients that send half a request, or read nothing of the page",
    "let go after a few seconds",
)  # fmt: skip
def test_slow_scrapers_hold_up_no_request(shared: Stage, case: Case) -> None:
    web = shared.running.web_port
    with case.streaming(shared.running), ExitStack() as crowd:
        for number in range(50):
            slow = crowd.enter_context(socket.create_connection(("127.0.0.1", web), timeout=60))
            slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n" + b"\r\n" * (number % 2))
        time.sleep(1)
        assert shared.running.get(shared.running.health_port, "/-/ready")[0] == 200
    case.unharmed()
    case.accounted()
    case.say("the next scrape after them is answered")


@fault(
    40, "A log that nobody reads", "standard error is a full pipe; the worker is killed three times, settings reloaded"
)
def test_a_full_pipe_holds_nobody_up(tmp_path: Path, case: Case) -> None:
    fifo = tmp_path / "stderr"
    os.mkfifo(fifo)
    descriptor = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except BlockingIOError:
        pass
    with model() as server:
        running = Sidecar(server.port, *FAST, "--log-level", "debug", wrapper=f"exec {{command}} 2>{fifo}")
        try:
            running.wait_ready()
            with case.streaming(running):
                for _ in range(3):
                    [pid] = workers(running)
                    os.kill(pid, signal.SIGKILL)
                    eventually(lambda pid=pid: workers(running) not in ([], [pid]), what="the next worker")
                    running.process.send_signal(signal.SIGHUP)
                    time.sleep(0.5)
            case.unharmed("reset", "closed", most=3 * 8)
            case.accounted(lost={"worker_lost"}, uncounted=3 * 32)
            assert case.tell("process_restarts_total", process="worker-0", reason="signalled") == 3
            assert running.stop() == 0
        finally:
            running.kill()
            os.close(descriptor)
    case.remark = "holds; what failed was under way in a killed worker"


@fault(41, "No processor time to spare", "four processes that compute without end, on all processors, for 3 s")
def test_the_relay_keeps_its_share_of_the_processor(shared: Stage, case: Case) -> None:
    worker, analyser = shared.worker, shared.analyser
    with case.streaming(shared.running):
        burning = [subprocess.Popen([sys.executable, "-c", _BURN]) for _ in range(4)]
        try:
            time.sleep(3)
        finally:
            for process in burning:
                process.kill()
                process.wait(10)
    case.unharmed()
    case.accounted()
    assert (shared.worker, shared.analyser) == (worker, analyser)
    case.say("nothing is lost: the analyser comes last and catches up")


@pytest.mark.slow
@fault(
    44,
    "Observation a hundred times slower",
    "each look at what has passed takes a hundred times its CPU time, from within",
)
def test_slow_observation_fails_no_request(profile: Path, case: Case) -> None:
    with stage(profile, sabotage="slow") as scene:
        with case.streaming(scene.running):
            os.kill(scene.worker, signal.SIGUSR2)
            time.sleep(3)
        case.unharmed()
        case.accounted()
        assert case.tell("observer_cpu_seconds_total", exact=False) > 0
    case.remark = "no request fails; a turn of the event loop is some looks longer, which others wait for"


def _inherited(pid: int) -> list[str]:
    """What a process has open, connections and copies left out: sockets by kind, memory by name."""
    names = [one for one in descriptors(pid) if not one.startswith(("/proc/", "/dev/null"))]  # for a moment
    kinds = {re.sub(r"^(socket|pipe|anon_inode):.*", r"\1", one.removesuffix(" (deleted)")) for one in names}
    return sorted(kinds)


@fault(45, "Descriptors after restarts", "worker and analyser are killed, three times each")
def test_a_successor_has_the_descriptors_of_its_predecessor_and_no_more(profile: Path, case: Case) -> None:
    with stage(profile) as scene:
        before = _audit(scene)
        with case.streaming(scene.running):
            for _ in range(3):
                pids = scene.worker, scene.analyser
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                eventually(lambda pids=pids: _both_anew(scene, pids), what="both anew")
                time.sleep(0.5)
        case.unharmed("reset", "closed", most=3 * 8)
        case.accounted(lost={"worker_lost", "analyser_lost"}, uncounted=3 * 32)
        eventually(lambda: _audit(scene) == before, what=f"what was open before: {before}")
        case.say("each process has what its predecessor had, the supervisor as many as before")
    case.remark = "holds; what failed was under way in a killed worker"


def _both_anew(scene: Stage, pids: tuple[int, int]) -> bool:
    now = scene.worker, scene.analyser
    return 0 not in now and not set(now) & set(pids)


def _audit(scene: Stage) -> tuple[list[str], list[str], int]:
    if not scene.worker or not scene.analyser:
        return [], [], 0
    return _inherited(scene.worker), _inherited(scene.analyser), len(descriptors(scene.running.process.pid))
