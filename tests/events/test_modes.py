"""What is in a POST: every mode, and every way in which it can be none."""

import base64
import gzip
import json
from typing import Any

import pytest
from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from events import loggers
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.errors import EventError
from exporter.events.modes import events
from exporter.records import EVENT_REFUSALS

MOST = 1 << 20
STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
BATCHED = {"content-type": "application/cloudevents-batch+json"}
EVENT = {"specversion": "1.0", "id": "7", "source": "s", "type": "org.kubeflow.serving.inference.request"}


def structured(**more: Any) -> bytes:
    return json.dumps(EVENT | more).encode()


def refusal(headers: dict[str, str], body: bytes) -> EventError:
    with pytest.raises(EventError) as caught:
        events(headers, body, MOST)
    return caught.value


def test_the_headers_of_the_binary_mode_are_attributes_and_its_body_is_the_data() -> None:
    headers, body = loggers.kserve("request", b'{"instances": [[1]]}', "a-b", modelid="caf%C3%A9%20%22x%22")
    [event] = events(loggers.lower(headers), body, MOST)
    assert event.data == body
    assert event.content_type == "application/x-www-form-urlencoded"
    assert (event.attributes["id"], event.attributes["modelid"]) == ("a-b", 'café "x"')
    assert event.attributes["type"].endswith(".inference.request")


def test_attributes_in_quotes_are_read_without_them() -> None:
    headers = {"ce-type": '"io.seldon.serving.feedback"', "ce-specversion": "0.3", "ce-id": r'"a\"b"'}
    [event] = events(headers, b"", MOST)
    assert event.attributes == {"type": "io.seldon.serving.feedback", "specversion": "0.3", "id": 'a"b'}


def test_what_the_sdk_of_cloudevents_writes_is_read() -> None:
    data = {"instances": [{"größe": 1.5, "weiß": None}]}
    event = CloudEvent(EVENT | {"datacontenttype": "application/json", "requestid": "é %"}, data)
    for write in (http.to_binary, http.to_structured):
        message = write(event, JSONFormat())
        [read] = events(loggers.lower(message.headers), message.body, MOST)
        assert json.loads(read.data) == data
        assert read.attributes["requestid"] == "é %"
        assert read.attributes["type"] == EVENT["type"]
        assert read.content_type == "application/json"


@pytest.mark.parametrize(("fields", "data"), [
    ({"data": {"instances": [[1, 2.5, None, True]]}}, b'{"instances":[[1,2.5,null,true]]}'),
    ({"data": '{"instances": [[1]]}'}, b'{"instances": [[1]]}'),
    ({"data": "a,b\n1,2\n", "datacontenttype": "text/csv"}, b"a,b\n1,2\n"),
    ({"data_base64": base64.b64encode(b"\x00\xff").decode()}, b"\x00\xff"),
    ({"data": None}, b""),
    ({}, b""),
])  # fmt: skip
def test_the_data_of_the_structured_mode_is_bytes_again(fields: dict[str, Any], data: bytes) -> None:
    [event] = events(STRUCTURED, structured(**fields), MOST)
    assert event.data == data
    assert event.content_type == fields.get("datacontenttype", "")


def test_numbers_that_are_none_stay_what_they_were() -> None:
    body = structured(data={}).replace(b"{}", b'{"instances": [[NaN, -Infinity, 123456789012345678901234567890]]}')
    [event] = events(STRUCTURED, body, MOST)
    assert event.data == b'{"instances": [[NaN, -Infinity, 123456789012345678901234567890]]}'


def test_extensions_that_are_no_text_become_text() -> None:
    [event] = events(STRUCTURED, structured(requestid=42, modelid=True, nested={"a": 1}), MOST)
    assert (event.attributes["requestid"], event.attributes["modelid"]) == ("42", "True")
    assert "nested" not in event.attributes


def test_a_batch_is_its_events_in_order() -> None:
    body = json.dumps([EVENT | {"id": str(number), "data": number} for number in range(5)]).encode()
    found = events(BATCHED, body, MOST)
    assert [(event.attributes["id"], event.data) for event in found] == [(str(n), str(n).encode()) for n in range(5)]
    assert events(BATCHED, b"[]", MOST) == []


def test_gzip_is_undone_in_the_structured_modes_and_left_to_decoding_in_the_binary_one() -> None:
    packed = gzip.compress(structured(data=[1]))
    [event] = events(STRUCTURED | {"content-encoding": "gzip"}, packed, MOST)
    assert event.data == b"[1]"
    headers, body = loggers.kserve("request", packed, "1")
    [event] = events(loggers.lower(headers) | {"content-encoding": "gzip"}, body, MOST)
    assert (event.data, event.content_encoding) == (packed, "gzip")


