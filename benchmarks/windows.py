"""What windows cost once they are full: to look at, to keep, to score; and what the analyser weighs with many columns.

`--columns` features over 5m, 1h and 24h, the panes of a whole day filled: the time of a snapshot, of holding and
writing what the state file has, of reading it back, of the scores. Then, in a process of its own that has loaded all
that the analyser has: memory of 1,000 features after a day of 10^6 values has filled all windows, after 10^7 and so on,
with commits to the ledger, pages and state files on the way (`--values 1e8` for all that was promised: it must stay
where it is).
"""

import argparse
import importlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exporter import collect, manners
from exporter.allowance import Metrics
from exporter.budget.shape import Shape
from exporter.collect.rendered import Rendered
from exporter.collect.scene import Page, Scene
from exporter.condition import Health, ServerVitals
from exporter.config import Settings
from exporter.decode.turned import Turned
from exporter.handoff import memory, report
from exporter.handoff.ledger import Ledger
from exporter.monitor import Monitor
from exporter.monitor.models import Models
from exporter.monitor.scoring import Scoring
from exporter.profile.directory import OneProfile
from exporter.records import Body, Capture, Exchange, Observation, Owner, Table
from exporter.reference import NUMERIC_BINS, Column, Profile
from exporter.sections import Windows
from exporter.state import clock
from exporter.state.image import pack, unpack

MODEL = "churn"
DAY_S = 86_400.0
MIB = 1 << 20
REFERENCE_ROWS = 5000
QUANTILES = (0, 0.01, *np.arange(0.1, 0.95, 0.1), 0.99, 1)
NO_BODY = Body(0, Capture.WHOLE, b"")
Rows = NDArray[np.float64]


def column(name: str, values: Rows) -> Column:
    """As `profile build` makes one of plain numbers, nearly."""
    edges = np.quantile(values, QUANTILES)
    edges[-1] = np.nextafter(edges[-1], np.inf)
    counts = np.zeros(NUMERIC_BINS, np.int64)
    counts[1:13] = np.histogram(values, edges)[0]
    moments = [float(of(values)) for of in (np.mean, np.std, np.min, np.max)]
    return Column(name, "numeric", tuple(counts.tolist()), tuple(edges.tolist()), *moments)


def profile_of(columns: int) -> Profile:
    random = np.random.default_rng(1)
    features = tuple(column(f"f{at}", random.lognormal(size=REFERENCE_ROWS)) for at in range(columns))
    outputs = (column("score", random.random(REFERENCE_ROWS)),)
    return Profile(MODEL, "1", None, REFERENCE_ROWS, "benchmark", features, outputs, "0" * 64)


def seen(rows: Rows, at: float) -> tuple[Exchange, Observation]:
    """An answered request of rows, as decoders of arrays give it, that ended at `at` seconds."""
    at_ns = round(at * 1e9)
    exchange = Exchange(at_ns, at_ns, 10**6, 200, "POST", "/v1/models/churn:predict", {}, {}, NO_BODY, NO_BODY)
    answers = np.linspace(0, 1, len(rows))[:, None]
    tables = [Table(len(one), None, Turned(one, one.shape[1])) for one in (rows, answers)]
    return exchange, Observation(*tables, "instances", MODEL, "1", "id")


