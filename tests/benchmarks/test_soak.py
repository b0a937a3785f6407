import math
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import watch
from flatness import COUNTED, MEMORY, MIB, Tolerance, judge
from support import children, eventually

ROOT = Path(__file__).parents[2]
LULLS = [15.0 * lull for lull in range(40)]
"""Ten minutes of them."""
NOISE = random.Random(1)

# --- the verdict


def _flat(values: Callable[[float], float], tolerance: Tolerance, times: list[float] = LULLS) -> bool:
    return judge("x", [(at, values(at)) for at in times], tolerance).flat


@pytest.mark.parametrize("values", [
    lambda _: 60 * MIB,
    lambda _: (60 + NOISE.uniform(-2, 2)) * MIB,
    lambda at: (60 + 20 * (1 - math.exp(-at / 40))) * MIB,
    lambda at: (60 + (500 if at == 300 else 0)) * MIB,
    lambda at: (60 + at % 60) * MIB,
    lambda at: (60 - at / 100) * MIB,
], ids=["still", "noise", "filled once", "one outlier", "a sawtooth", "shrinking"])  # fmt: skip
def test_what_comes_back_to_where_it_was_is_flat(values: Callable[[float], float]) -> None:
    assert _flat(values, MEMORY)


@pytest.mark.parametrize("bytes_a_second", [6000, 100_000])
def test_a_leak_of_memory_is_found_in_noise(bytes_a_second: int) -> None:
    """300 requests a second that lose 20 bytes each are the lesser of the two."""
    assert not _flat(lambda at: 60 * MIB + at * bytes_a_second + NOISE.gauss(0, MIB / 4), MEMORY)


@pytest.mark.parametrize("every_s", [1, 30, 180])
def test_a_descriptor_lost_now_and_then_is_found(every_s: int) -> None:
    assert not _flat(lambda at: 20 + at // every_s, COUNTED)


def test_a_long_run_finds_a_leak_that_a_short_one_cannot() -> None:
    def leak(at: float) -> float:
        return 60 * MIB + at * 4 * MIB / 3600

    assert _flat(leak, MEMORY)
    assert not _flat(leak, MEMORY, [60.0 * lull for lull in range(180)])


@pytest.mark.parametrize("points", [0, 1, 4])
def test_too_little_is_never_called_flat(points: int) -> None:
    assert not _flat(lambda _: 1.0, COUNTED, LULLS[:points])


# --- what is measured

LEAKING = """
import os, threading, time
kept, still = [], threading.Event()
while True:
    kept += [bytearray(os.urandom(256 << 10)), os.open("/dev/null", os.O_RDONLY)]
    threading.Thread(target=still.wait, daemon=True).start()
    time.sleep(0.05)
"""
STEADY = """
import os, time
while True:
    used = [bytearray(os.urandom(256 << 10)) for _ in range(4)]
    os.close(os.open("/dev/null", os.O_RDONLY))
    del used
    time.sleep(0.05)
"""


@contextmanager
def _standing_in(script: str) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait(10)


def _verdicts(pid: int) -> dict[str, bool]:
    """After some time: whether each thing is flat."""
    samples = []
    for _ in range(20):
        time.sleep(0.1)
        samples.append((time.monotonic(), watch.weigh(pid)))
    names = {"own": MEMORY, "rss": MEMORY, "descriptors": COUNTED, "threads": COUNTED, "mappings": COUNTED}
    return {
        name: judge(name, [(at, sample[name]) for at, sample in samples], tolerance).flat
        for name, tolerance in names.items()
    }


def test_a_process_that_leaks_is_told_from_one_that_does_not() -> None:
    with _standing_in(LEAKING) as leaking:
        assert not any(_verdicts(leaking).values())
    with _standing_in(STEADY) as steady:
        verdicts = _verdicts(steady)
        assert verdicts["own"]
        assert verdicts["threads"]


def test_a_process_that_has_gone_weighs_nothing() -> None:
    with _standing_in(STEADY) as pid:
        pass
    assert watch.weigh(pid) == {}


# --- the command


def _soak(output: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "benchmarks/soak.py", *words, "--output", str(output)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_a_short_soak_fails_no_client_and_loses_count_of_nothing(tmp_path: Path) -> None:
    """Too short to judge memory by."""
    pace = "--duration", "24s", "--lull-every", "1", "--kill-every", "2", "--reload-every", "6", "--rest", "0"
    with _soak(tmp_path, *pace) as soak:
        said, _ = soak.communicate(timeout=200)
    assert soak.returncode in {0, 1}, said
    assert "MUST BE 0" not in said
    assert soak.returncode == int("GROWS" in said or "TOO SHORT" in said)
    for line in said.splitlines():
        if any(what in line for what in ("descriptors", "threads", "series")):
            assert not line.endswith("GROWS"), said
    header, *rows = (tmp_path / "soak.csv").read_text().splitlines()
    assert {"worker-1 own", "analyser descriptors", "page series", "lull"} <= set(header.split(","))
    assert len(rows) > 1
    log = (tmp_path / "sidecar.log").read_text()
    assert "worker-1 ended with status -9" in log
    assert "settings reloaded, changed: max_connections" in log


def test_a_soak_that_is_told_to_stop_leaves_no_process_behind(tmp_path: Path) -> None:
    def sidecars() -> list[int]:
        return [pid for pid, words in children(soak.pid) if " serve " in words]

    with _soak(tmp_path, "--duration", "10m") as soak:
        (supervisor,) = eventually(sidecars, what="the sidecar")
        eventually(lambda: children(supervisor), what="its processes")
        soak.send_signal(signal.SIGTERM)
        soak.communicate(timeout=60)
        assert soak.returncode == 130
    assert not Path(f"/proc/{supervisor}").exists()
    assert os.listdir(tmp_path) == []  # noqa: PTH208 (names are enough)
