"""Processes of a benchmark: started on a core of their own, weighed by what /proc says, ended by their id."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PATIENCE_S = 20.0
US_PER_TICK = 1_000_000 // os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """What is started in here stays on one core; None is any."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def running(words: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """A process as long as the block lasts; its id. Its output goes to `log`.

    A session of its own keeps Ctrl-C from it: it is ended here, in order, and never left behind.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env=os.environ | dict(env or {}), start_new_session=True,
        )  # fmt: skip
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def wait_for(port: int, request: bytes = b"") -> None:
    """Wait until a port takes connections and, where a request is given, answers it with 200."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as sock:
                sock.sendall(request)
                if not request or b" 200 " in sock.recv(64):
                    return
        except OSError:
            pass
        time.sleep(0.01)
    raise SystemExit(f"port {port} did not answer within {PATIENCE_S:.0f} s")


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [one for child in task.read_text().split() for one in tree(int(child))]
    return found


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def cpu_us(pids: Sequence[int]) -> int:
    """User and system time of all threads so far."""
    return sum(task_us(Path(f"/proc/{pid}")) for pid in pids)


def task_us(place: Path) -> int:
    """The same of a process, or of one thread, by its directory in /proc."""
    return sum(map(int, _stat(place)[11:13])) * US_PER_TICK


def started_s(pid: int) -> float:
    """When a process was started, on CLOCK_BOOTTIME, to a hundredth of a second."""
    return int(_stat(Path(f"/proc/{pid}"))[19]) * US_PER_TICK / 1e6


def private_kib(pids: Sequence[int]) -> int:
    """Resident memory without what is shared between processes by design: our rings, nginx's zones."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        sizes = dict(line.split()[:2] for line in lines if line.endswith(" kB"))
        total += int(sizes["VmRSS:"]) - int(sizes["RssShmem:"])
    return total


def _stat(place: Path) -> list[str]:
    # The second field is the name in parentheses and may hold anything.
    return (place / "stat").read_text().rpartition(")")[2].split()
