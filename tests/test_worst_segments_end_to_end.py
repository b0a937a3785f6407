"""A part of the traffic that is served worse, through a real sidecar: /metrics and the status page name it."""

import json
import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from monitor_scenes import write_csv
from support import Answering, Metrics, Sidecar, build_profile, eventually, model_server, sidecar

COUNTRIES, TARIFFS = ("DE", "FR", "US"), ("new", "old", "trial", "flat")
ROWS, REQUESTS = 40, 60
FAST = ("--windows.pane", "1s", "--windows.lengths", "60s", "--windows.snapshot-interval", "100ms",
        "--feedback.enable", "true", "--evidence.default-dependence", "1")  # fmt: skip
BAD = "country=DE, tariff=old"


class Approving(Answering):
    """It approves what has an x above 0."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        rows = json.loads(self.rfile.read(int(self.headers["content-length"])))["instances"]
        said = ["yes" if row["x"] > 0 else "no" for row in rows]
        self._send(200, json.dumps({"predictions": said}).encode(), "application/json")


def made(seed: int, count: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    return [
        {"x": round(float(random.normal()), 4), "country": str(random.choice(COUNTRIES)),
         "tariff": str(random.choice(TARIFFS))}
        for _ in range(count)
    ]  # fmt: skip


def trained(path: Path) -> Path:
    """A profile of training data in which one answer in ten was wrong, whoever asked."""
    rows, random = made(1, 4000), np.random.default_rng(2)
    said = ["yes" if row["x"] > 0 else "no" for row in rows]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    columns |= {"approved": said, "paid": [other(one) if random.random() < 0.1 else one for one in said]}
    source = write_csv(path / "train.csv", columns)
    return build_profile(Path(source), path / "profile.json", "--prediction", "approved", "--target", "paid")


def other(said: str) -> str:
    return "no" if said == "yes" else "yes"


def ask(running: Sidecar, number: int) -> list[dict[str, Any]]:
    """Some rows under one id; what turned out, to be told. Old tariffs of DE are wrong as often as not."""
    rows, random = made(100 + number, ROWS), np.random.default_rng(1000 + number)
    request = urllib.request.Request(
        f"{running.url}/v1/models/m:predict", json.dumps({"instances": rows}).encode(),
        {"content-type": "application/json", "x-request-id": f"r{number}"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        said = json.load(answer)["predictions"]
    share = [0.5 if (row["country"], row["tariff"]) == ("DE", "old") else 0.1 for row in rows]
    return [
        {"id": f"r{number}", "row": at, "truth": other(one) if random.random() < share[at] else one}
        for at, one in enumerate(said)
    ]


def tell(running: Sidecar, records: list[dict[str, Any]]) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.web_port}/feedback", json.dumps(records).encode(),
        {"content-type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def page(running: Sidecar) -> Metrics:
    status, body = running.get(running.web_port, "/metrics")
    assert status == 200
    return Metrics(body.decode())


def named(running: Sidecar) -> dict[str, float]:
    """Parts with their shares of wrong answers."""
    return {labels["segment"]: value for labels, value in page(running).all("model_worst_segment_error_ratio")}


def test_a_pair_of_values_that_is_wrong_half_of_the_time_is_named(tmp_path: Path) -> None:
    flags = (*FAST, "--profile", str(trained(tmp_path)), "--segments.search", "country,tariff,x",
             "--state", str(tmp_path / "state"), "--state.interval", "1s")  # fmt: skip
    with model_server(Approving) as server:
        with sidecar(server, *flags) as running:
            with ThreadPoolExecutor(2) as pool:
                asked = list(pool.map(lambda number: ask(running, number), range(REQUESTS)))
            count = ROWS * REQUESTS
            eventually(lambda: page(running).total("model_predictions_opened_total") == count, what="predictions kept")
            for records in asked:  # each a lump of truths of its own, at most a pane later
                tell(running, records)
            eventually(lambda: page(running).total("model_truths_joined_total") == count, what="truths joined")
            found = eventually(lambda: named(running), what="a part named")
            assert [*found] == [BAD]
            assert 0.35 < found[BAD] < 0.65
            shown = page(running)
            assert 0.05 < shown.value("model_worst_segment_others_error_ratio", segment=BAD) < 0.15
            assert shown.total("model_segment_search_cells") > 90
            _, body = running.get(running.web_port, "/")
            assert re.search(rf"{BAD}(</\w+>)*: wrong [\d.]+% of [\d,]+ answers, all others", body.decode())
            assert running.stop() == 0
        with sidecar(server, *flags) as running:
            again = eventually(lambda: named(running), what="what was known before")
            assert [*again] == [BAD], "no truth has come since"
            assert 0.35 < again[BAD] < 0.65
