"""Three models that one Prometheus watches: a healthy one, one that drifts, and one of which much is broken.

Real model servers, real sidecars and real requests; minutes of the rules pass as seconds, see
`exporter.demo.compression`. What goes wrong begins once all has been well for a while.
"""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import yaml
from in_background import InBackground
from monitoring import MINUTE_S, _running
from scored_server import score
from support import Sidecar, build_profile, free_port, tool

from exporter.demo import watchers
from exporter.demo.compression import compressed

Row = dict[str, Any]
Change = Callable[[Row], Row]
HEALTHY, DRIFTED, BROKEN = MODELS = ("healthy", "drifted", "broken")
"""What they are called."""
STABLE, CANARY = "3", "4"
"""Versions; the canary is of the model that drifts."""
WINDOW, HOUR = "10s", "1m"
ROLLED: Final = "rolled"
STATES: Final[Mapping[str, Mapping[str, str]]] = {
    HEALTHY: {"model": HEALTHY, "version": STABLE, "feature": "amount", "window": HOUR},
    DRIFTED: {"model": DRIFTED, "version": STABLE, "feature": "amount", "window": WINDOW},
    ROLLED: {"model": DRIFTED, "version": CANARY, "feature": "amount", "window": WINDOW},
    BROKEN: {"model": BROKEN, "version": STABLE, "feature": "colour", "window": WINDOW},
}
"""What is chosen at the top of the dashboards to look at each."""
RULES: Final = tuple(sorted(path.name for path in Path(str(watchers.SHIPPED)).glob("*.rules.yml")))
LOOK_EVERY, RULED_EVERY = "2s", "3s"
"""Seconds are too short: a scrape that takes longer fails, and rules of many replicas take one, too."""
_EVIDENCE: Final = (
    "--evidence.warm-up", "10s", "--evidence.warm-up-rows", "500", "--evidence.learn", "15s",
)  # fmt: skip
_RETRAIN: Final = (
    "--retrain.dry-run", "true", "--retrain.hold", "0s", "--retrain.minimum-rows", "100",
    "--retrain.advice", "retrain,rework,fix_the_pipeline",
)  # fmt: skip
_VALUES: Final = [{"name": "margin", "feature": "amount"}]
_COSTS: Final = [{"actual": "1", "predicted": "0", "cost": 10}]
_FLAGS: Final = (
    "--feedback.enable", "true", "--values", json.dumps(_VALUES), "--performance.costs", json.dumps(_COSTS),
    "--windows.pane", "1s", "--windows.lengths", "10s,60s", "--windows.snapshot-interval", "1s",
    "--upstream-probe-interval", "500ms", "--segments.by", "colour", "--segments.windows", "10s",
    "--staleness.trend", "90s", "--staleness.retrain-every", "90d", "--log-level", "warning", *_EVIDENCE, *_RETRAIN,
    "--prediction-log.to", "file:/dev/null",
)  # fmt: skip
_ROWS_PER_REQUEST: Final = 20
_ROUND_S: Final = 0.2
_TOLD_AFTER: Final = 20
"""Requests."""
_SERVER: Final = Path(__file__).with_name("scored_server.py")


def unchanged(row: Row) -> Row:
    return row


def in_cents(row: Row) -> Row:
    return row | {"amount": row["amount"] * 100}


class Replica:
    """A model server in a process of its own, and a sidecar in front of it."""

    def __init__(self, model: str, profile: Path, *flags: str, blind: bool = False) -> None:
        self.path = f"/v1/models/{model}:predict"
        self._server_port, self._blind = free_port(), blind
        self._server: subprocess.Popen[bytes] | None = None
        self.start_server()
        self.sidecar = Sidecar(self._server_port, "--profile", str(profile), *_FLAGS, *flags)
        self.change: Change = unchanged
        self.spoils = False
        """Whether a little of all that a client can do wrong is sent as well."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.sidecar.web_port}"

    def ask(self, rows: Sequence[Row], called: str = "") -> None:
        """Under an id, where it is called anything."""
        self.post(json.dumps({"instances": rows}).encode(), {"X-Request-Id": called} if called else {})

    def post(self, body: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        """A refusal is an answer, too."""
        request = urllib.request.Request(self.sidecar.url + self.path, body, dict(headers))
        try:
            urllib.request.urlopen(request, timeout=30).close()
        except urllib.error.HTTPError as error:
            error.close()

    def tell(self, truths: Sequence[Row]) -> None:
        """What turned out."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://{self.address}/feedback", json.dumps(truths).encode(), headers)
        urllib.request.urlopen(request, timeout=30).close()

    def start_server(self) -> None:
        command = [sys.executable, str(_SERVER), str(self._server_port), *(["blind"] if self._blind else [])]
        self._server = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def stop_server(self) -> None:
        if self._server:
            self._server.kill()
            self._server.wait(10)
            self._server = None

    def end(self) -> None:
        self.sidecar.kill()
        self.stop_server()


