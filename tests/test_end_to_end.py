"""The whole sidecar: real processes, real HTTP, and what Prometheus would read."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from in_background import InBackground
from monitoring import Prometheus, scraping
from numpy.typing import NDArray
from scipy import stats
from support import (
    Answering,
    Metrics,
    Sidecar,
    build_profile,
    children,
    eventually,
    free_port,
    model_server,
    predict,
    sidecar,
    tool,
)

from exporter import catalogue

FAST_WINDOWS = ("--windows.pane", "1s", "--windows.lengths", "60s,600s")

FAST_SERVER = """
import asyncio, sys, uvloop
ANSWER = b'HTTP/1.1 200 OK\\r\\ncontent-length: 21\\r\\n\\r\\n{"predictions": [1]}\\n'
class Server(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.rest = transport, b''
    def data_received(self, data):
        # Requests of this test end in the marker "!" that stands nowhere else.
        *whole, self.rest = (self.rest + data).split(b'!')
        self.transport.write(ANSWER * len(whole))
async def main():
    server = await asyncio.get_running_loop().create_server(Server, '127.0.0.1', int(sys.argv[1]))
    await server.serve_forever()
uvloop.run(main())
"""


@contextmanager
def fast_server() -> Iterator[int]:
    """A model server that answers as fast as it can, in a process of its own."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", FAST_SERVER, str(port)])
    try:
        eventually(lambda: _listens(port), what="fast server")
        yield port
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _pipelined(port: int, requests: int, at_once: int = 50) -> int:
    """Send requests over one connection, some at a time; how many were answered with 200."""
    body = b'{"instances": [[1.0, 2.0]], "end": "!"}'
    request = b"POST /v1/models/m:predict HTTP/1.1\r\nhost: m\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    answered = 0
    with socket.create_connection(("127.0.0.1", port), 30) as client:
        for start in range(0, requests, at_once):
            count = min(at_once, requests - start)
            client.sendall(request * count)
            received = b""
            while received.count(b"HTTP/1.1 200 OK") < count or not received.endswith(b"}\n"):
                part = client.recv(1 << 16)
                assert part, "the connection ended early"
                received += part
            answered += received.count(b"HTTP/1.1 200 OK")
    return answered


