"""golden record and golden check against a scikit-learn model behind HTTP, its file swapped and its cache broken."""

import json
import pickle
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from golden_requests.scripted import answer, says, take
from probing.peers import Caller, listening
from sklearn.linear_model import LogisticRegression
from support import command, free_port, model_server

from exporter import cli

PATH = "/v2/models/churn/infer"
NAMES = ("age", "amount", "visits")


def train(file: Path, seed: int, order: tuple[int, ...] = (0, 1, 2)) -> None:
    """A model of three features; of another order it is one whose training had its columns mixed up."""
    file.write_bytes(_trained(seed, order))


@cache
def _trained(seed: int, order: tuple[int, ...]) -> bytes:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(500, 3)) * (10, 100, 3) + (40, 200, 5)
    truth = rows @ (0.1, -0.02, 0.5) + random.normal(size=500) > 2.5
    model = LogisticRegression(max_iter=1000).fit(rows[:, list(order)], truth)
    return pickle.dumps(model)


class Served:
    """A model server that loads its model from a file whenever it is asked, in the Open Inference Protocol."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.version = "1"
        self.cache: dict[str, float] = {}
        """Of a feature store: what a feature is, whatever the request says."""
        self.trembling = 0.0
        self.asked = 0

    def infer(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        columns = {tensor["name"]: tensor["data"] for tensor in request["inputs"]}
        rows = np.array([[self.cache.get(name, value) for value in columns[name]] for name in NAMES], float).T
        scores = pickle.loads(self.file.read_bytes()).predict_proba(rows)[:, 1]  # noqa: S301 (our own)
        data = (scores + self.trembling * self.asked).tolist()
        tensor = {"name": "churn", "datatype": "FP64", "shape": [len(rows), 1], "data": data}
        return {
            "model_name": "churn", "model_version": self.version, "id": f"r{self.asked}", "outputs": [tensor],
        }  # fmt: skip

    def handler(self) -> type[BaseHTTPRequestHandler]:
        served = self

        class Handler(BaseHTTPRequestHandler):
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                try:
                    status, document = 200, served.infer(json.loads(body))
                except (KeyError, ValueError):
                    status, document = 400, {"error": "bad request"}
                content = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


class Scene:
    """A served model, and a directory of files of requests."""

    def __init__(self, served: Served, url: str, directory: Path) -> None:
        self.served = served
        self.url = url
        self.directory = directory
        self.file = directory / "golden.yml"

    def golden(self, *words: str) -> int:
        return cli.main(["golden", *words, "--url", self.url])

    def record(self, *words: str) -> int:
        return self.golden("record", *words, "--output", str(self.file))

    def check(self, *words: str) -> int:
        return self.golden("check", str(self.file), *words)


def tensors(*rows: tuple[float, float, float]) -> str:
    inputs = [
        {"name": name, "datatype": "FP64", "shape": [len(rows)], "data": list(column)}
        for name, column in zip(NAMES, zip(*rows, strict=True), strict=True)
    ]
    return json.dumps({"inputs": inputs})


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    train(tmp_path / "model.pickle", 0)
    (tmp_path / "smallest.json").write_text(tensors((18, 0, 0)))
    (tmp_path / "rows.jsonl").write_text(tensors((40, 200, 5)) + "\n" + tensors((60, 350, 2), (30, 150, 9)) + "\n")
    (tmp_path / "malformed.json").write_text('{"inputs": []}')
    served = Served(tmp_path / "model.pickle")
    with model_server(served.handler()) as port:
        yield Scene(served, f"http://127.0.0.1:{port}", tmp_path)


@pytest.fixture
def recorded(scene: Scene) -> Scene:
    _record(scene)
    return scene


def _record(scene: Scene) -> None:
    files = [str(scene.directory / name) for name in ("smallest.json", "rows.jsonl", "malformed.json")]
    assert scene.record(*files, "--path", PATH) == 0


def test_what_was_recorded_is_answered_again(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    _record(scene)
    said = capsys.readouterr().out
    assert "4 of 4 recorded" in said
    assert "smallest: /id differs from answer to answer: it is ignored" in said
    assert "malformed: is answered with 400" in said
    document = yaml.safe_load(scene.file.read_text())
    assert document["defaults"] == {"path": PATH}
    assert [case["name"] for case in document["cases"]] == ["smallest", "rows 1", "rows 2", "malformed"]
    assert document["cases"][0]["expect"]["ignore"] == ["/id", "/model_version"]
    assert scene.check("--repeat", "3") == 0
    assert "all 4 passed" in capsys.readouterr().out


def test_a_swapped_model_file_fails_and_is_named_case_by_case(
    recorded: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    train(recorded.served.file, 0, (1, 0, 2))
    capsys.readouterr()
    assert recorded.check() == 65
    said = capsys.readouterr().out
    assert "3 of 4 failed" in said
    assert re.search(r"FAIL  rows 2 .*version 1\n +value +/outputs/0/data/0: expected \d\.\d+ ± \S+, got \d", said)
    assert re.search(r"\n +/outputs/0/data/1: expected", said)
    assert re.search(r"pass  malformed", said)


def test_a_feature_that_a_broken_cache_fills_is_found_by_the_cases_that_have_another(recorded: Scene) -> None:
    recorded.served.cache = {"visits": 0.0}
    assert recorded.check() == 65
    assert recorded.check("--case", "smallest") == 0, "it has no visits"
    recorded.served.cache = {}
    assert recorded.check() == 0


def test_a_model_trained_anew_is_taken_in_and_what_people_wrote_stays(recorded: Scene) -> None:
    text = recorded.file.read_text().replace("ignore: [/id, /model_version]", "ignore: [/id, /model_version, /note]")
    recorded.file.write_text(text)
    train(recorded.served.file, 7)
    assert recorded.check() == 65
    assert recorded.record("--update") == 0
    assert recorded.check() == 0
    assert recorded.file.read_text().count("/note") == 3


def test_versions_stand_beside_each_other(recorded: Scene) -> None:
    train(recorded.served.file, 7)
    recorded.served.version = "2"
    good = [str(recorded.directory / name) for name in ("smallest.json", "rows.jsonl")]
    assert recorded.record(*good, "--path", PATH, "--update", "--by-version") == 0
    assert recorded.check() == 0
    train(recorded.served.file, 0)
    assert recorded.check() == 65, "version 2 is expected to answer as it did"
    recorded.served.version = "1"
    assert recorded.check() == 0


def test_what_trembles_gets_a_tolerance(scene: Scene) -> None:
    scene.served.trembling = 1e-4
    assert scene.record(str(scene.directory / "rows.jsonl"), "--path", PATH) == 0
    expect = yaml.safe_load(scene.file.read_text())["cases"][1]["expect"]
    assert expect["tolerances"] == {"/outputs/0/data/*": {"absolute": 0.0006}}


def test_reports_are_for_programs_too(recorded: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    train(recorded.served.file, 0, (1, 0, 2))
    capsys.readouterr()
    assert recorded.check("--format", "json") == 65
    told = json.loads(capsys.readouterr().out)
    assert (told["passed"], told["failed"], told["not_sent"]) == (1, 3, 0)
    assert told["cases"][0]["differences"][0]["pointer"] == "/outputs/0/data/0"
    report = recorded.directory / "report.xml"
    assert recorded.check("--format", "junit", "--output", str(report)) == 65
    suite = ET.parse(report).getroot()[0]  # noqa: S314 (our own)
    assert (suite.get("tests"), suite.get("failures")) == ("4", "3")
    failure = suite[0][0]
    assert (suite[0].get("name"), failure.tag, failure.get("type")) == ("smallest", "failure", "value")
    assert recorded.check("--max-failures", "2", "--format", "json") == 65
    assert json.loads(capsys.readouterr().out)["not_sent"] == 2


def test_what_a_stranger_answers_does_no_harm_to_a_terminal_or_a_report(scene: Scene) -> None:
    scene.file.write_text("cases: [{name: 'a <&>\"', request: {path: /}, expect: {text: x}}]")
    evil = b"\x1b]0;owned\x07 <script> ]]> \x00 & \xc2\x85 \xf0\x9f\x92\xa5"
    with listening(says(answer(evil))) as server:
        url = f"http://127.0.0.1:{server.port}"
        for form in ("text", "json", "junit"):
            report = scene.directory / form
            words = ("check", str(scene.file), "--url", url, "--format", form, "--output", str(report))
            assert cli.main(["golden", *words]) == 65
            assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2\x85", report.read_bytes())
    case = ET.parse(scene.directory / "junit").getroot()[0][0]  # noqa: S314 (our own)
    assert case.get("name") == 'a <&>"'


def test_a_server_that_is_not_there_yet_is_waited_for(recorded: Scene) -> None:
    calls: list[Caller] = []

    def starting(caller: Caller) -> None:
        calls.append(caller)
        take(caller)
        caller.send(answer(b"{}") if len(calls) > 2 else answer(b"", status="503 Loading"))

    recorded.file.write_text("cases: [{name: a, request: {path: /}, expect: {body: {}}}]")
    with listening(starting) as server:
        url = f"http://127.0.0.1:{server.port}"
        words = ["golden", "check", str(recorded.file), "--url", url]
        assert cli.main(words) == 65
        calls.clear()
        assert cli.main([*words, "--wait", "20s"]) == 0


# --- faults


def test_a_server_that_is_not_there_is_told_from_one_that_answers_wrongly(recorded: Scene) -> None:
    dead = ["--url", f"http://127.0.0.1:{free_port()}"]
    assert cli.main(["golden", "check", str(recorded.file), *dead]) == 69
    assert cli.main(["golden", "record", "--update", "--output", str(recorded.file), *dead]) == 69


def test_a_server_that_breaks_off_at_one_case_is_there(recorded: Scene) -> None:
    def breaks(caller: Caller) -> None:
        take(caller)
        if b"poison" not in caller.head:
            caller.send(answer(b"{}"))

    named = ("poison", "fine")
    cases = [{"name": name, "request": {"path": "/", "text": name}, "expect": {"body": {}}} for name in named]
    recorded.file.write_text(json.dumps({"cases": cases}))
    with listening(breaks) as server:
        assert cli.main(["golden", "check", str(recorded.file), "--url", f"http://127.0.0.1:{server.port}"]) == 65


@pytest.mark.parametrize(("words", "fault"), [
    (("check", "none.yml"), "none.yml: No such file"), (("check", "{file}", "--case", "x*"), "--case: no case"),
    (("check", "{file}", "--repeat", "0"), "--repeat"), (("check", "{file}", "--format", "html"), "--format"),
    (("check", "{file}", "--output", "/proc/none/x"), "--output: cannot write"),
    (("record", "--output", "{file}"), "is there: say --update"), (("record", "--output", "{new}"), "which requests?"),
    (("record", "{file}x", "--output", "{new}"), "cannot read"),
    (("record", "{body}", "--output", "{new}"), "request.path: must be there"),
    (("record", "{body}", "--output", "{new}", "--path", "/", "--header", "Authorization: x"), "header_files"),
    (("record", "{body}", "--output", "{new}", "--path", "/", "--header", "x"), "--header: must be"),
    (("record", "{body}", "--output", "{new}", "--path", "/", "--by-version"), "no case could be recorded"),
    (("check", "{file}", "--ca-file", "/none", "--url", "https://127.0.0.1:1"), "--ca-file: cannot use /none"),
])  # fmt: skip
def test_what_is_said_wrongly_is_one_line_and_exit_64(
    recorded: Scene, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], fault: str
) -> None:
    directory = recorded.directory
    places = {"file": recorded.file, "new": directory / "new.yml", "body": directory / "malformed.json"}
    capsys.readouterr()
    url = () if "--url" in words else ("--url", recorded.url)
    assert cli.main(["golden", *(word.format(**places) for word in words), *url]) == 64
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert fault in said
    assert not (directory / "new.yml").exists()


def test_cases_that_cannot_be_recorded_are_told_and_the_others_are_kept(
    recorded: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[Caller] = []

    def moody(caller: Caller) -> None:
        calls.append(caller)
        take(caller)
        caller.send(answer(b"[1]") if b"moody" not in caller.head or len(calls) % 2 else answer(b'{"a": 1}'))

    (recorded.directory / "moody.json").write_text('"moody"')
    output = recorded.directory / "new.json"
    with listening(moody) as server:
        files = [str(recorded.directory / name) for name in ("moody.json", "malformed.json")]
        words = ["record", *files, "--path", "/", "--output", str(output), "--url", f"http://127.0.0.1:{server.port}"]
        assert cli.main(["golden", *words]) == 65
    said = capsys.readouterr().out
    assert "moody: not recorded: is answered with another kind of JSON each time" in said
    assert "1 of 2 recorded" in said
    assert [case["name"] for case in json.loads(output.read_text())["cases"]] == ["malformed"]


def test_the_command_as_people_start_it(recorded: Scene) -> None:
    ended = command("golden", "check", str(recorded.file), "--url", recorded.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == "all 4 passed"
    assert command("golden").returncode == 64