class Traffic(InBackground):
    """A client that sends each replica the training data's own rows in turn, in random order.

    Some rounds later it tells what has become of them: what the model was trained on, whatever it was sent.
    """

    def __init__(self, replicas: Sequence[Replica], rows: list[Row]) -> None:
        super().__init__()
        self._replicas, self._rows, self._random = replicas, rows, np.random.default_rng(6)
        self._untold: deque[tuple[Replica, list[Row]]] = deque()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            for replica in self._replicas:
                with suppress(OSError):
                    self._send(replica)
            due = max(due + _ROUND_S, time.monotonic() - 1)

    def _send(self, replica: Replica) -> None:
        chosen = self._random.integers(len(self._rows), size=_ROWS_PER_REQUEST)
        if replica.spoils:
            spoil(replica, self._rows[chosen[0]])
            for place in chosen[:2]:
                replica.ask([self._rows[place]])
        rows = [self._rows[place] for place in chosen]
        called = str(self._random.integers(1 << 60))
        replica.ask([replica.change(row) for row in rows], called)
        truths = [{"id": called, "row": place, "truth": self._paid(row)} for place, row in enumerate(rows)]
        self._untold.append((replica, [*truths, {"id": f"nobody's {called}", "truth": 1}]))
        if len(self._untold) > _TOLD_AFTER:
            teller, known = self._untold.popleft()
            teller.tell(known)

    def _paid(self, row: Row) -> int:
        return int(self._random.random() < score(row))


def spoil(replica: Replica, good: Row) -> None:
    """A little of all that a client can do wrong."""
    seen = good | {"colour": "red"}
    wrong = [{"age": "old"}, {"age": float("nan")}, {"amount": 1e9}, {"amount": None}, {"colour": "mauve"}, {"size": 4}]
    replica.ask([seen | one for one in wrong])
    replica.ask([seen] * 3)
    replica.ask([{name: value for name, value in seen.items() if name != "visits"}] * 2)
    replica.post(b"no JSON")
    columns = {"amount": [time.time()] * 2, "age": [30] * 2, "colour": ["mauve"] * 2}  # in a form that is refused
    replica.post(json.dumps({"inputs": columns}).encode())


def trained(directory: Path) -> tuple[list[Row], dict[str, Path]]:
    """2,000 rows, and the profiles that models and versions were trained on: a skewed number, one with gaps, one that
    nobody looks at and a category."""
    random = np.random.default_rng(5)
    rows: list[Row] = [
        {"amount": float(random.lognormal(3, 1)),
         "age": None if random.random() < 0.05 else int(random.integers(18, 90)),
         "visits": int(random.poisson(6)),
         "colour": str(random.choice(["red", "green", "blue"], p=[0.5, 0.3, 0.2]))}
        for _ in range(2000)
    ]  # fmt: skip
    with (directory / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*rows[0], "score", "paid"])
        writer.writerows([*row.values(), score(row), int(random.random() < score(row))] for row in rows)
    (directory / "importance.json").write_text('{"amount": 5, "age": 3, "visits": 1, "colour": 1}')
    (directory / "measured.json").write_text('{"auc": 0.81, "log_loss": 0.4}')
    return rows, {
        model: build_profile(
            directory / "train.csv", directory / f"{model}.json", "--prediction", "score", "--target", "paid",
            "--segment", "colour", "--model", model, "--model-version", STABLE, "--trained-at", "2026-01-02T03:04:05Z",
            "--importance", str(directory / "importance.json"), "--metrics", str(directory / "measured.json"),
        )
        for model in MODELS
    }  # fmt: skip


class World(NamedTuple):
    """All that is watched, and the one who watches."""

    url: str
    """Of Prometheus."""
    begun_s: float
    changed_s: float
    """Unix time since which something is wrong."""
    replicas: dict[str, list[Replica]]


