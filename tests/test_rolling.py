"""A model rolled from one version to the next under load, pod by pod, and a profile rebuilt: nobody is paged for that.

Minutes of the rules pass in two seconds each. A pod is a model server and a sidecar with a profile file of
its own; Prometheus is told of pods as Kubernetes would tell it, and clients are shared out among those that are ready.
"""

import csv
import json
import random
import re
import time
import urllib.error
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml
from in_background import InBackground
from monitoring import Inbox, Prometheus, _running, alertmanager, inbox
from support import Sidecar, build_profile, eventually, free_port, model_server, predict, sidecar, tool

from exporter.demo import watchers

pytestmark = [pytest.mark.paced, pytest.mark.alone]
PATIENCE_S = 150.0
MINUTE_S = 2.0
"""An analyser needs a second of a processor to start anew: five minutes must be well beyond that on a busy one."""
MINUTES_IN_SECONDS = ("--windows.pane", "1s", "--windows.lengths", "10s,30s", "--windows.snapshot-interval", "500ms",
                      "--upstream-probe-interval", "200ms")  # fmt: skip
ROWS_PER_REQUEST = 10
REQUESTS_PER_S = 40
Row = dict[str, Any]


class Version(NamedTuple):
    """A version of the model: what it was trained on, and the profile of that."""

    rows: list[Row]
    profile: bytes


def trained(directory: Path, version: str, shift: float, seed: int) -> Version:
    """2,000 rows; another shift is another population."""
    draw = np.random.default_rng(seed)
    shares = [0.5, 0.3, 0.2] if shift < 1 else [0.1, 0.2, 0.7]
    rows: list[Row] = [
        {"amount": float(draw.lognormal(3 + shift, 1)), "age": int(draw.integers(18, 90)),
         "colour": str(draw.choice(["red", "green", "blue"], p=shares))}
        for _ in range(2000)
    ]  # fmt: skip
    with (directory / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*rows[0], "score"])
        writer.writerows([*row.values(), row["amount"] + row["age"]] for row in rows)
    words = ("--prediction", "score", "--model", "m", "--model-version", version)
    return Version(rows, build_profile(directory / "train.csv", directory / "profile.json", *words).read_bytes())


class Pod:
    """A model server, the sidecar in front of it, and the file of its profile."""

    def __init__(self, stack: ExitStack, path: Path, profile: bytes, *flags: str) -> None:
        self._stack = stack
        self.path = path
        path.write_bytes(profile)
        upstream = stack.enter_context(model_server())
        words = ("--profile", str(path), *MINUTES_IN_SECONDS, *flags)
        self.sidecar: Sidecar = stack.enter_context(sidecar(upstream, *words))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.sidecar.web_port}"

    def rebuild(self, profile: bytes) -> None:
        half = self.path.with_suffix(".half")
        half.write_bytes(profile)
        half.rename(self.path)

    def stop(self) -> None:
        assert self.sidecar.stop() == 0
        self._stack.close()


