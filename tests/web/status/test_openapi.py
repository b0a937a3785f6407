"""The document of the API: made of what is served, valid, and kept to by a real server whatever it is asked."""

import importlib.util
import json
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import orjson
import pytest
from hypothesis import HealthCheck, given
from monitor_scenes import answers, exchange, live_rows, make_profile, watch
from openapi_spec_validator import validate
from web.status.sample import HOSTILE, NOW, Sample

from exporter import web
from exporter.records import Label
from exporter.web import windows
from exporter.web.limits import Bucket
from exporter.web.server import WebServer
from exporter.web.status import api
from exporter.web.status.budget import Budget
from exporter.web.status.routes import ROUTES
from exporter.web.windows import Scored

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

ROOT = Path(__file__).parents[3]
SERVED = Path(api.__file__).parent / api.DOCUMENT
CHECKS = (
    not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_headers_conformance, checks.response_schema_conformance, checks.negative_data_rejection,
)  # fmt: skip
HOSTILE_TEXTS = (
    "", HOSTILE, "amount", "fraud", "%00", "\x00", "../../etc/passwd", "'; DROP TABLE x; --", "💥" * 200, "\u202e",
    "{{7*7}}", "a" * 3000,
)  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that tells a made-up world, and a window that was really scored."""
    profile = make_profile(tmp_path_factory.mktemp("profile"))
    rows = live_rows(40, 1)
    snapshot = watch(profile, [exchange(rows, answers(rows, 1), 1.0)]).snapshot(1.0)
    app = web.create_app(lambda: None, tuple)
    api.add(app, Sample(60, others=3), Budget(Bucket(1e9, 1e9)))
    windows.add(app, lambda: [Scored(Label("churn", "7"), profile, snapshot)], 200)
    with _serving(app) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _serving(app: Any) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    running = WebServer(listener, app)
    try:
        yield listener.getsockname()[1]
    finally:
        running.stop()
        listener.close()


def test_the_document_is_what_make_docs_writes() -> None:
    found = importlib.util.spec_from_file_location("openapi_document", ROOT / "docs" / "openapi.py")
    assert found is not None
    assert found.loader is not None
    script = importlib.util.module_from_spec(found)
    found.loader.exec_module(script)
    assert SERVED.read_text(encoding="utf-8") == script.document(), "run `make docs`"


def test_the_document_is_valid_and_says_something_of_everything() -> None:
    document = json.loads(SERVED.read_bytes())
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {*(one.path for one in ROUTES), "/api/v1/window", "/api/v1/openapi.json"}
    for path in document["paths"].values():
        assert all(one["description"] for one in path["get"].get("parameters", ()))
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
        assert schema["required"] == list(schema["properties"]), name


def test_a_server_keeps_to_the_document_whatever_it_is_asked(url: str) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json")
    asked = 0
    for found in schema.get_all_operations():
        for mode in GenerationMode:
            operation = found.ok()
            if mode.is_negative and not operation.query:
                continue
            asked += 1
            _try(operation.as_strategy(generation_mode=mode))
    assert asked >= 2 * len(ROUTES)


def _try(cases: Any) -> None:
    @hypothesis.settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=cases)
    def ask(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    ask()


def test_hostile_texts_in_any_parameter_are_answered_as_the_document_says(url: str) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json")
    for route in ROUTES:
        usual = {"name": "amount", "at": NOW, "model": "fraud"}
        known = {one.name: usual[one.name] for one in route.parameters if one.name in usual}
        for parameter in route.parameters:
            for text in HOSTILE_TEXTS:
                case = schema[route.path]["GET"].Case(query={**known, parameter.name: text})
                answer = case.call_and_validate(checks=CHECKS[:5])
                assert answer.headers["content-type"] == ["application/json"]
                assert orjson.loads(answer.content)
