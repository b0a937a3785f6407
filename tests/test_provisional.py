"""A sidecar without a profile: its first rows become the reference, and survive whatever else does not."""

import json
import os
import signal
from pathlib import Path
from typing import Any, Final

import numpy as np
from support import Metrics, Sidecar, command, eventually, model_server, predict, sidecar

FAST: Final = (
    "--windows.pane", "1s", "--windows.lengths", "60s,1h", "--windows.snapshot-interval", "200ms",
    "--provisional.rows", "600",
)  # fmt: skip


def rows_of(count: int, seed: int, shift: float = 0.0) -> list[Any]:
    random = np.random.default_rng(seed)
    return [
        {"amount": float(random.normal() + shift), "town": str(random.choice(["Berlin", "Paris"]))}
        for _ in range(count)
    ]


def page(running: Sidecar) -> Metrics | None:
    """/metrics; None while an analyser starts."""
    status, body = running.get(running.web_port, "/metrics")
    return Metrics(body.decode()) if status == 200 else None


def referred(running: Sidecar) -> str:
    """The digest of the profile in force; empty where there is none, or nobody answers yet."""
    metrics = page(running)
    found = metrics.all("model_profile_info", model="m") if metrics else []
    return found[0][0]["profile"] if found else ""


def held(running: Sidecar, digest: str) -> float:
    """Rows that the hour's window holds against a reference."""
    metrics, labels = page(running), {"feature": "amount", "window": "1h", "profile": digest}
    return metrics.total("model_feature_window_samples", **labels) if metrics else -1


def files(state: Path) -> list[Path]:
    return sorted((state / "provisional").glob("*.json"))


def test_the_first_rows_become_a_reference_that_survives_the_analyser_a_restart_and_gives_way_to_a_profile(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    with model_server() as upstream:
        with sidecar(upstream, *FAST, "--state", str(state)) as running:
            predict(running.url, rows_of(500, 1))
            eventually(
                lambda: (
                    running.metrics().all("inference_exporter_provisional_rows", model="m", model_version="unknown")
                    and running.metrics().value("inference_exporter_provisional_rows", model="m") == 500
                ),
                what="500 rows collected",
            )
            assert referred(running) == ""
            predict(running.url, rows_of(100, 2))
            digest = eventually(lambda: referred(running), what="a provisional reference")
            assert not running.metrics().all("inference_exporter_provisional_rows", model="m")
            (file,) = eventually(lambda: files(state), what="its file")
            shown = command("profile", "show", str(file))
            assert shown.returncode == 0, shown.stderr
            assert "live traffic from" in shown.stdout
            assert json.loads(file.read_text())["provisional"] is True
            predict(running.url, rows_of(300, 3))
            eventually(lambda: held(running, digest) == 300, what="the rows in the window")
            analyser = running.pid_of("exporter.analyser")
            os.kill(analyser, signal.SIGKILL)
            eventually(lambda: running.pid_of("exporter.analyser") not in {0, analyser}, what="another analyser")
            assert eventually(lambda: referred(running), what="its page") == digest
            assert held(running, digest) == 300
            assert running.stop() == 0
        with sidecar(upstream, *FAST, "--state", str(state)) as running:
            predict(running.url, rows_of(700, 4, shift=3.0))
            assert eventually(lambda: referred(running), what="the same reference") == digest
            eventually(lambda: held(running, digest) == 1000, what="the rows in the window")
            file.unlink()
            eventually(lambda: not referred(running), what="deleted, it begins anew")
            predict(running.url, rows_of(700, 5))
            again = eventually(lambda: referred(running), what="another one")
            assert again != digest
            (file,) = eventually(lambda: files(state), what="its file")
            assert running.stop() == 0
        real = tmp_path / "real.json"
        real.write_text(json.dumps(json.loads(file.read_text()) | {"provisional": False}))
        with sidecar(upstream, *FAST, "--state", str(state), "--profile", str(real)) as running:
            assert referred(running) not in {"", again, digest}
        assert files(state) == [file]


def test_without_a_state_directory_it_survives_the_analyser_and_a_reload(tmp_path: Path) -> None:
    config = tmp_path / "exporter.yml"
    config.write_text("{}\n")
    with model_server() as upstream, sidecar(upstream, *FAST, "--config", str(config)) as running:
        predict(running.url, rows_of(600, 1))
        digest = eventually(lambda: referred(running), what="a provisional reference")
        config.write_text("windows: { minimum_samples: 7 }\n")
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: "settings reloaded, changed: windows.minimum_samples" in running.log())
        predict(running.url, rows_of(8, 2))
        labels = {"feature": "amount", "window": "1m", "profile": digest}
        eventually(
            lambda: (metrics := page(running)) and metrics.total("model_feature_window_sufficient", **labels) == 1,
            what="the next analyser with the same reference",
        )
