"""Which model an exchange is about, and by which id it can be found again."""

import json
from typing import Any

import pytest
from decode.test_contract import decode, exchange
from hypothesis import given
from hypothesis import strategies as st

from exporter.decode import Decoder, identity, pointer
from exporter.decode.rules import Rules
from exporter.origins import origins
from exporter.reference import Column, Profile

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def seen(body: Any = None, answer: Any = None, rules: Rules | None = None, **more: Any) -> Any:
    request, response = (
        json.dumps(one).encode() for one in (body or {"instances": [1]}, answer or {"predictions": [1]})
    )
    return more.pop("by", Decoder(rules).decode)(exchange(request, response, **more))


@pytest.mark.parametrize(("path", "named"), [
    ("/v1/models/m:predict", ("m", "")), ("/v1/models/m/versions/12:predict", ("m", "12")),
    ("/v1/models/m/labels/canary:regress", ("m", "label:canary")), ("/v1/models/m%20x:explain", ("m x", "")),
    ("/v2/models/m/infer", ("m", "")), ("/gate/v2/models/m/versions/v1.2/infer", ("m", "v1.2")),
    ("/v2/models/m/ready", ("", "")), ("/predictions/m", ("m", "")), ("/predictions/m/2.0", ("m", "2.0")),
    ("/seldon/ns/dep/api/v1.0/predictions", ("dep", "")), ("/api/v1.0/predictions", ("", "")),
    ("/endpoints/e/invocations", ("e", "")), ("/models/m/invoke", ("m", "")), ("/invocations", ("", "")),
    ("/openai/deployments/gpt/chat/completions", ("gpt", "")), ("/v1/models/m%00:predict", ("m\0", "")),
    ("/v1/models/" + "m" * 129 + ":predict", ("m" * 129, "")),
    ("/v1/models/:predict", ("", "")), ("/xv1/models/m:predict", ("", "")),
    ("/v1/models/%F0%9F%98%80:predict", ("😀", "")),
])  # fmt: skip
def test_a_url_names_the_model(path: str, named: tuple[str, str]) -> None:
    found = decode(exchange(b"{}", path=path))
    assert (found.model, found.version) == named


def tensors(key: str, **beside: Any) -> dict[str, Any]:
    return {key: [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}], **beside}


def test_url_comes_before_body_and_body_before_headers() -> None:
    headers = {"x-amzn-sagemaker-target-variant": "blue", "ce-modelid": "by-header"}
    answer = tensors("outputs", model_name="by-body", model_version="7")
    request = tensors("inputs")
    for path, named in (("/v2/models/url/versions/1/infer", ("url", "1")), ("/v2/models/url/infer", ("url", "7")),
                        ("/infer", ("by-body", "7"))):  # fmt: skip
        found = seen(request, answer, path=path, request_headers=headers)
        assert (found.model, found.version) == named
    found = seen(path="/infer", request_headers=headers)
    assert (found.model, found.version) == ("by-header", "blue")
    assert seen(path="/infer", request_headers={"ce-inferenceservicename": "isvc"}).model == "isvc"


def test_an_error_names_no_model() -> None:
    answer = tensors("outputs", model_name="by-body", model_version="7")
    assert seen(tensors("inputs"), answer, path="/infer", status=400).model == ""


@pytest.mark.parametrize("value", [None, ["m"], {"m": 1}, "m\n", "m\x7f", "m" * 129, 10**20, "\ud800"])
def test_only_short_printable_names_are_believed(value: Any) -> None:
    assert identity.believed(value) == ""
    assert seen(tensors("inputs"), tensors("outputs", model_name=value, id=value), path="/infer").request_id == ""


@pytest.mark.parametrize(
    ("value", "text"), [(17, "17"), ("17", "17"), (17.0, "17"), (1.5, "1.5"), (True, "true"), (2**63, str(2**63))]
)
def test_an_id_is_any_scalar_in_one_spelling(value: Any, text: str) -> None:
    assert seen(tensors("inputs"), tensors("outputs", id=value), path="/infer").request_id == text
    assert identity.spelled(value) == text


def test_an_id_is_taken_from_whoever_gave_one_first() -> None:
    every = {"ce-requestid": "1", "ce-id": "2", "x-request-id": "3", "seldon-puid": "4",
             "x-amzn-sagemaker-inference-id": "5", "traceparent": PARENT}  # fmt: skip
    for name, value in list(every.items()):
        expected = TRACE if name == "traceparent" else value
        assert seen(request_headers=every).request_id == expected
        assert seen(response_headers=every).request_id == expected
        del every[name]
    assert seen(request_headers=every).request_id == ""
    assert seen(tensors("inputs", id="body"), path="/infer", request_headers={"ce-id": "2"}).request_id == "body"
    assert seen(tensors("inputs", id=7), tensors("outputs", id="8"), path="/infer").request_id == "7"
    assert seen(tensors("inputs"), tensors("outputs", id="8"), path="/infer").request_id == "8"


