"""The benchmark of the relay starts as `make bench-relay` starts it."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_starts_where_it_is_not_its_own_directory_that_python_looks_into() -> None:
    made = ["-o.venv/.bench", "-obuild/compiled/.made"]
    done = subprocess.run(
        ["make", "-n", "--no-print-directory", *made, "bench-relay", "ARGS=--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    [command] = [line for line in done.stdout.splitlines() if "relay.py --help" in line]
    usage = subprocess.run(
        ["/bin/sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert usage.returncode == 0, usage.stderr
    assert "--memory" in usage.stdout
