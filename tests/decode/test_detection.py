"""Whose a payload is: by path, Content-Type, keys, or because the operator said so."""

import json
from typing import Any

import pytest
from decode.test_contract import decode, exchange

from exporter import decode as shelf
from exporter.decode import Decoder, rules
from exporter.decode.rules import Rules
from exporter.errors import ConfigError
from exporter.records import Body, Capture, Failure, Observation, Table

CSV = {"content-type": "text/csv"}
TABLE = Table(1, None, ((1,), (2,)))


def seen(body: bytes, path: str = "/invocations", content_type: str | None = "application/json", **more: Any) -> Any:
    headers = {} if content_type is None else {"content-type": content_type}
    return more.pop("by", decode)(exchange(body, path=path, request_headers=headers | more))


@pytest.mark.parametrize(("body", "protocol"), [
    (b"a,b\n1,2\n", "mlflow"), (b'"a","b"\n"x","2"\n', "mlflow"), (b"a,b\n,2", "mlflow"),
    (b"1,2\n3,4\n", "sagemaker"), (b"a,b\n", "sagemaker"), (b"a,b\nc,d\n", "sagemaker"), (b"a,1\nb,2\n", "sagemaker"),
    (b"a,\n1,2\n", "sagemaker"), (b"\n1\n", "sagemaker"),
])  # fmt: skip
def test_a_first_row_without_a_number_above_rows_with_numbers_is_a_header(body: bytes, protocol: str) -> None:
    assert seen(body, content_type="text/csv").protocol == protocol


@pytest.mark.parametrize(("body", "rows_out", "names"), [
    (b"job,city\nadmin,rome\n", 1, ("job", "city")), (b"0,1\n5,6\n7,8\n", 2, ("0", "1")),
    (b"job,city\nadmin,rome\n", 2, None), (b"1,2\n5,6\n", 1, None), (b"a,a\nb,c\n", 1, None),
    (b"a,b\nc,d\ne,f\n", 1, None),
])  # fmt: skip
def test_one_answer_less_than_rows_of_csv_tells_that_the_first_one_is_a_header(
    body: bytes, rows_out: int, names: tuple[str, ...] | None
) -> None:
    answer = json.dumps({"predictions": [1] * rows_out}).encode()

    def asked(**headers: str) -> Observation:
        return decode(exchange(body, answer, path="/invocations", request_headers=CSV | headers))

    found = asked()
    assert isinstance(found.features, Table)
    assert found.features.names == names
    assert found.protocol == ("mlflow" if names else "sagemaker")
    assert isinstance(found.predictions, Table) == (found.features.rows == rows_out)
    assert asked(**{"x-amzn-sagemaker-inference-id": "i"}).protocol == "sagemaker"
    forced = Decoder(Rules(protocols=(("*", "sagemaker"),))).decode
    assert forced(exchange(body, answer, path="/invocations", request_headers=CSV)).protocol == "sagemaker"


def test_headers_of_sagemaker_tell_that_its_csv_has_no_header() -> None:
    found = seen(b"a,b\n1,2\n", content_type="text/csv", **{"x-amzn-sagemaker-inference-id": "i"})
    assert found.protocol == "sagemaker"
    assert found.features == Table(2, None, (("a", 1), ("b", 2)))


@pytest.mark.parametrize(("content_type", "reason"), [
    ("text/html", "content_type"), ("image/png", "content_type"), ("application/octet-stream", "content_type"),
    ("application/x-recordio-protobuf", "content_type"), ("text/csv; charset=zip", "content_type"),
    ("multipart/form-data; boundary=x", "multipart"), ("text/event-stream", "content_type"),
])  # fmt: skip
def test_what_is_not_read_has_its_content_type_as_the_reason(content_type: str, reason: str) -> None:
    found = seen(b"\x00\x01", content_type=content_type).features
    assert isinstance(found, Failure)
    assert found.reason == reason


@pytest.mark.parametrize("content_type", [
    None, "", "application/json", "APPLICATION/JSON; charset=UTF-8", "text/plain", "application/x-www-form-urlencoded",
    "application/octet-stream", "application/problem+json", "application/x-unheard-of",
])  # fmt: skip
def test_json_under_a_careless_content_type_is_read(content_type: str | None) -> None:
    assert seen(b' {"instances": [[1, 2]]}', content_type=content_type).features == TABLE


def test_an_empty_body_is_empty_whatever_its_content_type_says() -> None:
    assert seen(b"", content_type="image/png").features == Failure("empty")


