"""What the supervisor promises of the processes it keeps: none takes a client, a pipe or a descriptor with it."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread

import psutil
import pytest
from proxy.rig import Peer
from support import Sidecar, children, eventually, model_server, predict, sidecar, tool
from watch import weigh

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def _workers(running: Sidecar) -> list[int]:
    return [pid for pid, command in children(running.process.pid) if "exporter.worker" in command]


def _client(running: Sidecar) -> Peer:
    return Peer(socket.create_connection(("127.0.0.1", running.port), timeout=30))


def _is_answered(client: Peer) -> bool:
    client.send(GET)
    client.until(b"ready\n")
    return client.received.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("workers", [1, 2])
def test_clients_that_wait_for_a_worker_outlive_it(workers: int) -> None:
    with model_server() as upstream, sidecar(upstream, "--workers", str(workers)) as running:
        victim = _workers(running)[0]
        os.kill(victim, signal.SIGSTOP)
        with ExitStack() as crowd:
            clients = [crowd.enter_context(_client(running)) for _ in range(40)]
            os.kill(victim, signal.SIGKILL)
            assert all(_is_answered(client) for client in clients)
        metrics = running.settled(40)
        assert metrics.total("inference_exporter_proxy_connections_total") == 40
        assert (
            metrics.value("inference_exporter_process_restarts_total", reason="signalled", process="worker-0")
            + (metrics.total("inference_exporter_process_restarts_total", reason="signalled", process="worker-1"))
            == 1
        )


def test_the_others_go_on_while_one_of_two_workers_is_stopped() -> None:
    with model_server() as upstream, sidecar(upstream, "--workers", "2") as running, ExitStack() as crowd:
        clients = [crowd.enter_context(_client(running)) for _ in range(40)]
        assert all(_is_answered(client) for client in clients)
        metrics = running.settled(40)
        stopped, other = _workers(running)
        held = {pid: _connections(running, pid) for pid in (stopped, other)}
        open_ = [metrics.value("inference_exporter_proxy_connections_open", worker=str(at)) for at in (0, 1)]
        assert sorted(held.values()) == sorted(open_)
        assert sum(open_) == 40
        assert min(open_) > 0
        os.kill(stopped, signal.SIGSTOP)
        for client in clients:
            client.received.clear()
            client.send(GET)
        waiting = list(clients)

        def answered() -> int:
            readable, _, _ = select.select([client.sock for client in waiting], [], [], 0)
            for client in [one for one in waiting if one.sock in readable]:
                client.until(b"ready\n")
                waiting.remove(client)
            return len(clients) - len(waiting)

        eventually(lambda: answered() == held[other], what="an answer to each client of the other one")
        os.kill(stopped, signal.SIGCONT)
        eventually(lambda: answered() == 40, what="an answer to all")


def _connections(running: Sidecar, pid: int) -> int:
    """How many clients a worker has."""
    found = psutil.Process(pid).net_connections("tcp")
    return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == running.port for one in found)


# --- what a process is given


def _descriptors(pid: int) -> list[str]:
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(entry.readlink()))
    return found


def _memory(pid: int) -> list[str]:
    """The names of the shared blocks of memory that it has open; Python's mmap keeps a second descriptor of each."""
    found = {}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            match = re.match(r"/memfd:inference-exporter-(\w+)", str(entry.readlink()))
            if match:
                found[entry.stat().st_ino] = match[1]
    return sorted(found.values())


def test_a_process_holds_its_own_descriptors_and_nothing_else() -> None:
    with model_server() as upstream, sidecar(upstream, "--workers", "2") as running:
        analyser = running.pid_of("exporter.analyser")
        for pid in _workers(running):
            assert _memory(pid) == ["ring"]
            assert len(_sockets(running, pid)) == 1, "its listener"
        assert _memory(analyser) == ["board", "ledger", "ring", "ring"]
        assert len({*_sockets(running, *_workers(running)), *_sockets(running, analyser)}) == 3
        for pid in (*_workers(running), analyser):
            named = {one for one in _descriptors(pid) if not one.startswith(("/memfd:", "/proc/"))}
            assert {one for one in named if one.startswith("/")} <= {str(running.log_path), "/dev/null"}
            assert len(_descriptors(pid)) < 30


def _sockets(running: Sidecar, *pids: int) -> set[str]:
    """Those that the supervisor holds as well: the ones that were inherited."""
    ours = set(_descriptors(running.process.pid))
    return {one for pid in pids for one in _descriptors(pid) if one.startswith("socket:") and one in ours}