@contextmanager
def world(directory: Path) -> Iterator[World]:
    """All of it under traffic, before anything goes wrong."""
    tool("prometheus", "prometheus")
    rows, profiles = trained(directory)
    with ExitStack() as stack:
        database = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        replicas = _replicas(stack, profiles, ("--dependency", f"database=tcp://127.0.0.1:{database.getsockname()[1]}"))
        every = [one for some in replicas.values() for one in some]
        for one in every:
            one.sidecar.wait_ready()
        pooled = f"127.0.0.1:{free_port()}"
        url = stack.enter_context(_prometheus(directory / "prometheus", [one.address for one in every], pooled))
        stack.enter_context(_fleet(url, pooled))
        stack.enter_context(Traffic(every, rows))
        yield World(url, time.time(), 0.0, replicas)


def _replicas(stack: ExitStack, profiles: dict[str, Path], needs: tuple[str, str]) -> dict[str, list[Replica]]:
    def replica(model: str, *flags: str, blind: bool = False) -> Replica:
        one = Replica(model, profiles[model], *flags, *needs, blind=blind)
        stack.callback(one.end)
        return one

    said = profiles[HEALTHY].with_suffix(".yml")
    said.write_text("features: { amount: { owner: risk, severity: page, weight: 2, tolerance: 0.2 } }")
    nobody = (
        "--dependency", f"store=tcp://127.0.0.1:{free_port()}", "--prediction-log.to", "file:/dev/full",
        "--tracing.exporter", "otlp", "--tracing.endpoint", f"http://127.0.0.1:{free_port()}",
    )  # fmt: skip
    return {
        HEALTHY: [replica(HEALTHY, "--overrides", str(said))],
        DRIFTED: [replica(DRIFTED), replica(DRIFTED), replica(DRIFTED, "--model.version", CANARY)],
        BROKEN: [replica(BROKEN, *nobody, blind=True), replica(BROKEN, *nobody, "--max-series", "1925")],
    }


@contextmanager
def _prometheus(directory: Path, targets: list[str], pooled: str) -> Iterator[str]:
    """With all our rules in compressed time."""
    address = f"127.0.0.1:{free_port()}"
    plan = watchers.Prometheus(targets, [], MINUTE_S)
    command = plan.command(tool("prometheus", "prometheus"), directory, address)
    config = yaml.safe_load((directory / "prometheus.yml").read_text())
    config["rule_files"] = [*RULES]
    config["scrape_configs"] += [{"job_name": "fleet", "honor_labels": True, "static_configs": [{"targets": [pooled]}]}]
    config["global"] = {"scrape_interval": LOOK_EVERY, "scrape_timeout": LOOK_EVERY, "evaluation_interval": RULED_EVERY}
    (directory / "prometheus.yml").write_text(json.dumps(config))
    for name in RULES:
        rules = yaml.load((watchers.SHIPPED / name).read_text(), yaml.CSafeLoader)
        for group in rules["groups"]:
            group.pop("interval", None)
        (directory / name).write_text(json.dumps(in_seconds(rules)))
    with _running(command, directory / "log", f"http://{address}/-/ready"):
        yield f"http://{address}"


@contextmanager
def _fleet(url: str, address: str) -> Iterator[None]:
    """The process that watches all replicas as one."""
    command = [
        sys.executable, "-m", "exporter", "fleet", "--prometheus.url", url, "--web.listen-address", address,
        "--selector", '{job="models"}', "--pane", "1s", "--lag", "1s", "--catch-up", "600",
        "--log-level", "warning", *_EVIDENCE,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


def in_seconds(document: Any) -> Any:
    """Minutes as seconds, in what the exporter calls its windows, too."""
    text = json.dumps(compressed(document, 60 / MINUTE_S))
    return json.loads(text.replace(r"window=\"1h\"", rf"window=\"{HOUR}\""))


def disturb(scene: World) -> World:
    """From now on the one drifts and the other is broken."""
    stray, canary = scene.replicas[DRIFTED][1:]
    stray.change = canary.change = in_cents
    stray.stop_server()
    stray.start_server()
    failing, down = scene.replicas[BROKEN]
    failing.spoils = True
    down.stop_server()
    os.kill(down.sidecar.pid_of("exporter.analyser"), signal.SIGKILL)
    return scene._replace(changed_s=time.time())
