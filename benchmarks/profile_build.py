"""What building a profile costs: a Parquet file of 50 columns and times, a million rows, on one core; beside whylogs.

Each build is a process of its own on one core: CPU time and peak memory are the kernel's word. Rows are doubled to see
whether memory grows with them. whylogs profiles the same file in batches of the same size, in an environment of its own
(`make bench-profile` sets it up; `--whylogs PYTHON` names another). Rounds are
interleaved and medians are told; the ratios carry over to other machines, the seconds do not.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet

NUMBERS, WHOLE, NAMES, TRUTHS, TEXTS = 34, 6, 7, 2, 1
"""Columns of each kind."""
GROUP = 1 << 17
FIRST = 1_760_000_000_000_000
"""Microseconds since 1970; the rows are from the ninety days after it."""

OURS = """
from exporter.profile.build import Plan, build
build(Plan(sys.argv[1], predictions=["number_0"], time="at", zone="Europe/Berlin"))
"""
WHYLOGS = """
import pyarrow.parquet
import whylogs
from whylogs.core import DatasetProfile
profile = DatasetProfile()
for batch in pyarrow.parquet.ParquetFile(sys.argv[1]).iter_batches(65536):
    profile.track(batch.to_pandas())
profile.view().serialize()
"""
MEASURE = """
import json, resource
from pathlib import Path
used = resource.getrusage(resource.RUSAGE_SELF)
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
print(json.dumps([used.ru_utime + used.ru_stime, peak / 1024]))
"""


class Cost(NamedTuple):
    """Of one build."""

    cpu_s: float
    peak_mib: float


def table(random: np.random.Generator, rows: int) -> pa.Table:
    columns: dict[str, pa.Array] = {}
    for place in range(NUMBERS):
        values = random.lognormal(place % 7, 0.2 + place % 3, rows)
        columns[f"number_{place}"] = pa.array(values, mask=random.random(rows) < 0.01 * (place % 4))
    for place in range(WHOLE):
        columns[f"whole_{place}"] = pa.array(random.integers(0, 10 ** (place + 1), rows))
    for place in range(NAMES):
        names = pa.array([f"name {number}" for number in range(3 * 3**place)])
        columns[f"name_{place}"] = names.take(pa.array(random.integers(0, len(names), rows)))
    for place in range(TRUTHS):
        columns[f"truth_{place}"] = pa.array(random.random(rows) < 0.3)
    for place in range(TEXTS):
        numbers = random.integers(0, 10**9, rows)
        columns[f"text_{place}"] = pa.array([f"order {number:x}" for number in numbers.tolist()])
    times = FIRST + random.integers(0, 90 * 86_400_000_000, rows)
    columns["at"] = pa.array(np.sort(times), pa.timestamp("us", "UTC"))
    return pa.table(columns)


def write(path: Path, rows: int) -> None:
    random = np.random.default_rng(1)
    first = table(random, 1)
    with pa.parquet.ParquetWriter(path, first.schema) as writer:
        for start in range(0, rows, GROUP):
            writer.write_table(table(random, min(GROUP, rows - start)))


def cost(python: str, code: str, path: Path) -> Cost:
    """Of code in a process of its own, on one core."""
    core = min(os.sched_getaffinity(0))
    words = ["taskset", "-c", str(core), python, "-c", f"import sys{code}{MEASURE}", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def works(python: str) -> bool:
    """Whether whylogs can be used there."""
    try:
        return not subprocess.run(
            [python, "-c", "import whylogs, pandas, pyarrow"], capture_output=True, check=False
        ).returncode
    except OSError:
        return False


def medians(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--whylogs", default="build/bench-decode/bin/python", metavar="PYTHON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        whole, half = Path(directory, "whole.parquet"), Path(directory, "half.parquet")
        write(whole, given.rows)
        write(half, given.rows // 2)
        runs = [("ours", sys.executable, OURS, whole), ("ours, half the rows", sys.executable, OURS, half)]
        if works(given.whylogs):
            runs.append(("whylogs", given.whylogs, WHYLOGS, whole))
        else:
            print(f"whylogs is left out: {given.whylogs} cannot import it")
        found: dict[str, list[Cost]] = {name: [] for name, *_ in runs}
        for _ in range(given.rounds):
            for name, python, code, path in runs:
                found[name].append(cost(python, code, path))
    ours = medians(found["ours"])
    for name, costs in found.items():
        one = medians(costs)
        print(f"{name:20} {one.cpu_s:6.1f} s of CPU ({one.cpu_s / ours.cpu_s:5.2f} of ours) {one.peak_mib:6.0f} MiB")


if __name__ == "__main__":
    main()
