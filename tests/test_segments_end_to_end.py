"""Performance by segment at a real sidecar: what scikit-learn says of raw rows, before and after a restart."""

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from monitor_scenes import write_csv
from sklearn import metrics as sklearn
from support import Answering, Metrics, Sidecar, build_profile, eventually, model_server, sidecar

BY = json.dumps(["country", {"name": "tenant", "header": "X-Tenant"}])
FLAGS = (
    "--windows.pane", "1s", "--windows.lengths", "60s", "--feedback.enable", "true", "--segments.by", BY,
    "--performance.windows", "[1h]", "--performance.minimum-samples", "50", "--state.interval", "1s",
)  # fmt: skip
ROWS = 20
Row = dict[str, Any]


class Server(Answering):
    """Gives back the score that a row brings along."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        rows = json.loads(self.rfile.read(int(self.headers["content-length"])))["instances"]
        self._send(200, json.dumps({"predictions": [row["x"] for row in rows]}).encode(), "application/json")


def table(rows: int, seed: int, bad: str = "") -> list[Row]:
    """Wrong in a tenth of the cases; in a bad country in half of them."""
    random = np.random.default_rng(seed)
    countries, scores = random.choice(["DE", "FR", "IT"], rows), random.random(rows).round(3)
    wrong = random.random(rows) < np.where(countries == bad, 0.5, 0.1)
    true = ((scores >= 0.5) != wrong).astype(int)
    return [
        {"x": float(score), "country": str(country), "y": int(truth)}
        for score, country, truth in zip(scores, countries, true, strict=True)
    ]


def post(url: str, body: Any, **headers: str) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def ask(running: Sidecar, rows: list[Row], first: int) -> list[Row]:
    """Truths of what is asked, ROWS at a time."""
    truths = []
    for at in range(0, len(rows), ROWS):
        part, name = rows[at : at + ROWS], f"r{first + at}"
        instances = [{"x": row["x"], "country": row["country"]} for row in part]
        headers = {"x-request-id": name, "x-tenant": "acme"}
        post(f"{running.url}/v1/models/m:predict", {"instances": instances}, **headers)
        truths += [{"id": name, "row": number, "truth": row["y"]} for number, row in enumerate(part)]
    return truths


def tell(running: Sidecar, truths: list[Row], seed: int) -> None:
    shuffled = [truths[at] for at in np.random.default_rng(seed).permutation(len(truths))]
    told = post(f"http://127.0.0.1:{running.web_port}/feedback", shuffled)
    assert told["matched"] + told["early"] == len(truths)


def page(running: Sidecar) -> Metrics:
    return Metrics(running.get(running.web_port, "/metrics")[1].decode())


def assert_is_said(running: Sidecar, rows: list[Row]) -> Metrics:
    """Of every country what scikit-learn says."""

    def whole() -> Metrics | None:
        found = page(running)
        total = found.total("model_segment_performance_samples", segment="country")
        return found if total == len(rows) else None

    found: Metrics = eventually(whole, what="all truths counted")
    for country in ("DE", "FR", "IT"):
        own = [row for row in rows if row["country"] == country]
        said, true = [int(row["x"] >= 0.5) for row in own], [row["y"] for row in own]
        wanted = {
            "samples": len(own), "sufficient": 1, "accuracy": sklearn.accuracy_score(true, said),
            "precision": sklearn.precision_score(true, said), "recall": sklearn.recall_score(true, said),
            "brier": sklearn.brier_score_loss(true, [row["x"] for row in own]),
            "error_ratio": 1 - sklearn.accuracy_score(true, said),
        }  # fmt: skip
        for word, value in wanted.items():
            seen = found.value(f"model_segment_performance_{word}", segment="country", value=country, window="1h")
            assert abs(seen - value) < 1e-9, (country, word)
    return found


def test_every_segment_has_its_own_performance_and_a_bad_one_is_told_from_chance(tmp_path: Path) -> None:
    training = table(6000, 1)
    columns = {"x": [row["x"] for row in training], "p": [row["x"] for row in training]}
    columns |= {name: [row[name] for row in training] for name in ("country", "y")}
    words = ("--prediction", "p", "--target", "y", "--segment", "country")
    profile = build_profile(Path(write_csv(tmp_path / "t.csv", columns)), tmp_path / "profile.json", *words)
    state = tmp_path / "state"
    flags = (*FLAGS, "--profile", str(profile), "--state", str(state))
    rows = table(800, 2, bad="IT")
    with model_server(Server) as server:
        with sidecar(server, *flags) as running:
            truths = ask(running, rows, 0)
            tell(running, truths[:500], 3)
            assert_is_said(running, rows[:500])
            counted = time.time()
            eventually(
                lambda: any(path.stat().st_mtime > counted + 1 for path in state.glob("m-*.ixstate")), what="state"
            )
        with sidecar(server, *flags) as running:  # from what is on disk, and predictions that still wait
            tell(running, truths[500:], 4)
            found = assert_is_said(running, rows)
            of = {"segment": "country", "window": "1h"}
            beyond = {
                labels["value"] for labels, error in found.all("model_segment_performance_error_ratio", **of)
                if error > found.value("model_segment_performance_error_ratio_critical", value=labels["value"], **of)
            }  # fmt: skip
            assert beyond == {"IT"}
            assert not found.all("model_segment_performance_error_ratio_critical", segment="tenant")
            assert {
                labels["value"] for labels, _ in found.all("model_segment_performance_samples", segment="tenant")
            } >= {"acme"}
