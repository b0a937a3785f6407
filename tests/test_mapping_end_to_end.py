"""Maps and names through the whole sidecar: what the clients of free JSON send is counted under the profile's names."""

import csv
import json
import random
import urllib.request
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from support import Metrics, Sidecar, build_profile, command, eventually, model_server, sidecar
from test_metadata import MODEL

JOBS = ["admin", "clerk", "miner"]


class FreeJson(BaseHTTPRequestHandler):
    """A server of somebody's own: `{"user": ..., "items": [...]}` in, `{"result": [{"p": [no, yes]}, ...]}` out."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        self._send(json.dumps(MODEL).encode())

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.startswith("/v2"):
            rows = len(document["inputs"][0]["data"]) // 2
            tensor = {"name": "label", "shape": [rows], "datatype": "BYTES", "data": ["no"] * rows}
            self._send(json.dumps({"outputs": [tensor]}).encode())
        else:
            self._send(json.dumps({"result": [{"p": [0.25, 0.75]} for _ in document["items"]]}).encode())

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = random.Random(3)
    folder = tmp_path_factory.mktemp("mapping")
    with (folder / "train.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["tenure", "age", "job", "label"])
        for _ in range(600):
            age, tenure = source.gauss(40, 5), source.gauss(400, 50)
            table.writerow([tenure, age, source.choice(JOBS), source.choice(["no", "yes"])])
    words = ("--prediction", "label", "--model", "churn", "--model-version", "7")
    return build_profile(folder / "train.csv", folder / "profile.json", *words)


def post(running: Sidecar, path: str, document: Any) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{running.port}{path}", json.dumps(document).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def shares(metrics: Metrics, family: str, **column: str) -> dict[str, float]:
    """Values counted by what their bin is called."""
    texts = {labels["bin"]: labels["text"] for labels, _ in metrics.all(f"{family}_bin_info", **column)}
    found = metrics.all(f"{family}_bin_total", **column)
    return {texts[labels["bin"]]: value for labels, value in found if value}


def test_free_json_is_counted_under_the_names_of_the_profile(profile: Path, tmp_path: Path) -> None:
    (tmp_path / "map.yml").write_text("""
features:
  age: /items/*/person/age
  tenure: /user/tenure
  job: {field: /items/*/job, values: {0: admin, 1: clerk, 2: miner}}
outputs:
  label: {field: /result/*/p, argmax: ["no", "yes"]}
""")
    with model_server(FreeJson) as upstream:
        flags = ("--profile", str(profile), "--config", str(tmp_path / "map.yml"))
        with sidecar(upstream, *flags) as running:
            items = [{"person": {"age": 40}, "job": 1}, {"person": {"age": 41}, "job": 7}, {"person": {}, "job": 2}]
            for _ in range(20):
                post(running, "/rank", {"user": {"tenure": 400}, "items": items})
            metrics = running.settled(20)
    assert metrics.value("model_rows_total") == 60
    assert metrics.total("inference_exporter_payloads_undecoded_total") == 0
    assert metrics.total("inference_exporter_unknown_fields_total") == 0
    assert shares(metrics, "model_feature", feature="job") == {"clerk": 20, "unseen": 20, "miner": 20}
    assert shares(metrics, "model_prediction", output="label") == {"yes": 60}
    assert metrics.value("model_feature_missing_values_total", feature="age") == 20
    assert metrics.value("model_feature_missing_values_total", feature="tenure") == 0
    assert metrics.value("model_feature_out_of_range_values_total", feature="tenure") == 0


def test_a_map_longer_than_a_pipe_reaches_the_analyser(profile: Path, tmp_path: Path) -> None:
    codes = {f"{number:0100d}": "admin" for number in range(1500)}
    said = {"age": "/items/*/age", "job": {"field": "/items/*/job", "values": codes}}
    (tmp_path / "map.yml").write_text(json.dumps({"features": said}))
    with model_server(FreeJson) as upstream:
        flags = ("--profile", str(profile), "--config", str(tmp_path / "map.yml"))
        with sidecar(upstream, *flags) as running:
            post(running, "/rank", {"items": [{"age": 40, "job": f"{1:0100d}"}]})
            metrics = running.settled(1)
    assert shares(metrics, "model_feature", feature="job") == {"admin": 1}


def test_the_servers_own_names_put_bare_tensors_in_order(profile: Path) -> None:
    rows = [41.0, 410.0, 42.0, 420.0]
    body = {"inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP64", "data": rows}]}
    with model_server(FreeJson) as upstream, sidecar(upstream, "--profile", str(profile)) as running:

        def ages() -> bool:
            post(running, "/v2/models/churn/infer", body)
            return bool(shares(running.metrics(), "model_feature", feature="age"))

        eventually(ages, what="names of the server")
        metrics = running.metrics()
        assert metrics.value("model_feature_out_of_range_values_total", feature="age") == 0
        assert metrics.value("model_feature_out_of_range_values_total", feature="tenure") == 0


def test_a_map_of_no_column_of_the_profile_is_refused(profile: Path) -> None:
    said = ("--profile", str(profile), "--features", '{"aeg": "input-0"}')
    refused = command("check", *said)
    assert refused.returncode == 64
    assert refused.stderr == "inference-exporter: features.aeg: no column of the profile, did you mean age?\n"


def test_a_forced_protocol_and_ids_that_settings_name_reach_the_analyser(profile: Path) -> None:
    flags = ("--protocol", "/rank=seldon", "--request-id.header", "X-Mark", "--request-id.columns", "tenure,age",
             "--outputs", '{"label": {"field": "p", "argmax": ["no", "yes"]}}')  # fmt: skip
    row = {"tenure": 400, "age": 40, "job": "clerk"}
    with model_server(FreeJson) as upstream, sidecar(upstream, "--profile", str(profile), *flags) as running:
        post(running, "/rank", {"items": [row]})
        post(running, "/other", {"items": [row]})
        post(running, "/other", {"items": [{"job": "clerk"}]})
        request = urllib.request.Request(f"http://127.0.0.1:{running.port}/other", b'{"items": [{"job": "clerk"}]}',
                                         {"x-MARK": "4711"})  # fmt: skip
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
        metrics = running.settled(4)
    undecoded = metrics.all("inference_exporter_payloads_undecoded_total", side="request")
    assert {labels["reason"]: value for labels, value in undecoded if value} == {
        "unknown_protocol": 1, "profile_mismatch": 2,
    }  # fmt: skip
    assert metrics.value("model_predictions_without_id_total") == 1
