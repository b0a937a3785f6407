"""From a changed unit to the page: the sidecar, Prometheus and Alertmanager together, with the files that are shipped.

Minutes of the rules pass as seconds; see `exporter.demo.compression`.
"""

import csv
import json
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from in_background import InBackground
from monitoring import Inbox, Notice, Prometheus, alertmanager, ask, inbox, prometheus
from support import Answering, Sidecar, build_profile, eventually, model_server, predict, sidecar, tool

Row = dict[str, Any]

PATIENCE_S = 150.0
pytestmark = pytest.mark.paced
MINUTES_IN_SECONDS = ("--windows.pane", "1s", "--windows.lengths", "10s,30s", "--windows.snapshot-interval", "500ms",
                      "--upstream-probe-interval", "200ms")  # fmt: skip
ROWS_PER_REQUEST = 10
REQUESTS_PER_S = 20


class Trained(NamedTuple):
    rows: list[Row]
    profile: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """2,000 rows and the profile of them: a skewed number, one with gaps and a category."""
    directory = tmp_path_factory.mktemp("profile")
    random = np.random.default_rng(5)
    rows: list[Row] = [
        {
            "amount": float(random.lognormal(3, 1)),
            "age": None if random.random() < 0.05 else int(random.integers(18, 90)),
            "colour": str(random.choice(["red", "green", "blue"], p=[0.5, 0.3, 0.2])),
        }
        for _ in range(2000)
    ]
    with (directory / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*rows[0], "score"])
        writer.writerows([*row.values(), row["amount"] + (row["age"] or 0)] for row in rows)
    words = ("--prediction", "score", "--model", "m", "--model-version", "3", "--segment", "colour")
    return Trained(rows, build_profile(directory / "train.csv", directory / "profile.json", *words))


def unchanged(row: Row) -> Row:
    return row


def in_cents(row: Row) -> Row:
    return row | {"amount": row["amount"] * 100}


class Traffic(InBackground):
    """A client that sends the training data's own rows, in random order, at a steady pace."""

    def __init__(self, url: str, rows: list[Row]) -> None:
        super().__init__()
        self.change: Callable[[Row], Row] = unchanged
        self.rows_per_request = ROWS_PER_REQUEST
        self.failures = 0
        self._url, self._rows = url, rows

    def _run(self) -> None:
        random = np.random.default_rng(6)
        while not self._stop.wait(1 / REQUESTS_PER_S):
            chosen = random.integers(len(self._rows), size=self.rows_per_request)
            try:
                predict(self._url, [self.change(self._rows[place]) for place in chosen])
            except OSError as error:
                self.failures += 1
                if isinstance(error, urllib.error.HTTPError):
                    error.close()


class Watched(NamedTuple):
    """A model server under traffic and everything that watches it."""

    sidecar: Sidecar
    traffic: Traffic
    prometheus: Prometheus
    alertmanager: str
    inbox: Inbox
    stop_server: Callable[[], None]


@contextmanager
def watched(
    trained: Trained, directory: Path, answering: type[Answering] = Answering, *flags: str
) -> Iterator[Watched]:
    for name in ("prometheus", "prometheus-alertmanager"):
        tool(name, name)
    with ExitStack() as server, ExitStack() as stack:
        upstream = server.enter_context(model_server(answering))
        running = stack.enter_context(sidecar(upstream, "--profile", str(trained.profile), *MINUTES_IN_SECONDS, *flags))
        received = stack.enter_context(inbox())
        pages = stack.enter_context(alertmanager(directory / "alertmanager", received.url))
        asked = stack.enter_context(prometheus(directory / "prometheus", [f"127.0.0.1:{running.web_port}"], pages))
        traffic = stack.enter_context(Traffic(running.url, trained.rows))
        yield Watched(running, traffic, asked, pages, received, server.close)
        assert asked.failed_evaluations() == 0
        assert [notice for notice in received.all() if "<error" in str(notice.annotations)] == []


