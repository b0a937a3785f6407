"""5,000 requests a second of 30 features on two cores, all of them observed: who spends what.

    make bench-throughput             half a minute; ARGS="--rate 8000 --seconds 20 --form array"

wrk drives the sidecar, which stands in front of an nginx that answers without looking; generator, server, worker and
analyser share the two cores. Each of 40 connections rests after every answer, so that all together ask for the rate.
Bodies differ, all their features are in the profile. Afterwards everything that was sent must have been observed and
decoded: what was dropped, shed or drawn by lot is shown, and any of it fails the run. CPU times are those of /proc,
per request; a busy machine lengthens latencies and hardly changes them.
"""

import argparse
import contextlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

from contenders import make_profile, program, sidecar, upstream
from processes import cpu_us, tree

FEATURES = [f"measurement_{number:02}" for number in range(30)]
OUTPUT = "score"
ANSWER = '{"predictions": [0.0416666]}'
CONNECTIONS = 40
DIFFERENT = 200
CORES = 2
PATIENCE_S = 60.0
WRK = """
local bodies = {%s}
local requests, turn = {}, 0
init = function()
    for place, body in ipairs(bodies) do
        requests[place] = wrk.format("POST", nil, {["Content-Type"] = "application/json"}, body)
    end
end
request = function()
    turn = turn %% #requests + 1
    return requests[turn]
end
delay = function() return %d end
done = function(summary, latency)
    local errors = summary.errors
    print("RESULT " .. summary.requests .. " " .. summary.duration .. " " .. latency:percentile(50) .. " "
        .. latency:percentile(99) .. " "
        .. errors.connect + errors.read + errors.write + errors.status + errors.timeout)
end
"""
LOSSES = (
    "inference_exporter_exchanges_dropped_total", "inference_exporter_bodies_shed_total",
    "inference_exporter_payloads_undecoded_total", "inference_exporter_proxy_connections_unobservable_total",
)  # fmt: skip


def bodies(form: str) -> list[str]:
    chance = random.Random(1)
    rows = [[round(chance.gauss(0, 3), 4) for _ in FEATURES] for _ in range(DIFFERENT)]
    written = rows if form == "array" else [dict(zip(FEATURES, row, strict=True)) for row in rows]
    return [json.dumps({"instances": [row]}) for row in written]


def scrape(port: int) -> dict[str, float]:
    """Sums over labels, by family."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as page:
        lines = page.read().decode().splitlines()
    totals: defaultdict[str, float] = defaultdict(float)
    for line in lines:
        if not line.startswith("#"):
            totals[line.partition("{")[0].partition(" ")[0]] += float(line.rpartition(" ")[2])
    return totals


def settled(port: int, requests: float = 0) -> dict[str, float]:
    """A page on which so many requests were offered, and all that were have been observed or dropped."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        page = scrape(port)
        offered = page["inference_exporter_exchanges_offered_total"]
        taken = page["inference_exporter_exchanges_observed_total"] + page[LOSSES[0]]
        if requests <= offered == taken:
            return page
        time.sleep(0.2)
    raise SystemExit("what was offered was not accounted for")


def drive(port: int, given: argparse.Namespace, directory: Path) -> tuple[list[float], float]:
    """One run of wrk: its results, and the microseconds of CPU time it took itself."""
    script = directory / "load.lua"
    pause_ms = max(round(CONNECTIONS / given.rate * 1000 - 1), 0)
    script.write_text(WRK % (", ".join(f"'{body}'" for body in bodies(given.form)), pause_ms))
    words = [
        program("wrk") or "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{given.seconds}s", "-s", str(script),
        f"http://127.0.0.1:{port}/v1/models/model:predict",
    ]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(words, check=True, capture_output=True, text=True, timeout=given.seconds + 30).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    (result,) = [line.split()[1:] for line in output.splitlines() if line.startswith("RESULT")]
    return list(map(float, result)), spent * 1e6


def measure(given: argparse.Namespace, directory: Path) -> bool:
    """Run, print; whether nothing was lost."""
    make_profile(directory, FEATURES, [OUTPUT])
    with upstream(directory, ANSWER) as place, sidecar(place) as running:
        groups = {"server (nginx)": tree(place.pid), **running.groups}
        before = {name: cpu_us(pids) for name, pids in groups.items()}
        first = settled(running.metrics)
        (requests, duration_us, p50, p99, errors), generator_us = drive(running.port, given, directory)
        page = settled(running.metrics, first["inference_exporter_exchanges_offered_total"] + requests)
        spent = {"generator (wrk)": generator_us} | {
            name: float(cpu_us(pids) - before[name]) for name, pids in groups.items()
        }
    rate = requests / duration_us * 1e6
    print(f"{rate:,.0f} requests/s of {len(FEATURES)} features ({given.form}s), {requests:,.0f} in all;"
          f" p50 {p50 / 1000:.2f} ms, p99 {p99 / 1000:.2f} ms; {errors:.0f} errors\n")  # fmt: skip
    print("| process | CPU µs/request | of a core |\n|---|---|---|")
    for name, used in spent.items():
        print(f"| {name} | {used / requests:.1f} | {used / duration_us:.0%} |")
    print(f"| all | {sum(spent.values()) / requests:.1f} | {sum(spent.values()) / duration_us:.0%} |\n")
    seen = {name: page[f"inference_exporter_{name}_total"] - first[f"inference_exporter_{name}_total"]
            for name in ("exchanges_offered", "exchanges_observed", "payloads_decoded")}  # fmt: skip
    print(", ".join(f"{name} {count:,.0f}" for name, count in seen.items()))
    lost = {name: page[name] - first[name] for name in LOSSES}
    print(", ".join(f"{name.removeprefix('inference_exporter_')} {count:,.0f}" for name, count in lost.items()))
    return not any(lost.values()) and seen["payloads_decoded"] == 2 * seen["exchanges_observed"] >= 2 * requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=5000, help="requests a second to ask for")
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--form", choices=("array", "object"), default="object")
    given = parser.parse_args()
    missing = [name for name in ("wrk", "nginx") if not program(name)]
    if missing:
        raise SystemExit(f"{', '.join(missing)} not found")
    with contextlib.suppress(AttributeError):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    with tempfile.TemporaryDirectory() as name:
        if not measure(given, Path(name)):
            sys.exit("not everything was observed")


if __name__ == "__main__":
    main()
