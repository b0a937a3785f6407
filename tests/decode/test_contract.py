"""What every payload protocol promises, for everything in the table."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.decode import PROTOCOLS, REASONS, Decoder, identity
from exporter.decode.payload import Payload, Side
from exporter.errors import DecodeError
from exporter.records import Body, Capture, Exchange, Failure, Observation, Table

SIDES = [pytest.param(protocol.request, id=f"{name} request") for name, protocol in PROTOCOLS.items()]
SIDES += [
    pytest.param(side, id=f"{name} response {number}")
    for name, protocol in PROTOCOLS.items()
    for number, side in enumerate(protocol.response.sides)
]
PRIVATE = "Jane Doe"
decode = Decoder().decode

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)),
    max_leaves=12,
)  # fmt: skip
KEYS = st.sampled_from(sorted({key for one in SIDES for key in one.values[0].keys} | {"data", "ndarray", "features"}))
PATHS = st.one_of(st.text(max_size=30), st.sampled_from([
    "/invocations", "/v1/models/m:predict", "/v1/models/m/labels/x:classify", "/v2/models/m/versions/1/infer",
    "/api/v1.0/predictions", "/seldon/a/b/api/v0.1/predictions", "/predictions/m/2", "/models/m/invoke", "/predict",
    "/v1/chat/completions", "/v1/embeddings",
]))  # fmt: skip
TYPES = st.one_of(st.text(max_size=30), st.sampled_from([
    "application/json", "text/csv", "text/csv; charset=utf-16", "text/csv;charset=zip", "application/jsonlines",
    "text/event-stream", "multipart/form-data; boundary=x", "image/png", "application/octet-stream",
    "application/vnd.x+json; format=pandas-split", "text/plain",
]))  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.text('1,a"\n\r\0.-+eN:{}[]é\ud800', max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(JSON, max_size=4).map(lambda rows: "\n".join(map(json.dumps, rows)).encode()),
    st.lists(st.dictionaries(KEYS, JSON, max_size=3), max_size=3).map(
        lambda events: "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    ),
    st.dictionaries(KEYS, JSON, max_size=3).map(lambda value: json.dumps(value).encode()),
    st.builds(lambda key, columns, data: json.dumps({key: {"columns": columns, "data": data}}).encode(),
              KEYS, JSON, JSON),
)  # fmt: skip


def exchange(request: bytes, response: bytes = b"", /, **changes: Any) -> Exchange:
    standard = Exchange(
        1, 1, 1, 200, "POST", "/invocations", {}, {}, Body(len(request), Capture.WHOLE, request),
        Body(len(response), Capture.WHOLE, response),
    )  # fmt: skip
    return standard._replace(**changes)


def check(side: Any) -> None:
    assert isinstance(side, Table | Failure | None)
    if isinstance(side, Failure):
        assert side.reason in REASONS
        assert side.reason != "internal"
    if isinstance(side, Table):
        assert side.rows >= 0
        assert all(len(column) == side.rows for column in side.columns)
        assert side.names is None or len(side.names) == len(set(side.names)) == len(side.columns)


def payload(document: Any, **headers: str) -> Payload:
    body = json.dumps(document).encode()
    return Payload(Body(len(body), Capture.WHOLE, body), headers, ())


@settings(deadline=None, max_examples=400)
@given(BODIES, BODIES, st.integers(0, 999), st.sampled_from(["POST", "GET", "PUT", "PATCH", "DELETE", ""]))
def test_any_bytes_are_an_observation(request: bytes, response: bytes, status: int, method: str) -> None:
    seen = decode(exchange(request, response, status=status, method=method))
    assert isinstance(seen, Observation)
    check(seen.features)
    check(seen.predictions)
    if isinstance(seen.features, Table) and isinstance(seen.predictions, Table):
        assert seen.features.rows == seen.predictions.rows


@settings(deadline=None, max_examples=400)
@given(BODIES, BODIES, PATHS, TYPES, TYPES)
def test_any_path_and_any_content_type_are_an_observation(
    request: bytes, response: bytes, path: str, asked: str, answered: str
) -> None:
    for capture in (Capture.WHOLE, Capture.TRUNCATED):
        seen = decode(exchange(
            request, response, path=path, request_headers={"content-type": asked},
            response_headers={"content-type": answered}, request=Body(999, capture, request),
            response=Body(999, capture, response),
        ))  # fmt: skip
        check(seen.features)
        check(seen.predictions)
        assert seen.protocol in {"", *PROTOCOLS}
        assert len(seen.request_id) <= identity.LONGEST
        assert seen.request_id.isprintable()


@settings(deadline=None)
@given(
    BODIES,
    st.dictionaries(
        st.sampled_from(["content-encoding", "content-type", "inference-header-content-length"]),
        st.one_of(st.text(max_size=9), st.integers(0, 250).map(str), st.just("gzip")),
    ),
    st.sampled_from(Capture),
)
def test_any_headers_and_captures_are_an_observation(body: Any, headers: dict[str, str], capture: Capture) -> None:
    seen = decode(exchange(body, request_headers=headers, request=Body(9, capture, body)))
    check(seen.features)


@pytest.mark.parametrize("side", SIDES)
@settings(deadline=None)
@given(value=JSON)
def test_a_decoder_raises_decode_errors_and_nothing_else(side: Side, value: Any) -> None:
    for key in side.keys:
        reason = None
        try:
            check(side.read(payload({key: value})))
        except DecodeError as error:
            reason = error.reason
        assert reason in {None, *REASONS}


@pytest.mark.parametrize("side", SIDES)
def test_messages_never_hold_a_value(side: Side) -> None:
    values = [PRIVATE, [PRIVATE, {"a": PRIVATE}], [[PRIVATE], [PRIVATE, PRIVATE]], [[[PRIVATE]]], {"data": PRIVATE},
              {"data": [[PRIVATE]], "columns": [PRIVATE, PRIVATE]},
              {"data": [[PRIVATE]], "columns": [[PRIVATE]]}]  # fmt: skip
    for key in side.keys:
        for value in values:
            with suppress(DecodeError):
                side.read(payload({key: value}))
                continue
            with pytest.raises(DecodeError) as caught:
                side.read(payload({key: value}))
            assert PRIVATE not in str(caught.value)


def test_of_the_protocols_that_share_a_key_all_but_the_last_say_which_objects_are_theirs() -> None:
    claims: dict[str, list[bool]] = {}
    for protocol in PROTOCOLS.values():  # in this order they are asked where the path says nothing
        for key in protocol.request.keys:
            claims.setdefault(key, []).append(protocol.request.claims is not None)
    assert all(all(found[:-1]) for found in claims.values())


def test_a_bug_in_a_decoder_costs_one_payload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.decode.instances.tables.from_any", lambda _: 1 / 0)
    assert decode(exchange(b'{"instances": []}')).features == Failure("internal", "ZeroDivisionError")
