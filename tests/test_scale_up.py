"""Half an hour of a healthy service, with a day's ups and downs, a new version and ten times the replicas: no page.

Minutes of the rules pass in two seconds each, a day of the traffic in a minute. The first two pods and the two of the
next version are real: a model server and a sidecar each, with clients. The eighteen that come with the load are real
monitors with real pages, and no more than that (see light_replicas): sixty processes would only watch each other wait.
"""

import itertools
import math
import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from in_background import InBackground
from light_replicas import Replica, pages
from support import command, eventually, tool
from test_rolling import MINUTE_S, PATIENCE_S, Cluster, Pod, Version

from exporter.override import Overrides
from exporter.profile import document, overrides
from exporter.profile.build import Plan, build
from exporter.sections import Windows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
DAY_S = 60.0
SWING = 0.04
"""By which the share of red differs from its mean at most, up by day and down by night."""
WINDOWS = Windows(pane=1.0, lengths=(10.0, 30.0))
LIGHT = 18
ROWS_PER_S = 100
"""Of each of those: more than 2,000 in the longest window."""
Row = dict[str, Any]


def rows(count: int, draw: np.random.Generator, day: Any) -> list[Row]:
    """Rows of moments of the day, from 0 to 1."""
    red = 0.5 + SWING * np.sin(2 * math.pi * np.broadcast_to(day, count))
    colours = np.where(draw.random(count) < red, "red", np.where(draw.random(count) < 0.6, "green", "blue"))
    columns = (draw.lognormal(3, 1, count), draw.integers(18, 90, count), colours)
    return [
        {"amount": float(amount), "age": int(age), "colour": str(colour)}
        for amount, age, colour in zip(*columns, strict=True)
    ]


def answers(of: list[Row]) -> list[float]:
    return [row["amount"] + row["age"] for row in of]


def trained(directory: Path, version: str, seed: int) -> tuple[Version, Path]:
    """A version of 5,000 rows of all hours, and where its profile is."""
    draw = np.random.default_rng(seed)
    found = rows(5000, draw, draw.random(5000))
    table = pd.DataFrame(found).assign(score=answers(found))
    table.to_csv(directory / f"{version}.csv", index=False)
    made, _ = build(Plan(str(directory / f"{version}.csv"), ["score"], model="m", version=version))
    path = directory / f"profile-{version}.json"
    document.save(made, str(path))
    return Version(found, path.read_bytes()), path


def calibrated(directory: Path, profile: Path) -> Path:
    """What two days of recorded requests show of how hours differ, as overrides."""
    draw = np.random.default_rng(9)
    hours = np.sort(draw.uniform(0, 48, 60_000))
    found = rows(len(hours), draw, hours / 24)
    table = pd.DataFrame(found).assign(score=answers(found), at=1.76e9 + hours * 3600)
    table.to_parquet(directory / "requests.parquet")
    words = (str(profile), str(directory / "requests.parquet"), "--time", "at", "--output", str(directory / "o.yml"))
    done = command("profile", "calibrate", *words)
    assert done.returncode == 0, done.stderr
    return directory / "o.yml"


class Clients(InBackground):
    """Those of the light replicas, and the day that they live in; the pods' clients are told what time it is, too."""

    def __init__(self, cluster: Cluster, draw: np.random.Generator) -> None:
        super().__init__()
        self.change = 1.0
        self._cluster, self._draw = cluster, draw
        self._begun = time.monotonic()
        self._replicas: list[Replica] = []
        self._pods: list[Pod] = []
        self._telling = threading.Lock()

    def to(self, pods: list[Pod]) -> None:
        """From now on these alone are told: one that ends is not to get clients again."""
        with self._telling:
            self._pods = list(pods)

    def join(self, replica: Replica) -> None:
        self._replicas.append(replica)

    def _run(self) -> None:
        for beat in itertools.count():
            if self._stop.wait(0.5):
                return
            day = (time.monotonic() - self._begun) / DAY_S
            with self._telling:
                for pod in self._pods if beat % 4 == 0 else ():
                    self._cluster.traffic.send(pod, self._now(500, day))
            for replica in list(self._replicas):
                found = self._now(1 + int(self._draw.poisson(ROWS_PER_S / 2)), day)
                replica.see(found, answers(found))

    def _now(self, count: int, day: float) -> list[Row]:
        return [row | {"amount": row["amount"] * self.change} for row in rows(count, self._draw, day)]


@pytest.fixture
def healthy(tmp_path: Path) -> Iterator[tuple[Cluster, dict[str, Version], Overrides]]:
    for name in ("prometheus", "prometheus-alertmanager"):
        tool(name, name)
    made = {version: trained(tmp_path, version, seed) for version, seed in (("7", 1), ("8", 2))}
    file = calibrated(tmp_path, made["7"][1])
    with ExitStack() as stack:
        flags = ("--overrides", str(file))
        running = Cluster(tmp_path, stack, *flags)
        yield running, {name: version for name, (version, _) in made.items()}, overrides.load(str(file))
        assert running.prometheus.failed_evaluations() == 0


def test_a_day_a_new_version_and_ten_times_the_replicas_page_nobody(
    healthy: tuple[Cluster, dict[str, Version], Overrides], tmp_path: Path
) -> None:
    cluster, versions, said = healthy
    profile = document.load(str(tmp_path / "profile-8.json"))
    with Clients(cluster, np.random.default_rng(3)) as clients, pages() as light:
        begun = time.time()
        old = [cluster.start(name, versions["7"]) for name in ("a", "b")]
        clients.to(old)
        cluster.wait_for_full_windows(2, "7", begun)
        rolled, new = time.time(), list[Pod]()
        for name in ("c", "d"):
            new.append(cluster.start(name, versions["8"]))
            cluster.wait_until_seen()
            clients.to([*old[1:], *new])
            cluster.end(old.pop(0))
        cluster.wait_for_full_windows(2, "8", rolled)
        scaled = time.time()
        for _ in range(LIGHT):
            replica = Replica(profile, WINDOWS, said)
            clients.join(replica)
            cluster.join(light.add(replica))
            time.sleep(random.Random(len(new)).random())  # as pods come
        cluster.wait_for_full_windows(LIGHT + len(new), "8", scaled)
        half_an_hour = begun + 30 * MINUTE_S
        eventually(lambda: time.time() > half_an_hour, PATIENCE_S, "half an hour since the beginning")
        assert cluster.prometheus.value('count(up{job="models"} == 1)') == LIGHT + len(new) == 20
        assert cluster.prometheus.value("min(model_drift_evidence_ready)") == 1
        assert {(one.labels["alertname"], one.labels.get("instance")) for one in cluster.inbox.all()} == set()
        # An analyser that starts is away for a minute or two of these.
        assert cluster.alerts() <= {("InferenceExporterDown", "pending")}
        assert cluster.traffic.failures == 0

        # And were amounts in another unit on all of them, somebody would be paged.
        clients.change = 100.0
        (page, *_) = eventually(lambda: cluster.inbox.of("ModelDrift", "firing"), PATIENCE_S, "the page")
        assert (page.receiver, page.labels["model_version"]) == ("pager", "8")
        assert "amount" in page.annotations["description"]
