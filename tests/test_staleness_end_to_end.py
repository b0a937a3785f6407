"""How old a model is, at a real sidecar: what is known of its age outlives a death and a restart, and decay shows."""

import json
import os
import signal
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

import numpy as np
from support import Answering, Metrics, Sidecar, build_profile, eventually, model_server, sidecar

PANES: Final = 10
PANE_S: Final = 0.5
"""A day, of which ninety are looked at."""
FAST: Final = (
    "--windows.pane", "500ms", "--windows.lengths", "60s", "--windows.snapshot-interval", "100ms",
    "--feedback.enable", "true", "--staleness.trend", "45s", "--staleness.retrain-every", '{"m": "90d"}',
)  # fmt: skip


class Server(Answering):
    """Says x."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        rows = json.loads(self.rfile.read(int(self.headers["content-length"])))["instances"]
        self._send(200, json.dumps({"predictions": [row["x"] for row in rows]}).encode(), "application/json")


def build(directory: Path) -> Path:
    random = np.random.default_rng(1)
    x = random.normal(100, 10, 2000).round(2)
    lines = [f"{one},{one},{one + error}" for one, error in zip(x, random.normal(0, 1, 2000), strict=True)]
    (directory / "train.csv").write_text("\n".join(["x,price,sold", *lines]))
    (directory / "metrics.json").write_text('{"mae": 0.8}')
    return build_profile(
        directory / "train.csv", directory / "profile.json", "--prediction", "price", "--target", "sold",
        "--model", "m", "--model-version", "3", "--trained-at", "2026-01-02T00:00:00Z",
        "--metrics", str(directory / "metrics.json"),
    )  # fmt: skip


def ask(running: Sidecar, number: int, error: float, rows: int = 20) -> None:
    """A prediction, and at once how far off it was."""
    random = np.random.default_rng(number)
    x = random.normal(100, 10, rows)
    post(f"{running.url}/v1/models/m:predict", {"instances": [{"x": one} for one in x]}, {"x-request-id": f"r{number}"})
    truths = [{"id": f"r{number}", "row": row, "truth": one + error * random.choice([0.9, 1.0, 1.1])}
              for row, one in enumerate(x)]  # fmt: skip
    post(f"http://127.0.0.1:{running.web_port}/feedback", truths, {})


def post(url: str, document: Any, headers: dict[str, str]) -> None:
    request = urllib.request.Request(url, json.dumps(document).encode(), {"content-type": "application/json"} | headers)
    urllib.request.urlopen(request, timeout=30).close()


def rows(running: Sidecar) -> float:
    status, body = running.get(running.web_port, "/metrics")
    return Metrics(body.decode()).total("model_feature_since_deploy_rows") if status == 200 else -1.0


def deployed(running: Sidecar) -> float:
    return running.metrics().value("model_deployed_timestamp_seconds", model="m", model_version="3")


def test_a_models_age_outlives_a_restart_and_its_decay_is_dated(tmp_path: Path) -> None:
    path, state = build(tmp_path), str(tmp_path / "state")
    with model_server(Server) as upstream:
        with sidecar(upstream, *FAST, "--profile", str(path), "--state", state) as running:
            begun = time.time()
            for number in range(PANES):
                ask(running, number, 0.5 + 0.05 * number)
                time.sleep(PANE_S)
            page = eventually(lambda: decaying(running), what="errors that grow")
            assert page.value("model_performance_trend_limit", measure="mae") == 0.8 * 1.1
            assert page.value("model_retrain_due_timestamp_seconds", reason="decay") > begun
            assert page.value("model_retrain_due_timestamp_seconds", reason="calendar") == 1767312000 + 90 * 86400
            eventually(lambda: rows(running) == 20 * PANES)
            first = deployed(running)
            assert begun - 1 < first < page.value("model_retrain_due_timestamp_seconds", reason="decay")
            os.kill(running.pid_of("exporter.analyser"), signal.SIGKILL)
            eventually(lambda: rows(running) == 20 * PANES)
            assert deployed(running) == first
            running.stop()
        with sidecar(upstream, *FAST, "--profile", str(path), "--state", state) as running:
            eventually(lambda: rows(running) == 20 * PANES)
            ask(running, 99, 0.5)
            eventually(lambda: rows(running) == 20 * (PANES + 1))
            assert deployed(running) == first


def test_a_template_says_since_when_a_model_is_deployed(tmp_path: Path) -> None:
    told = {"INFERENCE_EXPORTER_STALENESS_DEPLOYED_AT": "2026-03-01T12:00:00Z"}
    flags = (*FAST, "--profile", str(build(tmp_path)))
    with model_server(Server) as upstream, sidecar(upstream, *flags, environ=told) as running:
        assert deployed(running) == 1772366400


def decaying(running: Sidecar) -> Metrics | None:
    page = running.metrics()
    known = page.all("model_performance_trend_daily_lower")
    return page if known and known[0][1] > 0 else None
