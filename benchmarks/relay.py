"""What a hop costs: wrk against the upstream itself and through each of several relays, ours among them.

    make bench-relay                     about five minutes; ARGS="--rounds 9 --only direct nginx inference-exporter"
    make bench-relay ARGS=--memory       start, memory of idle connections and of bodies of 1 GiB

The upstream is an nginx that answers 0.3 kB of JSON without looking. Requests are POSTs of 0.3 and 1 kB of JSON with
36 features of a profile; our analyser runs and decodes what it gets. All stay on loopback with keep-alive.

On a shared machine absolute numbers are weather. So all contenders are measured in turn, round by round, and medians
are shown with their ratio to nginx. To be trusted, in this order: CPU time per request (what other processes do hardly
shows in it), requests per second, latency. At full load latency is little more than 16 over the throughput; what a hop
adds to a service that has room left is the column with pauses, where each connection rests for a millisecond after
every answer.

`make bench-relay` measures the sidecar as it is installed from a wheel, its request path compiled; run by hand in a
checkout, the script measures it interpreted. It says which.

Where there are two cores, wrk and the upstream have the first for themselves and everything of the relay the last:
then the relay alone is what saturates, and no scheduler's mood decides who shares a core with whom. Ours has to do
with one core for worker and analyser together, as a small pod would. The direct line has wrk and upstream on one core.
"""

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import tempfile
import urllib.request
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import memory
from contenders import CONTENDERS, FEATURES, Contender, Place, Running, program, upstream
from processes import cpu_us, on_core, private_kib

from exporter import glance

BASELINE, REFERENCE = "direct", "nginx"
VALUES = [round(1.2345678 * number, 4) for number in range(1, len(FEATURES) + 1)]
PAYLOADS = {
    "0.3 kB": json.dumps({"instances": [VALUES]}),
    "1 kB": json.dumps({"instances": [dict(zip(FEATURES, VALUES, strict=True))]}),
}
UNIQUE = "1 kB, each with an id of its own"
"""The same with an `x-request-id` in each head, so that no head is ever seen twice."""
PAYLOADS[UNIQUE] = PAYLOADS["1 kB"]
IDS = """
local count = 0
request = function()
    count = count + 1
    wrk.headers["X-Request-Id"] = "3f2504e0-4f89-11d3-9a0c-" .. string.format("%012d", count)
    return wrk.format()
end
"""
WRK = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '%s'
done = function(summary, latency)
    local errors = summary.errors
    print("RESULT " .. summary.requests .. " " .. summary.duration .. " " .. latency:percentile(50) .. " "
        .. latency:percentile(99) .. " "
        .. errors.connect + errors.read + errors.write + errors.status + errors.timeout)