def test_the_analyser_yields_to_others_and_may_not_take_all_the_memory() -> None:
    with model_server() as upstream, sidecar(upstream, "--analyser.memory-limit", "512MiB") as running:
        analyser = running.pid_of("exporter.analyser")
        limits = Path(f"/proc/{analyser}/limits").read_text()
        assert re.search(r"Max data size +(\d+)", limits)[1] == str(1 << 30)
        assert os.getpriority(os.PRIO_PROCESS, analyser) - os.getpriority(os.PRIO_PROCESS, 0) == 10
        environment = Path(f"/proc/{analyser}/environ").read_bytes().split(b"\0")
        assert {b"OPENBLAS_NUM_THREADS=1", b"MALLOC_ARENA_MAX=2"} <= set(environment)


def test_the_analyser_gives_back_what_large_bodies_took() -> None:
    rows = [[place / 7] * 10 for place in range(4000)]
    with model_server() as upstream, sidecar(upstream) as running:
        analyser = running.pid_of("exporter.analyser")
        # What large bodies need once, and the first scores, is taken before: no more of them may take more.
        _all_at_once(lambda: [predict(running.url, rows) for _ in range(15)], 4)
        eventually(lambda: "model_feature_window_sufficient" in running.metrics().text, what="scores")
        running.settled(60)
        time.sleep(12)  # it gives back what it can every ten seconds
        before = weigh(analyser)["own"]
        _all_at_once(lambda: [predict(running.url, rows) for _ in range(15)], 4)
        running.settled(120)
        eventually(lambda: weigh(analyser)["own"] < before + (2 << 20), what="memory as before")


def _all_at_once(work: Callable[[], object], many: int) -> None:
    clients = [Thread(target=work) for _ in range(many)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()


def test_an_analyser_that_outgrows_its_limit_costs_numbers_and_no_request() -> None:
    with model_server() as upstream:
        running = Sidecar(upstream, "--analyser.memory-limit", "16MiB")  # less than it takes to start
        try:
            eventually(
                lambda: re.search("analyser uses|ended with status 71", running.log()), what="a line that says so"
            )
            worker = _workers(running)
            assert predict(running.url, [[1, 2]])["predictions"] == [3.0]
            assert running.get(running.health_port, "/-/ready")[0] == 200
            assert _workers(running) == worker
        finally:
            running.kill()


def test_every_process_shows_its_pulse() -> None:
    def beats(running: Sidecar) -> dict[str, float]:
        found = running.metrics().all("inference_exporter_heartbeat_timestamp_seconds")
        return {labels["process"]: beat for labels, beat in found}

    with model_server() as upstream, sidecar(upstream, "--workers", "2") as running:
        assert beats(running).keys() == {"analyser", "worker-0", "worker-1"}
        stopped = _workers(running)[0]
        os.kill(stopped, signal.SIGSTOP)
        eventually(lambda: time.time() - min(beats(running).values()) > 2, what="a pulse that is missed")
        os.kill(stopped, signal.SIGCONT)


def test_an_analyser_that_cannot_go_on_ends_at_once_and_another_one_takes_its_place() -> None:
    prlimit = tool("prlimit", "util-linux")
    with model_server() as upstream, sidecar(upstream) as running:
        predict(running.url, [[1.0]])
        running.settled(1)
        first = running.pid_of("exporter.analyser")
        subprocess.run([prlimit, "--pid", str(first), "--fsize=100:"], check=True)  # a model more finds no room
        predict(running.url.replace("/m:", "/another:"), [[1.0]])
        eventually(lambda: running.pid_of("exporter.analyser") not in {0, first}, what="another analyser")
        predict(running.url, [[1.0]])
        eventually(lambda: running.get(running.web_port, "/-/ready")[0] == 200, what="its first page")
        assert running.metrics().total("inference_exporter_process_restarts_total", reason="exited") == 1


def test_children_that_were_just_starting_end_as_well_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    """They ask who their parent is when it is no more."""
    command = [sys.executable, "-m", "exporter", "serve", "--upstream", "http://127.0.0.1:9", "--listen", "127.0.0.1:0",
               "--web.listen-address", "127.0.0.1:0", "--health.listen-address", "127.0.0.1:0"]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        supervisor = subprocess.Popen(command, stderr=log)
    try:
        found = eventually(lambda: _both(supervisor.pid), what="a worker and an analyser")
    finally:
        supervisor.kill()
        supervisor.wait()
    try:
        eventually(lambda: not _is_running(found["exporter.analyser"]), what="the analyser's end")
        with suppress(ProcessLookupError):  # where it had not yet read what it is to do
            eventually(lambda: _ends_when_told(found["exporter.worker"]), what="the worker's end")
    finally:
        for pid in found.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _both(supervisor: int) -> dict[str, int]:
    """Children by module, as soon as there are both."""
    modules = ("exporter.worker", "exporter.analyser")
    found = {module: pid for pid, command in children(supervisor) for module in modules if module in command}
    return found if len(found) == len(modules) else {}


def _is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _ends_when_told(pid: int) -> bool:
    """SIGTERM is for the supervisor to act on, but there is none any more."""
    os.kill(pid, signal.SIGTERM)
    return not _is_running(pid)
