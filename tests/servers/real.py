"""Real model servers in environments of their own, a classifier for them, and what the sidecar must say of traffic."""

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from monitor_scenes import bin_of
from support import Metrics, Sidecar, command, eventually

from exporter.profile import document
from exporter.reference import Column, Profile

PROGRAMS = Path(__file__).parent / "programs"
ENVIRONMENTS = Path(__file__).parents[2] / "build" / "servers"
WINDOWS = ("--windows.pane", "1s", "--windows.lengths", "60s,600s")


class Scene(NamedTuple):
    """A trained model, in the environment of a server."""

    python: Path
    directory: Path
    profile: Profile
    names: list[str]
    rows: list[list[float]]

    @property
    def flags(self) -> tuple[str, ...]:
        return ("--profile", str(self.directory / "profile.json"), *WINDOWS)

    @property
    def live(self) -> str:
        return str(self.directory / "live.json")


def scene(server: str, directory: Path) -> Scene:
    """Train and profile; skips where the server's environment is not there."""
    python = ENVIRONMENTS / server / "bin" / "python"
    if not (ENVIRONMENTS / server / ".made").exists():
        pytest.skip(f"{server} is not installed: `make test-servers` does it")
    run(python, "train.py", str(directory))
    built = command(
        "profile", "build", str(directory / "train.csv"), "--prediction", "predict", "--model", "cancer",
        "--output", str(directory / "profile.json"),
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    live = json.loads((directory / "live.json").read_text())
    profile = document.load(str(directory / "profile.json"))
    return Scene(python, directory, profile, live["names"], live["rows"])


def run(python: Path, program: str, *words: str) -> str:
    """Run one of the programs to its end; what it printed."""
    done = subprocess.run(
        [str(python), str(PROGRAMS / program), *words], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def serving(
    words: Sequence[str], directory: Path, ready_url: str, environ: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A server, in a group of processes of its own that ends with the block."""
    log_path = directory / "server.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            words, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env=os.environ | dict(environ or {}),
        )  # fmt: skip

        def ready() -> bool:
            if process.poll() is not None:
                pytest.fail(f"{words[0]} ended with {process.returncode}: {log_path.read_text(errors='replace')}")
            try:
                with urllib.request.urlopen(ready_url, timeout=5) as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        try:
            eventually(ready, what=f"{words[0]} ready")
            yield
        except BaseException:
            print(log_path.read_text(errors="replace")[-5000:])
            raise
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(20)


def post(url: str, body: bytes, **headers: str) -> bytes:
    request = urllib.request.Request(url, body, {name.replace("_", "-"): value for name, value in headers.items()})
    with urllib.request.urlopen(request, timeout=60) as answer:
        content: bytes = answer.read()
        return content


# --- what must be said of it


def check_counts(running: Sidecar, scene_: Scene, predictions: Sequence[Any], requests: int, **near: float) -> None:
    """All was observed and decoded, and every count and mean is that of the rows sent and the answers that came."""
    metrics = running.settled(requests)
    assert metrics.total("inference_exporter_exchanges_dropped_total") == 0
    for side in ("request", "response"):
        undecoded = metrics.all("inference_exporter_payloads_undecoded_total", side=side)
        assert [labels for labels, count in undecoded if count] == []
        assert metrics.total("inference_exporter_payloads_offered_total", side=side) == requests
        assert metrics.total("inference_exporter_payloads_decoded_total", side=side) == requests
    assert metrics.total("model_rows_total") == len(scene_.rows)
    metrics = _scored(running, len(scene_.rows))
    sent = np.array(scene_.rows)
    for place, name in enumerate(scene_.names):
        [column] = [one for one in scene_.profile.features if one.name == name]
        _check_column(metrics, "feature", column, sent[:, place].tolist(), near)
    [output] = scene_.profile.outputs
    _check_column(metrics, "prediction", output, list(predictions), near)


def _scored(running: Sidecar, rows: int) -> Metrics:
    """A page whose windows hold everything."""

    def page() -> Metrics | None:
        metrics = running.metrics()
        samples = metrics.all("model_feature_window_samples", window="10m")
        return metrics if samples and all(count == rows for _, count in samples) else None

    found: Metrics = eventually(page, what="windows with every row")
    return found


def _check_column(metrics: Metrics, what: str, column: Column, cells: list[Any], near: Mapping[str, float]) -> None:
    label = {"feature" if what == "feature" else "output": column.name}
    bins = metrics.all(f"model_{what}_bin_total", **label)
    found = {int(labels["bin"]): count for labels, count in bins}
    expected = np.bincount([bin_of(column, cell) for cell in cells], minlength=len(column.counts))
    assert found == {place: expected[place] for place in found}, column.name
    assert sum(found.values()) == len(cells)
    if column.ordered:
        z = metrics.value(f"model_{what}_mean_shift_zscore", window="10m", **label)
        deviation = (np.mean(cells) - column.mean) / column.sd
        wanted = deviation / np.sqrt(1 / len(cells) + 1 / column.finite)
        assert z == pytest.approx(wanted, rel=near.get("rel", 1e-9)), column.name
