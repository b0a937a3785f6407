"""From a page to the very requests: spans, lines, exemplars of a real sidecar, to real receivers."""

import json
import os
import random
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import collectors
import jsonschema
import pytest
from cloudevents.v1.http import CloudEvent
from monitoring import ask, scraping
from profile_tables import write_csv
from sinks import posts
from support import Answering, Sidecar, build_profile, command, eventually, model_server, sidecar, tool

from exporter.records import DURATION_BOUNDS

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
RECORDED = {"traceparent": f"00-{TRACE}-{SPAN}-01", "x-request-id": "order-17"}
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "100"}


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, draw = tmp_path_factory.mktemp("profile"), random.Random(5)
    table = {"amount": [draw.gauss(50, 9) for _ in range(2000)], "age": [draw.gauss(40, 10) for _ in range(2000)],
             "town": [draw.choice(["Oslo", "Lima"]) for _ in range(2000)]}  # fmt: skip
    table["score"] = [a + b for a, b in zip(table["amount"], table["age"], strict=True)]
    source = write_csv(folder / "train.csv", table)
    return build_profile(Path(source), folder / "profile.json", "--prediction", "score", "--model", "m")


def post(running: Sidecar, rows: list[Any], headers: Mapping[str, str] = RECORDED, path: str = "m:predict") -> int:
    said = {"content-type": "application/json", **headers}
    body = json.dumps({"instances": rows}).encode()
    request = urllib.request.Request(f"{running.url}/v1/models/{path}", body, said)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


FINE = {"amount": 50.0, "age": 40.0, "town": "Oslo"}
WRONG = {"amount": 5000.0, "age": None, "town": "Atlantis"}


