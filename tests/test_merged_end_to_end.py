"""One scrape has the sidecar's metrics and the model server's: real processes, and a real Prometheus that reads it."""

import gzip
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from merging.judging import scraping, targets
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from support import Answering, Metrics, Sidecar, eventually, model_server, predict, sidecar, tool

from exporter import catalogue
from exporter.records import MERGE_ERRORS, MERGE_REFUSALS

ERRORS = "inference_exporter_upstream_metrics_errors_total"
REFUSED = "inference_exporter_upstream_metrics_refused_total"
UP = "inference_exporter_upstream_metrics_up"
BOMB = gzip.compress(b"\0" * (64 << 20), 9)


class _Server(Answering):
    """A model server that keeps books of its own, and answers GET /metrics as it is told to."""

    registry: CollectorRegistry
    served: Counter
    habit: Callable[["_Server"], None]
    ended: threading.Event

    def do_GET(self) -> None:  # noqa: N802 (http.server's naming)
        if self.path != "/metrics":
            super().do_GET()
            return
        type(self).habit(self)

    def do_POST(self) -> None:  # noqa: N802
        self.served.labels("noop").inc(exemplar={"trace_id": "abc"})
        super().do_POST()

    def proper(self) -> None:
        encode, media = choose_encoder(self.headers.get("Accept", ""))
        self._send(200, encode(self.registry), media)

    def missing(self) -> None:
        self._send(404, b"not here\n", "text/plain")

    def garbage(self) -> None:
        self._send(200, os.urandom(100_000), "text/plain")

    def page_for_people(self) -> None:
        self._send(200, b"<html>", "text/html")

    def large(self) -> None:
        self._send(200, b"x 1\n" * (10 << 18), "text/plain")

    def bomb(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(BOMB)))
        self.end_headers()
        self.wfile.write(BOMB)

    def hanging(self) -> None:
        self.ended.wait(60)

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        while not self.ended.is_set():
            self.wfile.write(b"y 1\n" * 10_000)


def _server() -> type[_Server]:
    registry = CollectorRegistry()
    served = Counter("server_predictions", "Predictions made.", ["backend"], registry=registry)
    Gauge("server_queue_length", "Requests that wait.", registry=registry).set(3)
    Histogram("server_batch_seconds", "Time of a batch.", registry=registry).observe(0.2)
    return type("Server", (_Server,), {
        "registry": registry, "served": served, "habit": _Server.proper, "ended": threading.Event(),
    })  # fmt: skip


@contextmanager
def _watched(*flags: str) -> Iterator[tuple[Sidecar, type[_Server]]]:
    """A sidecar beside such a server."""
    server = _server()
    with model_server(server) as port:
        try:
            with sidecar(port, "--merge-upstream-metrics", *flags) as running:
                yield running, server
        finally:
            server.ended.set()


def _asked(api: str, query: str) -> Any:
    """The one value of an instant query; None where there is none."""
    with urllib.request.urlopen(f"{api}/query?{urllib.parse.urlencode({'query': query})}", timeout=10) as answer:
        found = json.load(answer)["data"]["result"]
    assert len(found) < 2, found
    return float(found[0]["value"][1]) if found else None


def _config(port: int) -> str:
    return (
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f'scrape_configs: [{{job_name: models, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]\n'
    )


def test_prometheus_reads_both_from_one_port_and_nothing_is_counted_as_a_request(tmp_path: Path) -> None:
    with _watched() as (running, server), scraping(tmp_path, _config(running.web_port)) as api:
        Counter("model_rows", "A name of ours.", registry=server.registry).inc(99)
        Gauge("inference_exporter_secret", "A name of ours.", registry=server.registry)
        for _ in range(5):
            predict(running.url, [[1, 2]])
        eventually(lambda: targets(api) and _asked(api, "server_predictions_total") == 5, what="theirs in Prometheus")
        eventually(lambda: _asked(api, "sum(model_requests_total)") == 5, what="ours in Prometheus")
        assert _asked(api, 'server_batch_seconds_bucket{le="0.25"}') == 1
        assert _asked(api, "model_rows_total") == 5
        assert _asked(api, "inference_exporter_secret") is None
        assert _asked(api, UP) == 1
        assert _asked(api, f'{REFUSED}{{reason="clash"}}') >= 2
        assert _asked(api, "inference_exporter_probe_requests_total") == 0, "the server is asked, not the relay"
        assert _asked(api, "min_over_time(up[5m])") == 1
        assert [one["lastError"] for one in targets(api)] == [""]
        refused = "model_rows is not passed on: it has a name of ours"
        eventually(lambda: refused in running.log(), what="that it is told")
        log = running.log()
    assert log.count(refused) == 1


def _kinds(api: str, server: type[_Server], habit: Callable[[_Server], None], query: str) -> None:
    server.habit = habit
    eventually(lambda: _asked(api, query), what=f"{habit.__name__}: {query}")


