"""What events of KServe and Seldon say."""

import gzip
import json
from typing import Any

import pytest
from events import loggers

from exporter.errors import EventError
from exporter.events import halves, modes
from exporter.events.halves import Arrival, Half

NOW = Arrival(1_000_000_000, 1_800_000_000_000_000_000)


def half(post: loggers.Post, *kept: str) -> Half:
    headers, body = post
    [event] = modes.events(loggers.lower(headers), body, 1 << 20)
    return halves.half(event, NOW, kept)


def test_halves_of_one_exchange_have_the_same_key_whoever_logs_them() -> None:
    for logger in (loggers.kserve, loggers.seldon):
        request, response = half(logger("request", b"{}", "x")), half(logger("response", b"{}", "x"))
        assert (request.kind, response.kind) == ("request", "response")
        assert request.key == response.key
        assert request.key != half(logger("request", b"{}", "y")).key


@pytest.mark.parametrize("attribute", ["inferenceservicename", "namespace", "component", "endpoint", "modelid"])
def test_nodes_of_a_graph_that_log_under_one_id_are_kept_apart(attribute: str) -> None:
    other = half(loggers.kserve("request", b"{}", "x", **{attribute: "another"}))
    assert other.key != half(loggers.kserve("request", b"{}", "x")).key


def test_decoding_is_told_whose_it_is_and_its_id() -> None:
    headers = half(loggers.kserve("request", b"{}", "x", modelid="m")).headers
    assert headers["ce-id"] == "x"
    assert headers["ce-inferenceservicename"] == "sklearn-iris"
    assert headers["ce-modelid"] == "m"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    headers = half(loggers.seldon("request", b"{}", "puid")).headers
    assert headers["ce-id"] == headers["ce-requestid"] == "puid", "the id that both halves have"
    assert (headers["ce-modelid"], headers["ce-endpoint"]) == ("classifier", "example")


@pytest.mark.parametrize(("kind", "expected"), [
    ("io.seldon.serving.inference.request", "request"),
    ("org.kubeflow.serving.inference.response", "response"),
    ("io.seldon.serving.feedback", "feedback"),
    ("io.seldon.serving.inference.feedback", "feedback"),
    ("io.seldon.serving.inference.outlier", "other"),
    ("com.example.order.placed", "other"),
])  # fmt: skip
def test_what_an_event_is_of_is_told_by_its_type(kind: str, expected: str) -> None:
    assert half(loggers.kserve("request", b"{}", "x", type=kind)).kind == expected


def test_an_answer_in_json_has_its_own_content_type_not_the_one_of_its_request() -> None:
    posted = {"Content-Type": "text/csv"}
    headers, body = loggers.kserve("response", b' {"predictions": [1]}', "x")
    assert half((headers | posted, body)).headers["content-type"] == "application/json"
    headers, body = loggers.kserve("response", b"0.5\n", "x")
    assert half((headers | posted, body)).headers["content-type"] == "text/csv"


def test_bytes_that_a_logger_passed_on_compressed_are_known_as_such() -> None:
    body = gzip.compress(loggers.instances([1]))
    assert half(loggers.kserve("request", body, "x")).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in half(loggers.kserve("request", b"{}", "x")).headers


def test_headers_that_kserve_was_told_to_pass_on_are_the_requests() -> None:
    metadata = json.dumps({"X-Request-Id": ["r-1", "r-2"], "Authorization": ["secret"], "User-Agent": "no list"})
    request = half(loggers.kserve("request", b"{}", "x", metadata=metadata))
    assert request.headers["x-request-id"] == "r-1"
    assert not {"authorization", "user-agent"} & request.headers.keys()
    assert "x-request-id" not in half(loggers.kserve("response", b"{}", "x", metadata=metadata)).headers


def test_headers_that_settings_name_are_passed_on_as_well() -> None:
    metadata = json.dumps({"X-Tenant": ["acme"], "X-Other": ["no"]})
    assert half(loggers.kserve("request", b"{}", "x", metadata=metadata), "x-tenant").headers["x-tenant"] == "acme"
    assert "x-tenant" not in half(loggers.kserve("request", b"{}", "x", metadata=metadata)).headers


@pytest.mark.parametrize("metadata", ["{", "[]", "5", "[" * 5000, '{"X-Request-Id": []}', '{"X-Request-Id": [5]}'])
def test_metadata_that_is_none_is_left_out(metadata: str) -> None:
    assert "x-request-id" not in half(loggers.kserve("request", b"{}", "x", metadata=metadata)).headers


@pytest.mark.parametrize(("more", "path"), [
    ({}, ""),
    ({"source": "http://m.default:8080/v1/models/m:predict?a=b"}, "/v1/models/m:predict"),
    ({"path": "/v2/models/m/infer?x"}, "/v2/models/m/infer"),
    ({"source": "io.seldon.serving.deployment.mlserver"}, ""),
    ({"source": "http://[::1"}, ""),
    ({"path": "/" + "x" * 5000}, "/" + "x" * 1023),
])  # fmt: skip
def test_the_path_is_known_where_anything_says_it(more: dict[str, str], path: str) -> None:
    assert half(loggers.kserve("request", b"{}", "x", **more)).path == path


@pytest.mark.parametrize(("time", "seconds"), [
    ("2026-01-31T12:00:00.123456789Z", 1769860800.123456),
    ("2026-01-31T13:00:00+01:00", 1769860800),
    ("2026-01-31T12:00:00", 1769860800),
    ("yesterday", 0),
    ("0001-01-01T00:00:00Z", 0),
    ("9999-12-31T23:59:59-23:59", 253402387139),
    ("", 0),
])  # fmt: skip
def test_when_it_was_sent_is_read_as_its_sender_says(time: str, seconds: float) -> None:
    assert half(loggers.kserve("request", b"{}", "x", time=time)).sent_ns == round(seconds * 1e6) * 1000


def test_a_half_that_nothing_joins_is_refused() -> None:
    with pytest.raises(EventError, match="id: missing, and there is no requestid") as caught:
        half(loggers.kserve("request", b"{}", ""))
    assert caught.value.reason == "malformed"
    assert half(loggers.seldon("feedback", b"{}", "")).kind == "feedback"


def test_what_is_kept_of_a_hostile_event_is_bounded_and_weighed() -> None:
    long: dict[str, Any] = dict.fromkeys(("requestid", "modelid", "namespace", "component", "endpoint"), "x" * 9000)
    found = half(loggers.kserve("request", b"y" * 1000, "x" * 9000, **long))
    assert max(map(len, found.headers.values())) <= 512
    assert max(map(len, found.key)) <= 512
    assert found.cost >= 1000 + 5 * 512
