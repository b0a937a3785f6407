"""Business values at a real sidecar, of bodies, columns and truths; these come by the command, whoever dies."""

import json
import os
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from hindsight_scenes import KINDS, table
from monitor_scenes import write_csv
from support import Answering, Metrics, Sidecar, build_profile, command, eventually, model_server, sidecar

VALUES = json.dumps([
    {"name": "budget", "pointer": {"side": "request", "pointer": "/context/budget"}},
    {"name": "fee", "pointer": {"side": "response", "pointer": "/fees"}}, {"name": "price", "output": "price"},
    {"name": "profit", "feedback": True},
])  # fmt: skip
REQUESTS = 40


class Server(Answering):
    """Says of request n that it costs 100 + n, and takes a fee of each of its rows."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's)
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        rows, number = len(asked["instances"]), asked["number"]
        answer = {"predictions": [100 + number] * rows, "fees": [0.1] * rows}
        self._send(200, json.dumps(answer).encode(), "application/json")


def ask(running: Sidecar, number: int) -> None:
    """Two rows under one id."""
    body: dict[str, Any] = {
        "instances": [{"x": 0.5}, {"x": 1.5}],
        "number": number,
        "context": {"budget": 0.25 * number},
    }
    request = urllib.request.Request(
        f"{running.url}/v1/models/m:predict", json.dumps(body).encode(),
        {"content-type": "application/json", "x-request-id": str(number)},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


def summed(running: Sidecar) -> dict[str, tuple[float, float]]:
    """Rows and sum of each value, of the window of a day."""
    status, body = running.get(running.web_port, "/metrics")
    page = Metrics(body.decode() if status == 200 else "")
    rows = {labels["name"]: value for labels, value in page.all("model_business_value_rows", window="24h")}
    sums = {labels["name"]: value for labels, value in page.all("model_business_value_summed", window="24h")}
    return {name: (rows[name], sums[name]) for name in rows}


def kept(running: Sidecar) -> float:
    """Predictions in the store that wait for their truths."""
    status, body = running.get(running.web_port, "/metrics")
    page = Metrics(body.decode() if status == 200 else "")
    return page.total("inference_exporter_feedback_store_predictions", state="open")


def test_values_of_traffic_and_of_truths_are_summed_to_the_cent(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "train.csv", table(KINDS["regression"]))
    profile = build_profile(Path(source), tmp_path / "profile.json", "--prediction", "price")
    token = tmp_path / "token"
    token.write_text("0123456789abcdef")
    flags = (
        "--windows.pane", "1s", "--windows.lengths", "60s", "--feedback.enable", "true", "--values", VALUES,
        "--profile", str(profile), "--state", str(tmp_path / "state"), "--feedback.token-file", str(token),
    )  # fmt: skip
    truths = tmp_path / "truths.csv"
    lines = [f"{number},{row},{100 + number},{(-1) ** row * 0.07}" for number in range(REQUESTS) for row in range(2)]
    truths.write_text("id,row,truth,profit\n" + "\n".join(lines[:-1]) + "\nnobody,0,1,1000\n1,0,many,1\n")
    numbers = range(REQUESTS)
    wanted = {
        "budget": (REQUESTS, sum(numbers) / 4), "fee": (2 * REQUESTS, pytest.approx(0.2 * REQUESTS)),
        "price": (2 * REQUESTS, sum(200 + 2 * number for number in numbers)),
    }  # fmt: skip
    with model_server(Server) as server, sidecar(server, *flags) as running:
        for number in numbers:
            ask(running, number)
        eventually(lambda: summed(running) == wanted, what="values of traffic")
        eventually(lambda: kept(running) == 2 * REQUESTS, what="predictions in their store: a death loses what is not")
        os.kill(running.pid_of("exporter.analyser") or 0, signal.SIGKILL)
        words = (str(truths), "--url", f"http://127.0.0.1:{running.web_port}", "--row", "row", "--value", "profit")
        told = command("feedback", *words, "--token-file", str(token), "--batch", "7")
        assert told.returncode == 65, told.stderr
        assert told.stdout == (
            f"{truths}: 81 rows: 79 matched, 1 early, 1 malformed\n"
            "  row 81: truth: must be a number: the model predicts numbers\n"
        )
        profit = (2 * REQUESTS - 1, pytest.approx(0.07))
        eventually(lambda: summed(running) == wanted | {"profit": profit}, what="values of truths, and each once")
        again = command("feedback", *words, "--token-file", str(token))
        assert "79 duplicate" in again.stdout or "80 duplicate" in again.stdout, again.stdout
        assert summed(running) == wanted | {"profit": profit}
        assert command("feedback", *words).returncode == 64  # without the token
