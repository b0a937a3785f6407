"""Texts, vectors and salted categories through the whole sidecar; the salt comes with SIGHUP and is shown nowhere."""

import csv
import json
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import Metrics, Sidecar, command, eventually, model_server, predict, sidecar

SECRET = "open sesame, open sesame"  # noqa: S105 (a test's)
FAST = {"windows": {"pane": "1s", "lengths": ["60s"], "snapshot_interval": "100ms"}}


def profile(folder: Path) -> Path:
    source = random.Random(6)
    with (folder / "train.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["town", "note", *(f"vector[{place}]" for place in range(4)), "p"])
        for row in range(800):
            cells = [source.gauss(0, place + 1) for place in range(4)]
            table.writerow([source.choice(["Oslo", "Lima"]), f"words {row} of a person", *cells, source.random()])
    (folder / "salt").write_text(SECRET)
    built = command(
        "profile", "build", str(folder / "train.csv"), "--prediction", "p", "--hash", "town", "--salt-file",
        str(folder / "salt"), "--embedding", "vectors=vector*", "--output", str(folder / "profile.json"),
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return folder / "profile.json"


def rows(count: int) -> list[dict[str, Any]]:
    source = random.Random(7)
    return [
        {"town": source.choice(["Oslo", "Lima"]), "note": "да", "vector": [source.gauss(0, 1) for _ in range(4)]}
        for _ in range(count)
    ]


def counted(metrics: Metrics, feature: str) -> float:
    return metrics.total("model_feature_values_total", feature=feature)


def page(running: Sidecar) -> Metrics | None:
    """None while the analyser starts anew."""
    status, text = running.get(running.web_port, "/metrics")
    return Metrics(text.decode()) if status == 200 else None


def until(running: Sidecar, check: Callable[[Metrics], bool]) -> Metrics:
    found: Metrics = eventually(lambda: one if (one := page(running)) and check(one) else None)
    return found


def test_what_is_computed_of_fields_is_counted_under_the_salt_that_is_there(tmp_path: Path) -> None:
    made = profile(tmp_path)
    settings = tmp_path / "exporter.yml"
    settings.write_text(json.dumps(FAST | {"profile": str(made)}))
    with model_server() as upstream, sidecar(upstream, "--config", str(settings)) as running:
        predict(running.url, rows(50))
        metrics = until(running, lambda found: counted(found, "note.charset") == 50)
        assert metrics.value("model_profile_unreadable_columns") == 1
        assert counted(metrics, "town") == 0
        assert {counted(metrics, f"vectors.{name}") for name in ("norm", "cosine", "residual")} == {50}
        assert metrics.value("model_feature_unseen_values_total", feature="note.charset") == 50
        assert "1 columns of the profile" in running.log()
        settings.write_text(json.dumps(FAST | {"profile": str(made), "salt_file": str(tmp_path / "salt")}))
        running.process.send_signal(signal.SIGHUP)
        until(running, lambda found: found.total("model_profile_unreadable_columns") == 0)
        assert "settings reloaded, changed: salt_file" in running.log()
        predict(running.url, rows(50))
        metrics = until(running, lambda found: counted(found, "town") == 50)
        assert metrics.value("model_feature_unseen_values_total", feature="town") == 0
        for word in ("Oslo", SECRET):
            assert word not in metrics.text + running.log()