class Traffic(InBackground):
    """Clients of a service: each request goes to one of its pods, with rows that the pod's version was trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        self._behind: dict[str, list[Row]] = {}

    def send(self, pod: Pod, rows: list[Row] | None) -> None:
        """Give a pod such requests from now on, or none any more."""
        behind = dict(self._behind)
        behind.pop(pod.sidecar.url, None)
        self._behind = behind if rows is None else behind | {pod.sidecar.url: rows}

    def _run(self) -> None:
        draw = random.Random(7)
        while not self._stop.wait(1 / REQUESTS_PER_S):
            if behind := list(self._behind.items()):
                url, rows = draw.choice(behind)
                try:
                    predict(url, draw.choices(rows, k=ROWS_PER_REQUEST))
                except OSError as error:
                    self.failures += 1
                    if isinstance(error, urllib.error.HTTPError):
                        error.close()


class Cluster:
    """What starts pods and ends them, and everything that watches them."""

    def __init__(self, directory: Path, stack: ExitStack, *flags: str) -> None:
        """`flags` are those of every pod."""
        self._directory, self._stack, self._flags = directory, stack, flags
        self._others: list[dict[str, Any]] = []
        self._targets = directory / "targets.json"
        self._pods: list[Pod] = []
        self._tell()
        self.traffic = stack.enter_context(Traffic())
        self.inbox: Inbox = stack.enter_context(inbox())
        pages = stack.enter_context(alertmanager(directory / "alertmanager", self.inbox.url))
        self.prometheus: Prometheus = stack.enter_context(self._prometheus(pages))

    @contextmanager
    def _prometheus(self, pages: str) -> Iterator[Prometheus]:
        address = f"127.0.0.1:{free_port()}"
        directory = self._directory / "prometheus"
        words = watchers.Prometheus([], [pages], MINUTE_S).command(tool("prometheus", "prometheus"), directory, address)
        settings = yaml.safe_load((directory / "prometheus.yml").read_text())
        settings["scrape_configs"] = [
            {"job_name": "models", "file_sd_configs": [{"files": [str(self._targets)], "refresh_interval": "1s"}]}
        ]
        (directory / "prometheus.yml").write_text(yaml.safe_dump(settings))
        with _running(words, directory / "log", f"http://{address}/-/ready"):
            yield Prometheus(address)

    def start(self, name: str, version: Version, rows: list[Row] | None = None) -> Pod:
        """A new pod, and clients for it once it is ready."""
        own = self._stack.enter_context(ExitStack())
        pod = Pod(own, self._directory / f"{name}.json", version.profile, *self._flags)
        self._pods.append(pod)
        self._tell()
        self.traffic.send(pod, version.rows if rows is None else rows)
        return pod

    def end(self, pod: Pod) -> None:
        """No more clients and no more looks, then the end of the pod.

        Prometheus hears of its targets every five seconds, which are minutes here.
        """
        self.traffic.send(pod, None)
        self._pods.remove(pod)
        self._tell()
        eventually(lambda: pod.address not in self.prometheus.targets(), PATIENCE_S, "a pod that is scraped no more")
        pod.stop()

    def join(self, *others: dict[str, Any]) -> None:
        """What is scraped beside the pods, as file discovery has it."""
        self._others += others
        self._tell()

    def _tell(self) -> None:
        half = self._targets.with_suffix(".half")
        half.write_text(json.dumps([{"targets": [pod.address for pod in self._pods]}, *self._others]))
        half.rename(self._targets)

    def wait_for_full_windows(self, pods: int, version: str, since: float) -> None:
        """Until every pod has had full windows of a version for a dozen looks since then."""
        full = f'model_feature_window_samples{{feature="amount",window="30s",model_version="{version}"}} > 2000'

        def looks() -> bool:
            lately = f"[{int(time.time() - since) + 1}s:{MINUTE_S:.0f}s]"
            found = self.prometheus.query(f"count_over_time(({full}){lately})")
            return len([one for one in found if float(one["value"][1]) >= 12]) >= pods

        eventually(looks, PATIENCE_S, f"a dozen looks at full windows of {version}")

    def wait_until_seen(self) -> None:
        """Until Prometheus has seen each pod three times on end, of looks that begin from now on.

        A look at one that is away may last for a second, and only then is it known that it was.
        """
        since = time.time()

        def seen() -> bool:
            found = self.prometheus.query(f"up[{int(time.time() - since) + 1}s]")
            looks = {
                one["metric"]["instance"]: [up == "1" for at, up in one["values"] if float(at) > since] for one in found
            }
            return all(looks.get(pod.address, [])[-3:] == [True] * 3 for pod in self._pods)

        eventually(seen, PATIENCE_S, "pods that are seen")

    def alerts(self) -> set[tuple[str, str]]:
        """Names and states of all alerts that there ever were."""
        return {
            (one["metric"]["alertname"], one["metric"]["alertstate"]) for one in self.prometheus.query("ALERTS[1h]")
        }


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    for name in ("prometheus", "prometheus-alertmanager"):
        tool(name, name)
    with ExitStack() as stack:
        running = Cluster(tmp_path, stack)
        yield running
        assert running.prometheus.failed_evaluations() == 0


def profiles(pods: list[Pod]) -> set[tuple[str, str]]:
    """Versions and digests of the profiles in force."""
    found = set()
    for pod in pods:
        status, body = pod.sidecar.get(pod.sidecar.web_port, "/metrics")
        if status == 200:
            lines = [line for line in body.decode().splitlines() if line.startswith("model_profile_info{")]
            found |= {(line.split('model_version="')[1][:1], line.split('profile="')[1][:8]) for line in lines}
    return found


def test_rolling_to_a_new_version_and_rebuilding_its_profile_under_load_pages_nobody(
    cluster: Cluster, tmp_path: Path
) -> None:
    seventh = trained(tmp_path, "7", 0.0, 1)
    eighth = trained(tmp_path, "8", 1.5, 2)
    rebuilt = trained(tmp_path, "8", 1.5, 3)
    begun = time.time()
    old = [cluster.start(name, seventh) for name in ("a", "b")]
    cluster.wait_for_full_windows(2, "7", begun)
    rolled = time.time()
    new = []
    for pod, name in zip(old, ("c", "d"), strict=True):
        new.append(cluster.start(name, eighth))
        cluster.wait_until_seen()
        cluster.end(pod)
    cluster.wait_for_full_windows(2, "8", rolled)
    [(version, before)] = profiles(new)
    assert version == "8"

    for pod in new:
        pod.rebuild(rebuilt.profile)
        cluster.traffic.send(pod, rebuilt.rows)
        eventually(lambda pod=pod: profiles([pod]) - {(version, before)}, PATIENCE_S, "the rebuilt one")
        cluster.wait_until_seen()  # an analyser that starts anew is away for a minute of these
    cluster.wait_for_full_windows(2, "8", time.time())
    assert {(one.labels["alertname"], one.labels.get("instance")) for one in cluster.inbox.all()} == set()
    # An analyser that starts anew is away for a minute or two of these; evidence rests on careful defaults in the first
    # days of everybody.
    assert cluster.alerts() <= {("InferenceExporterDown", "pending"), ("ModelEvidenceUnready", "pending")}
    assert cluster.traffic.failures == 0

    # And were the eighth compared with what the seventh was trained on, there would be a ticket.
    cluster.start("e", seventh, eighth.rows)
    eventually(lambda: cluster.inbox.of("ModelFeatureDrift", "firing"), PATIENCE_S, "a ticket")
    tickets = [one.annotations["description"] for one in cluster.inbox.of("ModelFeatureDrift", "firing")]
    assert {name for ticket in tickets for name in re.findall(r" Feature (\w+)", ticket)} <= {"amount", "colour"}
