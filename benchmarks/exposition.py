"""What a page costs: to make once per snapshot, to hand out, and what prometheus_client takes for the same samples.

    make bench-exposition             five minutes; ARGS="--columns 200 --rounds 0" for pages alone

Pages of `--columns` numeric features, all windows filled, with room for all series. Times are CPU times of the thread
that works, medians; the ratio to prometheus_client is what a busy machine changes least. Then a real sidecar under more
load than it can observe, in pairs of rounds, one without scrapers and one with fifty of them, each of which takes a
packed page every few seconds: what that changes in rows observed a second, and what it takes of the analyser's core.
Where others use the machine, too, the first swings by more than scrapers can change: the interval says by how much.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import throughput
from contenders import Running, make_profile, program, sidecar, upstream
from processes import on_core, task_us
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from windows import DAY_S, MODEL, Monitor, a_day, milliseconds, profile_of, seen

from exporter import collect, web
from exporter.allowance import Metrics
from exporter.budget.shape import Shape
from exporter.collect.rendered import TEXT, Rendered
from exporter.collect.scene import Page, Scene
from exporter.condition import Health, ServerVitals
from exporter.handoff import report
from exporter.sections import Windows

ROOM = Shape(Metrics(max_series=1_000_000))
SCRAPERS = 50
PACKED = {"Accept-Encoding": "gzip"}
SCRAPE = """
request = function() return wrk.format("GET", "/metrics", {["Accept-Encoding"] = "gzip"}) end
delay = function() return %d end
"""
FEATURES = [f"measurement_{number:02}" for number in range(80)]


def page_of(columns: int) -> Page:
    """A page of a day."""
    profile = profile_of(columns)
    monitor = Monitor(profile, Windows(), ())
    for at, rows in a_day(columns * 1440 * 20, columns):
        monitor.observe(*seen(rows, at))
    monitor.flush()
    now = 2 * DAY_S - 1
    health = Health(0.0, 0, report.relay([], 0, 0), snapshot_wall_s=now)
    scene = Scene(MODEL, "1", profile, monitor.snapshot(now), ServerVitals(watched=False), health)
    return Page((scene,), health)


def tell(what: str, number: float, unit: str = "ms") -> None:
    print(f"  {what:58}{number:10,.2f} {unit}")


# --- prometheus_client, of the same samples


class Given(Collector):
    """Makes its families anew for every scrape, as its documentation says of values that live elsewhere."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._of = [(type(one), one.name, one.documentation, one.samples) for one in families]

    def collect(self) -> Iterator[Metric]:
        """New ones."""
        for kind, name, text, samples in self._of:
            metric: Metric = (
                CounterMetricFamily(name, text) if kind is CounterMetricFamily else GaugeMetricFamily(name, text)
            )
            for one in samples:
                metric.add_sample(one.name, one.labels, one.value)
            yield metric


def theirs(text: str) -> tuple[CollectorRegistry, CollectorRegistry]:
    """Registries of a custom collector and of objects, with the page's gauges and counters."""
    parsed = [one for one in text_string_to_metric_families(text) if one.type in {"gauge", "counter"} and one.samples]
    for one in parsed:
        one.__class__ = CounterMetricFamily if one.type == "counter" else GaugeMetricFamily  # as a collector makes it
    custom, objects = CollectorRegistry(), CollectorRegistry()
    custom.register(Given(parsed))
    for one in parsed:
        names = list(one.samples[0].labels)
        kind = Counter if one.type == "counter" else Gauge
        metric = kind(one.name, one.documentation, names, registry=objects)
        for sample in one.samples:
            child = metric.labels(*sample.labels.values()) if names else metric
            if isinstance(child, Counter):
                child.inc(sample.value)
            else:
                child.set(sample.value)
    return custom, objects


def pages(columns: int) -> None:
    """Print what pages cost."""
    page, renderer = page_of(columns), collect.Renderer(ROOM)
    begun = time.thread_time()
    rendered = renderer.render(page)
    first = 1e3 * (time.thread_time() - begun)
    series = sum(block.series for block in rendered.blocks)
    text = b"".join(rendered.pieces(TEXT))
    print(f"{columns} features, {series:,} series, {len(text) / 1e6:.1f} MB; CPU of one thread, median")
    again = milliseconds(lambda: renderer.render(page))
    tell("the first page: series collected, named and written", first)
    tell("every other one, once per snapshot (at most 40)", again)
    plain = scrapes(rendered)
    custom, objects = theirs(text.decode())
    for what, work in (
        ("custom collector, text", lambda: generate_latest(custom)),
        ("custom collector, OpenMetrics", lambda: openmetrics.generate_latest(custom)),
        ("objects, text", lambda: generate_latest(objects)),
        ("objects, OpenMetrics", lambda: openmetrics.generate_latest(objects)),
    ):
        took = milliseconds(work, 3)
        tell(f"prometheus_client, {what}", took)
        tell("  of it, one scrape of ours: 1 part in", took / plain, "")
        tell("  of it, one page and one scrape of ours: 1 part in", took / (again + plain), "")


def scrapes(rendered: Rendered) -> float:
    """Print what handing out costs, the web application included; milliseconds of a plain scrape."""
    shown = rendered
    client = web.create_app(lambda: shown).test_client()

    def take(headers: dict[str, str] | None = None) -> None:
        answer = client.get("/metrics", headers=headers, buffered=False)
        for _ in answer.iter_encoded():
            pass

    plain = milliseconds(take, 25)
    tell("a plain scrape (at most 3)", plain)
    tell("the first packed one of a snapshot", milliseconds(lambda: take(PACKED), 1))
    tell("every other packed one", milliseconds(lambda: take(PACKED), 25))
    return plain


