"""Golden requests of a real sidecar to a real server, whose model file is another one all at once."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import yaml
from sklearn.linear_model import LogisticRegression
from support import Metrics, Sidecar, command, eventually, free_port, model_server, sidecar

from exporter import marks

HERE: Final = Path(__file__).parent
PATH: Final = "/v2/models/churn/infer"
CASES: Final = {"a new customer": (20.0, "bob"), "an old customer": (35.0, "ada"), "nothing paid": (0.0, "eve")}
FAST: Final = ("--golden.interval", "1s")


def trained(seed: int, version: str, turned: float = 1.0) -> bytes:
    draw = np.random.default_rng(seed)
    rows = np.column_stack([draw.uniform(0, 60, 2000), draw.uniform(0, 60, 2000)])
    churned = draw.uniform(size=2000) < 1 / (1 + np.exp(turned * (rows[:, 0] - rows[:, 1]) / 20))
    return pickle.dumps((LogisticRegression().fit(rows, churned), version))


def asked(amount: float, customer: str) -> dict[str, Any]:
    return {"inputs": [
        {"name": "amount", "shape": [1], "datatype": "FP64", "data": [amount]},
        {"name": "customer", "shape": [1], "datatype": "BYTES", "data": [customer]},
    ]}  # fmt: skip


def post(port: int, path: str, document: object = None, **headers: str) -> Any:
    words = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(document).encode(), words)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


class Churn:
    """The server and its model file."""

    def __init__(self, directory: Path) -> None:
        self.file, self.port = directory / "model.pkl", free_port()
        self.file.write_bytes(trained(1, "7"))
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, str(HERE / "churn_server.py"), str(self.port), str(self.file)])
        eventually(self._answers, what="the model server")

    def _answers(self) -> bool:
        with suppress(OSError):
            return bool(post(self.port, PATH, asked(1.0, "ada")))
        return False

    def swap(self, content: bytes) -> None:
        self.file.write_bytes(content)
        post(self.port, "/reload")

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def written(self, path: Path) -> Path:
        """A file of golden requests with what it answers now."""
        cases = [
            {"name": name, "request": {"path": PATH, "body": asked(*row)},
             "expect": {"body": {"outputs": post(self.port, PATH, asked(*row))["outputs"]}}}
            for name, row in CASES.items()
        ]  # fmt: skip
        path.write_text(yaml.safe_dump({"cases": cases}))
        return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Churn]:
    made = Churn(tmp_path_factory.mktemp("server"))
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def churn(server: Churn) -> Churn:
    """The server as it was at first: to start it takes seconds."""
    if server.process.poll() is not None:
        server.start()
    post(server.port, "/mend")
    server.swap(trained(1, "7"))
    return server


@contextmanager
def watching(churn: Churn, directory: Path, *flags: str) -> Iterator[Sidecar]:
    file = churn.written(directory / "golden.yml")
    with sidecar(churn.port, "--golden.file", str(file), *FAST, *flags) as running:
        yield running


@pytest.fixture(scope="module")
def shared(server: Churn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    with watching(server, tmp_path_factory.mktemp("shared")) as running:
        yield running


@pytest.fixture
def running(churn: Churn, shared: Sidecar) -> Sidecar:
    """A sidecar that asks a server which is as it was at first, and knows it."""
    assert churn.process.poll() is None
    until(shared, lambda now: passing(now) == 1 and now.value("model_golden_cases") == 3, "all pass")
    return shared


def until(running: Sidecar, check: Callable[[Metrics], object], what: str) -> Metrics:
    def look() -> Metrics | None:
        status, body = running.get(running.web_port, "/metrics")
        metrics = Metrics(body.decode())
        with suppress(KeyError):
            return metrics if status == 200 and check(metrics) else None
        return None

    found: Metrics = eventually(look, what=what)
    return found


def written(running: Sidecar, words: str) -> None:
    """Lines are written by a thread of their own, so they may come after what the page says."""
    eventually(lambda: words in running.log(), what=f"the log says {words}")


def passing(metrics: Metrics, version: str = "7") -> float:
    return metrics.value("model_golden_pass_ratio", model="churn", model_version=version)


def rounds(metrics: Metrics) -> float:
    return metrics.value("inference_exporter_golden_rounds_total", outcome="complete")


def is_no_data(metrics: Metrics) -> bool:
    """Whether nothing was counted of any request."""
    counted = (
        "model_requests_total", "model_rows_total", "model_request_duration_seconds_count",
        "inference_exporter_exchanges_offered_total", "inference_exporter_payloads_offered_total",
        "model_predictions_without_id_total", "inference_exporter_golden_exchanges_total",
    )  # fmt: skip
    return not sum(metrics.total(name) for name in counted)


def test_a_swapped_model_file_is_found_within_an_interval_and_nothing_is_counted_as_data(
    churn: Churn, running: Sidecar
) -> None:
    before = running.metrics()
    assert {labels["case"] for labels, _ in before.all("model_golden_case_failed_times")} == set(CASES)
    churn.swap(trained(2, "7", turned=-1.0))
    swapped = running.metrics()
    after = until(running, lambda now: passing(now) == 0, "none passes")
    # The round that was under way, and the whole one that came next, however slow this machine is.
    assert rounds(after) - rounds(swapped) <= 3
    failing = until(running, lambda now: now.value("model_golden_failing_cases", times="2") == 3, "twice")
    assert failing.value("model_golden_failures_total", reason="value") >= 6
    assert is_no_data(failing)
    written(running, "fails: value, /outputs/0/data/0: expected 0.")
    status = running.get(running.web_port, "/")[1].decode()
    assert "golden request" in status
    assert "/outputs/0/data/0: expected" in status
    churn.swap(trained(1, "7"))
    until(running, lambda now: passing(now) == 1, "all pass again")
    written(running, "passes again")


def test_a_broken_feature_store_is_found_without_traffic(churn: Churn, running: Sidecar) -> None:
    post(churn.port, "/cache")
    until(running, lambda now: passing(now) == 0, "none passes")
    post(churn.port, "/mend")
    assert is_no_data(until(running, lambda now: passing(now) == 1, "all pass again"))


def failures(metrics: Metrics) -> float:
    return metrics.total("model_golden_failures_total", model_version="7")


def test_a_server_that_is_down_is_no_wrong_answer_and_is_asked_as_soon_as_it_is_back(
    churn: Churn, running: Sidecar
) -> None:
    def missed(metrics: Metrics) -> float:
        return metrics.value("inference_exporter_golden_rounds_total", outcome="unreachable")

    before = running.metrics()
    churn.end()
    down = until(running, lambda now: missed(now) >= missed(before) + 2, "unreachable")
    assert passing(down) == 1
    assert failures(down) == failures(before)
    churn.file.write_bytes(trained(2, "7", turned=-1.0))
    churn.start()
    until(running, lambda now: passing(now) == 0, "it came back with another model")


def test_an_analyser_that_is_killed_goes_on_counting(running: Sidecar) -> None:
    def passed(metrics: Metrics) -> float:
        return metrics.value("model_golden_checks_total", outcome="passed", model_version="7")

    before = until(running, lambda now: passed(now) >= 6, "two rounds")
    pid = running.pid_of("exporter.analyser")
    os.kill(pid, signal.SIGKILL)

    def is_another(metrics: Metrics) -> bool:
        return running.pid_of("exporter.analyser") != pid and rounds(metrics) > rounds(before)

    after = until(running, is_another, "another analyser")
    assert passed(after) > passed(before)
    assert failures(after) == failures(before)


def test_another_version_is_told_by_its_own_answers(churn: Churn, running: Sidecar) -> None:
    """The last one that shares the sidecar: to forget a version takes it five rounds."""
    churn.swap(trained(3, "8", turned=-1.0))
    found = until(running, lambda now: passing(now, "8") == 0, "the new version is wrong")
    assert passing(found) == 1


def test_a_reload_of_settings_begins_it_and_a_file_that_cannot_be_used_then_changes_nothing(
    churn: Churn, tmp_path: Path
) -> None:
    is_fine = "inference_exporter_golden_file_last_reload_successful"
    flags, file = tmp_path / "exporter.yml", churn.written(tmp_path / "golden.yml")
    flags.write_text("windows: {snapshot_interval: 200ms}\n")
    with sidecar(churn.port, "--config", str(flags)) as running:
        assert not running.metrics().all("model_golden_cases")
        flags.write_text(f"windows: {{snapshot_interval: 200ms}}\ngolden: {{file: {file}, interval: 1s}}\n")
        running.process.send_signal(signal.SIGHUP)
        until(running, lambda now: passing(now) == 1, "all pass")
        good = yaml.safe_load(file.read_text())
        file.write_text("cases: [{name: 1}]")
        broken = until(running, lambda now: now.value(is_fine) == 0, "the file is told to be broken")
        until(running, lambda now: rounds(now) > rounds(broken), "those before are sent on")
        written(running, "those before stay")
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: "settings not reloaded" in running.log(), what="the reload is refused")
        file.write_text(yaml.safe_dump({"cases": good["cases"][:1]}))
        until(running, lambda now: now.value(is_fine) == 1 and now.value("model_golden_cases") == 1, "one case")


def test_marked_requests_through_the_relay_are_answered_and_no_data(churn: Churn) -> None:
    with sidecar(churn.port) as running:
        answers = [
            post(running.port, PATH, asked(10.0, "ada"), **headers)
            for headers in ({}, {marks.GOLDEN: "a"}, {}, {"Ce_Id": f"{marks.ID}1"})
        ]
        assert all(answer == answers[0] for answer in answers)
        metrics = running.settled(4)
        assert metrics.value("inference_exporter_golden_exchanges_total") == 2
        assert metrics.total("model_requests_total") == metrics.total("model_rows_total") == 2
        assert metrics.total("model_request_duration_seconds_count") == 2


@pytest.mark.parametrize("content", ["cases: [{name: 1}]", None])
def test_a_file_that_cannot_be_used_at_the_start_is_an_error_of_usage(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "golden.yml"
    if content is not None:
        file.write_text(content)
    flags = ("--upstream", f"http://127.0.0.1:{free_port()}", "--golden.file", str(file))
    for words in (("serve", "--listen", f"127.0.0.1:{free_port()}"), ("check",)):
        done = command(*words, *flags)
        assert done.returncode == 64, done.stderr
        assert f"golden.file: {'cannot read ' if content is None else ''}{file}" in done.stderr


def test_check_says_what_will_be_asked(churn: Churn, tmp_path: Path) -> None:
    file = churn.written(tmp_path / "golden.yml")
    done = command("check", "--upstream", f"http://127.0.0.1:{churn.port}", "--golden.file", str(file))
    assert done.returncode == 0, done.stderr
    assert f"golden: {file}: fine, 3 cases, every 60 s, within 5 s each\n" in done.stdout


def test_a_server_that_never_answers_costs_nothing_but_its_cases(tmp_path: Path) -> None:
    """What clients of the relay are answered, and what is on the page, goes on."""
    hang = threading.Event()

    class Hanging(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            if marks.GOLDEN in {name.lower() for name in self.headers}:
                hang.wait(60)
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    file = tmp_path / "golden.yml"
    file.write_text(yaml.safe_dump({"cases": [
        {"name": f"case {number}", "request": {"path": PATH, "body": {}}, "expect": {"status": 200}}
        for number in range(20)
    ]}))  # fmt: skip
    with model_server(Hanging) as port:
        flags = ("--golden.file", str(file), *FAST, "--golden.timeout", "200ms")
        with sidecar(port, *flags) as running:
            found = until(running, lambda now: now.total("model_golden_failures_total", reason="timeout") >= 4, "late")
            assert post(running.port, PATH, {}) == {}
            assert running.settled(1).total("model_requests_total") == 1
            assert found.total("model_golden_failures_total", reason="timeout") <= found.total(
                "model_golden_checks_total"
            )
            hang.set()
            until(running, lambda now: now.value("model_golden_pass_ratio") == 1, "all answer")