@pytest.mark.parametrize(("path", "body", "protocol"), [
    ("/invocations", b"[[1, 2]]", "sagemaker"), ("/predictions/m", b"[[1, 2]]", "torchserve"),
    ("/score", b"[[1, 2]]", "plain"), ("/api/v1.0/predictions", b"[[1, 2]]", ""),
    ("/v2/models/m/infer", b"[[1, 2]]", ""), ("/v1/models/m:predict", b"[[1, 2]]", ""),
    ("/predictions/m", b'{"instances": [[1, 2]]}', "instances"),
    ("/score", b'{"data": {"ndarray": [[1, 2]]}}', "seldon"), ("/score", b'{"data": [[1, 2]]}', "plain"),
    ("/invocations", b'{"messages": [{"role": "user", "content": "x"}]}', "openai"),
    ("/score", b'{"messages": 3, "prompt": 4}', "plain"),
])  # fmt: skip
def test_a_path_says_who_reads_what_has_no_known_key(path: str, body: bytes, protocol: str) -> None:
    assert seen(body, path).protocol == protocol


def test_a_protocol_can_be_forced_for_some_paths() -> None:
    forced = Decoder(Rules(protocols=(("/a/*", "mlflow"), ("*/b", "sagemaker")))).decode
    assert seen(b"a,b\nc,d\n", "/a/x", "text/csv", by=forced).features == Table(1, ("a", "b"), (("c",), ("d",)))
    assert seen(b"a,b\n1,2\n", "/a/b", "text/csv", by=forced).protocol == "mlflow", "the first that fits wins"
    assert seen(b"a,b\n1,2\n", "/x/b", "text/csv", by=forced).protocol == "sagemaker"
    assert seen(b'{"features": [[1, 2]]}', "/a/x", by=forced).features == Failure(
        "unknown_protocol", "no known key at the top level"
    )
    assert seen(b'{"instances": [[1, 2]]}', "/c", by=forced).features == TABLE


def test_a_forced_protocol_need_not_be_recognised() -> None:
    forced = Decoder(Rules(protocols=(("*", "seldon"),))).decode
    found = seen(b'{"data": {"x": 1}}', by=forced)
    assert found.protocol == "seldon"
    assert found.features == Failure("shape", "data has neither an ndarray nor a tensor")


@pytest.mark.parametrize("body", [
    b'{"instances": [[1, 2]]}', b'{"inputs": [[1, 2]]}', b'{"inputs": {"a": [1], "b": [2]}}', b'[{"a": 1, "b": 2}]',
    b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}', b'{"dataframe_records": [{"a": 1, "b": 2}]}',
])  # fmt: skip
def test_mlflow_takes_all_of_its_forms_where_it_is_forced(body: bytes) -> None:
    found = seen(body, by=Decoder(Rules(protocols=(("*", "mlflow"),))).decode).features
    assert isinstance(found, Table)
    assert [list(cells) for cells in found.columns] == [[1], [2]]


def test_a_protocol_that_there_is_not_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"protocols: unknown protocol mlfow, did you mean mlflow\?"):
        Decoder(Rules(protocols=(("*", "mlfow"),)))


def test_what_is_remembered_of_paths_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    find = Decoder._find
    monkeypatch.setattr(Decoder, "_find", lambda self, path: looked_up.append(path) or find(self, path))
    decoder = Decoder()
    for number in range(5000):
        decoder.decode(exchange(b"{}", path=f"/{number}"))
    for _ in range(50):
        decoder.decode(exchange(b"{}", path="/4999"))
    assert len(looked_up) == 5000, "a path that is known is not looked up again"
    assert decoder._place.cache_info().currsize == shelf._MOST_PLACES


def test_a_failed_request_is_still_somebodys() -> None:
    found = seen(b'{"instances": [[1, [2]], [3]]}')
    assert isinstance(found, Observation)
    assert found.protocol == "instances"
    assert isinstance(found.features, Failure)


def test_csv_that_was_cut_off_has_its_complete_rows() -> None:
    for body, expected in (
        (b"1,2\n3,4\n5,", Table(2, None, ((1, 3), (2, 4)), partial=True)),
        (b'"a\nb",2\n"c\n3', Table(1, None, (("a\nb",), (2,)), partial=True)),
        (b"1,2", "truncated"), (b"", "truncated"), (b'"1,2\n3', "truncated"),
    ):  # fmt: skip
        found = decode(exchange(b"", request=Body(99, Capture.TRUNCATED, body), request_headers=CSV)).features
        assert found == expected or (isinstance(found, Failure) and found.reason == expected)


@pytest.mark.parametrize(("charset", "codec"), [
    ("utf-8", "utf-8-sig"), ("UTF-8", "utf-8"), ("iso-8859-1", "latin-1"), ("utf-16", "utf-16"),
    ('"windows-1252"', "cp1252"),
])  # fmt: skip
def test_csv_is_read_in_its_charset(charset: str, codec: str) -> None:
    body = "Zoë,1\r\nÄnne,-2.5e3\r\n".encode(codec)
    found = seen(body, content_type=f"text/csv; charset={charset}").features
    assert found == Table(2, None, (("Zoë", "Änne"), (1, -2500.0)))


def test_cells_of_csv_are_numbers_texts_or_missing() -> None:
    body = b' 7 ,+1,.5,1.,1e3,nan,-Infinity,1_0,0x1,,"",true,12345678901234567890\n'
    found = seen(body, content_type="text/csv").features
    assert isinstance(found, Table)
    assert str([column[0] for column in found.columns]) == (
        "[7, 1, 0.5, 1.0, 1000.0, nan, -inf, '1_0', '0x1', None, None, 'true', 1.2345678901234567e+19]"
    )


