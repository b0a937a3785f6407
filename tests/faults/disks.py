"""What disks do to the state directory, and what there is to see of it in the directory and on the page."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from support import Metrics, Sidecar, eventually, tool

from exporter.state.image import Image, pack, unpack

DAY_S: Final = 86_400.0

# --- what there is to see


def scrape(running: Sidecar) -> Metrics | None:
    """None where there is no answer: no page yet, or a machine too busy to make one in time."""
    status, page = running.get(running.web_port, "/metrics")
    return Metrics(page.decode()) if status == 200 else None


def shown(running: Sidecar) -> Metrics:
    """A scrape, as soon as there is one."""
    found: Metrics = eventually(lambda: scrape(running), what="a page")
    return found


def kept(running: Sidecar) -> Metrics:
    """A scrape after the windows as they are now were written."""
    now = time.time()

    def written() -> Metrics | None:
        metrics = scrape(running)
        return metrics if metrics and metrics.value("inference_exporter_state_kept_timestamp_seconds") > now else None

    found: Metrics = eventually(written, what="windows kept")
    return found


def errors(metrics: Metrics) -> dict[str, float]:
    return {labels["reason"]: count for labels, count in metrics.all("inference_exporter_state_errors_total") if count}


def failing(running: Sidecar, reason: str, beyond: float = 0) -> Metrics:
    """A scrape after a write has failed for that reason, more often than `beyond`."""

    def failed() -> Metrics | None:
        metrics = scrape(running)
        return metrics if metrics and errors(metrics).get(reason, 0) > beyond else None

    found: Metrics = eventually(failed, what=f"a state error: {reason}")
    return found


def samples(metrics: Metrics, window: str) -> float:
    """Rows in a window."""
    return metrics.value("model_feature_window_samples", feature="age", window=window)


def state_file(state: Path) -> Path:
    (found,) = state.glob("*.ixstate")
    return found


def on_disk(state: Path) -> int:
    """The rows that the file there has in its windows."""
    return rows_in(unpack(state_file(state).read_bytes()))


def rows_in(image: Image) -> int:
    """The rows in the longest of its windows."""
    panes = re.compile(r"outputs\.counts\.\d+\.panes")
    return max(int(array.sum()) for name, array in image.arrays.items() if panes.fullmatch(name))


def reload(running: Sidecar, path: Path, settings: dict[str, Any]) -> None:
    """Have other settings in force, the analyser's page among it."""
    analyser = running.pid_of("exporter.analyser")
    path.write_text(json.dumps(settings))
    running.process.send_signal(signal.SIGHUP)
    eventually(lambda: running.pid_of("exporter.analyser") not in {0, analyser}, what="the next analyser")
    shown(running)


# --- files that are not what they were


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def make_newer(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:8] + (99).to_bytes(4, "little") + content[12:])


def move_clocks(path: Path, **changes: float | str) -> None:
    """As if the file had been written by other clocks: `monotonic_s` and `wall_s` are added to what they showed."""
    image = unpack(path.read_bytes())
    clocks = image.moment._asdict()
    clocks |= {name: clocks[name] + more if isinstance(more, float) else more for name, more in changes.items()}
    path.write_bytes(pack(image.owner, type(image.moment)(**clocks), image.arrays.items()))


# --- disks that do not do what they should


@contextmanager
def mounted(path: Path, *words: str) -> Iterator[Path]:
    """Something else in the place of a directory, where we may do that."""
    if subprocess.run([tool("mount", "mount"), *words, str(path)], capture_output=True, check=False).returncode:
        pytest.skip("mounting is for root")
    try:
        yield path
    finally:
        subprocess.run([tool("umount", "mount"), "-l", str(path)], check=True)


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """The same directory, in which nothing can be written any more."""
    with mounted(path, "--bind", str(path)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(path)], check=True)
        yield


@contextmanager
def injected(pid: int, what: str) -> Iterator[None]:
    """Calls of a process that fail or hang, by strace's words."""
    strace = tool("strace", "strace")
    command = [strace, "-f", "-qq", "-o", os.devnull, "-p", str(pid), "-e", f"inject={what}"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as tracer:
        try:
            eventually(lambda: tracer.poll() is not None or _traced(pid), what="strace at work")
            if tracer.poll() is not None:
                assert tracer.stderr is not None
                pytest.skip(f"strace may not look at processes here: {tracer.stderr.read().decode()}")
            yield
        finally:
            tracer.terminate()
            with suppress(subprocess.TimeoutExpired):
                tracer.wait(2)
            tracer.kill()  # it waits for calls that it holds up


def _traced(pid: int) -> bool:
    threads = [(path / "status").read_text() for path in Path(f"/proc/{pid}/task").iterdir()]
    return all("TracerPid:\t0\n" not in thread for thread in threads)
