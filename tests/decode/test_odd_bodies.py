"""What hostile clients and careless ones send, in every protocol's form: read, or given a reason."""

import json
import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from decode.test_contract import check, decode, exchange

from exporter.decode.tables import MOST_COLUMNS
from exporter.records import Body, Capture, Failure, Table

Form = Callable[[str], str]
FORMS: dict[str, tuple[str, Form]] = {
    "instances": ("/v1/models/m:predict", '{{"instances": [[{0}, 1]]}}'.format),
    "instances by name": ("/v1/models/m:predict", '{{"instances": [{{"x": {0}, "y": 1}}]}}'.format),
    "examples": ("/v1/models/m:regress", '{{"examples": [{{"x": {0}, "y": 1}}]}}'.format),
    "columnar": ("/v1/models/m:predict", '{{"inputs": {{"x": [{0}], "y": [1]}}}}'.format),
    "mlflow": ("/invocations", '{{"dataframe_split": {{"columns": ["x", "y"], "data": [[{0}, 1]]}}}}'.format),
    "mlflow records": ("/invocations", '{{"dataframe_records": [{{"x": {0}, "y": 1}}]}}'.format),
    "sagemaker": ("/invocations", '{{"instances": [{{"features": [{0}, 1]}}]}}'.format),
    "open_inference": ("/v2/models/m/infer", '{{"inputs": [{{"name": "x", "shape": [1, 2], "datatype": "FP64", "data":'
                       " [{0}, 1]}}]}}".replace("{{", "{{").format),
    "seldon": ("/api/v1.0/predictions", '{{"data": {{"ndarray": [[{0}, 1]]}}}}'.format),
    "seldon tensor": ("/api/v1.0/predictions",
                      '{{"data": {{"tensor": {{"shape": [1, 2], "values": [{0}, 1]}}}}}}'.format),
    "torchserve": ("/predictions/m", "[[{0}, 1]]".format),
    "plain": ("/score", '{{"input": [{{"x": {0}, "y": 1}}]}}'.format),
}  # fmt: skip
EVERY = pytest.mark.parametrize("form", FORMS)


def features(form: str, cell: str, encoding: str = "utf-8") -> Any:
    path, write = FORMS[form]
    found = decode(exchange(write(cell).encode(encoding, "surrogatepass"), path=path)).features
    check(found)
    return found


def cell(form: str, text: str, encoding: str = "utf-8") -> Any:
    found = features(form, text, encoding)
    assert isinstance(found, Table), found
    assert found.rows == 1
    return found.columns[0][0]


@EVERY
def test_not_a_number_and_infinity_are_observed_not_lost(form: str) -> None:
    assert math.isnan(cell(form, "NaN"))
    assert (cell(form, "Infinity"), cell(form, "-Infinity"), cell(form, "1e999")) == (math.inf, -math.inf, math.inf)


@EVERY
def test_nulls_and_texts_for_numbers_are_cells(form: str) -> None:
    assert cell(form, "null") is None
    assert cell(form, '"12"') == "12"
    assert cell(form, "true") is True


@EVERY
def test_huge_integers_are_read_and_those_beyond_meaning_have_a_reason(form: str) -> None:
    assert cell(form, "18446744073709551616") == 2**64
    assert features(form, "1" * 5000) == Failure("invalid_json")


@EVERY
def test_lone_surrogates_and_other_encodings_are_read(form: str) -> None:
    assert cell(form, '"\\ud800"') == "\ud800"
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        assert cell(form, '"ü"', encoding) == "ü"


@EVERY
def test_deep_nesting_has_a_reason(form: str) -> None:
    for deep in ("[" * 50_000 + "]" * 50_000, '{"a":' * 50_000 + "1" + "}" * 50_000):
        assert features(form, deep) == Failure("invalid_json", "nested too deeply")


