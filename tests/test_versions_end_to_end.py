"""Two versions and a shadow behind one real sidecar: what differs is told, and copies never count as served."""

import json
import random
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import Answering, Metrics, Sidecar, build_profile, eventually, model_server, sidecar

ROWS, EACH = 100, 600
STABLE_FLAGS = (
    "--versions.stable", "1", "--versions.shadow-header", "Host=*-shadow", "--windows.lengths", "5m,1h",
    "--windows.minimum-samples", "200",
)  # fmt: skip


class Versions(Answering):
    """An Open Inference server of one model: version 2, where a header asks for it, answers a tenth higher."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        version = self.headers.get("x-version", "1")
        scores = [cell * (1.1 if version == "2" else 1.0) for cell in body["inputs"][0]["data"]]
        answer = {
            "model_name": "churn", "model_version": version,
            "outputs": [{"name": "score", "shape": [len(scores)], "datatype": "FP64", "data": scores}],
        }  # fmt: skip
        self._send(200, json.dumps(answer).encode(), "application/json")


def ask(running: Sidecar, random_rows: random.Random, **headers: str) -> None:
    """One request of ROWS rows, whose scores have a mean of 0.5 and a standard deviation of 0.15."""
    data = [random_rows.gauss(0.5, 0.15) for _ in range(ROWS)]
    asked = {"inputs": [{"name": "x", "shape": [ROWS, 1], "datatype": "FP64", "data": data}]}
    named = {"x-version": headers.pop("version", "1"), "content-type": "application/json", **headers}
    request = urllib.request.Request(f"{running.url}/v2/models/churn/infer", json.dumps(asked).encode(), named)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
        answer.read()


def played(running: Sidecar) -> Metrics:
    """Rows to the stable version, to a canary, and copies of the stable one's to a shadow of version 2."""
    rows = random.Random(5)
    for _ in range(EACH // ROWS):
        ask(running, rows)
        ask(running, rows, version="2")
        ask(running, rows, version="2", host="churn.shop.svc-shadow:8080")
    running.settled(3 * EACH // ROWS)
    return eventually(lambda: shown(running, EACH), what="all rows on the page")


def shown(running: Sidecar, rows: int) -> Metrics | None:
    page = running.metrics()
    found = page.all("model_prediction_mean_samples", window="1h", model_version="2-shadow")
    return page if found and found[0][1] >= rows else None


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory, rows = tmp_path_factory.mktemp("profile"), random.Random(1)
    lines = [f"{value},{value}\n" for value in (rows.gauss(0.5, 0.15) for _ in range(2000))]
    (directory / "train.csv").write_text("".join(["x,score\n", *lines]))
    words = ("--prediction", "score", "--model", "churn", "--model-version", "1")
    return build_profile(directory / "train.csv", directory / "profile.json", *words)


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    with model_server(Versions) as port:
        yield port


def test_a_canary_and_a_shadow_are_told_from_stable_and_go_on_after_a_restart(
    upstream: int, profile: Path, tmp_path: Path
) -> None:
    flags = (*STABLE_FLAGS, "--profile", str(profile), "--state", str(tmp_path / "state"))
    with sidecar(upstream, *flags) as running:
        page = played(running)
        roles = {labels["model_version"]: labels["role"] for labels, _ in page.all("model_version_info")}
        assert roles == {"1": "stable", "2": "canary", "2-shadow": "shadow"}
        for version in ("2", "2-shadow"):
            of = {"model_version": version, "against": "1", "output": "score", "window": "1h"}
            difference = page.value("model_version_prediction_mean_difference", **of)
            assert difference == pytest.approx(0.05, abs=0.03)
            assert difference > page.value("model_version_prediction_mean_difference_critical", **of)
        assert not page.all("model_version_prediction_mean_difference", model_version="1")
        # What nobody got is in no count of what was served.
        rows = {labels["model_version"]: value for labels, value in page.all("model_rows_total")}
        assert rows == {"1": EACH, "2": EACH}
        assert page.value("model_shadow_rows_total", model_version="2-shadow") == EACH
        assert page.value("model_shadow_requests_total", model_version="2-shadow", code="200") == EACH / ROWS
        assert page.total("model_requests_total", code="200") == 2 * EACH / ROWS
        assert not page.all("model_drift_evidence_nats", model_version="2-shadow")
        assert page.value("model_profile_version_mismatch", model_version="2") == 1
        assert page.value("model_profile_version_mismatch", model_version="1") == 0
        assert running.stop() == 0
    with sidecar(upstream, *flags) as again:
        page = eventually(lambda: shown(again, EACH), what="windows of the run before")
        roles = {labels["model_version"]: labels["role"] for labels, _ in page.all("model_version_info")}
        assert roles == {"1": "stable", "2": "canary", "2-shadow": "shadow"}
        for version in ("2", "2-shadow"):
            of = {"model_version": version, "output": "score", "window": "1h"}
            difference = page.value("model_version_prediction_mean_difference", **of)
            assert difference > page.value("model_version_prediction_mean_difference_critical", **of)
