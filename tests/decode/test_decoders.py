"""Golden payloads of every protocol, and every way they go wrong."""

import json
import math
import tracemalloc
from typing import Any

import pytest
from decode.test_contract import decode

from exporter.records import Body, Capture, Exchange, Failure, Observation, Table


def exchange(request: bytes = b"", response: bytes = b"", /, **changes: Any) -> Exchange:
    standard = Exchange(
        1, 1, 1, 200, "POST", "/v1/models/m:predict", {}, {}, Body(len(request), Capture.WHOLE, request),
        Body(len(response), Capture.WHOLE, response),
    )  # fmt: skip
    return standard._replace(**changes)


def features(body: Any, **changes: Any) -> Any:
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode(exchange(body, **changes)).features


def predictions(body: Any) -> Any:
    return decode(exchange(b"", json.dumps(body).encode())).predictions


def table(names: Any, *columns: Any) -> Table:
    rows = len(columns[0]) if columns else 0
    return Table(rows, names, columns)


def same(found: Any, expected: Any) -> None:
    assert isinstance(found, Table), found
    assert found.names == expected.names
    assert found.rows == expected.rows
    assert [list(column) for column in found.columns] == [list(column) for column in expected.columns]


OBJECTS = table(("age", "job"), (34, 22), ("a", "b"))
BARE = table(None, (1.0, 3.0), (2.0, 4.0))


@pytest.mark.parametrize(("body", "expected"), [
    ({"signature_name": "serving_default", "instances": [{"age": 34, "job": "a"}, {"age": 22, "job": "b"}]}, OBJECTS),
    ({"instances": [[1.0, 2.0], [3.0, 4.0]]}, BARE),
    ({"instances": [1, 2, 3]}, table(None, (1, 2, 3))),
    ({"instances": ["a", None, True]}, table(None, ("a", None, True))),
    ({"instances": [[5]]}, table(None, (5,))),
    ({"instances": [{"a": 1}, {"b": 2}, {"b": 3, "a": 4}]}, table(("a", "b"), (1, None, 4), (None, 2, 3))),
    ({"instances": [{"x": {"b64": "Y2F0"}}, {"x": "dog"}]}, table(("x",), ("cat", "dog"))),
    ({"instances": [{"b64": "Y2F0"}, {"b64": "/w=="}]}, table(None, ("cat", "\ufffd"))),
    ({"instances": [[1, {"b64": "Y2F0"}]]}, table(None, (1,), ("cat",))),
    ({"instances": [{"x": {"b64": "?"}}, {"x": {"b64": 3}}]}, table(("x",), ("?", 3))),
    ({"instances": [{"x": [1, 2]}]}, table(("x[0]", "x[1]"), (1,), (2,))),
    ({"instances": [{"x": [1], "job": ["a"]}, {"x": [2], "job": ["b"]}]}, table(("x", "job"), (1, 2), ("a", "b"))),
    ({"instances": [{"y": 0}, {"x": [1, 2], "y": 0}]}, table(("y", "x[0]", "x[1]"), (0, 0), (None, 1), (None, 2))),
    ({"instances": [{"x": None}, {"x": [1, 2]}]}, table(("x[0]", "x[1]"), (None, 1), (None, 2))),
    ({"instances": [{"x": [1, 2]}, {"x": [3]}]}, table(("x", "x[0]", "x[1]"), (None, 3), (1, None), (2, None))),
    ({"instances": [{"x": [1, 2]}, {"x": 3}]}, table(("x", "x[0]", "x[1]"), (None, 3), (1, None), (2, None))),
    ({"instances": [{"x": 3}, {"x": [1]}, {"x": [4, [5]]}]}, table(("x",), (3, 1, [4, [5]]))),
    ({"instances": [{"x": [[1]]}, {"x": []}]}, table(("x",), ([[1]], []))),
    ({"instances": [{"x": [0] * 10_001}]}, table(("x",), ([0] * 10_001,))),
    ({"instances": [{"x": [1, 2], "x[0]": 3}]}, "shape"),
    ({"instances": []}, table(None)),
    ({"instances": [{}, {}]}, Table(2, (), ())),
    ({"instances": [[1, [2]], [3, 4]]}, "shape"),
    ({"instances": [[1, 2], [3]]}, "ragged"),
    ({"instances": [[1], {"a": 1}]}, "ragged"),
    ({"instances": [{"a": 1}, [1]]}, "ragged"),
    ({"instances": [1, [2]]}, "ragged"),
    ({"instances": {"a": [1]}}, "shape"),
    ({"instances": "rows"}, "shape"),
    ({"instances": None}, "shape"),
    ({"instances": [[0] * 10_001]}, "too_many_columns"),
    ({"instances": [dict.fromkeys(map(str, range(10_001)))]}, "too_many_columns"),
])  # fmt: skip
def test_instances(body: Any, expected: Any) -> None:
    found = features(body)
    if isinstance(expected, str):
        assert isinstance(found, Failure)
        assert found.reason == expected
    else:
        same(found, expected)