@pytest.mark.parametrize(("body", "reason"), [
    (b"1,2\n3\n", "ragged"), (b"\n\n", "empty"), (b'"' + b"x" * 200_000 + b'"', "invalid_csv"),
    (b"a,a\n1,2\n", "shape"), (b",".join([b"1"] * 10_001), "too_many_columns"),
])  # fmt: skip
def test_csv_that_is_no_table_has_a_reason(body: bytes, reason: str) -> None:
    found = seen(body, content_type="text/csv").features
    assert isinstance(found, Failure)
    assert found.reason == reason


@pytest.mark.parametrize(("body", "reason"), [
    (b"\n \n", "empty"), (b'{"a": 1}\n{"a"', "invalid_json"), (b'{"a": 1},{"a": 2}\n', "invalid_json"),
    (b"1\n[2]\n", "ragged"),
])  # fmt: skip
def test_lines_that_are_no_rows_have_a_reason(body: bytes, reason: str) -> None:
    found = seen(body, content_type="application/x-ndjson").features
    assert isinstance(found, Failure)
    assert found.reason == reason


def test_lines_that_were_cut_off_are_read_as_far_as_they_are_complete() -> None:
    def cut(body: bytes) -> Any:
        lines = {"content-type": "application/jsonlines"}
        return decode(exchange(b"", request=Body(99, Capture.TRUNCATED, body), request_headers=lines)).features

    assert cut(b'{"features":[1,2]}\n{"features":[3,') == Table(1, None, ((1,), (2,)), partial=True)
    assert cut(b'{"features":[1,2]}') == Failure("truncated", "no complete line")


def test_a_stream_of_events_tells_of_its_end_or_not_at_all() -> None:
    def answer(body: bytes, capture: Capture = Capture.WHOLE) -> Any:
        return decode(exchange(
            b'{"messages": [{"role": "user", "content": "x"}]}', path="/v1/chat/completions",
            response=Body(999, capture, body), response_headers={"content-type": "text/event-stream"},
        )).predictions  # fmt: skip

    usage = b'data: {"choices":[{"finish_reason":"length"}],"usage":{"prompt_tokens":"many","completion_tokens":true}}'
    assert answer(usage).columns == ((None,), (None,), (None,), ("length",), (1,))
    assert answer(b'data: {"choices":[{"finish_reason":["stop"]}]}\n').columns[3] == ("other",)
    for body in (b"data: [DONE]\n\n", b'data: {"usage": [', b'data: "finish_reason" "usage"\n', b"\x00"):
        assert answer(body).reason == "unknown_protocol"
        assert answer(body, Capture.TRUNCATED).reason == "truncated"


def test_a_stream_names_its_model_and_has_as_many_choices_as_end() -> None:
    body = b"".join(b"data: " + line + b"\n\n" for line in (
        b'{"model":"qwen","choices":[{"index":1,"delta":{},"finish_reason":"length"}]}',
        b'{"model":"qwen","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
        b'{"model":"qwen","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}',
    ))  # fmt: skip
    found = decode(exchange(
        b'{"model": "alias", "n": 2, "messages": [{"role": "user", "content": "x"}]}', path="/v1/chat/completions",
        response=Body(len(body), Capture.WHOLE, body), response_headers={"content-type": "text/event-stream"},
    ))  # fmt: skip
    assert found.model == "qwen"
    assert isinstance(found.predictions, Table)
    assert found.predictions.columns == ((3,), (4,), (7,), ("stop",), (2,))


def test_no_content_of_a_prompt_or_an_answer_is_kept() -> None:
    private = "my daughter's name is Ada"
    bodies = [{"messages": [{"role": private, "content": [{"type": private, "text": private}]}], "n": private},
              {"prompt": private, "model": private, "stream": private},
              {"input": [private], "temperature": private}]  # fmt: skip
    answer = {
        "model": "m",
        "choices": [{"finish_reason": private, "message": {"content": private}}],
        "usage": {"x": private},
    }
    for body in bodies:
        found = decode(exchange(json.dumps(body).encode(), json.dumps(answer).encode(), path="/v1/chat/completions"))
        assert isinstance(found.features, Table)
        assert isinstance(found.predictions, Table)
        assert private not in str(found)


def test_settings_make_the_rules() -> None:
    from exporter.config import resolve  # noqa: PLC0415

    settings = resolve(("file", {
        "protocols": ["/invocations=sagemaker", "mlflow"], "request_id.columns": "customer, day",
        "request_id.pointer": "/meta/id", "request_id.header": "X-Transaction-Id",
    }))  # fmt: skip
    assert rules.of(settings) == Rules(
        protocols=(("/invocations", "sagemaker"), ("*", "mlflow")), id_pointer="/meta/id",
        id_columns=("customer", "day"), id_header="x-transaction-id",
    )  # fmt: skip
