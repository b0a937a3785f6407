"""Twenty replicas and a real Prometheus: what the rules record of all together is the score of all rows as one.

Hours pass in 45 seconds. increase() stretches the counts of all replicas alike that were there for the whole window, so
each version is looked at when that is so, while the other one comes or goes. Scrapes that come late by milliseconds
weigh nothing where requests are dealt to replicas by chance, as here.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import yaml
from fleet.pods import COUNTED, Pod, calibrated
from monitor_scenes import make_profile, training_rows
from monitoring import Prometheus, _running
from numpy.typing import NDArray
from support import eventually, free_port, tool

from exporter.collect.exposition import Samples
from exporter.collect.scene import Scene
from exporter.condition import ServerVitals
from exporter.demo.compression import compressed
from exporter.drift import STATISTICS
from exporter.drift.summary import Summary
from exporter.reference import Column, Profile

REPLICAS = 20
BATCHES = 10
ROWS = 12_000
"""Of a batch, for each replica but the busy ones."""
BEFORE = 60_000
"""About so many each has counted before anybody looks: increase() never takes a counter to have been below zero."""
NEWER = 10
"""Replicas of the version that comes."""
SCRAPE_S = 1.5
HOUR_S = 45.0
EVALUATED = "2s"
"""How often windows of an hour are."""
COLUMNS = ("amount", "age", "city", "code", "score")
SHOWN = ("reference_ratio", "reference_samples", "bin_step_ratio", "dependence_ratio")
"""What the rules ask for beside the counts."""
SCORES = ("psi", "total_variation", "js_distance", "ks", "wasserstein_ratio")
RULES = Path(__file__).parents[2] / "alert_rules" / "fleet.rules.yml"
Rows = Mapping[str, NDArray[np.int64]]
"""The bins that values fall into, a number for each row, by column."""


class Clock:
    snapshot_wall_s = 0.0


class Replica(Pod):
    """A page of real families whose counters are those of the rows it was given."""

    def __init__(self, version: str, profile: Profile, draw: np.random.Generator, many: int = ROWS) -> None:
        super().__init__(profile, draw)
        self.version, self.scrapes, self.many = version, 0, many
        self._rows, self._page = draw, b""
        self.shares = {one.name: _near(one) for one in columns(profile)}

    def page(self) -> bytes:
        self._page = self._page or super().page()
        return self._page

    def take(self, rows: Rows) -> None:
        self._page = b""
        for block, side in ((self._snapshot.features, self.profile.features),
                            (self._snapshot.outputs, self.profile.outputs)):  # fmt: skip
            assert block
            for at, column in enumerate(side):
                block.totals.bins[at] += np.bincount(rows[column.name], minlength=block.totals.bins.shape[1])

    def rows(self) -> Rows:
        """A batch of requests."""
        return {name: self._rows.choice(len(shares), self.many, p=shares) for name, shares in self.shares.items()}

    def has_run(self) -> None:
        """It has counted before, in every bin that it will count in."""
        self.take({
            name: np.repeat(np.arange(len(shares)), np.where(shares > 0, np.ceil(shares * BEFORE), 0).astype(int))
            for name, shares in self.shares.items()
        })  # fmt: skip

    def _rendered(self, collect: Any, words: tuple[str, ...]) -> list[Samples]:
        model = ("churn", self.version)
        scene = Scene(*model, self.profile, self._snapshot, ServerVitals(), Clock())  # type: ignore[arg-type]
        names = SHOWN if words != (COUNTED,) else words
        return [one for one in collect(scene) if one.family.name.endswith(names)]


def _profile(directory: Path, seed: int) -> Profile:
    directory.mkdir()
    table = training_rows(seed=seed)
    return calibrated(make_profile(directory, {name: table[name] for name in COLUMNS}))


def columns(profile: Profile) -> tuple[Column, ...]:
    return (*profile.features, *profile.outputs)


def _near(column: Column) -> NDArray[np.float64]:
    """Shares that have drifted a little, of the bins that the reference uses."""
    counts = np.array(column.counts, float)
    away = np.exp(0.4 * np.sin(np.arange(len(counts))))
    found = np.where(counts > 0, np.maximum(counts / counts.sum(), 0.005) * away, 0)
    return np.asarray(found / found.sum())


class Served:
    """Replicas behind one port, each a path."""

    def __init__(self, targets: Path) -> None:
        self._targets, self._lock = targets, threading.Lock()
        self.every: dict[str, Replica] = {}
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with served._lock:
                    replica = served.every.get(self.path.removeprefix("/"))
                    page = replica.page() if replica else b""
                    if replica:
                        replica.scrapes += 1
                self.send_response(200 if replica else 404)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.send_header("content-length", str(len(page)))
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(page)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def has(self, replicas: Mapping[str, Replica]) -> None:
        """From now on, these and no others."""
        with self._lock:
            self.every = dict(replicas)
        address = f"127.0.0.1:{self._server.server_port}"
        found = [
            {"targets": [address], "labels": {"__metrics_path__": f"/{name}", "instance": name}} for name in replicas
        ]
        half = self._targets.with_suffix(".half")
        half.write_text(yaml.safe_dump(found))
        half.rename(self._targets)

    def count(self, replicas: Sequence[Replica]) -> list[Rows]:
        """A batch for each, which comes all at once as far as Prometheus can see."""
        told = [replica.rows() for replica in replicas]
        with self._lock:
            for replica, rows in zip(replicas, told, strict=True):
                replica.take(rows)
        return told

    def is_seen(self, *replicas: Replica) -> None:
        """Prometheus has all that they have counted until now."""
        before = [replica.scrapes for replica in replicas]
        eventually(lambda: all(one.scrapes > many + 1 for one, many in zip(replicas, before, strict=True)))


@contextmanager
def prometheus(directory: Path) -> Iterator[Prometheus]:
    rules = compressed(yaml.safe_load(RULES.read_text()), 3600 / HOUR_S)
    for group in rules["groups"]:
        group["interval"] = EVALUATED if group["name"].endswith("-1h") else group["interval"]
    (directory / "fleet.rules.yml").write_text(yaml.safe_dump(rules))
    interval = f"{round(SCRAPE_S * 1000)}ms"
    config = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval},
        "rule_files": ["fleet.rules.yml"],
        "scrape_configs": [
            {"job_name": "models",
             "file_sd_configs": [{"files": [str(directory / "targets.yml")], "refresh_interval": "1s"}]},
        ],
    }  # fmt: skip
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    command = [
        tool("prometheus", "prometheus"), f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address={address}", "--log.level=warn",
    ]  # fmt: skip
    with _running(command, directory / "log", f"http://{address}/-/ready"):
        yield Prometheus(address)


def summary(column: Column, counts: NDArray[np.int64]) -> Summary:
    found = counts[None]
    ordered = found[:, :14] if column.ordered else found[:, :0]
    steps, nothing = np.zeros((1, 13)), np.zeros(1)
    for (place, before), (_, after) in pairwise(column.centres() if column.sd else ()):
        steps[0, place] = (after - before) / column.sd
    return Summary(
        found, found.sum(axis=1), ordered, ordered.sum(axis=1), nothing, steps, np.ones(1), nothing
    )  # fmt: skip


def truths(profile: Profile, told: Sequence[Rows]) -> dict[tuple[str, str], float]:
    """Of all rows as one, by column and score."""
    found = {}
    for column in columns(profile):
        rows = np.concatenate([rows[column.name] for rows in told])
        current = summary(column, np.bincount(rows, minlength=len(column.counts)))
        reference = summary(column, np.array(column.counts))
        for name in SCORES:
            if name not in {"ks", "wasserstein_ratio"} or (column.ordered and column.sd):
                found[column.name, name] = float(STATISTICS[name].score(reference, current)[0])
    return found


class Recorded:
    """What Prometheus has recorded of a version."""

    def __init__(self, asked: Prometheus, version: str, profile: Profile) -> None:
        self._asked, self._of = asked, f'model_version="{version}",profile="{profile.short_digest}"'

    def scores(self, window: str = "1h") -> dict[tuple[str, str], float]:
        names = f"(feature|output):model_(feature|prediction)_({'|'.join(SCORES)}):fleet{window}"
        found = self._asked.query(f'{{__name__=~"{names}",{self._of}}}')
        return {_what(one["metric"]): float(one["value"][1]) for one in found}

    def rows(self) -> dict[str, float]:
        found = self._asked.query(f"feature:model_feature_bin:increase1h{{{self._of}}}")
        return {one["metric"]["feature"]: float(one["value"][1]) for one in found}

    def become(self, truth: Mapping[tuple[str, str], float]) -> None:
        """At one evaluation, all of them at once."""

        def far() -> str:
            found = self.scores()
            if found.keys() != truth.keys():
                up = self._asked.value("sum(up)")
                return f"only {len(found)} of {len(truth)} scores, {up} replicas up"
            worst = max(truth, key=lambda one: abs(found[one] - truth[one]))
            off = abs(found[worst] - truth[worst])
            return "" if off <= 1e-6 else f"{worst} is off by {off:.3g}"

        told: list[str] = []
        deadline = time.monotonic() + 60
        while (said := far()) and time.monotonic() < deadline:
            told.append(said)
            time.sleep(1)
        assert not said, [*told[:3], *told[-30:]]


def _what(labels: Mapping[str, str]) -> tuple[str, str]:
    score = labels["__name__"].split(":")[1].removeprefix("model_").partition("_")[2]
    return labels.get("feature") or labels["output"], score


@pytest.mark.paced
def test_what_is_recorded_of_twenty_replicas_is_the_score_of_all_rows_as_one(tmp_path: Path) -> None:
    draw = np.random.default_rng(11)
    profile, newer = (_profile(tmp_path / name, seed) for name, seed in (("old", 1), ("new", 2)))
    old = {f"old-{at}": Replica("7", profile, draw, ROWS * (1 + at % 2)) for at in range(REPLICAS)}
    new = {f"new-{at}": Replica("8", newer, draw) for at in range(NEWER)}
    for replica in old.values():
        replica.has_run()
    with Served(tmp_path / "targets.yml") as served:
        served.has(old)
        with prometheus(tmp_path) as asked:
            served.is_seen(*old.values())
            time.sleep(HOUR_S * 0.4)
            told = _rolled(served, old, new)
            recorded = Recorded(asked, "7", profile)
            recorded.become(truths(profile, told))
            assert recorded.rows()["amount"] == pytest.approx(ROWS * BATCHES * REPLICAS * 1.5, rel=0.1)
            long = recorded.scores("24h")
            assert long.keys() == recorded.scores().keys()
            for column, score in (("amount", "total_variation"), ("age", "ks"), ("city", "js_distance")):
                assert long[column, score] == pytest.approx(truths(profile, told)[column, score], abs=0.02)

            served.has(new)
            time.sleep(HOUR_S * 0.3)
            told = [rows for _ in range(BATCHES) for rows in served.count([*new.values()])]
            Recorded(asked, "8", newer).become(truths(newer, told))
            assert asked.failed_evaluations() == 0


def _rolled(served: Served, old: dict[str, Replica], new: dict[str, Replica]) -> list[Rows]:
    """Rows of the old version; one of its replicas is restarted, and the new version comes up beside it."""
    told: list[Rows] = []
    for batch in range(BATCHES):
        told += served.count([*old.values()])
        if batch == BATCHES // 2:
            served.is_seen(old["old-3"])
            restarted = Replica("7", old["old-3"].profile, old["old-3"]._rows, old["old-3"].many)
            old["old-3"] = restarted
            served.has(old | new)
            served.is_seen(restarted)
        if batch > BATCHES // 2:
            served.count([*new.values()])
        time.sleep(SCRAPE_S / 4)
    return told
