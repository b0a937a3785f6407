"""What a sidecar costs: CPU, memory, series, bytes of a scrape and state on disk, by how much there is to watch.

    make bench-costs                  five minutes; ARGS="--seconds 5 --only sidecar"

`sidecar`: a real one in front of an nginx that answers without looking, asked by wrk, one case after the other:
features, requests a second, rows a request. CPU times are those of /proc; memory is each process's share of what it has
resident (PSS), which is about what a container is charged with. A busy machine lengthens latencies and hardly changes
these.

`windows`: what the analyser holds once all its windows are full, which a run of seconds cannot show.

`prometheus`: a real Prometheus scrapes one page as that of several targets: how many series it has then, what it
holds in memory for them, and what a sample takes of its CPU time.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import throughput
from contenders import Running, make_profile, program, sidecar, upstream
from processes import cpu_us
from still_prometheus import prometheus

MIB = 1 << 20
STATE_S = 5
ONE_ROW = throughput.bodies


class Case(NamedTuple):
    """What there is to watch."""

    features: int
    rate: int
    """Requests a second."""
    rows: int
    """Of each request."""


CASES = (
    Case(30, 0, 1), Case(30, 10, 1), Case(30, 100, 1), Case(30, 1000, 1), Case(30, 100, 100),
    Case(10, 100, 1), Case(100, 0, 1), Case(100, 100, 1), Case(300, 0, 1), Case(300, 100, 1),
)  # fmt: skip
FULL = (10, 30, 100, 300)
"""Features whose windows are filled."""
TARGETS = (10, 20, 40)
SCRAPE_S = 2
SCRAPED_S = 16
STILL_S, MOST_LOOKS = 5, 30


# --- a sidecar


def bodies(features: int, rows: int) -> list[str]:
    """Requests of so many rows, as arrays."""
    throughput.FEATURES[:] = [f"measurement_{number:03}" for number in range(features)]
    ones = [json.loads(body)["instances"][0] for body in ONE_ROW("array")]
    if rows == 1:
        return [json.dumps({"instances": [one]}) for one in ones]
    return [json.dumps({"instances": (ones * (1 + rows // len(ones)))[first : first + rows]}) for first in range(20)]


def memory_mib(pids: Sequence[int]) -> float:
    """What they have resident; of what several have, each its share."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def asked(running: Running, case: Case, given: argparse.Namespace, directory: Path) -> float:
    """So many requests were sent; none, for as long, where the rate is 0."""
    if not case.rate:
        time.sleep(given.seconds)
        return 0
    load = argparse.Namespace(rate=case.rate, seconds=given.seconds, form="array")
    results, _ = throughput.drive(running.port, load, directory)
    return results[0]


def measured(case: Case, given: argparse.Namespace, directory: Path) -> None:
    """Print a line of the table."""
    written = bodies(case.features, case.rows)
    throughput.bodies = lambda _: written  # type: ignore[assignment]
    make_profile(directory, throughput.FEATURES, [throughput.OUTPUT])
    answer = json.dumps({"predictions": [0.0416666] * case.rows})
    state = directory / "state"
    with upstream(directory, answer) as place, sidecar(
        place, "--state", str(state), "--state.interval", f"{STATE_S}s", "--max-series", str(given.max_series)
    ) as running:  # fmt: skip
        before = throughput.settled(running.metrics)
        time.sleep(2)  # what a start takes is not what it costs
        begun = {name: cpu_us(pids) for name, pids in running.groups.items()}
        requests = asked(running, case, given, directory)
        page = throughput.settled(running.metrics, before["inference_exporter_exchanges_offered_total"] + requests)
        spent = {name: cpu_us(pids) - begun[name] for name, pids in running.groups.items()}
        memory = {name: memory_mib(pids) for name, pids in running.groups.items()}
        plain, packed = (taken(running.metrics, way) for way in ("identity", "gzip"))
        time.sleep(STATE_S + 1 if case.rate else 0)
        kept = sum(one.stat().st_size for one in state.rglob("*") if one.is_file())
    cores = [100 * spent[name] / given.seconds / 1e6 for name in ("relay", "analyser", "supervisor")]
    lost = sum(page[name] - before[name] for name in throughput.LOSSES)
    print(
        f"| {case.features} | {requests / given.seconds:,.0f} | {case.rows} | {cores[0]:.1f} % | {cores[1]:.1f} % |"
        f" {cores[2]:.1f} % | {sum(memory.values()):.0f} MiB | {memory['analyser']:.0f} MiB |"
        f" {page['inference_exporter_page_series']:,.0f} | {plain / 1e3:,.0f} kB | {packed / 1e3:,.0f} kB |"
        f" {kept / 1e3:,.0f} kB | {lost:,.0f} |",
        flush=True,
    )