def a_day(values: int, columns: int) -> Iterator[tuple[float, Rows]]:
    """Moments and rows that fill all panes of a day, in order; no less than a row for each minute."""
    random = np.random.default_rng(2)
    minutes = 1440
    rows = random.lognormal(0.1, size=(max(1, values // columns // minutes), columns))
    for minute in range(minutes):
        yield DAY_S + 60.0 * minute, rows


def milliseconds(work: Callable[[], object], times: int = 15) -> float:
    found = []
    for _ in range(times):
        begun = time.thread_time()
        work()
        found.append(time.thread_time() - begun)
    return 1e3 * statistics.median(found)


def full_windows(columns: int, renderer: collect.Renderer) -> None:
    """Print what it costs to look at windows that are full."""
    profile, windows = profile_of(columns), Windows()
    monitor, *empty = (Monitor(profile, windows, ()) for _ in range(6))
    for at, rows in a_day(columns * 1440 * 20, columns):
        monitor.observe(*seen(rows, at))
    monitor.flush()
    now = 2 * DAY_S - 1
    owner = Owner(MODEL, "1", profile.digest)
    packed = pack(owner, clock.now(), monitor.held(now))
    scoring, found = Scoring(profile.features), monitor.snapshot(now).features
    if found is None:
        raise SystemExit("nothing was counted")

    def read_back() -> None:
        if not empty.pop().put_back(unpack(packed).arrays, 0.0, now):
            raise SystemExit("nothing came back")

    def hold() -> None:
        pack(owner, clock.now(), monitor.held(now))

    print(f"{columns} features, windows of {', '.join(one.window for one in found.scores)}, all panes filled")
    tell(
        "scores of all windows",
        milliseconds(lambda: [scoring.score(one.counts, one.deviation) for one in found.scores]),
    )
    tell("a snapshot", milliseconds(lambda: monitor.snapshot(now)))
    tell("a page", milliseconds(lambda: page(renderer, profile, monitor, now), 5))
    tell("holding the windows and packing them", milliseconds(hold, 5))
    tell("unpacking them and putting them back", milliseconds(read_back, len(empty)))
    tell("size of the state file", len(packed) / MIB, "MiB")
    tell("size of all arrays", sum(one.nbytes for one in monitor.arrays().values()) / MIB, "MiB")


def tell(what: str, number: float, unit: str = "ms") -> None:
    print(f"  {what:42}{number:10,.1f} {unit}")


def page(renderer: collect.Renderer, profile: Profile, monitor: Monitor, now: float) -> Rendered:
    health = Health(0.0, 0, report.relay([], 0, 0), snapshot_wall_s=now)
    scene = Scene(MODEL, "1", profile, monitor.snapshot(now), ServerVitals(watched=False), health)
    return renderer.render(Page((scene,), health))


# --- memory, in a process of its own


def resident_mib(which: str = "VmRSS") -> float:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[which].split()[0]) / 1024


def weigh(columns: int, most: int, renderer: collect.Renderer) -> None:
    """Count values, and print what is resident whenever there are ten times as many as before."""
    importlib.import_module("exporter.analyser")
    manners.return_large_blocks()
    before = resident_mib()
    profile = profile_of(columns)
    models = Models(Settings(), OneProfile(profile, MODEL))
    ledger = Ledger(memory.create("windows", 4096))
    counted, due, days = 0, 10**6, 0
    print(f"{columns:,} features in the analyser's process, {before:.0f} MiB before any")
    while counted < most:
        for at, rows in a_day(min(most, 10**7) if days else 10**6, columns):
            moment = at + days * DAY_S
            models.observe(*seen(rows, moment))
            counted += rows.size
            if at % 300 == 0:
                commit(models, ledger)
            if at % 7200 == 0:
                publish(renderer, profile, models, moment)
        days += 1
        if counted >= due:
            publish(renderer, profile, models, moment)
            most_mib = resident_mib("VmHWM")
            manners.trim()  # as the analyser does every ten seconds
            print(f"  after {counted:13,} values {resident_mib():6.0f} MiB, at most {most_mib:.0f}", flush=True)
            due *= 10


def commit(models: Models, ledger: Ledger) -> None:
    models.flush()
    ledger.commit(models.chapters(), models.changed)
    models.changed.clear()


def publish(renderer: collect.Renderer, profile: Profile, models: Models, now: float) -> None:
    """A page, and the windows as the state file has them."""
    (watched,) = [one for one in models if one.profile]
    page(renderer, profile, watched.monitor, now)
    pack(Owner(*watched.label, profile.digest), clock.now(), watched.monitor.held(now))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--values", type=lambda text: int(float(text)), default=10**7, help="for the memory (1e8)")
    parser.add_argument("--weigh", type=int, metavar="COLUMNS", help="this is the process that is weighed")
    parser.add_argument("--max-series", type=int, default=10_000, help="series that a page may have (10000)")
    given = parser.parse_args()
    renderer = collect.Renderer(Shape(Metrics(max_series=given.max_series)))
    if given.weigh:
        weigh(given.weigh, given.values, renderer)
        return
    full_windows(given.columns, renderer)
    words = [sys.executable, __file__, "--weigh", "1000", "--values", str(given.values)]
    words += ["--max-series", str(given.max_series)]
    subprocess.run(words, check=True)


if __name__ == "__main__":
    main()