@pytest.mark.paced
def test_whatever_the_server_answers_prometheus_gets_our_page_each_time(tmp_path: Path) -> None:
    with (
        _watched("--merge.timeout", "300ms") as (running, server),
        scraping(tmp_path, _config(running.web_port)) as api,
    ):
        eventually(lambda: targets(api) and _asked(api, UP) == 1, what="both")
        for habit, reason in (
            (_Server.missing, "status"), (_Server.page_for_people, "format"), (_Server.large, "too_large"),
            (_Server.bomb, "too_large"), (_Server.hanging, "timeout|late"), (_Server.endless, "too_large|timeout|late"),
        ):  # fmt: skip
            before = _asked(api, f"sum({ERRORS})")
            _kinds(api, server, habit, f'sum({ERRORS}{{reason=~"{reason}"}}) > 0 and sum({ERRORS}) > {before}')
        _kinds(api, server, _Server.garbage, f'{REFUSED}{{reason="malformed"}} > 0')
        predict(running.url, [[1, 2]])
        _kinds(api, server, _Server.proper, f"{UP} == 1 and on () server_predictions_total == 1")
        assert _asked(api, "min_over_time(up[5m])") == 1
        assert _asked(api, f"min_over_time({UP}[5m])") == 0
        assert _asked(api, "sum(model_requests_total)") == 1


def test_a_merged_page_is_clean_and_has_all_that_the_catalogue_says_of_merging() -> None:
    promtool = tool("promtool", "prometheus")
    with _watched() as (running, _):
        predict(running.url, [[1, 2]])
        metrics = eventually(lambda: _with(running, "server_predictions_total"), what="both")
        request = urllib.request.Request(
            f"http://127.0.0.1:{running.web_port}/metrics",
            headers={"Accept": "application/openmetrics-text;version=1.0.0"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            opened = list(read_open(answer.read().decode()))
    done = subprocess.run(
        [promtool, "check", "metrics"], input=metrics.text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line for line in metrics.text.splitlines() if not line.startswith("#")]
    theirs = metrics.value("inference_exporter_upstream_metrics_series")
    assert metrics.value("inference_exporter_page_series") + theirs == len(lines)
    on_page = set(re.findall(r"^# TYPE (\S+)", metrics.text, re.MULTILINE))
    assert {family.name for family in catalogue.families() if "_upstream_metrics_" in family.name} <= on_page
    assert {labels["reason"] for labels, _ in metrics.all(ERRORS)} == set(MERGE_ERRORS)
    assert {labels["reason"] for labels, _ in metrics.all(REFUSED)} == set(MERGE_REFUSALS)
    served = [sample for family in opened for sample in family.samples if sample.name == "server_predictions_total"]
    assert (served[0].value, served[0].exemplar.labels) == (1, {"trace_id": "abc"})


def test_what_is_said_of_merging_can_be_switched_off() -> None:
    with _watched("--metrics.disable", "inference_exporter_upstream_metrics_*") as (running, _):
        metrics = eventually(lambda: _with(running, "server_batch_seconds_count"), what="both")
        assert "inference_exporter_upstream_metrics_" not in metrics.text
        assert len(metrics.all("inference_exporter_page_series")) == 1


def _with(running: Sidecar, name: str) -> Any:
    metrics = running.metrics()
    return metrics if metrics.all(name) else None


def test_what_was_counted_outlives_the_analyser() -> None:
    with _watched() as (running, server):
        server.habit = _Server.missing
        eventually(lambda: running.metrics().value(ERRORS, reason="status") >= 2, what="two errors")
        before = running.metrics().value(ERRORS, reason="status")
        pid = running.pid_of("exporter.analyser")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: running.pid_of("exporter.analyser") not in {0, pid}, what="another analyser")
        running.wait_ready()
        assert running.metrics().value(ERRORS, reason="status") >= before


@pytest.mark.parametrize("patience", ["0.3", "10"])
def test_scrapers_of_a_server_that_hangs_are_answered_and_people_are_too(patience: str) -> None:
    with _watched("--merge.timeout", "1s") as (running, server):
        server.habit = _Server.hanging
        pages: list[str] = []

        def scrape() -> None:
            request = urllib.request.Request(
                f"http://127.0.0.1:{running.web_port}/metrics",
                headers={"X-Prometheus-Scrape-Timeout-Seconds": patience},
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                pages.append(answer.read().decode())

        scrapers = [threading.Thread(target=scrape) for _ in range(20)]
        for thread in scrapers:
            thread.start()
        time.sleep(0.1)
        assert running.get(running.web_port, "/-/healthy")[0] == 200
        for thread in scrapers:
            thread.join(60)
    assert len(pages) == 20
    for page in map(Metrics, pages):
        assert (page.value(UP), page.value("inference_exporter_exchanges_offered_total")) == (0, 0)