@pytest.mark.parametrize(("headers", "body", "words"), [
    ({"content-type": "application/json"}, b"{}", "no CloudEvent: neither a ce-type header nor content type"),
    ({}, b"", "no CloudEvent"),
    ({"ce-id": "1"}, b"", "no CloudEvent"),
    ({"ce-type": "", "ce-id": "1"}, b"", "ce-type: missing"),
    ({"ce-type": "t", "ce-specversion": "0.1"}, b"", "ce-specversion: only 0.3 and 1.0 are read"),
    ({"content-type": "application/cloudevents+xml"}, b"<a/>", "only JSON is read"),
    (STRUCTURED, b"", "the body is not JSON"),
    (STRUCTURED, b"{", "the body is not JSON"),
    (STRUCTURED, b"\xff\xfe\xff", "the body is not JSON"),
    (STRUCTURED, b"[]", "the body: an event must be an object"),
    (STRUCTURED, b"[" * 200_000, "nested too deeply"),
    (STRUCTURED, structured(data=0).replace(b"0}", b"[" * 400 + b"]" * 400 + b"}"), "data: nested too deeply"),
    (STRUCTURED, b"{}", "type: missing"),
    (STRUCTURED, structured(specversion="2.0"), "specversion: only"),
    (STRUCTURED, structured(data=1, data_base64="aa=="), "data: given as data_base64, too"),
    (STRUCTURED, structured(data_base64="a!"), "data_base64: not base64"),
    (STRUCTURED, structured(data_base64="é"), "data_base64: not base64"),
    (STRUCTURED, structured(data_base64=5), "data_base64: not base64"),
    (STRUCTURED, structured(data="\ud800"), "data: not Unicode"),
    (STRUCTURED | {"content-encoding": "compress"}, b"", "content-encoding"),
    (STRUCTURED | {"content-encoding": "gzip"}, b"no gzip", "content-encoding: corrupt"),
    (BATCHED, b"{}", "a batch must be a list"),
    (BATCHED, b"[1]", "[0]: an event must be an object"),
    (BATCHED, json.dumps([EVENT, EVENT | {"type": ""}]).encode(), "[1].type: missing"),
])  # fmt: skip
def test_what_is_no_event_is_refused_with_the_path_to_the_fault(
    headers: dict[str, str], body: bytes, words: str
) -> None:
    error = refusal(headers, body)
    assert error.reason == "malformed"
    assert words in str(error)


def test_a_batch_with_one_bad_event_is_refused_whole() -> None:
    assert refusal(BATCHED, json.dumps([EVENT, EVENT, {}]).encode()).events == 3


def test_what_swells_is_refused() -> None:
    bomb = gzip.compress(structured(data="a" * (MOST + 1)))
    assert refusal(STRUCTURED | {"content-encoding": "gzip"}, bomb).reason == "too_large"


def test_no_refusal_tells_what_was_in_the_payload() -> None:
    card = "4111-1111-1111-1111"
    for body in (
        structured(data_base64=card),
        structured(data=card, data_base64=card),
        b'{"%s": ' % card.encode(),
    ):
        assert card not in str(refusal(STRUCTURED, body))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("specversion", "type", "id", "data", "data_base64", "datacontenttype"), JSON_VALUES)
)
BODIES = (
    st.binary()
    | JSON_VALUES.map(lambda value: json.dumps(value).encode())
    | FIELDS.map(lambda fields: json.dumps(EVENT | fields).encode())
    | st.lists(FIELDS, max_size=3).map(lambda many: json.dumps([EVENT | fields for fields in many]).encode())
)
HEADERS = st.sampled_from([STRUCTURED, BATCHED, {}, {"content-type": "application/cloudevents"}]).flatmap(
    lambda known: st.dictionaries(
        st.sampled_from(["ce-type", "ce-id", "ce-specversion", "content-encoding", "ce-x"]), st.text()
    ).map(lambda more: known | more)
)  # fmt: skip


@settings(deadline=None)
@given(HEADERS, BODIES)
def test_any_post_is_events_or_refused_for_a_known_reason(headers: dict[str, str], body: bytes) -> None:
    try:
        found = events(headers, body, MOST)
    except EventError as error:
        reason, refused = error.reason, error.events
    else:
        assert all(isinstance(event.data, bytes) and event.attributes["type"] for event in found)
        return
    assert reason in EVENT_REFUSALS
    assert refused >= 1