end
"""


class Load(NamedTuple):
    """How wrk drives one measurement."""

    payload: str
    connections: int
    seconds: int
    pause_ms: int = 0
    """Of each connection after an answer."""


class Sample(NamedTuple):
    """One contender in one round; times are microseconds."""

    rate: float
    p50: float
    p99: float
    cpu: float
    """Of what relays, per request."""
    analyser: float


class Figures(NamedTuple):
    """Medians over all rounds."""

    loaded: Sample
    paused: Sample
    """With pauses between the requests of a connection: far from saturation."""
    resident_mib: float


def drive(running: Running, load: Load, directory: Path, ids: str = IDS) -> Sample:
    """One run of wrk; `ids` is what gives each request of UNIQUE one of its own."""
    script = directory / "load.lua"
    pause = f"delay = function() return {load.pause_ms} end\n" if load.pause_ms else ""
    script.write_text(WRK % PAYLOADS[load.payload] + (ids if load.payload == UNIQUE else "") + pause)
    words = [
        program("wrk") or "wrk", "-t1", f"-c{load.connections}", f"-d{load.seconds}s", "-s", str(script),
        f"http://127.0.0.1:{running.port}/v1/models/model:predict",
    ]  # fmt: skip
    relay, analyser = running.groups["relay"], running.groups.get("analyser", [])
    before = cpu_us(relay), cpu_us(analyser)
    output = subprocess.run(words, check=True, capture_output=True, text=True, timeout=load.seconds + 30).stdout
    spent = cpu_us(relay) - before[0], cpu_us(analyser) - before[1]
    (result,) = [line.split()[1:] for line in output.splitlines() if line.startswith("RESULT")]
    requests, duration_us, p50, p99, errors = map(float, result)
    if errors or not requests:
        raise SystemExit(f"wrk had {errors:.0f} errors in {requests:.0f} requests:\n{output}")
    return Sample(requests / duration_us * 1e6, p50, p99, spent[0] / requests, spent[1] / requests)


def rounds(up: dict[str, Running], payload: str, given: argparse.Namespace, directory: Path) -> dict[str, Figures]:
    """Everybody in turn, again and again."""
    loaded, paused = defaultdict(list), defaultdict(list)
    for number in range(given.rounds + 1):
        for name, running in up.items():
            one = drive(running, Load(payload, given.connections, given.seconds), directory)
            other = drive(running, Load(payload, given.connections, given.seconds, 1), directory)
            if number:  # the first round warms up
                loaded[name].append(one)
                paused[name].append(other)
        print(f"  {payload}: {'warm' if not number else f'round {number} of {given.rounds}'}", flush=True)
    return {
        name: Figures(_median(loaded[name]), _median(paused[name]), private_kib(running.groups["relay"]) / 1024)
        for name, running in up.items()
    }


def _median(samples: Sequence[Sample]) -> Sample:
    return Sample(*map(statistics.median, zip(*samples, strict=True)))


# --- the table


def table(figures: dict[str, Figures]) -> str:
    """Markdown; in brackets the ratio to nginx."""
    lines = [
        "| | requests/s | CPU µs/request | p50 added, µs | with pauses: p50 added, µs | CPU µs/request | RSS, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    base, reference = figures.get(BASELINE), figures.get(REFERENCE)
    for name, one in figures.items():
        ours, theirs = _cells(one, base), _cells(reference, base) if reference and name != BASELINE else None
        cells = [
            "–" if value is None else f"{value:,.{digits}f}" + _ratio(value, theirs[at] if theirs else None)
            for at, (value, digits) in enumerate(zip(ours, (0, 1, 0, 0, 1, 1), strict=True))
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
        if one.loaded.analyser:
            lines.append(f"| … its analyser | | {one.loaded.analyser:.1f} | | | {one.paused.analyser:.1f} | |")
    return "\n".join(lines)


def _cells(one: Figures, base: Figures | None) -> list[float | None]:
    added = [None, None]
    if base and one is not base:
        added = [one.loaded.p50 - base.loaded.p50, one.paused.p50 - base.paused.p50]
    cpu = one.loaded.cpu or None, one.paused.cpu or None
    return [one.loaded.rate, cpu[0], *added, cpu[1], one.resident_mib or None]


def _ratio(value: float, reference: float | None) -> str:
    return f" ({value / reference:.2f})" if reference else ""


def observed(metrics_port: int) -> str:
    """What became of the exchanges on their way to the scores."""
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=10) as page:
        lines = page.read().decode().splitlines()
    totals: defaultdict[str, float] = defaultdict(float)
    for line in lines:
        if not line.startswith("#"):
            totals[line.partition("{")[0].partition(" ")[0]] += float(line.rpartition(" ")[2])
    names = ("exchanges_offered", "exchanges_observed", "exchanges_dropped", "bodies_shed", "payloads_decoded")
    return ", ".join(f"{name} {totals[f'inference_exporter_{name}_total']:,.0f}" for name in names)


# --- running


def compare(given: argparse.Namespace, place: Place, cores: tuple[int | None, int | None]) -> None:
    """Start everybody, measure, print."""
    with contextlib.ExitStack() as stack:
        up: dict[str, Running] = {}
        for contender in _chosen(given.only):
            with on_core(cores[1]):
                up[contender.name] = stack.enter_context(contender.start(place))
        with on_core(cores[0]):
            for payload in PAYLOADS:
                figures = rounds(up, payload, given, place.directory)
                print(f"\n{payload} JSON, {given.connections} connections, medians of {given.rounds} rounds of "
                      f"{given.seconds} s; ratio to {REFERENCE} in brackets\n\n{table(figures)}\n")  # fmt: skip
        for name, running in up.items():
            if running.metrics:
                print(f"{name}: {observed(running.metrics)}")


def _chosen(names: Sequence[str]) -> list[Contender]:
    chosen = [one for one in CONTENDERS if not names or one.name in names]
    for one in chosen:
        if one.missing():
            print(f"{one.name} is skipped: {', '.join(one.missing())} not found")
    return [one for one in chosen if not one.missing()]


def _cores() -> tuple[int | None, int | None]:
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        print("one core only: wrk, upstream and relay share it")
        return None, None
    print(f"wrk and upstream on core {available[0]}, all processes of the relay on core {available[-1]}")
    return available[0], available[-1]


def _stop(*_: object) -> None:
    # Every process is ended on the way out; whoever presses Ctrl-C twice must not leave one behind.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each run of wrk")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="contenders by name")
    parser.add_argument("--memory", action="store_true", help="measure memory and start instead")
    given = parser.parse_args()
    if not (program("wrk") and program("nginx")):
        raise SystemExit("wrk and nginx are needed: deploy/install-tools nginx-light haproxy wrk")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    cores = _cores()
    print(f"our request path is {'interpreted' if (glance.__file__ or '').endswith('.py') else 'compiled'}")
    with tempfile.TemporaryDirectory(prefix="bench-relay-") as directory, contextlib.ExitStack() as stack:
        Path(directory).chmod(0o755)  # an nginx started by root reads its files as somebody else
        with on_core(cores[0]):
            place = stack.enter_context(upstream(Path(directory)))
        if given.memory:
            memory.weigh(place)
        else:
            compare(given, place, cores)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
