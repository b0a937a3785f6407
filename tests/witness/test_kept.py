"""What is kept of single exchanges, without a process around it."""

import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kept_scenes import NOTHING, SPAN, TRACE, exchange, seen
from made_profiles import profile_of
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from support import eventually

from exporter import catalogue, config
from exporter.collect.exposition import Distributions, Samples, Writer
from exporter.decode import Decoder
from exporter.errors import ConfigError
from exporter.monitor.models import Models
from exporter.profile.directory import OneProfile
from exporter.records import DURATION_BOUNDS, Observation, Table
from exporter.snapshots import Histogram
from exporter.traced import Tail
from exporter.witness import of
from exporter.witness.examples import Reservoir
from exporter.witness.exemplars import Kept
from exporter.witness.keeping import Keeping
from exporter.witness.log import Log
from exporter.witness.naming import IdsShown
from exporter.witness.seeing import Seen
from exporter.witness.spans.making import Making
from exporter.witness.traces import Trace
from exporter.witnessed import Flag


def written(tmp_path: Path, *those: Seen, **said: Any) -> list[dict[str, Any]]:
    path = tmp_path / "log"
    log = Log(config.resolve(("test", {"prediction_log.to": f"file:{path}", **said})), None, None)
    for one in those:
        log.take(one, Trace(TRACE, SPAN))
    log.porter.finish(30)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_line_has_what_is_known_and_nothing_else(tmp_path: Path) -> None:
    (line,) = written(tmp_path, seen(flags=(Flag(0, "feature", "f0", "out_of_range"),)))
    assert line == {
        "time": "2025-10-09T08:53:20.123456Z", "model": "m", "model_version": "1",
        "profile": profile_of(2).short_digest, "request_id": "order-17", "trace_id": TRACE, "span_id": SPAN,
        "method": "POST", "path": "/v1/models/m:predict", "code": 200, "duration_seconds": 0.012,
        "protocol": "instances", "kept": "ratio", "features": [{"f0": 1.5, "f1": "<b>"}], "rows": 1,
        "flags": [{"row": 0, "side": "feature", "column": "f0", "check": "out_of_range"}],
    }  # fmt: skip


@pytest.mark.parametrize("cell", [10**30, -(1 << 70), "\ud800", float("nan"), None, True, '\0\n"', np.float64(1.5)])
def test_a_line_is_json_whatever_cells_hold(tmp_path: Path, cell: Any) -> None:
    table = Table(1, ("f0",), ((cell,),))
    one = seen()._replace(decoded=Observation(table, None))
    (line,) = written(tmp_path, one)
    if cell is None or isinstance(cell, str | bool):
        assert line["features"] == [{"f0": cell}]


def test_a_line_that_is_too_long_is_counted_and_left_out(tmp_path: Path) -> None:
    settings = config.resolve(
        ("test", {"prediction_log.to": f"file:{tmp_path / 'log'}", "prediction_log.max_line": 1024})
    )
    log = Log(settings, None, None)
    table = Table(1, ("f0",), (("x" * 2000,),))
    log.take(seen()._replace(decoded=Observation(table, None)), None)
    log.take(seen(), None)
    log.porter.finish(30)
    assert log.porter.counted() == (2, 1, {"too_large": 1})


def test_a_clock_that_was_set_to_nowhere_makes_a_line_and_a_span(tmp_path: Path) -> None:
    making = Making(config.resolve(("test", {"tracing.exporter": "otlp"})), IdsShown(of_request=True, of_rows=True))
    for wall_ns in (-(10**18), 0, 5, 1 << 62):
        (line,) = written(tmp_path, seen(wall_ns=wall_ns))
        assert line["time"].endswith("Z")
        (tmp_path / "log").unlink()
        span = making.span(seen(wall_ns=wall_ns, duration_ns=10**12, first_byte_ns=10**9), Trace(TRACE, SPAN), "ratio")
        assert 0 <= (span.start_time or 0) <= (span.end_time or 0)


# --- which are kept


def test_a_lot_falls_on_a_share_and_on_all_or_none_of_a_trace() -> None:
    keeping = Keeping(NOTHING, 0.1)
    draw = random.Random(3)
    traces = [f"{draw.getrandbits(128):032x}" for _ in range(20_000)]
    drawn = [keeping.is_drawn(trace) for trace in traces]
    assert abs(sum(drawn) / 20_000 - 0.1) < 0.01, "five standard errors"
    assert drawn == [Keeping(NOTHING, 0.1).is_drawn(trace) for trace in traces], "the same wherever it is drawn"
    without = sum(keeping.is_drawn("") for _ in range(20_000))
    assert abs(without / 20_000 - 0.1) < 0.01
    assert not any(Keeping(NOTHING, 0.0).is_drawn(trace) for trace in traces)
    assert all(Keeping(NOTHING, 1.0).is_drawn(trace) for trace in traces)


