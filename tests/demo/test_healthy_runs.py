"""Healthy traffic pages nobody: the whole demo, twenty times, each with other rows. Slow: `make test-slow`."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import tool

RUNS = 20
DURATION_S = int(os.environ.get("DURATION", "300"))
AT_ONCE = int(os.environ.get("AT_ONCE", "4"))


@pytest.mark.slow
@pytest.mark.timeout(RUNS * (DURATION_S + 120))
def test_healthy_traffic_pages_nobody_whatever_its_rows() -> None:
    for name in ("prometheus", "prometheus-alertmanager"):
        tool(name, name)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        endings = list(pool.map(_ending, range(1, RUNS + 1)))
    assert [ending for ending in endings if "no page, no ticket" not in ending] == []


def _ending(seed: int) -> str:
    """The last words of a run; that it could have told of a page shows in its addresses."""
    words = ["demo", "--story", "healthy", "--seed", str(seed), "--duration", f"{DURATION_S}s"]
    done = subprocess.run(
        [sys.executable, "-m", "exporter", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=DURATION_S + 120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Prometheus     http://" in done.stdout
    assert "Alertmanager   http://" in done.stdout
    assert "none failed" in done.stdout
    return done.stdout[-600:]
