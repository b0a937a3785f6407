"""POST /events: what a sender is told. The web side without its processes."""

import gzip
import json
from typing import Any

import pytest
from events import loggers
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter import web
from exporter.collect.rendered import Rendered
from exporter.events.desk import Desk
from exporter.handoff import board
from exporter.sections import Events

BATCHED = {"content-type": "application/cloudevents-batch+json"}


def desk() -> Desk:
    return Desk(Events(max_body=4096, max_pending=64 << 10), board.attach(board.create()))


def client(at: Desk | None) -> FlaskClient:
    return web.create_app(lambda: Rendered([]), None, at).test_client()


def counted(at: Desk) -> dict[str, int]:
    counts = at.snapshot()
    assert counts.received == sum(counts.observed.values()) + sum(counts.dropped.values()) + counts.waiting
    return {name: count for name, count in (*counts.observed.items(), *counts.dropped.items()) if count}


def test_both_halves_are_taken_with_200_and_no_content() -> None:
    at = desk()
    for kind, body in (("request", loggers.instances([1])), ("response", loggers.predictions(1))):
        headers, content = loggers.kserve(kind, body, "x")
        answer = client(at).post("/events", data=content, headers=headers)
        assert (answer.status_code, answer.data) == (200, b"")
    assert len(at.take()) == 1
    assert counted(at) == {"whole": 2}


def test_it_is_off_unless_the_settings_say_otherwise() -> None:
    headers, body = loggers.kserve("request", b"{}", "x")
    answer = client(None).post("/events", data=body, headers=headers)
    assert (answer.status_code, answer.text) == (403, "taking events is not enabled: set events.enable\n")
    assert client(desk()).get("/events").status_code == 405


def test_compressed_events_are_taken() -> None:
    at = desk()
    body = gzip.compress(json.dumps([_event("request"), _event("response")]).encode())
    assert client(at).post("/events", data=body, headers=BATCHED | {"content-encoding": "gzip"}).status_code == 200
    [(pair, exchange)] = at.take()
    assert (pair.kind, exchange.request.content) == ("whole", b'{"instances":[[1]]}')


def _event(half: str) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "x", "source": "s", "type": f"org.kubeflow.serving.inference.{half}",
            "data": {"instances": [[1]]}}  # fmt: skip


@pytest.mark.parametrize(("headers", "body", "status", "words", "reason"), [
    ({"content-type": "application/json"}, b"{}", 400, "no CloudEvent", "malformed"),
    (BATCHED, b'[{"type": 5}, {"id": "\\u0001"}]', 400, "[1].type: missing", "malformed"),
    ({"ce-type": "a.inference.request"}, b"{}", 400, "id: missing", "malformed"),
    ({"ce-type": "x", "ce-id": "1"}, b"a" * 5000, 413, "longer than 4096 bytes (events.max_body)", "too_large"),
    (BATCHED | {"content-encoding": "gzip"}, gzip.compress(b" " * 5000, mtime=0), 413, "inflates to more", "too_large"),
])  # fmt: skip
def test_what_cannot_be_taken_is_said_and_counted(
    headers: dict[str, str], body: bytes, status: int, words: str, reason: str
) -> None:
    at = desk()
    answer = client(at).post("/events", data=body, headers=headers)
    assert answer.status_code == status
    assert words in answer.text
    assert counted(at) == {reason: 2 if body.startswith(b"[{") else 1}


def test_where_there_is_no_room_the_sender_is_asked_to_come_again() -> None:
    at = desk()
    headers, body = loggers.kserve("request", b"x" * 4000, "x")
    answers = [client(at).post("/events", data=body, headers=headers) for _ in range(20)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    assert counted(at) == {"busy": len(refused)}
    at.take()
    assert client(at).post("/events", data=body, headers=headers).status_code == 200


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["Ce-Id", "Ce-Type", "Ce-Time", "Ce-Metadata", "Content-Encoding", "Content-Type"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255))
        | st.sampled_from(["application/cloudevents+json", "x.inference.request", "gzip", "2026-01-31T12:00:00Z"]),
    ),
    st.binary(max_size=5000),
)  # fmt: skip
def test_any_post_is_answered_and_accounted_for(headers: dict[str, str], body: bytes) -> None:
    at = desk()
    status = client(at).post("/events", data=body, headers=headers).status_code
    assert status in {200, 400, 413}
    refused = sum(counted(at).values())
    assert refused == at.snapshot().received if status > 200 else refused == 0
