"""What is kept of single exchanges costs: spans, lines of the prediction log, exemplars and examples, all at 100 %.

    make bench-witness                   about six minutes; ARGS="--rounds 9 --only spans"

Sidecars stand before the same upstream: one that keeps nothing, and one for each thing that may be kept. Each request
has a trace of its own, which its caller records. They are measured in turn, round by round, with pauses between the
requests of a connection, and medians are shown: CPU time of the worker per request beside the first one's, which must
not differ, and that of the analyser, threads that deliver included, less the first one's: per span at most 60 µs, per
line 25 µs, judging the rows included. wrk, the upstream and the collector have one core, the sidecars another, where
there are two. Memory of each analyser is told at the end: it does not grow with the number of traces.
"""

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil
from contenders import FEATURES, Running, sidecar, upstream
from processes import on_core
from relay import UNIQUE, Load, Sample, drive

TRACES = """
local bodies = %s
local count, turn = 0, math.random(1, 1000000)
request = function()
    count = count + 1
    local id = string.format("%%020d%%012d", turn, count)
    wrk.headers["X-Request-Id"] = id
    wrk.headers["Traceparent"] = "00-" .. id .. "-00f067aa0ba902b7-01"
    wrk.body = bodies[count %% #bodies + 1]
    return wrk.format()
end
math.randomseed(os.time())
"""
COLLECTOR = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Taking(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
print(server.server_port, flush=True)
server.serve_forever()
"""
OFF, ALL = "nothing", "everything"
PROMISED = {"spans": 60.0, "spans to zipkin": 60.0, "log": 25.0}
"""Microseconds of the analyser, each."""


class Cost(NamedTuple):
    """Medians of one sidecar."""

    worker: float
    analyser: float
    resident: float


def settings(collector: int, directory: Path) -> Mapping[str, tuple[str, ...]]:
    """What is kept, by what it is called here."""
    spans = ("--tracing.exporter", "otlp", "--tracing.endpoint", f"http://127.0.0.1:{collector}")
    log = ("--prediction-log.to", f"file:{directory / 'log'}", "--prediction-log.rotate-keep", "1")
    exemplars, examples = ("--metrics.exemplars", "true"), ("--examples.fields", "*")
    return {
        OFF: (), "spans": spans, "spans to zipkin": ("--tracing.exporter", "zipkin", *spans[2:]), "log": log,
        "exemplars": exemplars, "examples": examples,
        ALL: (*spans, "--tracing.unusual", "true", *log, *exemplars, *examples),
    }  # fmt: skip


@contextlib.contextmanager
def collecting() -> Iterator[int]:
    """One who takes all spans and looks at none; gives its port."""
    process = subprocess.Popen([sys.executable, "-c", COLLECTOR], stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline()) if process.stdout else 0
    finally:
        process.kill()
        process.wait(10)


def bodies(*, strange: bool) -> str:
    """Requests for Lua: of rows as the training data have them, or out of range in most features: most is told then."""
    chance = random.Random(2)
    rows = ({name: round(chance.gauss(0, 3), 4) * (100 if strange else 1) for name in FEATURES} for _ in range(300))
    return "{" + ", ".join(f"'{json.dumps({'instances': [one]})}'" for one in rows) + "}"


def resident_mib(running: Running) -> float:
    """Of the analyser."""
    return sum(psutil.Process(pid).memory_info().rss for pid in running.groups["analyser"]) / (1 << 20)


def main() -> None:
    """Measure, and print the table."""
    given = _arguments()
    cores = sorted(os.sched_getaffinity(0))
    last, first = (cores[-1], cores[0]) if len(cores) > 1 else (None, None)
    samples = defaultdict[str, list[Sample]](list)
    os.environ["OTEL_BSP_MAX_QUEUE_SIZE"] = "20000"
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as up:
        directory = Path(name)
        up.enter_context(on_core(first))
        place, collector = up.enter_context(upstream(directory)), up.enter_context(collecting())
        asked = settings(collector, directory)
        wanted = [one for one in asked if one == OFF or not given.only or one in given.only]
        with on_core(last):
            running = {one: up.enter_context(sidecar(place, *asked[one])) for one in wanted}
        load = Load(UNIQUE, given.connections, given.seconds, 1)
        for number in range(given.rounds + 1):
            for one in wanted:
                sample = drive(running[one], load, directory, TRACES % bodies(strange=given.strange))
                if number:  # the first round warms up
                    samples[one].append(sample)
            print(f"  {'warm' if not number else f'round {number} of {given.rounds}'}", flush=True)
        costs = {one: _cost(samples[one], running[one]) for one in wanted}
    _print(costs, given)


def _cost(samples: list[Sample], running: Running) -> Cost:
    worker, analyser = (statistics.median(getattr(one, field) for one in samples) for field in ("cpu", "analyser"))
    return Cost(worker, analyser, resident_mib(running))


def _print(costs: Mapping[str, Cost], given: argparse.Namespace) -> None:
    print(f"{'kept':>16} {'worker, µs':>11} {'of nothing':>11} {'analyser, µs':>13} {'more, µs':>9} {'promised':>9}"
          f" {'resident, MiB':>14}")  # fmt: skip
    base = costs[OFF]
    for name, one in costs.items():
        most = f"{PROMISED[name]:.0f}" if name in PROMISED else ""
        print(f"{name:>16} {one.worker:>11.1f} {one.worker / base.worker:>11.2f} {one.analyser:>13.1f}"
              f" {one.analyser - base.analyser:>9.1f} {most:>9} {one.resident:>14.0f}")  # fmt: skip
    print(f"Python {sys.version.split()[0]}, {given.rounds} rounds of {given.seconds} s, medians")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--strange", action="store_true", help="rows that fail a check in nearly every feature")
    parser.add_argument("--only", nargs="*", default=[], help="what is measured beside nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
