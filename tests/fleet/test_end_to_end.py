"""Twenty replicas, a real Prometheus and the fleet process: replicas come and go, Prometheus is killed, drift comes."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import yaml
from fleet.pods import MODEL, Pod, calibrated, drifted
from monitor_scenes import make_profile
from monitoring import Prometheus, _running
from support import Metrics, eventually, free_port, tool

from exporter.reference import Profile

REPLICAS = 20
ROWS_PER_TICK = 4
TICK_S = 0.25
SCRAPE_S = 0.5
RULES = Path(__file__).parents[2] / "alert_rules" / "fleet_process.rules.yml"


class Pods:
    """Replicas behind one port, each a path, and traffic for them."""

    def __init__(self, profile: Profile, targets: Path) -> None:
        self._profile, self._targets = profile, targets
        self._draw, self._names = np.random.default_rng(3), count()
        self._lock = threading.Lock()
        self.every: dict[str, Pod] = {}
        self.other: Any = None
        """Shares by bin of features that drift."""
        self._stop = threading.Event()
        pods = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with pods._lock:
                    pod = pods.every.get(self.path.removeprefix("/"))
                    page = pod.page() if pod else b""
                self.send_response(200 if pod else 404)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.send_header("content-length", str(len(page)))
                self.end_headers()
                with suppress(OSError):  # of a Prometheus that was killed
                    self.wfile.write(page)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._server.serve_forever, self._run)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(TICK_S):
            with self._lock:
                for pod in self.every.values():
                    pod.count(ROWS_PER_TICK, self.other)

    def start(self, many: int) -> None:
        with self._lock:
            for _ in range(many):
                self.every[f"pod-{next(self._names)}"] = Pod(self._profile, self._draw)
        self._tell()

    def end(self, many: int) -> None:
        """The oldest ones."""
        with self._lock:
            for name in [*self.every][:many]:
                del self.every[name]
        self._tell()

    def _tell(self) -> None:
        address = f"127.0.0.1:{self._server.server_port}"
        found = [
            {"targets": [address], "labels": {"__metrics_path__": f"/{name}", "instance": name}} for name in self.every
        ]
        half = self._targets.with_suffix(".half")
        half.write_text(yaml.safe_dump(found))
        half.rename(self._targets)


@contextmanager
def prometheus(directory: Path, address: str, fleet: str) -> Iterator[None]:
    """What it has is in the directory, so that it can be started again."""
    interval = f"{round(SCRAPE_S * 1000)}ms"
    every = {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": "1s"}
    config = {
        "global": every, "rule_files": [str(RULES)],
        "scrape_configs": [
            {"job_name": "models",
             "file_sd_configs": [{"files": [str(directory / "targets.yml")], "refresh_interval": "1s"}]},
            {"job_name": "fleet", "honor_labels": True, "static_configs": [{"targets": [fleet]}]},
        ],
    }  # fmt: skip
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = [
        tool("prometheus", "prometheus"), f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address={address}", "--log.level=warn",
    ]  # fmt: skip
    with _running(command, directory / "log", f"http://{address}/-/ready"):
        yield


class FleetProcess:
    """A running `inference-exporter fleet`."""

    def __init__(self, url: str, address: str, state: Path) -> None:
        self.address = address
        self._log_path = state.with_suffix(".log")
        self._log = self._log_path.open("ab")
        command = [
            sys.executable, "-m", "exporter", "fleet", "--prometheus.url", url, "--web.listen-address", address,
            "--selector", '{job="models"}', "--pane", "1s", "--lag", "1s", "--catch-up", "600", "--state", str(state),
            "--state.interval", "1s", "--evidence.warm-up", "6s", "--evidence.warm-up-rows", "500",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=os.environ | {"TZ": "UTC"}
        )

    def page(self) -> Metrics | None:
        assert self.process.poll() is None, self.log()
        status, body = _get(f"http://{self.address}/metrics")
        return Metrics(body.decode()) if status == 200 else None

    def value(self, name: str) -> float:
        """Of the one fleet; NaN before there is one."""
        page = self.page()
        found = page.all(name) if page else []
        return found[0][1] if len(found) == 1 else float("nan")

    def log(self) -> str:
        return self._log_path.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self._log.close()


def _get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except OSError:
        return 0, b""


@pytest.mark.paced
def test_a_fleet_pages_for_drift_and_for_nothing_that_replicas_and_prometheus_go_through(tmp_path: Path) -> None:
    profile = calibrated(make_profile(tmp_path))
    address, fleet_address = (f"127.0.0.1:{free_port()}" for _ in range(2))
    running = FleetProcess(f"http://{address}", fleet_address, tmp_path / "state")
    try:
        with Pods(profile, tmp_path / "targets.yml") as pods:
            pods.start(REPLICAS)
            asked = Prometheus(address)
            with prometheus(tmp_path, address, fleet_address):
                eventually(lambda: running.value("model_fleet_replicas") == REPLICAS, what="all replicas seen")
                since = time.time()
                time.sleep(3)
                _roll(pods, running)
            failed = running.value("inference_exporter_fleet_pane_timestamp_seconds")
            time.sleep(2)
            with prometheus(tmp_path, address, fleet_address):
                _goes_on(running, failed)
                assert running.stop() == 0, running.log()
                running.close()
                before = len(running.log().splitlines())
                running = FleetProcess(f"http://{address}", fleet_address, tmp_path / "state")
                _goes_on(running, time.time())
                assert "as it was kept" in running.log().split("\n", before)[-1]
                time.sleep(3)
                assert _nats(running) < running.value("model_fleet_drift_evidence_threshold_nats")
                assert asked.fired(since) == set()
                assert running.page().total("inference_exporter_fleet_panes_skipped_total") == 0
                pods.other = drifted(profile, "amount", 0.18)
                began = time.time()
                eventually(lambda: "ModelFleetDrift" in asked.firing(), what="a page")
                _is_named(running, began, profile)
    finally:
        running.close()


def _roll(pods: Pods, running: FleetProcess) -> None:
    """All replicas are replaced by others, a few at a time, and then there are half as many more."""
    for _ in range(4):
        pods.start(REPLICAS // 4)
        time.sleep(1.2)
        pods.end(REPLICAS // 4)
    pods.start(REPLICAS // 2)
    eventually(lambda: running.value("model_fleet_replicas") == REPLICAS * 3 // 2, what="new replicas seen")


def _goes_on(running: FleetProcess, since: float) -> None:
    def has() -> bool:
        is_watched = running.value("model_fleet_replicas") > 0
        return is_watched and running.value("inference_exporter_fleet_pane_timestamp_seconds") > since + 2

    eventually(has, what="panes go on")


def _nats(running: FleetProcess) -> float:
    return running.value("model_fleet_drift_evidence_nats")


def _is_named(running: FleetProcess, began: float, profile: Profile) -> None:
    page = running.page()
    assert page
    of = {"job": "models", "model": MODEL[0], "model_version": MODEL[1], "profile": profile.short_digest}
    assert page.value("model_fleet_feature_drift_info", feature="amount", **of) == 1
    assert page.all("model_fleet_feature_drift_info") == page.all("model_fleet_feature_drift_info", feature="amount")
    assert page.value("model_fleet_feature_drift_onset_timestamp_seconds", **of) == pytest.approx(began, abs=10)
    status, body = _get(f"http://{running.address}/")
    assert status == 200
    assert b"amount" in body
    assert _get(f"http://{running.address}/-/ready")[0] == _get(f"http://{running.address}/-/healthy")[0] == 200