def taken(port: int, way: str) -> int:
    """Bytes of a scrape."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept-Encoding": way})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return len(answer.read())


def sidecars(given: argparse.Namespace) -> None:
    print("| features | requests/s | rows each | relay | analyser | supervisor | memory | of it the analyser |"
          " series | a scrape | packed | state | lost |\n" + "|---" * 13 + "|")  # fmt: skip
    for case in CASES:
        with tempfile.TemporaryDirectory() as name:
            measured(case, given, Path(name))


# --- full windows


def windows(given: argparse.Namespace) -> None:
    print("\n| features | analyser with full windows, MiB |\n|---|---|")
    script = str(Path(__file__).with_name("windows.py"))
    for features in FULL:
        words = [script, "--weigh", str(features), "--values", "1e6", "--max-series", str(given.max_series)]
        said = subprocess.run([sys.executable, *words], check=True, capture_output=True, text=True).stdout
        print(f"| {features} | {said.splitlines()[-1].split('values')[1].strip()} |", flush=True)


# --- a Prometheus


@contextmanager
def loaded(directory: Path) -> Iterator[Running]:
    """A sidecar of 30 features whose page changes all the time."""
    throughput.bodies = lambda _: written  # type: ignore[assignment]
    written = bodies(30, 1)
    make_profile(directory, throughput.FEATURES, [throughput.OUTPUT])
    load = argparse.Namespace(rate=50, seconds=len(TARGETS) * (SCRAPED_S + 30) + MOST_LOOKS, form="array")
    with upstream(directory, json.dumps({"predictions": [0.04]})) as place, sidecar(place) as running:
        thread = threading.Thread(target=throughput.drive, args=(running.port, load, directory), daemon=True)
        thread.start()
        settle(running.metrics)
        yield running
        thread.join()


def settle(page: int) -> None:
    """Wait until the page has as many series as it will have: the first ones go when the model's name is known."""
    seen: list[int] = []
    for _ in range(MOST_LOOKS):
        time.sleep(1)
        with suppress(urllib.error.HTTPError), urllib.request.urlopen(f"http://127.0.0.1:{page}/metrics") as answer:
            seen.append(sum(not line.startswith(b"#") for line in answer))
        if len(seen) >= STILL_S and len(set(seen[-STILL_S:])) == 1:
            return


def scraped(page: int, targets: int, directory: Path) -> None:
    """Print a line of the table: one page, as if it were that of so many replicas."""
    places = [{"targets": [f"127.0.0.1:{page}"], "labels": {"pod": f"model-{number}"}} for number in range(targets)]
    job = {"job_name": "models", "scrape_interval": f"{SCRAPE_S}s", "static_configs": places}
    with prometheus(directory / f"data-{targets}", {"scrape_configs": [job]}) as (address, process):
        time.sleep(SCRAPED_S / 2)
        before, begun = own(address), process.cpu_times()
        time.sleep(SCRAPED_S)
        after, ended = own(address), process.cpu_times()
        samples = after["samples_appended_total"] - before["samples_appended_total"]
        spent = ended.user + ended.system - begun.user - begun.system
        print(
            f"| {targets} | {after['series']:,.0f} | {process.memory_info().rss / MIB:,.0f} MiB |"
            f" {samples / SCRAPED_S:,.0f} | {1e6 * spent / max(samples, 1):.2f} µs |",
            flush=True,
        )


def own(address: str) -> dict[str, float]:
    """What Prometheus says of its head; sums over labels."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=30) as page:
        lines = [line for line in page.read().decode().splitlines() if line.startswith("prometheus_tsdb_head_")]
    found: defaultdict[str, float] = defaultdict(float)
    for line in lines:
        found[line.removeprefix("prometheus_tsdb_head_").partition("{")[0].partition(" ")[0]] += float(line.split()[-1])
    return found


def scrapes(_: argparse.Namespace) -> None:
    print(
        "\n| targets of 30 features | series | Prometheus, resident | samples/s | CPU a sample |\n|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as name, loaded(Path(name)) as running:
        for targets in TARGETS:
            scraped(running.metrics, targets, Path(name))


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "sidecar": sidecars, "windows": windows, "prometheus": scrapes,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="of each case (10)")
    parser.add_argument("--max-series", type=int, default=10_000, help="series that a page may have (10000)")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS))
    given = parser.parse_args()
    missing = [name for name in ("wrk", "nginx", "prometheus") if not program(name)]
    if missing:
        sys.exit(f"{', '.join(missing)} not found")
    for part in given.only:
        PARTS[part](given)


if __name__ == "__main__":
    main()
