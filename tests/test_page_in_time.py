"""How soon somebody is paged in real time, with everything as it is shipped: nothing is compressed here.

A sidecar that is told by `profile calibrate` what a day of traffic would show is ready with its first pane. One that is
told nothing watches 24 hours and 10,000 rows first, carefully, and pages later meanwhile.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import yaml
from monitoring import Inbox, Prometheus, _running, alertmanager, inbox
from paced_traffic import Traffic, in_cents
from support import Sidecar, build_profile, command, eventually, free_port, model_server, sidecar, tool

from exporter.demo import watchers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
REQUESTS_PER_S = 50
MINUTE_S = 60.0
HOURS = 48
Row = dict[str, Any]


class Known(NamedTuple):
    """What a new pod is given: what the model was trained on, and what its traffic is like."""

    rows: list[Row]
    profile: Path
    overrides: Path


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """5,000 rows, the profile of them, and two days of recorded requests that were drawn from them."""
    directory, draw = tmp_path_factory.mktemp("known"), np.random.default_rng(5)
    trained = pd.DataFrame({
        "amount": draw.lognormal(3, 1, 5000), "age": draw.integers(18, 90, 5000).astype(float),
        "colour": draw.choice(["red", "green", "blue"], 5000, p=[0.5, 0.3, 0.2]),
    })  # fmt: skip
    trained["score"] = trained["amount"] + trained["age"]
    trained.to_csv(directory / "train.csv", index=False)
    words = ("--prediction", "score", "--model", "m", "--model-version", "3")
    profile = build_profile(directory / "train.csv", directory / "profile.json", *words)
    recorded = trained.iloc[draw.integers(0, len(trained), HOURS * 6000)].reset_index(drop=True)
    recorded["at"] = 1.76e9 + np.sort(draw.uniform(0, HOURS * 3600, len(recorded)))
    recorded.to_parquet(directory / "requests.parquet")
    overrides = directory / "overrides.yml"
    paths = (str(profile), str(directory / "requests.parquet"))
    done = command("profile", "calibrate", *paths, "--time", "at", "--output", str(overrides))
    assert done.returncode == 0, done.stderr
    rows = [dict(row) for row in trained.drop(columns="score").to_dict("records")]
    return Known(rows, profile, overrides)


class Pace(NamedTuple):
    """How often things happen, and how long they may take."""

    flags: tuple[str, ...]
    scrape: str
    evaluate: str
    healthy_s: float
    within_s: float


AS_SHIPPED = Pace((), "30s", "1m", 330, 360)
OF_15_SECONDS = Pace(("--windows.pane", "15s"), "15s", "15s", 120, 180)


@contextmanager
def prometheus(directory: Path, target: str, pages: str, pace: Pace) -> Iterator[Prometheus]:
    """One that scrapes and evaluates so often, with the shipped rules as they are."""
    address = f"127.0.0.1:{free_port()}"
    words = watchers.Prometheus([target], [pages], MINUTE_S).command(
        tool("prometheus", "prometheus"), directory, address
    )
    settings = yaml.safe_load((directory / "prometheus.yml").read_text())
    settings["global"] = {
        "scrape_interval": pace.scrape, "scrape_timeout": "10s", "evaluation_interval": pace.evaluate
    }  # fmt: skip
    (directory / "prometheus.yml").write_text(yaml.safe_dump(settings))
    with _running(words, directory / "log", f"http://{address}/-/ready"):
        yield Prometheus(address)


class World(NamedTuple):
    sidecar: Sidecar
    traffic: Traffic
    prometheus: Prometheus
    inbox: Inbox


@contextmanager
def world(known: Known, directory: Path, pace: Pace) -> Iterator[World]:
    for name in ("prometheus", "prometheus-alertmanager"):
        tool(name, name)
    with ExitStack() as stack:
        upstream = stack.enter_context(model_server())
        given = ("--profile", str(known.profile), "--overrides", str(known.overrides))
        running = stack.enter_context(sidecar(upstream, *given, *pace.flags, as_shipped=True))
        received = stack.enter_context(inbox())
        traffic = stack.enter_context(Traffic(running.url, known.rows, REQUESTS_PER_S))
        pages = stack.enter_context(alertmanager(directory / "alertmanager", received.url, MINUTE_S))
        target = f"127.0.0.1:{running.web_port}"
        asked = stack.enter_context(prometheus(directory / "prometheus", target, pages, pace))

        yield World(running, traffic, asked, received)
        assert asked.failed_evaluations() == 0
        assert traffic.failures == 0


@pytest.mark.parametrize("pace", [AS_SHIPPED, OF_15_SECONDS], ids=["default settings", "panes of 15 s"])
def test_a_unit_that_changes_pages_within_minutes_and_the_page_says_which(
    known: Known, tmp_path: Path, pace: Pace
) -> None:
    with world(known, tmp_path, pace) as there:
        time.sleep(pace.healthy_s)  # in real time: nothing else says that nothing happens
        ready = there.sidecar.metrics().value("model_drift_evidence_ready")
        rate = there.traffic.sent / pace.healthy_s
        assert ready == 1
        assert there.inbox.all() == []
        there.traffic.change = in_cents
        changed = time.monotonic()
        (page, *_) = eventually(lambda: there.inbox.of("ModelDrift", "firing"), pace.within_s, "the page")
        print(f"{rate:.0f} requests a second; paged {page.at - changed:.0f} s after the change")
        print(page.annotations["description"])
        assert page.receiver == "pager"
        assert page.labels["severity"] == "critical"
        assert "amount" in page.annotations["description"]
        assert "×100" in page.annotations["description"]
        assert {one.labels["alertname"] for one in there.inbox.all() if one.critical} == {"ModelDrift"}