@pytest.mark.parametrize(
    ("tail", "changes", "expected"),
    [
        (Tail(True, 0.0, False, False), {"status": 500}, "error"),
        (Tail(True, 0.0, False, False), {"status": 404}, "error"),
        (Tail(True, 0.0, False, False), {"status": 0}, ""),
        (Tail(True, 0.0, False, False), {}, ""),
        (Tail(False, 0.01, False, False), {"duration_ns": 10_000_000}, "slow"),
        (Tail(False, 0.01, False, False), {"duration_ns": 9_999_999}, ""),
        (Tail(False, 0.0, True, False), {"flags": (Flag(0, "feature", "", "unusual"),)}, "unusual"),
        (Tail(False, 0.0, True, False), {"flags": (Flag(0, "feature", "f0", "drifted"),)}, ""),
        (Tail(False, 0.0, False, True), {"flags": (Flag(0, "feature", "f0", "drifted"),)}, "drifted"),
    ],
)
def test_what_is_kept_in_any_case_says_why(tail: Tail, changes: dict[str, Any], expected: str) -> None:
    assert Keeping(tail, 0.0).why(seen(**changes)) == expected


# --- exemplars and examples


def test_exemplars_stand_behind_their_samples_as_openmetrics_has_them() -> None:
    kept = Kept()
    flag = Flag(0, "feature", "f1", "missing")
    kept.take(seen(flags=(flag,), duration_ns=12_345_678), Trace(TRACE, SPAN))
    kept.take(seen(status=503, duration_ns=30_000_000_000), Trace("a" * 32, SPAN))
    kept.take(seen(duration_ns=-1), None)
    counts = tuple(range(len(DURATION_BOUNDS) + 1))
    of_model = ("m", "1")
    missing = catalogue.FEATURES.quality_values["missing"]
    items = (
        Samples(catalogue.REQUESTS, [((*of_model, "200"), 7), ((*of_model, "503"), 1)]),
        Distributions(catalogue.REQUEST_DURATION, DURATION_BOUNDS, [(of_model, Histogram(counts, 1.5))]),
        Distributions(catalogue.FAILED_DURATION, DURATION_BOUNDS, [(of_model, Histogram(counts, 1.5))]),
        Samples(missing, [((*of_model, profile_of(2).short_digest, name), 3) for name in ("f0", "f1")]),
    )
    writer = Writer()
    blocks = [writer.block(item, kept.found.get(item.family.name, {})) for item in items]
    text = "".join((one.open_head + (one.open_body or one.body)).decode() for one in blocks) + "# EOF\n"
    found = {
        (sample.name, tuple(sample.labels.values())): sample.exemplar
        for family in text_string_to_metric_families(text) for sample in family.samples if sample.exemplar
    }  # fmt: skip
    assert {(name, labels[-1]): (one.labels["trace_id"], one.value) for (name, labels), one in found.items()} == {
        ("model_requests_total", "200"): (TRACE, 1.0),
        ("model_requests_total", "503"): ("a" * 32, 1.0),
        ("model_request_duration_seconds_bucket", "0.025"): (TRACE, 0.012345678),
        ("model_failed_request_duration_seconds_bucket", "30.0"): ("a" * 32, 30.0),
        ("model_feature_missing_values_total", "f1"): (TRACE, 1.0),
    }
    assert all(float(one.timestamp) == 1_760_000_000.123 for one in found.values())
    assert all("#" not in one.body.decode() for one in blocks), "text 0.0.4 knows none"


def test_of_a_hundred_thousand_traces_no_more_is_held_than_of_one() -> None:
    kept, draw = Kept(), random.Random(5)
    for at in range(100_000):
        kept.take(seen(status=200 + at % 400, duration_ns=at * 1000), Trace(f"{draw.getrandbits(128):032x}", SPAN))
    assert sum(map(len, kept.found.values())) <= 400 + 2 * (len(DURATION_BOUNDS) + 1)


def reservoir(**said: Any) -> Reservoir:
    return Reservoir(config.resolve(("test", {"examples.fields": ["*"], **said})), None, None)


def test_examples_are_the_last_rows_that_failed() -> None:
    held = reservoir(**{"examples.limit": 3})
    held.take(seen(), None)
    assert held.found() == {}
    for at in range(10):
        flag = Flag(0, "feature", "f0", "missing")
        held.take(seen(flags=(flag, Flag(0, "feature", "", "unusual")), status=200 + at), Trace(TRACE, SPAN))
    (found,) = held.found().values()
    assert [one.code for one in found] == [209, 208, 207]
    assert found[0].flags == (("f0", "missing"), ("", "unusual"))
    assert found[0].features == {"f0": "1.5", "f1": "<b>"}
    assert (found[0].request_id, found[0].trace_id) == ("order-17", TRACE)