# --- a sidecar under load


@contextmanager
def scrapers(port: int, interval_s: float, directory: Path) -> Iterator[None]:
    """Fifty of them, as long as the block lasts; what they take themselves would elsewhere be other machines'."""
    script = directory / "scrape.lua"
    script.write_text(SCRAPE % round(interval_s * 1000))
    words = ["nice", "-n", "20", program("wrk") or "wrk", "-t1", f"-c{SCRAPERS}", "-d600s", "--timeout", "30s",
             "-s", str(script)]  # fmt: skip
    process = subprocess.Popen([*words, f"http://127.0.0.1:{port}/metrics"], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


class Round(NamedTuple):
    """What came of some seconds of load."""

    rate: float
    """Rows observed a second."""
    aside: float
    """What threads other than the one that counts rows take of the analyser's core: those that answer, first of all."""


def loaded(given: argparse.Namespace, directory: Path) -> None:
    """Print what scrapers change, as medians over pairs of neighbouring rounds without and with them.

    The analyser has the last core for itself and more to do than it can, so that a scrape can only be answered in its
    time; the load, the relay and the scrapers' own side share the first.
    """
    make_profile(directory, FEATURES, [throughput.OUTPUT])
    throughput.FEATURES[:] = FEATURES
    throughput.PATIENCE_S = 300.0  # pages of so many series are made the more rarely the busier the machine is
    with on_core(0), upstream(directory, throughput.ANSWER) as place, ExitStack() as stack:
        running = stack.enter_context(sidecar(place, "--max-series", "1000000"))
        move(running.groups["analyser"], (os.cpu_count() or 1) - 1)
        one_round(running, given, directory, is_scraped=False)  # windows fill
        pairs = [pair(running, given, directory, is_scraped_first=bool(number % 2)) for number in range(given.rounds)]
        page = throughput.scrape(running.metrics)
    print(f"{page['inference_exporter_page_series']:,.0f} series, {SCRAPERS} scrapers, each every {given.interval:g} s,"
          f" {given.rounds} pairs of rounds of {given.seconds} s")  # fmt: skip
    rates, asides = ([scraped.rate / quiet.rate - 1 for quiet, scraped in pairs],
                     [scraped.aside - quiet.aside for quiet, scraped in pairs])  # fmt: skip
    tell("rows observed a second without scrapers", statistics.median(quiet.rate for quiet, _ in pairs), "")
    tell_change("rows observed with them (at most 5 % fewer)", rates)
    tell_change("of the analyser's core, more for answers", asides)


def tell_change(what: str, changes: Sequence[float]) -> None:
    """The median of pairs, and where it is with a confidence of 95 %."""
    low, high = interval(changes)
    tell(what, 100 * statistics.median(changes), f"%  ({100 * low:+.2f} to {100 * high:+.2f} with 95 % confidence)")


def move(pids: Sequence[int], core: int) -> None:
    """All threads of these processes, and those they will start."""
    for task in (int(one.name) for pid in pids for one in Path(f"/proc/{pid}/task").iterdir()):
        os.sched_setaffinity(task, {core})


def pair(running: Running, given: argparse.Namespace, directory: Path, *, is_scraped_first: bool) -> list[Round]:
    """A round without scrapers and one with them, whichever was the first."""
    ways = (is_scraped_first, not is_scraped_first)
    found = {way: one_round(running, given, directory, is_scraped=way) for way in ways}
    return [found[False], found[True]]


def one_round(running: Running, given: argparse.Namespace, directory: Path, *, is_scraped: bool) -> Round:
    """Some seconds of load; what was dropped of it is not among the rows."""
    before, begun = throughput.settled(running.metrics), threads_us(running.groups["analyser"])
    with scrapers(running.metrics, given.interval, directory) if is_scraped else nullcontext():
        (requests, *_), _ = throughput.drive(running.port, given, directory)
        ended = threads_us(running.groups["analyser"])
    spent = sorted(used - begun.get(task, 0) for task, used in ended.items())
    offered = before["inference_exporter_exchanges_offered_total"] + requests
    after = throughput.settled(running.metrics, offered)
    rows = after["model_rows_total"] - before["model_rows_total"]
    return Round(rows / given.seconds, sum(spent[:-1]) / given.seconds / 1e6)


def threads_us(pids: Sequence[int]) -> dict[int, int]:
    """CPU time of each thread so far."""
    tasks = (task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir())
    return {int(task.name): task_us(task) for task in tasks}


def interval(values: Sequence[float]) -> tuple[float, float]:
    """A median's 95 % confidence interval by order statistics (Conover, Practical Nonparametric Statistics, 3.2).

    Fewer than six values have none: then it is their range.
    """
    ordered, beyond = sorted(values), 0
    while 2 * sum(math.comb(len(ordered), k) for k in range(beyond + 1)) <= 0.05 * 2 ** len(ordered):
        beyond += 1
    return ordered[max(beyond - 1, 0)], ordered[-max(beyond, 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=20, help="pairs, of one without and one with; 0 for pages alone")
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--interval", type=float, default=5.0, help="seconds between two scrapes of one scraper (5)")
    given = parser.parse_args()
    given.rate, given.form = 1_000_000, "object"
    pages(given.columns)
    missing = [name for name in ("wrk", "nginx") if not program(name)]
    if given.rounds and missing:
        sys.exit(f"{', '.join(missing)} not found")
    if given.rounds:
        with tempfile.TemporaryDirectory() as name:
            loaded(given, Path(name))


if __name__ == "__main__":
    main()