@pytest.mark.parametrize(("body", "expected"), [
    ({"dataframe_split": {"columns": ["age", "job"], "index": [0, 1], "data": [[34, "a"], [22, "b"]]}}, OBJECTS),
    ({"dataframe_split": {"columns": [0, 1], "data": [[1, 2]]}}, table(("0", "1"), (1,), (2,))),
    ({"dataframe_split": {"data": [[1.0, 2.0], [3.0, 4.0]]}}, BARE),
    ({"dataframe_split": {"columns": None, "data": [[1.0, 2.0], [3.0, 4.0]]}, "params": {"k": 1}}, BARE),
    ({"dataframe_split": {"columns": ["a", "b"], "data": []}}, Table(0, ("a", "b"), ((), ()))),
    ({"dataframe_records": [{"age": 34, "job": "a"}, {"age": 22, "job": "b"}]}, OBJECTS),
    ({"dataframe_records": [{"a": 1}, {}]}, table(("a",), (1, None))),
    ({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, "shape"),
    ({"dataframe_split": {"columns": [["a", "x"]], "data": [[1]]}}, "shape"),
    ({"dataframe_split": {"columns": "ab", "data": [[1, 2]]}}, "shape"),
    ({"dataframe_split": {"columns": ["a"]}}, "shape"),
    ({"dataframe_split": [[1]]}, "shape"),
    ({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, "ragged"),
    ({"dataframe_split": {"columns": ["a"], "data": [{"a": 1}]}}, "ragged"),
    ({"dataframe_records": {"a": [1]}}, "shape"),
    ({"messages": []}, "unknown_protocol"),
    ({}, "unknown_protocol"),
])  # fmt: skip
def test_mlflow(body: Any, expected: Any) -> None:
    found = features(body)
    if isinstance(expected, str):
        assert isinstance(found, Failure)
        assert found.reason == expected
    else:
        same(found, expected)


@pytest.mark.parametrize(("body", "expected"), [
    ({"predictions": [0.1, 0.9]}, table(None, (0.1, 0.9))),
    ({"predictions": ["cat", "dog"]}, table(None, ("cat", "dog"))),
    ({"predictions": [[0.1, 0.9], [0.8, 0.2]]}, table(None, (0.1, 0.8), (0.9, 0.2))),
    ({"predictions": [{"label": "a", "p": 0.5}]}, table(("label", "p"), ("a",), (0.5,))),
    ({"predictions": {"label": ["a", "b"], "p": [1, 2]}}, table(("label", "p"), ("a", "b"), (1, 2))),
    ({"predictions": []}, table(None)),
    ({"predictions": {"a": [1], "b": [1, 2]}}, "ragged"),
    ({"predictions": {"a": 1}}, "shape"),
    ({"predictions": {}}, "shape"),
    ({"predictions": 0.5}, "shape"),
    ({"predictions": [[[0.1]]]}, "shape"),
    ({"error": "no such model"}, "unknown_protocol"),
    ([0.1], "unknown_protocol"),
])  # fmt: skip
def test_predictions(body: Any, expected: Any) -> None:
    found = predictions(body)
    if isinstance(expected, str):
        assert isinstance(found, Failure)
        assert found.reason == expected
    else:
        same(found, expected)


COLUMNS = {"age": [34, 22], "job": ["a", "b"]}


@pytest.mark.parametrize(("columns", "expected"), [
    (COLUMNS, OBJECTS),
    ([[1.0, 2.0], [3.0, 4.0]], BARE),
    ([1, 2, 3], table(None, (1, 2, 3))),
    ([{"age": 34, "job": "a"}, {"age": 22, "job": "b"}], OBJECTS),
    ({"x": [[1, 2], [3, 4]], "y": [5, 6]}, table(("x[0]", "x[1]", "y"), (1, 3), (2, 4), (5, 6))),
    ({"x": [[1], [2]], "y": [[3], [4]]}, table(("x", "y"), (1, 2), (3, 4))),
    ({"x": []}, table(("x",), ())),
    ([], table(None)),
    ({"x": [[1, 2], [3]]}, "ragged"), ({"x": [1], "y": [1, 2]}, "ragged"), ({"x": [[1], 2]}, "ragged"),
    ({"x": [[[1]]]}, "shape"), ({"x": 1}, "shape"), ({}, "shape"), ("x", "shape"), (None, "shape"),
    ({"x": [[1, 2]], "x[1]": [3]}, "shape"), ({"x": [[0] * 9_999], "y": [[0, 0]]}, "too_many_columns"),
])  # fmt: skip
def test_columns_in_and_out(columns: Any, expected: Any) -> None:
    request, response = (json.dumps({key: columns}).encode() for key in ("inputs", "outputs"))
    seen = decode(exchange(request, response))
    for found in (seen.features, seen.predictions):
        if isinstance(expected, str):
            assert isinstance(found, Failure)
            assert found.reason == expected
        else:
            same(found, expected)


def test_columns_may_be_answered_by_predictions() -> None:
    seen = decode(exchange(json.dumps({"inputs": COLUMNS}).encode(), b'{"predictions": [0.1, 0.2]}'))
    same(seen.features, OBJECTS)
    same(seen.predictions, table(None, (0.1, 0.2)))


def test_an_answer_of_another_protocol_than_the_request_is_not_guessed_at() -> None:
    seen = decode(exchange(b'{"instances": [1]}', b'{"outputs": [1]}'))
    assert seen.predictions == Failure("unknown_protocol", "no known key at the top level")


def cells(text: str) -> list[object]:
    found = features(b'{"instances": [%s]}' % text)
    assert isinstance(found, Table), found
    return list(found.columns[0])


def test_the_tokens_of_python_servers_are_numbers() -> None:
    not_a_number, high, low = cells(b"NaN, Infinity, -Infinity")
    assert math.isnan(not_a_number)
    assert (high, low) == (math.inf, -math.inf)


def test_huge_numbers_are_read() -> None:
    assert cells(b"1e400, -1e400") == [math.inf, -math.inf]
    assert float(cells(b"1" + b"0" * 300)[0]) == 1e300
    assert cells(b"18446744073709551615") == [2**64 - 1]
    assert cells(b"1" + b"0" * 400) == [10**400]


@pytest.mark.parametrize(
    "digits", [2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**18, 10**30, -(10**300)]
)
def test_a_number_is_the_same_whatever_stands_beside_it(digits: int) -> None:
    (alone,) = cells(b"%d" % digits)
    beside, _ = cells(b"%d, NaN" % digits)
    assert (type(beside), beside) == (type(alone), alone)


def test_integers_too_long_to_be_meant_are_not_read() -> None:
    assert features(b'{"instances": [%s]}' % (b"1" * 5000)) == Failure("invalid_json")


def test_the_last_of_two_equal_keys_counts() -> None:
    same(features(b'{"instances": [1], "instances": [2, 3]}'), table(None, (2, 3)))
    same(features(b'{"instances": [{"a": 1, "a": 2}]}'), table(("a",), (2,)))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_other_encodings_of_json_are_read(encoding: str) -> None:
    same(features('{"instances": ["ü"]}'.encode(encoding)), table(None, ("ü",)))


def test_half_a_surrogate_pair_is_survived() -> None:
    assert cells(b'"\\ud800"') == ["\ud800"]


@pytest.mark.parametrize(("body", "reason"), [
    (b"", "empty"), (b" ", "invalid_json"), (b"{", "invalid_json"), (b"a,b\n1,2\n", "invalid_json"),
    (b"\x1f\x8b\x08\x00", "invalid_json"), (b"\xff\xfe\x00", "invalid_json"), (b"{}{}", "invalid_json"),
    (b"[" * 100_000, "invalid_json"), (b'{"instances":' * 100_000, "invalid_json"),
    (b"[" * 100_000 + b"]" * 100_000, "invalid_json"),
    (b'{"instances": ' + b"[" * 100_000 + b"NaN" + b"]" * 100_000 + b"}", "invalid_json"),
    (b"null", "unknown_protocol"), (b"[1]", "unknown_protocol"), (b'"instances"', "unknown_protocol"),
    (b'{"Instances": [1]}', "unknown_protocol"),
])  # fmt: skip
def test_bodies_that_say_nothing(body: Any, reason: str) -> None:
    found = features(body)
    assert isinstance(found, Failure)
    assert found.reason == reason


@pytest.mark.parametrize("status", [100, 199, 300, 304, 400, 404, 500, 503, 0])
def test_of_an_answer_that_is_no_success_the_request_alone_is_read(status: int) -> None:
    seen = decode(exchange(b'{"instances": [1]}', b'{"predictions": [1]}', status=status))
    assert seen == Observation(Table(1, None, ([1],)), Failure("error_status"), "instances", "m")


def test_what_was_filtered_out_predicts_nothing() -> None:
    skipped = Body(9, Capture.SKIPPED, b"")
    assert decode(exchange(b"", request=skipped, response=skipped)) == Observation(None, None)


@pytest.mark.parametrize(("capture", "reason"), [(Capture.SHED, "shed"), (Capture.SAMPLED, "sampled")])
def test_bodies_that_were_not_kept(capture: Capture, reason: str) -> None:
    assert features(b"", request=Body(10**9, capture, b"")) == Failure(reason)


def test_rows_in_and_rows_out_must_agree() -> None:
    seen = decode(exchange(b'{"instances": [1, 2]}', b'{"predictions": [1]}'))
    assert isinstance(seen.features, Table)
    assert seen.predictions == Failure("row_count", "2 rows in, 1 out")


def test_few_bytes_do_not_become_gigabytes() -> None:
    """Ten thousand names, each in one row, and three hundred thousand rows that have none of them."""
    body = b'{"instances": [' + b",".join(b'{"k%d":1}' % n for n in range(9_000)) + b",{}" * 300_000 + b"]}"
    tracemalloc.start()
    try:
        found = features(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(found, Failure)
    assert found.reason == "ragged"
    assert peak < 200 * len(body)


def test_nulls_beside_a_long_list_do_not_become_gigabytes() -> None:
    found = features({"instances": [{"x": [0] * 5_000}, *({"x": None} for _ in range(10_000))]})
    assert isinstance(found, Table)
    assert found.names == ("x",)


def test_sparse_rows_of_ordinary_size_are_read() -> None:
    rows = [{f"k{n % 100}": n} for n in range(1000)]
    found = features({"instances": rows})
    assert isinstance(found, Table)
    assert (found.rows, len(found.columns)) == (1000, 100)