class Failing(Answering):
    """Fails where it is asked to."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's naming)
        if self.path.endswith("fails:predict"):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self._send(500, b'{"error": "no"}', "application/json")
        else:
            super().do_POST()


def _by_http(port: int) -> list[str]:
    return ["--tracing.exporter", "otlp", "--tracing.endpoint", f"http://127.0.0.1:{port}"]


def test_a_span_by_otlp_over_http_is_a_child_of_the_callers_and_says_what_happened(profile: Path) -> None:
    with collectors.by_http() as collector, model_server() as upstream, \
         sidecar(upstream, "--profile", str(profile), *_by_http(collector.port),
                 "--tracing.unusual", "true", environ=SOON | {
                     "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
                     "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=blue"}) as running:  # fmt: skip
        before = time.time_ns()
        assert post(running, [FINE, WRONG]) == 200
        span = eventually(lambda: collector.spans and collector.spans[0], what="a span")
        assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, SPAN)
        assert span.span_id.hex() not in {SPAN, "0" * 16}
        assert before <= span.start_time_unix_nano <= span.end_time_unix_nano <= time.time_ns()
        assert [event.name for event in span.events] == ["first_byte"]
        assert span.start_time_unix_nano <= span.events[0].time_unix_nano <= span.end_time_unix_nano
        found = collectors.attributes(span)
        assert found.items() >= {
            "http.request.method": "POST", "url.path": "/v1/models/m:predict", "http.response.status_code": 200,
            "inference.model.name": "m", "inference.rows": 2, "inference.outcome": "predicted",
            "inference.request.id": "order-17", "inference.kept": "unusual", "inference.rows.flagged": 1,
        }.items()  # fmt: skip
        assert set(found["inference.checks.failed"]) >= {"amount:out_of_range", "age:missing", "town:unseen"}
        assert collector.resources[0]["service.name"] == "inference-exporter"
        assert collector.resources[0]["deployment.environment.name"] == "test"
        assert collector.headers[0]["x-tenant"] == "blue"
        metrics = eventually(lambda: _exported(running, 1), what="counted")
        assert metrics.value("inference_exporter_spans_offered_total") == 1
        promtool = tool("promtool", "prometheus")
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=metrics.text, capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stderr) == (0, "")


def _exported(running: Sidecar, many: int) -> Any:
    metrics = running.metrics()
    return metrics if metrics.total("inference_exporter_spans_exported_total") == many else None


def test_spans_by_grpc_and_by_zipkin_say_the_same(profile: Path) -> None:
    said = {}
    with collectors.by_grpc() as collector, model_server() as upstream, \
         sidecar(upstream, "--profile", str(profile), "--tracing.exporter", "otlp", environ=SOON | {
             "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
             "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}"}) as running:  # fmt: skip
        assert post(running, [FINE]) == 200
        span = eventually(lambda: collector.spans and collector.spans[0], what="a span by gRPC")
        said = collectors.attributes(span)
        assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, SPAN)
    with collectors.by_http() as collector, model_server() as upstream, \
         sidecar(upstream, "--profile", str(profile), "--tracing.exporter", "zipkin", "--tracing.endpoint",
                 f"http://127.0.0.1:{collector.port}", environ=SOON) as running:  # fmt: skip
        assert post(running, [FINE]) == 200
        one = eventually(lambda: collector.zipkin and collector.zipkin[0], what="a span of Zipkin")
        assert (one["traceId"], one["parentId"], one["kind"]) == (TRACE, SPAN, "SERVER")
        assert set(said) <= set(one["tags"]), "what is said to one is said to the other"
        jsonschema.validate([one], json.loads((Path(__file__).parent / "witness/zipkin-v2.schema.json").read_text()))
        assert one["tags"]["inference.model.name"] == "m"


def test_what_failed_is_sent_whatever_the_caller_decided_and_what_it_does_not_record_is_not(profile: Path) -> None:
    quiet = {"traceparent": f"00-{TRACE}-{SPAN}-00"}
    with collectors.by_http() as collector, model_server(Failing) as upstream, \
         sidecar(upstream, "--profile", str(profile), *_by_http(collector.port), "--tracing.unusual", "true",
                 environ=SOON) as running:  # fmt: skip
        assert post(running, [FINE], quiet) == 200
        assert post(running, [WRONG], quiet) == 200
        assert post(running, [FINE], quiet, "fails:predict") == 500
        eventually(lambda: len(collector.spans) == 2, what="two spans")
        kept = {collectors.attributes(one)["inference.kept"] for one in collector.spans}
        assert kept == {"unusual", "error"}
        failed = next(one for one in collector.spans if collectors.attributes(one)["inference.kept"] == "error")
        assert failed.status.code == 2
        assert collectors.attributes(failed)["error.type"] == "500"


def test_without_a_context_a_span_is_the_root_of_a_trace_of_its_own(profile: Path) -> None:
    with collectors.by_http() as collector, model_server() as upstream, \
         sidecar(upstream, "--profile", str(profile), *_by_http(collector.port), environ=SOON) as running:  # fmt: skip
        for headers in ({}, {"traceparent": "00-nonsense"}, {"b3": "zzz" * 50}):
            assert post(running, [FINE], headers) == 200
        eventually(lambda: len(collector.spans) == 3, what="spans")
        assert len({one.trace_id for one in collector.spans}) == 3
        assert not any(one.parent_span_id for one in collector.spans)


def test_a_collector_that_is_away_slow_or_dead_costs_spans_alone_and_they_are_counted(profile: Path) -> None:
    environ = SOON | {"OTEL_BSP_MAX_QUEUE_SIZE": "20", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10",
                      "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}  # fmt: skip
    with collectors.by_http() as collector, model_server() as upstream, \
         sidecar(upstream, "--profile", str(profile), *_by_http(collector.port),
                 environ=environ) as running:  # fmt: skip
        collector.refuses, collector.pause_s, collector.status = 10_000, 0.2, 400
        for _ in range(100):
            assert post(running, [FINE]) == 200
        metrics = running.settled(100)
        assert metrics.value("model_rows_total", model="m") == 100, "nothing else is lost"

        def dropped() -> Any:
            metrics = running.metrics()
            return metrics if _accounted(metrics, "spans", "exported") else None

        metrics = eventually(dropped, what="all accounted for")
        assert metrics.value("inference_exporter_spans_dropped_total", reason="queue_full") > 0
        assert metrics.value("inference_exporter_spans_dropped_total", reason="collector") > 0
        collector.refuses = collector.pause_s = 0
        assert post(running, [FINE]) == 200
        eventually(lambda: collector.spans, what="a span, now that it is back")


def _accounted(metrics: Any, what: str, delivered: str) -> bool:
    offered, arrived, dropped = (
        metrics.total(f"inference_exporter_{what}_{word}_total") for word in ("offered", delivered, "dropped")
    )
    return bool(offered == arrived + dropped)


def test_a_collector_that_asks_to_come_again_gets_the_spans_later(profile: Path) -> None:
    with collectors.by_http() as collector, model_server() as upstream, \
         sidecar(upstream, "--profile", str(profile), *_by_http(collector.port), environ=SOON) as running:  # fmt: skip
        collector.refuses = 1
        assert post(running, [FINE]) == 200
        eventually(lambda: collector.spans, what="a span, at the second try")
        assert collector.posts == 2


def test_an_analyser_that_dies_with_spans_and_lines_counts_them_as_lost(profile: Path) -> None:
    environ = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
    with collectors.by_http() as collector, model_server() as upstream, \
         sidecar(upstream, "--profile", str(profile), *_by_http(collector.port),
                 environ=environ) as running:  # fmt: skip
        for _ in range(5):
            assert post(running, [FINE]) == 200
        running.settled(5)
        eventually(lambda: running.metrics().total("inference_exporter_spans_offered_total") == 5, what="offered")
        os.kill(running.pid_of("exporter.analyser"), signal.SIGKILL)
        eventually(
            lambda: (
                running.get(running.web_port, "/-/ready")[0] == 200
                and running.metrics().total("inference_exporter_spans_dropped_total", reason="analyser_lost") == 5
            ),
            what="the next analyser says so",
        )


# --- the log


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_each_exchange_is_a_line_of_the_log_with_what_its_rows_failed(profile: Path, tmp_path: Path) -> None:
    log = tmp_path / "predictions.jsonl"
    with model_server(Failing) as upstream, sidecar(
        upstream, "--profile", str(profile), "--prediction-log.to", f"file:{log}"
    ) as running:  # fmt: skip
        assert post(running, [FINE, WRONG]) == 200
        assert post(running, [FINE], {}, "fails:predict") == 500
        found = eventually(lambda: len(lines(log)) == 2 and lines(log), what="two lines")
        eventually(
            lambda: running.metrics().value("inference_exporter_prediction_log_lines_written_total") == 2,
            what="counted",
        )
        assert _accounted(running.metrics(), "prediction_log_lines", "written")
    first, second = sorted(found, key=lambda line: line["code"])
    assert first.items() >= {"model": "m", "request_id": "order-17", "trace_id": TRACE, "span_id": SPAN, "rows": 2,
                             "code": 200, "kept": "ratio", "features": [FINE, WRONG]}.items()  # fmt: skip
    assert [list(row.values()) for row in first["predictions"]] == [[90.0], [5000.0]]
    assert {(flag["row"], flag["column"], flag["check"]) for flag in first["flags"]} >= {
        (1, "amount", "out_of_range"), (1, "age", "missing"), (1, "town", "unseen"),
    }  # fmt: skip
    assert {flag["row"] for flag in first["flags"]} == {1}, "the first row is fine"
    assert 0 < first["first_byte_seconds"] <= first["duration_seconds"] < 60
    assert second["code"] == 500
    assert second["kept"] == "error"
    assert log.stat().st_mode & 0o777 == 0o600


def test_the_log_goes_to_standard_output_and_to_an_address_that_takes_cloudevents(profile: Path) -> None:
    with model_server() as upstream, sidecar(
        upstream, "--profile", str(profile), "--prediction-log.to", "stdout"
    ) as running:  # fmt: skip
        assert post(running, [FINE]) == 200
        line = eventually(
            lambda: next((one for one in running.log().splitlines() if one.startswith('{"time"')), None), what="a line"
        )
        assert json.loads(line)["features"] == [FINE]
    with posts() as box, model_server() as upstream, sidecar(
        upstream, "--profile", str(profile), "--prediction-log.to", f"http://127.0.0.1:{box.port}/log"
    ) as running:  # fmt: skip
        assert post(running, [FINE]) == 200
        assert post(running, [WRONG]) == 200
        eventually(lambda: sum(map(len, box.posted("/log"))) == 2, what="events")
        events = [event for batch in box.posted("/log") for event in batch]
    for event in events:
        assert {"specversion": "1.0", "type": "io.github.inference-exporter.prediction", "subject": "m",
                "datacontenttype": "application/json"}.items() <= event.items()  # fmt: skip
        read = CloudEvent({key: value for key, value in event.items() if key != "data"}, event["data"])
        assert read["id"] == event["id"], "a library takes it"
        assert event["traceparent"] == f"00-{TRACE}-{SPAN}-01"
        assert event["data"]["request_id"] == "order-17"
    assert events[0]["id"] != events[1]["id"]


def test_a_disk_that_is_full_or_away_is_counted_and_nobody_waits(profile: Path, tmp_path: Path) -> None:
    with model_server() as upstream, sidecar(
        upstream, "--profile", str(profile), "--prediction-log.to", "file:/dev/full"
    ) as running:  # fmt: skip
        for _ in range(3):
            assert post(running, [FINE]) == 200
        eventually(
            lambda: running.metrics().total("inference_exporter_prediction_log_lines_dropped_total", reason="no_space")
            == 3, what="counted",
        )  # fmt: skip
    missing = tmp_path / "not" / "there"
    with model_server() as upstream, sidecar(
        upstream, "--profile", str(profile), "--prediction-log.to", f"file:{missing}"
    ) as running:  # fmt: skip
        assert post(running, [FINE]) == 200
        eventually(
            lambda: running.metrics().total("inference_exporter_prediction_log_lines_dropped_total", reason="io") == 1,
            what="counted",
        )
        missing.parent.mkdir()
        assert post(running, [FINE]) == 200
        eventually(lambda: len(lines(missing)) == 1, what="a line, now that there is a directory")


# --- exemplars


def _exemplars(address: str, query: str) -> Iterator[dict[str, Any]]:
    now = time.time()
    for series in ask(f"{address}/api/v1/query_exemplars", query=query, start=now - 600, end=now + 60)["data"]:
        yield from ({**one, "series": series["seriesLabels"]} for one in series["exemplars"])


def test_a_prometheus_with_exemplar_storage_leads_from_counters_to_traces(profile: Path, tmp_path: Path) -> None:
    with model_server(Failing) as upstream, sidecar(
        upstream, "--profile", str(profile), "--metrics.exemplars", "true"
    ) as running, scraping(
        tmp_path / "prometheus", [f"127.0.0.1:{running.web_port}"], "1s", "--enable-feature=exemplar-storage"
    ) as address:  # fmt: skip
        assert post(running, [WRONG]) == 200
        assert post(running, [FINE], {"traceparent": f"00-{TRACE[::-1]}-{SPAN}-00"}) == 200
        assert post(running, [FINE], {"traceparent": f"00-{'a' * 32}-{SPAN}-01"}, "fails:predict") == 500
        running.settled(3)

        def found(query: str) -> Any:
            return list(_exemplars(address, query))

        latency = eventually(lambda: found("model_request_duration_seconds_bucket"), what="exemplars of latency")
        assert {one["labels"]["trace_id"] for one in latency} == {TRACE}, "whom the caller does not record is none"
        (one,) = latency
        ends = [0.0, *DURATION_BOUNDS, float("inf")]
        below = ends[ends.index(float(one["series"]["le"].replace("+Inf", "inf"))) - 1]
        assert below <= float(one["value"]) <= float(one["series"]["le"].replace("+Inf", "inf"))
        assert abs(float(one["timestamp"]) - time.time()) < 600
        for family in ("out_of_range", "missing", "unseen"):
            quality = eventually(lambda name=family: found(f"model_feature_{name}_values_total"), what=family)
            assert {one["labels"]["trace_id"] for one in quality} == {TRACE}
        failed = eventually(lambda: found("model_failed_request_duration_seconds_bucket"), what="of a failure")
        assert failed[0]["labels"] == {"trace_id": "a" * 32, "span_id": SPAN}
        codes = eventually(lambda: found('model_requests_total{code="500"}'), what="of a code")
        assert codes[0]["labels"]["trace_id"] == "a" * 32


def test_off_nothing_of_opentelemetry_is_loaded_and_no_header_is_kept(profile: Path) -> None:
    with model_server() as upstream, sidecar(upstream, "--profile", str(profile)) as running:
        assert post(running, [FINE]) == 200
        metrics = running.settled(1)
        assert not metrics.all("inference_exporter_spans_offered_total")
        maps = Path(f"/proc/{running.pid_of('exporter.analyser')}/maps").read_text()
        assert "grpc" not in maps
        assert "google/_upb" not in maps


# --- examples


def test_rows_that_failed_a_check_are_on_the_status_page_where_their_fields_are_allowed(profile: Path) -> None:
    hostile = "</script><script>window.hurt=1</script>\u202e"
    allowed = ("--examples.fields", "amount,town,predictions", "--examples.limit", "2")
    with model_server() as upstream, sidecar(upstream, "--profile", str(profile), *allowed) as running:
        for at in range(3):
            rows = [FINE, WRONG | {"town": f"{hostile}{at}"}]
            assert post(running, rows, RECORDED | {"x-request-id": f"order-{at}"}) == 200
        assert post(running, [FINE]) == 200
        running.settled(4)

        def told() -> Any:
            (model,) = json.loads(running.get(running.web_port, "/api/v1/status")[1])["models"]
            return model["examples"] if len(model["examples"]) == 2 else None

        examples = eventually(told, what="examples")
        assert [one["request_id"] for one in examples] == ["order-2", "order-1"], "the newest first, and no more"
        newest = examples[0]
        assert (newest["row"], newest["code"], newest["trace_id"]) == (1, 200, TRACE)
        assert set(newest["features"]) == {"amount", "town"}, "age is nobody's business"
        assert newest["features"]["amount"] == "5000.0"
        assert {"column": "town", "check": "unseen"} in newest["flags"]
        assert not any(one["column"] == "age" for one in newest["flags"])
        page = running.get(running.web_port, "/")[1].decode()
        assert "Rows that failed a check" in page
        assert "order-2" in page
        assert "<script>window" not in page
        assert "\u202e" not in page
    with model_server() as upstream, sidecar(upstream, "--profile", str(profile)) as running:
        assert post(running, [WRONG]) == 200
        running.settled(1)
        assert "Rows that failed a check" not in running.get(running.web_port, "/")[1].decode()
        (model,) = json.loads(running.get(running.web_port, "/api/v1/status")[1])["models"]
        assert model["examples"] is None


def test_where_the_library_is_missing_it_is_said_at_the_start_and_by_check(tmp_path: Path) -> None:
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("")
    for words in (("check",), ("serve", "--upstream", "http://127.0.0.1:9", "--listen", "127.0.0.1:0")):
        said = command(*words, "--tracing.exporter", "otlp", environ={"PYTHONPATH": str(tmp_path)})
        assert said.returncode == 64, said.stderr
        assert "tracing.exporter: otlp needs `pip install inference-exporter[otel]`" in said.stderr


def test_check_says_where_lines_would_go(tmp_path: Path) -> None:
    said = command("check", "--prediction-log.to", f"file:{tmp_path / 'log'}")
    assert f"prediction_log: to {tmp_path / 'log'}\n" in said.stdout
    said = command("check", "--prediction-log.to", "https://host/log?key=secret")
    assert "prediction_log: to https://host/log\n" in said.stdout
    assert "secret" not in said.stdout


def test_settings_that_are_read_again_switch_all_of_it_on_and_off(profile: Path, tmp_path: Path) -> None:
    settings, log = tmp_path / "exporter.yml", tmp_path / "log"
    settings.write_text(json.dumps({"windows": {"snapshot_interval": "200ms"}}))
    with model_server() as upstream, sidecar(
        upstream, "--profile", str(profile), "--config", str(settings)
    ) as running:  # fmt: skip
        assert post(running, [FINE]) == 200
        running.settled(1)
        for said, wanted in (({"prediction_log": {"to": f"file:{log}"}}, 1), ({}, 1)):
            before = running.pid_of("exporter.analyser")
            settings.write_text(json.dumps({"windows": {"snapshot_interval": "200ms"}, **said}))
            running.process.send_signal(signal.SIGHUP)
            eventually(lambda old=before: running.pid_of("exporter.analyser") not in {0, old}, what="the next analyser")
            eventually(lambda: running.get(running.web_port, "/-/ready")[0] == 200, what="its first page")
            assert post(running, [FINE]) == 200
            eventually(lambda many=wanted: len(lines(log)) == many, what="lines")
        eventually(lambda: running.metrics().value("model_rows_total", model="m") == 3, what="all are counted")
        assert not running.metrics().all("inference_exporter_prediction_log_lines_offered_total")
        assert len(lines(log)) == 1
