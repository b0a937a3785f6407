"""A model that is seldom asked, from end to end: its last rows are scored, and go on after a death and a restart."""

import os
import signal
from pathlib import Path
from typing import Any, Final

import numpy as np
from support import Metrics, Sidecar, command, eventually, model_server, predict, sidecar

FAST: Final = (
    "--windows.pane", "1s", "--windows.lengths", "2s,1h", "--windows.rows", "40,200", "--windows.minimum-samples", "40",
    "--windows.snapshot-interval", "100ms",
)  # fmt: skip


def rows_of(count: int, seed: int, amount: float = 0.0) -> list[Any]:
    random = np.random.default_rng(seed)
    return [{"amount": float(random.normal(amount)), "age": float(random.normal())} for _ in range(count)]


def build(directory: Path) -> Path:
    table, path = directory / "train.csv", directory / "profile.json"
    lines = [f"{row['amount']},{row['age']},0.5" for row in rows_of(3000, 1)]
    table.write_text("\n".join(["amount,age,p", *lines]))
    made = command("profile", "build", str(table), "--prediction", "p", "--model", "m", "--output", str(path))
    assert made.returncode == 0, made.stderr
    return path


def samples(running: Sidecar, window: str, feature: str = "amount") -> float:
    """Values in a window; 0 where it is not on the page, or there is none."""
    status, body = running.get(running.web_port, "/metrics")
    if status != 200:
        return 0.0
    return Metrics(body.decode()).total("model_feature_window_samples", window=window, feature=feature)


def is_quiet(running: Sidecar) -> bool:
    """Whether windows of rows are on the page."""
    status, body = running.get(running.web_port, "/metrics")
    return status == 200 and any(
        labels["window"] == "40rows" for labels, _ in Metrics(body.decode()).all("model_feature_window_samples")
    )


def test_the_last_rows_of_a_quiet_model_tell_what_its_hour_cannot_and_survive_death_and_restart(tmp_path: Path) -> None:
    path, state = build(tmp_path), str(tmp_path / "state")
    with model_server() as upstream:
        with sidecar(upstream, *FAST, "--profile", str(path), "--state", state) as running:
            predict(running.url, rows_of(150, 2))
            eventually(lambda: is_quiet(running))
            predict(running.url, rows_of(50, 3))
            predict(running.url, rows_of(42, 4, amount=2.0))
            eventually(lambda: samples(running, "40rows") in {40, 42} and samples(running, "200rows") == 92)
            eventually(lambda: samples(running, "2s") == 0)
            page = running.metrics()
            drift = {
                window: page.value("model_feature_total_variation", window=window, feature="amount")
                - page.value("model_feature_total_variation_critical", window=window, feature="amount")
                for window in ("1h", "40rows")
            }
            assert drift["40rows"] > 0 > drift["1h"]
            shortest = page.all("model_feature_shortest_window_info", feature="amount")
            assert [labels["window"] for labels, _ in shortest] == ["40rows"]
            assert page.value("model_window_start_timestamp_seconds", window="40rows") > page.value(
                "model_window_start_timestamp_seconds", window="1h"
            )
            os.kill(running.pid_of("exporter.analyser"), signal.SIGKILL)
            eventually(lambda: samples(running, "200rows") == 92)
            running.stop()
        with sidecar(upstream, *FAST, "--profile", str(path), "--state", state) as running:
            predict(running.url, rows_of(10, 5, amount=2.0))
            eventually(lambda: samples(running, "200rows") == 102)
            assert samples(running, "40rows") in {40, 42}
