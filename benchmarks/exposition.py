"""What a page costs: to make once per snapshot, to hand out, and what prometheus_client takes for the same samples.

    make bench-exposition             two minutes; ARGS="--columns 200 --rounds 0" for pages alone

Pages of `--columns` numeric features, all windows filled, with room for all series. Times are CPU times of the thread
that works, medians; the ratio to prometheus_client is what a busy machine changes least. Then a real sidecar under as
much load as two cores give, in rounds by turns without scrapers and with fifty of them, each of which takes a packed
page every few seconds: what that changes in rows observed a second.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import throughput
from contenders import make_profile, program, sidecar, upstream
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
    client = web.create_app(lambda: shown, lambda: [MODEL]).test_client()

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
    """Fifty of them, as long as the block lasts."""
    script = directory / "scrape.lua"
    script.write_text(SCRAPE % round(interval_s * 1000))
    words = [program("wrk") or "wrk", "-t1", f"-c{SCRAPERS}", "-d600s", "--timeout", "30s", "-s", str(script)]
    process = subprocess.Popen([*words, f"http://127.0.0.1:{port}/metrics"], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def loaded(given: argparse.Namespace, directory: Path) -> None:
    """Print rows observed a second, without scrapers and with them."""
    make_profile(directory, FEATURES, [throughput.OUTPUT])
    throughput.FEATURES[:] = FEATURES
    throughput.PATIENCE_S = 300.0  # pages of so many series are made the more rarely the busier the machine is
    rates: dict[bool, list[float]] = {False: [], True: []}
    with upstream(directory, throughput.ANSWER) as place, sidecar(place, "--max-series", "1000000") as running:
        rate(running.port, running.metrics, given, directory, is_scraped=False)  # windows fill
        for number in range(2 * given.rounds):
            is_scraped = number % 4 in {1, 2}  # so that neither comes first
            rates[is_scraped].append(rate(running.port, running.metrics, given, directory, is_scraped=is_scraped))
        page = throughput.scrape(running.metrics)
    without, scraped = (statistics.mean(rates[one]) for one in (False, True))
    print(f"{page['inference_exporter_page_series']:,.0f} series, {SCRAPERS} scrapers, each every {given.interval:g} s,"
          f" {given.rounds} rounds of {given.seconds} s each way")  # fmt: skip
    tell("rows observed a second without scrapers", without, "")
    tell("rows observed a second with them", scraped, "")
    tell("change (at most 5 % less)", 100 * (scraped / without - 1), "%")
    print("  rounds: " + ", ".join(f"{way}: {[round(one) for one in found]}" for way, found in rates.items()))


def rate(port: int, metrics: int, given: argparse.Namespace, directory: Path, *, is_scraped: bool) -> float:
    """Rows observed of those that were sent in one round, by its seconds; what was dropped is not among them."""
    before = throughput.settled(metrics)
    with scrapers(metrics, given.interval, directory) if is_scraped else nullcontext():
        (requests, *_), _ = throughput.drive(port, given, directory)
    offered = before["inference_exporter_exchanges_offered_total"] + requests
    after = throughput.settled(metrics, offered)
    return (after["model_rows_total"] - before["model_rows_total"]) / given.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=3, help="each way; 0 for pages alone")
    parser.add_argument("--seconds", type=int, default=10)
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
