"""A sidecar's page as a day of a busy model leaves it: windows filled, some features drifted, some requests failed.

What is real: profile, monitor, evidence, scores and the page. Hours pass as fast as they are counted.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from monitor_scenes import exchange
from numpy.typing import NDArray
from whole_health import health as everything

from exporter import collect
from exporter.allowance import Metrics
from exporter.budget.shape import Shape
from exporter.collect.rendered import TEXT
from exporter.collect.scene import Page, Scene
from exporter.condition import EventCounts, ProcessVitals, ServerVitals
from exporter.decode import Decoder
from exporter.guarantees import Evidence
from exporter.monitor import Monitor
from exporter.monitor.gathering import Watching
from exporter.monitor.said import Said
from exporter.override import Override, Overrides
from exporter.profile import document
from exporter.profile.build import Plan, build
from exporter.records import Exchange
from exporter.reference import Profile
from exporter.sections import Segments, Windows
from exporter.segmentations import segmentations

DAY_S: Final = 86400.0
LONG_S, SHORT_S = 300.0, 60.0
"""Between two requests; the second in the last hour."""
ENDS_S: Final = DAY_S + 2 * 3600
"""Two hours more than the longest window has."""
DRIFTED: Final = 12
"""Every how many features one drifts."""
STARTED_S: Final = 1_699_999_200.0
_ROOM: Final = Shape(Metrics(max_series=1_000_000))
_SERIES: Final = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


Rows = NDArray[np.float64]


class Series(NamedTuple):
    """One of a page, and what it says at the page's end."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float
    kind: str
    """`counter`, `gauge` or `histogram`."""


class Watched(NamedTuple):
    """A model to make a page of."""

    model: str = "churn"
    version: str = "7"
    features: int = 100
    rows: int = 50
    """Of a request."""


def names(features: int) -> list[str]:
    return [f"f{place:04d}" for place in range(features)]


def page_of(watched: Watched, directory: Path) -> tuple[list[Series], float]:
    """Its series, and the Unix time at which it was made. Windows of rows are for quiet models, and this one is not."""
    text = b"".join(collect.Renderer(_ROOM).render(whole(watched, directory)).pieces(TEXT)).decode()
    return [*_read(text)], STARTED_S + ENDS_S


def whole(watched: Watched, directory: Path) -> Page:
    """What it is made of."""
    return monitored(watched, directory)[0]


def monitored(watched: Watched, directory: Path) -> tuple[Page, Monitor]:
    """The same, and who watches."""
    profile = _profile(watched, directory)
    monitor, at = _monitor(watched, profile), ENDS_S
    itself = everything(EventCounts(0, {}, {}, 0), STARTED_S + at)
    server = ServerVitals(True, True, True, 3, ProcessVitals(12.5, 80_000_000, STARTED_S))
    scene = Scene(watched.model, watched.version, profile, monitor.snapshot(at), server, itself)
    return Page((scene,), itself), monitor


def _profile(watched: Watched, directory: Path) -> Profile:
    random = np.random.default_rng(3)
    table = {name: random.lognormal(size=2000).tolist() for name in names(watched.features)}
    table["score"] = [min(1.0, one / 10) for one in table["f0000"]]
    path = directory / f"{watched.model}-{watched.version}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    importance = {name: 1.0 / (1 + place) for place, name in enumerate(names(watched.features))}
    plan = Plan(
        str(path), ["score"], model=watched.model, version=watched.version, trained_at=STARTED_S - 86400 * 30,
        importance=importance, performance={"auc": 0.91, "accuracy": 0.87}, segments={"f0001": (0.5, 2.0)},
    )  # fmt: skip
    return document.save(build(plan)[0], str(path.with_suffix(".json")))


def _monitor(watched: Watched, profile: Profile) -> Monitor:
    random = np.random.default_rng(4)
    said = Said(
        Overrides(features={"f0000": Override(owner="payments", weight=2.0)}),
        segments=Segments(by=segmentations([{"name": "f0001", "edges": [0.5, 2.0]}])),
    )
    watching = Watching(Evidence(warm_up=1800.0, warm_up_rows=200), lambda at: at + STARTED_S)
    monitor, decoder = Monitor(profile, Windows(rows=()), (), said, watching), Decoder()
    moved = np.arange(watched.features) % DRIFTED == 0
    moments = [*np.arange(0, ENDS_S - 3600, LONG_S).tolist(), *np.arange(ENDS_S - 3600, ENDS_S, SHORT_S).tolist()]
    for step, at in enumerate(moments):
        values = random.lognormal(size=(watched.rows, watched.features))
        if at > ENDS_S * 3 / 4:
            values[:, moved] *= 3
        for seen in _requests(values, step, at):
            monitor.observe(seen, decoder.decode(seen))
        monitor.flush()
        if step % max(1, watched.features // 10) == 0:
            monitor.snapshot(at + 2)
    return monitor


def _requests(values: Rows, step: int, at: float) -> Iterator[Exchange]:
    """One that is answered, and one that fails."""
    columns = names(values.shape[1])
    rows = [dict(zip(columns, one, strict=True)) for one in values.tolist()]
    rows[0][columns[2]], rows[-1][columns[3]] = None, 1e9
    wall_ns = round((STARTED_S + at) * 1e9)
    yield exchange(rows, [min(1.0, row[columns[0]] / 10) for row in rows], at, wall_ns=wall_ns)
    failed = [row | {columns[1]: 40.0} for row in rows[:8]]
    yield exchange(failed, b'{"error": "no"}', at + 1, wall_ns=wall_ns, status=400 + 103 * (step % 2))


def _read(text: str) -> list[Series]:
    """Much faster than prometheus_client's reader."""
    kinds: dict[str, str] = {}
    found = []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            kinds[name] = kind
        elif line and line[0] != "#" and (parts := _SERIES.fullmatch(line)):
            name, labels, value = parts.groups()
            base = re.sub("_(bucket|sum|count)$", "", name)
            kind = kinds.get(name) or kinds[base]
            found.append(Series(name, tuple(_LABEL.findall(labels or "")), float(value), kind))
    return found