@pytest.fixture(scope="module")
def healthy(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Under traffic that looks like the training data; each test leaves it so. Associations ask for a minute.

    The warm-up is over: what drifts before its end is taken for what differs from the training data ever since.
    """
    flags = ("--segments.by", "colour", "--segments.windows", "30s", "--windows.lengths", "10s,30s,60s",
             "--evidence.warm-up", "15s", "--evidence.warm-up-rows", "1000")  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as database, ExitStack() as stack:
        needs = ("--dependency", f"database=tcp://127.0.0.1:{database.getsockname()[1]}")
        directory = tmp_path_factory.mktemp("healthy")
        world = stack.enter_context(watched(trained, directory, Answering, *flags, *needs))
        settled = 'count(model_feature_drift_defaults_info{calibration="traffic"})'
        eventually(lambda: world.prometheus.value(settled) == 3, PATIENCE_S, "what traffic shows of chance")
        yield world


def test_traffic_drawn_from_the_training_data_pages_nobody(healthy: Watched) -> None:
    since, before = time.time(), len(healthy.inbox.all())
    full_windows = 'count_over_time((model_feature_window_samples{feature="amount",window="30s"} > 1000)[1h:1s])'
    eventually(lambda: (healthy.prometheus.value(full_windows) or 0) >= 12, PATIENCE_S, "a dozen looks at full windows")
    assert healthy.prometheus.value('min(model_feature_window_sufficient{window="30s"})') == 1
    assert healthy.prometheus.fired(since) == set()
    assert healthy.prometheus.firing() == set()
    assert healthy.inbox.all()[before:] == []
    assert healthy.traffic.failures == 0


MOVED = (
    r": (?P<moved>\d+) % of its values changed bin(?P<since> since \d\d:\d\d UTC)?, most of all "
    # What has happened to it, once a closer look has shown it, or how it has moved, once evidence has.
    r'"(?P<bin>[^"]+)" \((?P<points>[+-]\d+) points\)'
    r"(; (amount looks ×100( since \d\d:\d\d UTC \(\d+ \w+\))?|\w+)(, [^.]+)?)?"
    r"\. PSI (?P<psi>[\d.]+) \(noise (?P<critical>[\d.]+)\), n (?P<samples>\d+) in (?P<window>\w+)\."
)
FOLLOWS = r"( Predictions \(\w+, median\) [\d.]+ → [\d.]+\.)? Coverage \d+ %\."
DRIFT = re.compile(
    r"Model m 3 \(models\): 1 feature no longer looks like the training data\. Feature (?P<feature>\w+)"
    + MOVED + r" Evidence [\d.]+ × page line\." + FOLLOWS
)  # fmt: skip
PAGE = re.compile(
    r"Model m 3 \(models\):"
    r"( (Feature|Output) \w+ \([\d.]+ nats\)(: [^.]+(\.\d[^.]*)*)?\."
    r"( PSI [\d.]+ \(noise [\d.]+\), n \d+ in \w+\.)?){1,3}"
    r" Evidence [\d.]+ × page line \([\d.]+ nats\)\." + FOLLOWS
)


def test_a_feature_in_another_unit_is_reported_in_words_and_its_recovery_as_well(healthy: Watched) -> None:
    before = _counts(healthy.inbox)
    enough = 'min(model_feature_window_sufficient{window="10s"})'
    eventually(lambda: healthy.prometheus.value(enough) == 1, PATIENCE_S, "windows that suffice")
    healthy.traffic.change = in_cents
    try:
        page, *_ = eventually(lambda: healthy.inbox.of("ModelDrift", "firing"), PATIENCE_S, "the page")
        notices = eventually(lambda: _new(healthy.inbox, before, "firing"), PATIENCE_S, "a notice of drift")
    finally:
        healthy.traffic.change = unchanged
    assert page.receiver == "pager"
    assert PAGE.fullmatch(page.annotations["description"]), page.annotations["description"]
    assert " Feature amount (" in page.annotations["description"]
    for notice in notices:
        assert notice.receiver == "tickets"
        assert notice.labels["severity"] == "warning"
        _assert_it_says_what_was_measured(notice, healthy)

    eventually(lambda: _new(healthy.inbox, before, "resolved"), PATIENCE_S, "a notice that drift has ended")
    eventually(lambda: not healthy.prometheus.firing(), PATIENCE_S, "nothing firing")
    eventually(lambda: not healthy.inbox.unresolved(), PATIENCE_S, "an end to all that was told")
    told = {name for notice in healthy.inbox.all() for name in _features(notice)}
    assert told == {"amount"}, "only the feature that changed, and the prediction that is made of it"
    assert not healthy.inbox.of("ModelSegmentDrift", "firing"), "the whole has drifted: its parts are not told"
    assert healthy.traffic.failures == 0


def _features(notice: Notice) -> list[str]:
    """Those that it names."""
    return re.findall(r" Feature ([\w.]+)", notice.annotations["description"])


def _counts(received: Inbox) -> dict[str, int]:
    return {status: len(received.of("ModelFeatureDrift", status)) for status in ("firing", "resolved")}


def _new(received: Inbox, before: dict[str, int], status: str) -> list[Notice]:
    return received.of("ModelFeatureDrift", status)[before[status] :]


def _assert_it_says_what_was_measured(notice: Notice, world: Watched) -> None:
    said = DRIFT.fullmatch(notice.annotations["description"])
    assert said, notice.annotations["description"]
    assert said["feature"] == "amount"
    assert (notice.labels["model"], notice.labels["model_version"]) == ("m", "3")
    assert float(said["psi"]) > float(said["critical"]) > 0
    assert int(said["samples"]) >= 200
    assert float(said["moved"]) > 10
    # The numbers are the exporter's own, as they were scraped at some moment.
    of = f'{{feature="amount",window="{said["window"]}"}}'
    assert said["psi"] in {f"{value:.2f}" for value in world.prometheus.scraped(f"model_feature_psi{of}")}
    assert said["critical"] in {f"{value:.3f}" for value in world.prometheus.scraped(f"model_feature_psi_critical{of}")}
    assert int(said["samples"]) in world.prometheus.scraped(f"model_feature_window_samples{of}")
    # A hundred times the amount is beyond nearly all that the training data had: the topmost bins grow.
    assert float(said["points"]) > 10
    bins = world.prometheus.query(f'model_feature_bin_info{{feature="amount",text="{said["bin"]}"}}')
    assert len(bins) == 1
    assert "above" in said["bin"]


# --- what people say of features

SAID = """
features:
  amount: { severity: page, owner: risk }
  age: { ignore: true }
  colour: { severity: page, snooze_until: 2999-12-31 }
outputs:
  "*": { severity: ignore }
"""


def all_else(row: Row) -> Row:
    """Other values for every feature."""
    return {"amount": row["amount"] * 100, "age": 900, "colour": "mauve"}


def test_what_is_said_of_features_decides_who_is_told_of_their_drift(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "said.yml").write_text(SAID)
    with watched(trained, tmp_path, Answering, "--overrides", str(tmp_path / "said.yml")) as world:
        enough = 'min(model_feature_window_sufficient{window="30s"})'
        eventually(lambda: world.prometheus.value(enough) == 1, PATIENCE_S, "windows that suffice")
        assert world.inbox.all() == []
        world.traffic.change = all_else
        page, *_ = eventually(lambda: world.inbox.of("ModelFeatureDrift", "firing"), PATIENCE_S, "the page")
        assert page.receiver == "pager"
        assert (_features(page), page.labels["owner"]) == (["amount"], "risk")
        assert page.labels["severity"] == "critical"
        # The others drift as much, and longer than it takes.
        moved = 'min_over_time(model_feature_total_variation{feature="colour",window="10s"}[15s]) > 0.9'
        eventually(lambda: world.prometheus.query(moved), PATIENCE_S, "a colour that has long been another")
        assert world.prometheus.query('{feature="age"}') == []
        assert {name for notice in world.inbox.all() for name in _features(notice)} == {"amount"}
        (drift,) = eventually(lambda: world.inbox.of("ModelDrift", "firing"), PATIENCE_S, "the page of the model")
        assert " Feature amount (" in drift.annotations["description"]
        assert not re.search("(Feature|Output) (?!amount)", drift.annotations["description"]), (
            "nobody is to hear of those"
        )
        world.traffic.change = unchanged
        eventually(lambda: world.inbox.of("ModelFeatureDrift", "resolved"), PATIENCE_S, "the end of the page")
        assert world.traffic.failures == 0


# --- the server fails


class Failing(Answering):
    """Answers with errors while it is told to."""

    broken = False

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        if self.broken:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self._send(500, b'{"error": "out of memory"}', "application/json")
        else:
            super().do_POST()


def test_a_server_that_answers_with_errors_pages_until_it_answers_again(trained: Trained, tmp_path: Path) -> None:
    with watched(trained, tmp_path, Failing) as world:
        answered = 'model_requests_total{model="m",code="200"}'
        eventually(lambda: (world.prometheus.value(answered) or 0) > 100, PATIENCE_S, "answers")
        assert world.inbox.all() == []
        Failing.broken = True
        try:
            page, *_ = eventually(lambda: world.inbox.of("ModelErrors", "firing"), PATIENCE_S, "the page")
        finally:
            Failing.broken = False
        assert page.receiver == "pager"
        said = re.fullmatch(
            r"Model m 3 \(models\): ([\d.]+)% of the (\d+) requests of the last 1h failed \(0\.1% may\); "
            r"(\d+) were answered with code 500\.",
            page.annotations["description"],
        )
        assert said, page.annotations["description"]
        share, requests, failures = map(float, said.groups())
        assert 1.44 < share < 100
        assert failures >= 20
        assert share == pytest.approx(100 * failures / requests, abs=1)
        eventually(lambda: world.inbox.of("ModelErrors", "resolved"), PATIENCE_S, "the end of the page")
        assert world.traffic.failures > 0


class ColourBlind(Answering):
    """Fails where a row is blue."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        rows = json.loads(body)["instances"]
        if any(row["colour"] == "blue" for row in rows):
            self._send(500, b'{"error": "KeyError"}', "application/json")
        else:
            self._send(200, json.dumps({"predictions": [0.5] * len(rows)}).encode(), "application/json")


FAILURES = re.compile(
    r"Model \w+ 3 \(models\): requests answered with a 5xx code have other values than those that succeed, "
    r"in 1 column, on [\w.:]+\. "
    r'Feature colour: "blue" \(\+100.0 percentage points, of \d+ failed rows of the last \w+\)\.'
)


def test_a_value_that_breaks_the_server_is_named(trained: Trained, tmp_path: Path) -> None:
    with watched(trained, tmp_path, ColourBlind) as world:
        world.traffic.rows_per_request = 1
        notice, *_ = eventually(lambda: world.inbox.of("ModelFeatureFailures", "firing"), PATIENCE_S, "the ticket")
        assert notice.receiver == "tickets"
        assert FAILURES.fullmatch(notice.annotations["description"]), notice.annotations["description"]
        worst = 'topk by (code) (1, model_feature_failed_bin_excess_ratio{window="30s"})'
        (found,) = world.prometheus.query(worst)
        assert found["metric"]["feature"] == "colour"
        assert float(found["value"][1]) == 1.0
        others = re.compile(r"Feature (amount|age)\b")
        blind = [one for one in world.inbox.all() if others.search(one.annotations.get("description", ""))]
        assert blind == [], "the others are as they were"


# --- the server dies


def test_a_server_that_dies_pages(trained: Trained, tmp_path: Path) -> None:
    with watched(trained, tmp_path) as world:
        up = 'model_server_up{model="m"}'
        eventually(lambda: world.prometheus.value(up) == 1, PATIENCE_S, "the server up")
        assert world.inbox.all() == []
        world.stop_server()
        page, *_ = eventually(lambda: world.inbox.of("ModelServerDown", "firing"), PATIENCE_S, "the page")
        assert page.receiver == "pager"
        assert page.labels["severity"] == "critical"
        assert page.annotations["description"] == (
            "Model m 3 (models): none of its 1 model servers accepts a TCP connection from its exporter. "
            "Clients get errors."
        )
        assert world.traffic.failures > 0
        # That its one replica is down as well is known, and told to nobody.
        silenced = {"ModelServerReplicaDown": "suppressed", "ModelServerDown": "active"}
        eventually(lambda: silenced.items() <= _states(world).items(), PATIENCE_S, "the replica's alert silenced")
        assert world.inbox.of("ModelServerReplicaDown", "firing") == []


def _states(world: Watched) -> dict[str, str]:
    alerts = ask(f"http://{world.alertmanager}/api/v2/alerts")
    return {alert["labels"]["alertname"]: alert["status"]["state"] for alert in alerts}
