"""How long a start takes: from the command to the first answer through the relay, and to the first page of metrics.

    make bench-start             ten starts; ARGS="--command PATH --tries 20" for another installation

Each start has an empty directory to be in and an empty home, and no file but what is installed. The command's own
processor time says how much of it is ours, where others use the machine, too.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

from support import free_port, model_server, tool

PROMISED_S = 2.0


class Start(NamedTuple):
    """Seconds until the first answer and the first page, and of processor time until then."""

    answer: float
    page: float
    processor: float


def main() -> None:
    """Start it again and again, and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--command", default=str(Path(sys.executable).with_name("inference-exporter")))
    parser.add_argument("--tries", type=int, default=10)
    given = parser.parse_args()
    with model_server() as upstream:
        starts = [started(tool(given.command, "this project"), upstream) for _ in range(given.tries)]
    for name, values in zip(Start._fields, zip(*starts, strict=True), strict=True):
        print(f"{name:10} least {min(values):5.2f} s, median {statistics.median(values):5.2f}, most {max(values):5.2f}")
    in_time = sum(start.answer <= PROMISED_S for start in starts)
    busy = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    print(f"{in_time} of {len(starts)} answered within {PROMISED_S:.0f} s; {busy}")


def started(command: str, upstream: int) -> Start:
    """One start, and its end."""
    port, web, health = free_port(), free_port(), free_port()
    words = [
        command, "serve", "--upstream", f"http://127.0.0.1:{upstream}", "--listen", f"127.0.0.1:{port}",
        "--web.listen-address", f"127.0.0.1:{web}", "--health.listen-address", f"127.0.0.1:{health}",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as home:
        environment = {"PATH": os.environ["PATH"], "HOME": home}
        used, begun = os.times(), time.perf_counter()
        with subprocess.Popen(words, cwd=home, env=environment, stderr=subprocess.DEVNULL) as process:
            try:
                answer = until(process, f"http://127.0.0.1:{port}/", begun)
                page = until(process, f"http://127.0.0.1:{web}/metrics", begun)
            finally:
                process.terminate()
                process.wait(60)
    now = os.times()
    spent = now.children_user - used.children_user + now.children_system - used.children_system
    return Start(answer, page, spent)


def until(process: "subprocess.Popen[bytes]", url: str, begun: float) -> float:
    """Seconds from `begun` until somebody answers there; ends where the process has."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return time.perf_counter() - begun
        except OSError:
            time.sleep(0.005)
    raise SystemExit(f"it ended with {process.returncode}")


if __name__ == "__main__":
    main()