def test_examples_have_the_fields_that_are_allowed_and_checks_of_these_alone() -> None:
    held = reservoir(**{"examples.fields": ["f1"]})
    held.take(seen(flags=(Flag(0, "feature", "f0", "missing"),)), None)
    assert held.found() == {}, "nobody may know of that field"
    held.take(seen(flags=(Flag(0, "feature", "f0", "missing"), Flag(0, "feature", "f1", "unseen"))), None)
    ((one,),) = held.found().values()
    assert one.features == {"f1": "<b>"}
    assert one.flags == (("f1", "unseen"),)


# --- settings


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"tracing.exporter": "jaeger"}, "tracing.exporter: must be one of off, otlp, zipkin"),
        ({"tracing.endpoint": "http://user:secret@host"}, "tracing.endpoint: must not hold a user or a password"),
        ({"tracing.endpoint": "host"}, "tracing.endpoint: must be HOST:PORT"),
        ({"tracing.exporter": "zipkin", "tracing.endpoint": "host:9411"}, "tracing.endpoint: HOST:PORT is for grpc"),
        ({"tracing.exporter": "zipkin", "tracing.protocol": "grpc"}, "tracing.protocol: has no meaning for zipkin"),
        ({"tracing.ratio": 2}, "tracing.ratio: must be a number from 0 to 1"),
        ({"tracing.contexts": ["w3c", "b4"]}, "did you mean b3?"),
        ({"prediction_log.to": "file:relative"}, "prediction_log.to: must be file:/PATH"),
        ({"prediction_log.to": "ftp://host"}, "prediction_log.to: must be off, stdout"),
        ({"prediction_log.hash": ["x"]}, "prediction_log.hash: needs a secret, say salt_file"),
        ({"prediction_log.max_line": "8MiB"}, "prediction_log.max_pending: must be at least four times max_line"),
        ({"prediction_log.to": "stdout", "prediction_log.token_file": "/x"}, "token_file: has no meaning"),
        (
            {"tracing.endpoint": "http://127.0.0.1:8080", "upstream": "http://127.0.0.1:9"},
            "tracing.endpoint: is at an address of this exporter itself",
        ),
        ({"tracing.endpoint": "localhost:9877"}, "tracing.endpoint: is at an address of this exporter itself"),
        (
            {"prediction_log.to": "http://127.0.0.1:8080/x", "upstream": "http://127.0.0.1:9"},
            "prediction_log.to: is at an address of this exporter",
        ),
        ({"examples.limit": 0}, "examples.limit: must be a whole number from 1"),
        ({"metrics.exemplars": "yes"}, "metrics.exemplars: must be true or false"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_path(said: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=r"settings|test") as refused:
        config.resolve(("test", said))
    assert words in str(refused.value)
    assert "secret@" not in str(refused.value)


def test_all_travels_to_child_processes_and_off_keeps_no_header() -> None:
    said = {"tracing.exporter": "otlp", "tracing.contexts": ["b3"], "tracing.endpoint": "host:4317",
            "prediction_log.to": "https://host/log", "prediction_log.deny": ["a*"], "examples.fields": ["a"],
            }  # fmt: skip
    settings = config.resolve(("test", said))
    assert config.from_document(json.loads(json.dumps(config.to_document(settings)))) == settings
    assert "b3" in settings.kept_headers
    assert "traceparent" not in settings.kept_headers
    assert not config.resolve().trace_headers


def test_off_nobody_looks() -> None:
    nobody = of(config.resolve(), None, None)
    assert type(nobody).__name__ == "NoWitness"
    assert not nobody.look()
    assert nobody.snapshot() == (None, None)


def test_probes_and_whatever_is_no_traffic_leave_nothing_behind(tmp_path: Path) -> None:
    settings = config.resolve(("test", {"prediction_log.to": f"file:{tmp_path / 'log'}"}))
    witness = of(settings, None, None)
    models, decode = Models(settings, OneProfile(None, None)), Decoder().decode
    those = [exchange(path="/health"), exchange(request_headers={"user-agent": "kube-probe/1.30"}), exchange()]
    decoded = list(map(decode, those))
    witness.see(those, decoded, list(map(models.observe, those, decoded)))
    witness.finish()
    eventually(witness.look, what="counted")
    assert len((tmp_path / "log").read_text().splitlines()) == 1


def test_an_exchange_that_nobody_foresaw_ends_nothing(tmp_path: Path) -> None:
    settings = config.resolve(("test", {"prediction_log.to": f"file:{tmp_path / 'log'}"}))
    witness = of(settings, None, None)
    odd, fine = seen()._replace(decoded=Observation(Table(1, ("a",), ((object(),),)), None)), seen()
    watched: Any = SimpleNamespace(label=fine.watched.label, profile=None)
    broken = Table(1, ("a", "b"), ((1,),))
    those = [odd.exchange, fine.exchange, fine.exchange]
    told = [odd.decoded, Observation(broken, None), fine.decoded]
    witness.see(those, told, [(watched, one) for one in told])
    witness.finish()
    written_ones = (tmp_path / "log").read_text().splitlines()
    assert len(written_ones) == 2, "of the one whose columns are not as many as its names nothing was kept"
