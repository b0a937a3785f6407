"""From drift, and from Alertmanager, to somebody who trains: real processes, that are killed at any moment."""

import csv
import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitoring import _running, ask
from retrain.receivers import Answer, Receiver, receiver
from support import Metrics, Sidecar, build_profile, eventually, free_port, model_server, predict, sidecar, tool

FAST = (
    "--windows.pane", "1s", "--windows.lengths", "10s,60s", "--retrain.hold", "0s", "--retrain.minimum-rows", "100",
    "--retrain.backoff", "200ms", "--retrain.max-backoff", "1s",
)  # fmt: skip
TAKEN = "inference_exporter_retrain_alerts_total"
ROUTES = """
route: {{ receiver: train, group_by: [alertname, model], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }}
receivers:
  - name: train
    webhook_configs:
      - url: http://127.0.0.1:{port}/alerts
        send_resolved: true
        http_config: {{ authorization: {{ credentials_file: {token} }} }}
"""


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("profile")
    with (directory / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["age", "colour", "score"])
        writer.writerows([*row.values(), row["age"]] for row in rows(3000, 0.2))
    return build_profile(
        directory / "train.csv", directory / "profile.json", "--prediction", "score", "--model", "m",
        "--model-version", "3",
    )  # fmt: skip


def rows(count: int, blue: float, seed: int = 1) -> list[dict[str, Any]]:
    """Some share of them blue."""
    draw = np.random.default_rng(seed)
    shares = [blue, *[(1 - blue) / 3] * 3]
    return [
        {"age": float(draw.normal(50, 9)), "colour": str(draw.choice(["blue", "red", "green", "grey"], p=shares))}
        for _ in range(count)
    ]


@contextmanager
def watching(url: str, profile: Path, state: Path, *more: str) -> Iterator[Sidecar]:
    flags = ("--profile", str(profile), "--state", str(state), "--retrain.url", url, *FAST, *more)
    with model_server() as upstream, sidecar(upstream, *flags) as running:
        yield running


def send(running: Sidecar, blue: float, count: int = 200) -> None:
    for start in range(0, count, 20):
        predict(running.url, rows(20, blue, start))


def drifts_until_asked(running: Sidecar, at: Receiver) -> None:
    def asked() -> bool:
        send(running, 0.7, 100)
        time.sleep(0.3)
        return bool(at.received)

    eventually(asked, what="somebody is asked")


def value(running: Sidecar, name: str, **labels: str) -> float:
    """-1 while there is no page, or it does not have that."""
    status, body = running.get(running.web_port, "/metrics")
    found = [value for known, value in Metrics(body.decode()).all(name) if labels.items() <= known.items()]
    return found[0] if status == 200 and found else -1.0


def is_fired(running: Sidecar) -> bool:
    return value(running, "model_retrain_state", state="fired") == 1


def kill_analyser(running: Sidecar) -> None:
    pid = eventually(lambda: running.pid_of("exporter.analyser"), what="an analyser")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: running.pid_of("exporter.analyser") not in {0, pid}, what="another analyser")


def test_drift_asks_once_whoever_dies_before_and_after(profile: Path, tmp_path: Path) -> None:
    busy = [True]
    with receiver(lambda _: Answer(503 if busy[0] else 200)) as at:
        with watching(at.url, profile, tmp_path / "state") as running:
            drifts_until_asked(running, at)
            kill_analyser(running)  # it waits, and goes on to be sent by the next one
            before = len(at.received)
            eventually(lambda: len(at.received) > before, what="posted again")
        # Everything was killed: only the disk knows.
        with watching(at.url, profile, tmp_path / "state") as running:
            before = len(at.received)
            eventually(lambda: len(at.received) > before, what="posted again")
            busy[0] = False
            eventually(
                lambda: value(running, "inference_exporter_retrain_events_total", outcome="sent") == 1, what="delivered"
            )
            delivered = len(at.received)
            kill_analyser(running)
            send(running, 0.7, 200)
            eventually(lambda: is_fired(running), what="fired")
            assert value(running, "inference_exporter_retrain_events_waiting") == 0
            assert len(at.received) == delivered
    assert len({one.id for one in at.received}) == 1
    assert len({one.body for one in at.received}) == 1
    told = json.loads(at.received[0].body)["data"]
    assert (told["model"], told["advice"], told["faults"]) == ("m", "retrain", [])
    assert told["moved"][0]["feature"] == "colour"


def tell(address: str, *, firing: bool) -> None:
    """An alert to Alertmanager, as Prometheus tells it."""
    now = datetime.now(UTC)
    alert = {
        "labels": {"alertname": "ModelFleetDrift", "model": "m", "model_version": "3"}, "annotations": {},
        "startsAt": (now - timedelta(minutes=1)).isoformat(),
        "endsAt": (now + timedelta(minutes=9) if firing else now).isoformat(),
    }  # fmt: skip
    request = urllib.request.Request(
        f"http://{address}/api/v2/alerts", json.dumps([alert]).encode(), {"content-type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def alertmanager(directory: Path, port: int, token: Path) -> Iterator[str]:
    directory.mkdir()
    (directory / "alertmanager.yml").write_text(ROUTES.format(port=port, token=token))
    address = f"127.0.0.1:{free_port()}"
    command = [
        tool("prometheus-alertmanager", "prometheus-alertmanager"), f"--web.listen-address={address}",
        f"--config.file={directory / 'alertmanager.yml'}", f"--storage.path={directory}", "--cluster.listen-address=",
    ]  # fmt: skip
    with _running(command, directory / "log", f"http://{address}/-/ready"):
        yield address


def test_an_alert_of_alertmanager_that_flaps_asks_once(profile: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-token-of-16-characters-at-least")
    flags = ("--retrain.alerts", "true", "--retrain.token-file", str(token))
    with (
        receiver() as at,
        watching(at.url, profile, tmp_path / "state", *flags) as running,
        alertmanager(tmp_path / "alertmanager", running.web_port, token) as pages,
    ):
        send(running, 0.2, 400)  # as in training
        for taken, firing in enumerate((True, False, True, False), start=1):
            tell(pages, firing=firing)
            eventually(lambda taken=taken: value(running, TAKEN, outcome="taken") >= taken, what="the alert")
        eventually(lambda: at.received, what="somebody is asked")
        eventually(
            lambda: value(running, "inference_exporter_retrain_suppressed_total", reason="latched") >= 1, what="latched"
        )
        assert ask(f"http://{pages}/api/v2/status")
    assert len(at.received) == 1
    told = json.loads(at.received[0].body)["data"]
    assert (told["alerts"], told["model_version"]) == (["ModelFleetDrift"], "3")