@pytest.mark.parametrize("value", ["", "x", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", PARENT.upper(), PARENT[:-1]])
def test_a_trace_that_is_none_is_no_id(value: str) -> None:
    assert seen(request_headers={"traceparent": value}).request_id == ""


def test_what_the_operator_says_about_ids_comes_first() -> None:
    headers = {"x-request-id": "3", "x-own": "own"}
    assert seen(rules=Rules(id_header="x-own"), request_headers=headers).request_id == "own"
    assert seen(rules=Rules(id_header="x-own"), response_headers=headers).request_id == "own"
    assert seen(rules=Rules(id_header="x-none"), request_headers=headers).request_id == "3"
    body = {"instances": [1], "meta": {"a/b": ["x", "deep"]}}
    by_pointer = Rules(id_pointer="/meta/a~1b/1", id_header="x-own")
    assert seen(body, rules=by_pointer, request_headers=headers).request_id == "deep"
    assert seen(rules=by_pointer, answer={"predictions": [1], **body}).request_id == "deep"
    assert seen(rules=by_pointer, request_headers=headers).request_id == "own"


def test_key_columns_give_an_id_for_each_row() -> None:
    keys = Rules(id_columns=("customer", "day"))
    rows = [{"customer": 7, "day": "mon", "x": 1}, {"customer": 8, "x": 2}, {"customer": 9, "day": "tue", "x": 3}]
    found = seen({"instances": rows}, {"predictions": [1, 2, 3]}, rules=keys)
    assert found.row_ids == ("7/mon", "", "9/tue")
    assert seen({"instances": [{"customer": 7}]}, rules=keys).row_ids == ()
    assert seen({"instances": [[1, 2]]}, rules=keys).row_ids == ()
    assert seen({"instances": rows}, {"predictions": [1, 2, 3]}).row_ids == ()


def test_slashes_in_key_columns_make_no_two_rows_one() -> None:
    keys = Rules(id_columns=("customer", "day"))
    pairs = [("a/b", "c"), ("a", "b/c"), ("a~1b", "c"), ("a", "31/01/2026"), ("a/31", "01/2026")]
    rows = [{"customer": customer, "day": day} for customer, day in pairs]
    ids = seen({"instances": rows}, {"predictions": [1] * len(rows)}, rules=keys).row_ids
    assert len({*ids}) == len(rows)
    assert ids == tuple(identity.of_key(pair) for pair in pairs)
    assert seen({"instances": [{"day": "1/2"}]}, rules=Rules(id_columns=("day",))).row_ids == ("1/2",)


def test_key_columns_are_those_of_the_profile_or_of_the_payload() -> None:
    columns = tuple(Column(name, "numeric", (0,) * 16, (0.0, 1.0)) for name in ("customer", "x"))
    profile = Profile("m", "1", None, 1, "x", columns, ())
    bare = Decoder(Rules(id_columns=("customer",)), profile_of=lambda _: profile).decode
    assert seen({"instances": [[7, 1], [8, 2]]}, {"predictions": [1, 2]}, by=bare).row_ids == ("7", "8")
    assert seen({"instances": [[7, 1, 5]]}, by=bare).row_ids == ()
    told = origins({"customer": "/rows/*/who", "x": "/rows/*/x"})
    for name in ("customer", "/rows/*/who"):
        mapped = Decoder(Rules(features=told, id_columns=(name,)))
        assert seen({"rows": [{"who": 7, "x": 1}, {"who": 8}]}, by=mapped.decode).row_ids == ("7", "8")


DOCUMENT = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "m~n": 8, "null": None, "01": "name"}


@pytest.mark.parametrize(("place", "found"), [
    ("", DOCUMENT), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2), ("/m~0n", 8),
    ("/null", None), ("/01", "name"), ("/foo/01", pointer.ABSENT), ("/foo/-", pointer.ABSENT),
    ("/foo/2", pointer.ABSENT), ("/foo/-1", pointer.ABSENT), ("/foo/0/x", pointer.ABSENT), ("/bar", pointer.ABSENT),
    ("/foo/" + "9" * 5000, pointer.ABSENT), ("/foo/²", pointer.ABSENT),
])  # fmt: skip
def test_a_pointer_leads_where_its_rfc_says(place: str, found: Any) -> None:
    assert pointer.find(DOCUMENT, place) is found or pointer.find(DOCUMENT, place) == found


@given(st.text(max_size=40), st.dictionaries(st.text(max_size=3), st.lists(st.integers(), max_size=2), max_size=3))
def test_any_key_can_be_pointed_to(key: str, others: Any) -> None:
    document = {**others, key: {"here": 1}}
    assert pointer.find(document, "/" + key.replace("~", "~0").replace("/", "~1") + "/here") == 1