def test_after_100_000_requests_every_exchange_is_observed_or_dropped_for_a_reason() -> None:
    with fast_server() as upstream, sidecar(upstream, as_shipped=True) as running:
        answers = []
        clients = [threading.Thread(target=lambda: answers.append(_pipelined(running.port, 25_000))) for _ in range(4)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(200)
        assert sum(answers) == 100_000
        metrics = running.settled(100_000)
        assert metrics.value("inference_exporter_proxy_requests_total", code="200") == 100_000
        observed = metrics.value("inference_exporter_exchanges_observed_total")
        assert metrics.value("model_requests_total", code="200") == observed
        assert metrics.total("inference_exporter_exchanges_dropped_total") == 100_000 - observed
        offered = metrics.value("inference_exporter_payloads_offered_total", side="request")
        decoded = metrics.value("inference_exporter_payloads_decoded_total", side="request")
        undecoded = metrics.total("inference_exporter_payloads_undecoded_total", side="request")
        assert offered == observed == decoded + undecoded
        assert metrics.value("model_rows_total") == decoded


class Load(InBackground):
    """One client that predicts again and again, until told to stop or the first failure."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.sent = 0
        self.failure: Exception | None = None
        self._url = url

    def _run(self) -> None:
        while not self._stop.wait(0.005) and self.failure is None:  # a processor is left to those who are killed
            try:
                self.sent += 1
                assert predict(self._url, [{"amount": 1.5, "colour": "red"}])["predictions"] == [1.5]
            except Exception as error:  # noqa: BLE001 (whatever it is, it is a failed request)
                self.failure = error


def test_killing_the_analyser_ten_times_under_load_costs_no_request_and_no_count(profile: Path) -> None:
    with model_server() as upstream, sidecar(upstream, "--profile", str(profile), *FAST_WINDOWS) as running:
        pages = []
        with Load(running.url) as load:
            for _ in range(10):
                pid = running.pid_of("exporter.analyser")
                pages += [running.metrics() for _ in range(3)]
                os.kill(pid, signal.SIGKILL)
                eventually(lambda pid=pid: running.pid_of("exporter.analyser") not in {0, pid}, what="the next one")
                begun = time.monotonic()
                eventually(lambda: running.get(running.web_port, "/-/ready")[0] == 200, what="its first page")
                # So long that it counts as steady, and is started again at once.
                time.sleep(max(3 - (time.monotonic() - begun), 0))
        assert load.failure is None
        last = running.settled(load.sent)
        pages.append(last)
    assert last.value("inference_exporter_process_restarts_total", process="analyser", reason="signalled") == 10
    observed = last.value("inference_exporter_exchanges_observed_total")
    lost = last.total("inference_exporter_exchanges_dropped_total")
    assert observed + lost == load.sent
    assert last.total("inference_exporter_exchanges_dropped_total", reason="analyser_lost") == lost
    assert last.value("model_feature_values_total", feature="amount") == last.value("model_rows_total") == observed
    assert last.total("model_feature_bin_total", feature="amount") == observed
    _assert_no_counter_went_back(pages)


def _assert_no_counter_went_back(pages: list[Metrics]) -> None:
    before: dict[Any, float] = {}
    for page in pages:
        for sample in page.samples:
            own_cpu = sample.name == "inference_exporter_process_cpu_seconds_total"  # a new process starts at 0
            if sample.name.endswith(("_total", "_count", "_bucket", "_sum")) and not own_cpu:
                key = (sample.name, tuple(sorted(sample.labels.items())))
                assert sample.value >= before.get(key, 0.0), key
                before[key] = sample.value


# --- scores


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile of 3,000 rows: a skewed number, one with gaps, a category and an output."""
    directory = tmp_path_factory.mktemp("profile")
    random = np.random.default_rng(11)
    with (directory / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["amount", "age", "colour", "score"])
        for _ in range(3000):
            amount, age = random.lognormal(3, 1), random.integers(18, 90)
            colour = random.choice(["red", "green", "blue"], p=[0.5, 0.3, 0.2])
            writer.writerow([amount, "" if random.random() < 0.05 else age, colour, amount + age])
    words = ("--prediction", "score", "--model", "m", "--model-version", "3")
    return build_profile(directory / "train.csv", directory / "profile.json", *words)


def _live_rows(count: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(12)
    rows = []
    for _ in range(count):
        age = None if random.random() < 0.2 else int(random.integers(10, 80))
        colour = str(random.choice(["red", "green", "blue", "mauve"], p=[0.3, 0.3, 0.3, 0.1]))
        rows.append({"amount": float(random.lognormal(3.3, 1.1)), "age": age, "colour": colour})
    return rows


def test_scores_on_the_page_equal_scipy_on_the_same_rows(profile: Path) -> None:
    rows = _live_rows(600)
    with model_server() as upstream, sidecar(upstream, "--profile", str(profile), *FAST_WINDOWS) as running:
        for start in range(0, len(rows), 7):  # batches that divide nothing
            predict(running.url, rows[start : start + 7])
        metrics = running.settled(-(-len(rows) // 7))
    document = json.loads(profile.read_text())
    for column in document["features"]:
        name = column["name"]
        values = [row[name] for row in rows]
        reference, live = _counts(column, values)
        labels = {"feature": name, "window": "1m", "model": "m", "model_version": "3"}
        exposed = [value for _, value in sorted(metrics.all("model_feature_bin_total", feature=name), key=_bin)]
        assert sum(exposed) == 600
        assert [count for count in exposed if count] == [int(count) for count in live if count]
        assert metrics.value("model_feature_window_samples", **labels) == 600
        assert metrics.value("model_feature_window_sufficient", **labels) == 1
        for family, expected in _expected(column, values, reference, live).items():
            assert metrics.value(f"model_feature_{family}", **labels) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def _bin(sample: tuple[Any, float]) -> str:
    return str(sample[0]["bin"])


def _counts(column: dict[str, Any], values: list[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Reference and live counts in the order of the bins, from the file and the raw values alone."""
    counts = column["counts"]
    if column["kind"] == "categorical":
        names = [name for name, _ in counts["listed"]]
        known = [values.count(name) for name in names]
        live = [*known, 0, len(values) - sum(known) - values.count(None), values.count(None)]
        return np.array([*(rows for _, rows in counts["listed"]), 0, 0, counts["missing"]], float), np.array(
            live, float
        )
    numbers = np.array([value for value in values if value is not None])
    edges = [-np.inf, *column["edges"], np.inf]
    inside = np.array([((numbers >= low) & (numbers < high)).sum() for low, high in pairwise(edges)])
    reference = [counts["below"], *counts["inside"], counts["above"], counts["missing"], 0]
    return np.array(reference, float), np.array([*inside, values.count(None), 0], float)


def _expected(
    column: dict[str, Any], values: list[Any], reference: NDArray[np.float64], live: NDArray[np.float64]
) -> dict[str, float]:
    n, m = live.sum(), reference.sum()
    used = live + reference > 0
    bins = used.sum()
    p, r = ((side[used] + 0.5) / (side.sum() + bins / 2) for side in (live, reference))
    expected = {
        "psi": stats.entropy(p, r) + stats.entropy(r, p),
        "psi_critical": stats.chi2.ppf(0.999, bins - 1) * (1 / n + 1 / m),
        "total_variation": np.abs(live / n - reference / m).sum() / 2,
        "missing_ratio": values.count(None) / n,
    }
    if column["kind"] == "categorical":
        return expected | {"unseen_ratio": values.count("mauve") / n}
    numbers = np.array([value for value in values if value is not None])
    ordered_live, ordered_reference = live[:-2], reference[:-2]
    gap = ordered_live.cumsum() / ordered_live.sum() - ordered_reference.cumsum() / ordered_reference.sum()
    error = column["sd"] * np.sqrt(1 / numbers.size + 1 / ordered_reference.sum())
    out = (numbers < column["edges"][0]) | (numbers >= column["edges"][-1])
    return expected | {
        "ks": np.abs(gap).max(),
        "mean_shift_zscore": (numbers.mean() - column["mean"]) / error,
        "out_of_range_ratio": out.sum() / n,
        "nonfinite_ratio": 0.0,
    }


def test_a_window_that_has_just_begun_says_that_it_is_not_sufficient(profile: Path) -> None:
    with model_server() as upstream, sidecar(upstream, "--profile", str(profile)) as running:
        fresh = running.metrics()
        assert fresh.total("model_feature_window_sufficient") == 0
        assert len(fresh.all("model_feature_window_sufficient")) == 9  # three features, three windows
        assert fresh.all("model_feature_psi") == []
        predict(running.url, _live_rows(20))
        metrics = eventually(lambda: _with_rows(running, 20), what="the rows on the page")
        assert metrics.total("model_feature_window_sufficient") == 0
        assert metrics.value("model_feature_window_samples", feature="age", window="24h") == 20
        assert metrics.value("model_prediction_window_samples", output="score", window="24h") == 20


@pytest.mark.paced
@pytest.mark.alone
def test_a_request_is_in_prometheus_within_five_seconds(profile: Path, tmp_path: Path) -> None:
    """Pages are made as often as users have them made; Prometheus scrapes every second."""
    asked = []
    with ExitStack() as stack:
        upstream = stack.enter_context(model_server())
        running = stack.enter_context(sidecar(upstream, "--profile", str(profile), as_shipped=True))
        url = stack.enter_context(scraping(tmp_path / "prometheus", [f"127.0.0.1:{running.web_port}"], "1s"))
        watched = Prometheus(url.removeprefix("http://"))
        eventually(lambda: watched.value("up") == 1, what="the first scrape")
        for _ in range(3):
            asked.append(time.time())
            predict(running.url, _live_rows(20))
            time.sleep(0.7)  # another moment between two pages
        eventually(lambda: watched.value("model_rows_total") == 60, what="all rows scraped")
        [rows] = watched.query("model_rows_total[5m]")
    for place, at in enumerate(asked):
        seen = min(float(when) for when, value in rows["values"] if float(value) >= 20 * (place + 1))
        assert 0 < seen - at < 5


def _with_rows(running: Sidecar, rows: int) -> Metrics | None:
    metrics = running.metrics()
    return metrics if metrics.value("model_rows_total") == rows else None


# --- failures

PLAIN = "/predict"
"""A path that names no model: it is the profile's."""


class Breaking(Answering):
    """Answers 500 where a row is blue, and 422 where one has no age."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        rows = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))["instances"]
        blue, ageless = any(row["colour"] == "blue" for row in rows), any(row["age"] is None for row in rows)
        status = 500 if blue else 422 if ageless else 200
        body = json.dumps({"predictions": [0.5] * len(rows)} if status == 200 else {"error": "no"}).encode()
        self._send(status, body, "application/json")


def test_a_value_that_breaks_the_server_is_on_the_page_and_in_no_window_of_the_others(profile: Path) -> None:
    rows = _live_rows(400)
    with model_server(Breaking) as upstream, sidecar(upstream, "--profile", str(profile), *FAST_WINDOWS) as running:
        statuses = [_status(running.url, [row]) for row in rows]
        metrics = running.settled(400)
    document = json.loads(profile.read_text())
    (colours,) = [column for column in document["features"] if column["name"] == "colour"]
    blue = f"{[name for name, _ in colours['counts']['listed']].index('blue'):02d}"
    found = {
        (labels["code"], labels["feature"], labels["bin"]): value
        for labels, value in metrics.all("model_feature_failed_bin_excess_ratio", window="1m")
    }
    good, bad = ([row for row, status in zip(rows, statuses, strict=True) if status == wanted] for wanted in (200, 500))
    assert found.pop(("5xx", "colour", blue)) == 1.0
    ageless = [status for row, status in zip(rows, statuses, strict=True) if row["age"] is None]
    assert found == {("4xx", "age", "14"): 1.0}, "and nothing else is named"
    assert metrics.value("model_failed_window_samples", window="1m", code="5xx") == len(bad)
    assert metrics.value("model_feature_failed_bin_total", feature="colour", bin=blue, code="5xx") == len(bad)
    assert metrics.value("model_feature_failed_bin_total", feature="age", bin="14", code="4xx") == ageless.count(422)
    assert metrics.value("model_rows_total") == metrics.value("model_served_rows_total") == len(good)
    assert metrics.total("model_feature_bin_total", feature="colour") == len(good)
    assert metrics.value("model_feature_bin_total", feature="colour", bin=blue) == 0
    assert metrics.value("model_request_duration_seconds_count") == len(good)
    assert metrics.value("model_failed_request_duration_seconds_count") == 400 - len(good)
    assert metrics.value("model_predictions_without_id_total") == len(good)


def _status(url: str, rows: list[Any]) -> int:
    try:
        predict(url, rows, PLAIN)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    return 200


def test_traffic_of_another_model_is_one_finding_and_the_log_says_where(profile: Path) -> None:
    with model_server() as upstream, sidecar(upstream, "--profile", str(profile), *FAST_WINDOWS) as running:
        for _ in range(5):
            predict(running.url, _live_rows(50), PLAIN)
        before = running.settled(5)
        for _ in range(30):
            predict(running.url, [{"height": 180, "weight": 80, "age": 30}], PLAIN)
        metrics = running.settled(35)
        eventually(lambda: "could not be decoded" in running.log(), what="a line that says so")
        log, (_, landing) = running.log(), running.get(running.web_port, "/")
    assert metrics.value("model_profile_payloads_total", side="request") == 35
    assert metrics.value("model_profile_mismatched_payloads_total", side="request") == 30
    assert metrics.value("model_profile_fields_total", side="request") == 35 * 3
    assert metrics.value("model_profile_matched_fields_total", side="request") == 5 * 3 + 30
    assert metrics.total("inference_exporter_payloads_undecoded_total", reason="profile_mismatch", side="request") == 30
    assert metrics.value("model_served_rows_total") == 5 * 50 + 30 * 50, "as many as a payload has on average"
    for family in ("model_feature_psi", "model_feature_missing_ratio", "model_feature_window_samples"):
        assert metrics.all(family, window="1m") == before.all(family, window="1m")
    assert "path /predict, 1 of the profile's 3 columns" in log
    assert b"profile_mismatch" in landing
    assert b"/predict (" in landing
    assert b"1 of the profile&#39;s 3 columns" in landing


# --- the page


def test_the_page_is_what_promtool_and_the_catalogue_expect(profile: Path) -> None:
    promtool = tool("promtool", "prometheus")
    with model_server() as upstream, sidecar(upstream, "--profile", str(profile), *FAST_WINDOWS) as running:
        predict(running.url, _live_rows(300))
        metrics = eventually(lambda: _with_rows(running, 300), what="rows")
        health = urllib.request.urlopen(f"{running.url}/health")
        assert health.read() == b"ready\n"
        metrics = eventually(lambda: _with_probe_and_server(running), what="the probe, and the server's process")
    result = subprocess.run(
        [promtool, "check", "metrics"], input=metrics.text, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert metrics.value("model_requests_total") == 1, "a health probe is no model request"
    emitted = set(re.findall(r"^# TYPE (\S+)", metrics.text, re.MULTILINE))
    # No events are taken, nothing is generated, no traffic is divided or grouped, no fleet asked for, no owner named;
    # the page of a sidecar with dependencies is looked at in test_dependencies, one with the server's own metrics in
    # test_merged_end_to_end, one with a file about its web side in test_web_config, one that is told truths in
    # test_performance_end_to_end; versions, golden requests and retraining have pages of their own, too;
    # spans and lines of a log are in test_traces_end_to_end.
    not_here = {catalogue.TOKENS.name, catalogue.FINISHED.name, catalogue.FIRST_BYTE.name, catalogue.OWNER.name}
    elsewhere = re.compile(
        "_(events|segment|fleet|grouped|dependency|upstream|web_config|web_certificate|performance|truths?|target|concept"
        "|business|feedback|predictions_opened|golden(?!_exchanges)|retrain|shadow|version_prediction|version_performance"
        "|exposure|loop|prediction_since_deploy_most_moved|spans|prediction_log)_"
    )
    not_here |= {family.name for family in catalogue.families() if elsewhere.search(family.name)}
    assert emitted == {family.name for family in catalogue.families()} - not_here


def _with_probe_and_server(running: Sidecar) -> Metrics | None:
    metrics = running.metrics()
    complete = metrics.value("inference_exporter_probe_requests_total") and metrics.total("model_server_processes")
    return metrics if complete else None


def test_the_model_server_and_our_own_processes_are_seen() -> None:
    with fast_server() as upstream, sidecar(upstream, "--upstream-probe-interval", "200ms") as running:
        metrics = eventually(lambda: _with_server(running, up=1), what="the server seen")
        assert metrics.value("model_server_process_visible") == 1
        assert metrics.value("model_server_resident_memory_bytes") > 5e6
        assert metrics.value("model_server_cpu_seconds_total") > 0
        names = {labels["process"] for labels, _ in metrics.all("inference_exporter_process_resident_memory_bytes")}
        assert names == {"supervisor", "analyser", "worker-0"}
        assert metrics.value("inference_exporter_profile_loaded") == 0
        assert metrics.all("model_feature_bin_total") == []
    with sidecar(free_port(), "--upstream-probe-interval", "200ms") as running:
        eventually(lambda: "CPU and memory are not shown" in running.log(), what="a line that says so")
        metrics = eventually(lambda: _with_server(running, up=0), what="a server that is down")
        assert metrics.value("model_server_process_visible") == 0
        assert metrics.all("model_server_cpu_seconds_total") == []


def _with_server(running: Sidecar, up: int) -> Metrics | None:
    metrics = running.metrics()
    return metrics if [value for _, value in metrics.all("model_server_up")] == [up] else None


def test_several_workers_share_the_port_and_the_accounts() -> None:
    with model_server() as upstream, sidecar(upstream, "--workers", "2") as running:
        for _ in range(40):
            predict(running.url, [[1, 2]])
        metrics = running.settled(40)
        assert metrics.value("inference_exporter_exchanges_observed_total") == 40
        assert metrics.value("model_rows_total") == 40


# --- the end


def test_sigterm_lets_a_request_finish_and_leaves_nothing_running() -> None:
    with _slow_server() as (upstream, entered), sidecar(upstream) as running:
        answers: list[Any] = []
        client = threading.Thread(target=lambda: answers.append(predict(running.url, [[1]])))
        client.start()
        assert entered.wait(10)
        family = [pid for pid, _ in children(running.process.pid)]
        assert len(family) == 2
        running.process.send_signal(signal.SIGTERM)
        eventually(lambda: running.get(running.health_port, "/-/ready")[0] == 503, what="not ready")
        assert running.get(running.health_port, "/-/healthy")[0] == 200
        assert running.process.wait(30) == 0
        client.join(10)
        assert answers == [{"predictions": [1]}]
        assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []


def test_a_second_sigint_kills_at_once_and_leaves_nothing_running() -> None:
    with _slow_server() as (upstream, entered), sidecar(upstream) as running:
        client = threading.Thread(target=lambda: _ignore_errors(running.url))
        client.start()
        assert entered.wait(10)
        family = [pid for pid, _ in children(running.process.pid)]
        running.process.send_signal(signal.SIGINT)
        eventually(lambda: "draining" in running.log(), what="the drain")
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(10) == 0
        assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []
        client.join(10)


def _ignore_errors(url: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011 (reset or refused, as the kill falls)
        predict(url, [[1]])


@contextmanager
def _slow_server() -> Iterator[tuple[int, threading.Event]]:
    """A server that answers one request two seconds after its first bytes came."""
    entered = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(30)

    def answer() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(30)
                if client.recv(65536):
                    entered.set()
                    time.sleep(2)
                    body = b'{"predictions": [1]}'
                    client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], entered
    finally:
        listener.close()


def test_a_worker_that_dies_is_started_again_and_the_accounts_stay_exact() -> None:
    with model_server() as upstream, sidecar(upstream) as running:
        for _ in range(5):
            predict(running.url, [[1, 2]])
        running.settled(5)  # a client has its answer before it is counted
        os.kill(running.pid_of("exporter.worker"), signal.SIGKILL)
        eventually(lambda: running.get(running.health_port, "/-/ready")[0] == 200, what="the next worker")
        eventually(lambda: _predicts(running.url), what="an answer")
        metrics = running.settled(6)
        assert metrics.value("inference_exporter_process_restarts_total", process="worker-0", reason="signalled") == 1
        assert metrics.value("inference_exporter_proxy_connections_open") == 0


def _predicts(url: str) -> bool:
    try:
        return bool(predict(url, [[1, 2]]))
    except OSError:
        return False


def test_the_analyser_ends_when_the_supervisor_is_killed_and_traffic_goes_on() -> None:
    with model_server() as upstream, sidecar(upstream) as running:
        worker, analyser = running.pid_of("exporter.worker"), running.pid_of("exporter.analyser")
        try:
            os.kill(running.process.pid, signal.SIGKILL)
            running.process.wait(5)
            eventually(lambda: not Path(f"/proc/{analyser}").exists(), what="the analyser's end")
            assert predict(running.url, [[1, 2]])["predictions"] == [3.0]
        finally:
            os.kill(worker, signal.SIGKILL)


def test_a_profile_replaced_on_disk_changes_nothing_until_it_is_asked_for(profile: Path, tmp_path: Path) -> None:
    used = tmp_path / "profile.json"
    used.write_bytes(profile.read_bytes())
    with model_server() as upstream, sidecar(upstream, "--profile", str(used), *FAST_WINDOWS) as running:
        predict(running.url, _live_rows(10))
        before = running.settled(1)
        used.write_text("no profile any more")
        pid = running.pid_of("exporter.analyser")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: running.pid_of("exporter.analyser") not in {0, pid}, what="the next analyser")
        eventually(lambda: running.get(running.web_port, "/-/ready")[0] == 200, what="its first page")
        predict(running.url, _live_rows(10))
        after = running.settled(2)
    (labels, _), *_ = before.all("model_profile_info")
    assert after.value("model_profile_info", profile=labels["profile"]) == 1
    assert after.value("model_feature_values_total", feature="age") == 20


def test_a_process_that_cannot_be_started_is_tried_again_until_it_can() -> None:
    prlimit = tool("prlimit", "util-linux")
    with model_server() as upstream, sidecar(upstream) as running:
        supervisor = str(running.process.pid)
        limits = subprocess.run(
            [prlimit, "--pid", supervisor, "--nofile", "--output", "SOFT,HARD", "--noheadings"],
            capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
        subprocess.run([prlimit, "--pid", supervisor, "--nofile=8:"], check=True)
        os.kill(running.pid_of("exporter.analyser"), signal.SIGKILL)
        eventually(lambda: "analyser could not be started" in running.log(), what="a line that says so")
        subprocess.run([prlimit, "--pid", supervisor, f"--nofile={limits[0]}:"], check=True)
        eventually(lambda: running.get(running.web_port, "/-/ready")[0] == 200, what="the next analyser")
        os.kill(running.pid_of("exporter.worker"), signal.SIGKILL)
        eventually(lambda: _predicts(running.url), what="an answer: supervision goes on")


def test_a_freeze_of_everything_is_no_silence_of_the_worker() -> None:
    with model_server() as upstream, sidecar(upstream) as running:
        worker = running.pid_of("exporter.worker")
        family = [running.process.pid, *(pid for pid, _ in children(running.process.pid))]
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in family:
                os.kill(pid, number)
            time.sleep(12 if number == signal.SIGSTOP else 2)  # longer than a hung worker is waited for
        assert running.pid_of("exporter.worker") == worker
        assert _predicts(running.url)


def test_a_worker_that_hangs_is_killed_and_started_again() -> None:
    with model_server() as upstream, sidecar(upstream) as running:
        pid = running.pid_of("exporter.worker")
        os.kill(pid, signal.SIGSTOP)
        eventually(lambda: running.pid_of("exporter.worker") not in {0, pid}, what="the next worker")
        assert "worker-0 gave no sign of life" in running.log()
        eventually(lambda: _predicts(running.url), what="an answer")


def test_a_sigterm_to_every_process_at_once_drains_in_order() -> None:
    with _slow_server() as (upstream, entered), sidecar(upstream, "--drain.delay", "1500ms") as running:
        answers: list[Any] = []
        client = threading.Thread(target=lambda: answers.append(predict(running.url, [[1]])))
        client.start()
        assert entered.wait(10)
        for pid in [running.process.pid, *(pid for pid, _ in children(running.process.pid))]:
            os.kill(pid, signal.SIGTERM)
        eventually(lambda: "draining" in running.log(), what="the drain")
        time.sleep(0.2)
        assert _listens(running.port), "within the delay connections are still accepted"
        assert running.process.wait(30) == 0
        client.join(10)
        assert answers == [{"predictions": [1]}]
        assert "ERROR" not in running.log()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_do_no_harm(closed: str) -> None:
    with model_server() as upstream:
        running = Sidecar(upstream, wrapper=f"exec {{command}} {closed}")
        try:
            running.wait_ready()
            assert _predicts(running.url)
            worker = Path(f"/proc/{running.pid_of('exporter.worker')}/fd")
            held = [str((worker / str(number)).readlink()) for number in range(3)]
            assert all(name.startswith(("pipe:", "/")) for name in held), "no stream's number is an event loop's"
            assert running.stop() == 0
        finally:
            running.kill()