@EVERY
def test_what_is_nested_a_little_is_a_cell_or_has_a_reason(form: str) -> None:
    for nested in ("[1]", "[[1, 2]]", '{"a": 1}', "[]", "{}", '{"b64": "AA=="}'):
        found = features(form, nested)
        assert isinstance(found, Table) or found.reason in {"shape", "ragged", "shape_mismatch"}


@EVERY
def test_the_last_of_two_equal_keys_counts(form: str) -> None:
    if '"x"' not in FORMS[form][1]("0") or "shape" in FORMS[form][1]("0") or "columns" in FORMS[form][1]("0"):
        return  # it has no keys for features
    path, write = FORMS[form]
    twice = write("3").replace('"x": ', '"x": [7], "x": ' if "[3]" in write("3") else '"x": 7, "x": ')
    assert decode(exchange(twice.encode(), path=path)).features.columns[0] in ([3], (3,))


@EVERY
def test_no_bytes_less_are_an_exception(form: str) -> None:
    path, write = FORMS[form]
    body = write('"a"').encode()
    for at in range(len(body)):
        for capture in (Capture.WHOLE, Capture.TRUNCATED):
            check(decode(exchange(b"", path=path, request=Body(99, capture, body[:at]))).features)


def test_a_million_rows_are_read_by_their_beginning() -> None:
    for path, head, row, tail in (
        ("/v1/models/m:predict", b'{"instances": [', b"[1.5, 2.5],", b"[1, 2]]}"),
        ("/invocations", b'{"dataframe_split": {"columns": ["a", "b"], "data": [', b"[1.5, 2.5],", b"[1, 2]]}}"),
        ("/api/v1.0/predictions", b'{"data": {"names": ["a", "b"], "ndarray": [', b"[1.5, 2.5],", b"[1, 2]]}}"),
        ("/v2/models/m/infer", b'{"inputs": [{"name": "x", "datatype": "FP64", "shape": [1000001, 2], "data": [',
         b"1.5, 2.5,", b"1, 2]}]}"),
        ("/v2/models/m/infer", b'{"inputs": [{"name": "x", "datatype": "FP64", "shape": [1000001, 2], "data": [',
         b"[1.5, 2.5],", b"[1, 2]]}]}"),
        ("/score", b"[", b"[1.5, 2.5],", b"[1, 2]]"),
    ):  # fmt: skip
        body = head + row * 1_000_000 + tail
        cut = Body(len(body), Capture.TRUNCATED, body[: 1 << 20])
        found = decode(exchange(b"", path=path, request=cut)).features
        assert isinstance(found, Table), (path, found)
        assert found.partial
        assert found.rows == ((1 << 20) - len(head)) // len(row)
        assert {cell for column in found.columns for cell in column} == {1.5, 2.5}


def test_of_tensors_that_were_cut_off_the_rows_are_read_where_they_can_be_told() -> None:
    def cut(tensors: Any, at: int) -> Any:
        body = json.dumps({"inputs": tensors}).encode()
        return decode(exchange(b"", request=Body(len(body), Capture.TRUNCATED, body[:at]))).features

    lone = [{"name": "x", "shape": [3, 2], "datatype": "FP64", "data": [1, 2, 3, 4, 5, 6]}]
    length = len(json.dumps({"inputs": lone}))
    assert cut(lone, length - 8) == Table(2, None, ([1, 3], [2, 4]), partial=True)
    assert cut(lone, length - 2) == Table(3, None, ([1, 3, 5], [2, 4, 6]), partial=True)
    late = [{"name": "x", "datatype": "FP64", "data": [1, 2, 3, 4, 5, 6], "shape": [3, 2]}]
    assert cut(late, length - 8).reason == "truncated", "without its shape a row cannot be told"
    column = [{"name": "x", "shape": [6], "datatype": "FP64", "data": [1, 2, 3, 4, 5, 6]}]
    assert cut(column, length - 8).reason == "truncated", "the other columns may have followed"


def test_what_is_declared_is_not_allocated() -> None:
    huge = 10**12
    bodies = [
        ("/v2/models/m/infer", {"inputs": [{"name": str(number), "shape": [huge, MOST_COLUMNS], "datatype": "FP64",
                                            "data": []} for number in range(50)]}),
        ("/v2/models/m/infer", {"inputs": [{"name": "x", "shape": [huge, 1, 1, 1], "datatype": "FP64", "data": [1]}]}),
        ("/api/v1.0/predictions", {"data": {"tensor": {"shape": [huge, MOST_COLUMNS], "values": [1]}}}),
        ("/api/v1.0/predictions", {"data": {"tftensor": {
            "dtype": "DT_FLOAT", "floatVal": [1], "tensorShape": {"dim": [{"size": str(huge)}, {"size": "9"}]}}}}),
    ]  # fmt: skip
    tracemalloc.start()
    try:
        for path, body in bodies:
            found = decode(exchange(json.dumps(body).encode(), path=path)).features
            assert isinstance(found, Failure)
            assert found.reason == "shape_mismatch"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(("path", "body", "reason"), [
    ("/api/v1.0/predictions", {"data": {"ndarray": [[1, 2], [3]]}}, "ragged"),
    ("/api/v1.0/predictions", {"data": {"ndarray": [1, [2]]}}, "ragged"),
    ("/api/v1.0/predictions", {"data": {"ndarray": "x"}}, "shape"),
    ("/api/v1.0/predictions", {"data": {"tensor": {"shape": [2, 2], "values": [1]}}}, "shape_mismatch"),
    ("/api/v1.0/predictions", {"data": {"tensor": {"shape": [3], "values": [1]}}}, "shape_mismatch"),
    ("/api/v1.0/predictions", {"data": {"tensor": {"shape": "x", "values": [1]}}}, "shape"),
    ("/api/v1.0/predictions", {"data": {"tensor": {"shape": [1, 1], "values": [[1]]}}}, "shape"),
    ("/api/v1.0/predictions", {"data": {"tensor": 3}}, "shape"),
    ("/api/v1.0/predictions", {"data": {"tftensor": {"dtype": "DT_HALF", "tensorShape": {"dim": []}}}}, "datatype"),
    ("/api/v1.0/predictions", {"data": {"tftensor": {"dtype": ["x"], "tensorShape": {"dim": []}}}}, "datatype"),
    ("/api/v1.0/predictions", {"data": {"tftensor": {"dtype": "DT_FLOAT", "tensorShape": {"dim": [{"size": 1}]},
                                                     "tensorContent": "AAA"}}}, "shape_mismatch"),
    ("/api/v1.0/predictions", {"data": {"tftensor": {"dtype": "DT_FLOAT", "tensorShape": 3}}}, "shape"),
    ("/v1/models/m:classify", {"examples": [{"a": 1}], "context": [1]}, "shape"),
    ("/v1/models/m:classify", {"examples": [1], "context": {"a": 1}}, "shape"),
    ("/score", {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}, "shape"),
    ("/score", {"a": [1], "b": [1, 2, [3]]}, "shape"), ("/score", [1, [2]], "ragged"),
    ("/score", {}, "unknown_protocol"),
    ("/score", [[1] * 10_001], "too_many_columns"), ("/score", {"a": {}}, "unknown_protocol"),
    ("/score", 3, "unknown_protocol"), ("/score", None, "unknown_protocol"), ("/score", "x", "unknown_protocol"),
    ("/invocations", {"dataframe_split": {"columns": ["a", True, None], "data": []}}, "shape"),
    ("/v1/chat/completions", [], "unknown_protocol"),
])  # fmt: skip
def test_wrong_shapes_have_a_reason(path: str, body: Any, reason: str) -> None:
    found = decode(exchange(json.dumps(body).encode(), path=path)).features
    assert isinstance(found, Failure)
    assert found.reason == reason
