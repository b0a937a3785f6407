"""The Open Inference Protocol: golden payloads of its specification and of MLServer, and every way they go wrong."""

import json
from typing import Any

import pytest
from decode.test_contract import check, decode, exchange
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.decode.tensors import DATATYPES
from exporter.records import Body, Capture, Failure, Table


def tensor(data: Any, *shape: Any, name: Any = "x", datatype: Any = "FP32") -> dict[str, Any]:
    return {"name": name, "shape": list(shape), "datatype": datatype, "data": data}


def both(tensors: Any, **beside: Any) -> list[Any]:
    """The same tensors as a request and as its answer."""
    request = json.dumps({"inputs": tensors, **beside}).encode()
    seen = decode(exchange(request, json.dumps({"model_name": "m", "outputs": tensors, **beside}).encode()))
    return [seen.features, seen.predictions]


def table(names: Any, *columns: Any) -> Table:
    return Table(len(columns[0]), names, tuple(list(column) for column in columns))


TABLES = [
    ([tensor([1, 2, 3, 4], 2, 2, datatype="UINT32")], table(None, [1, 3], [2, 4])),
    ([tensor([[1, 2], [3, 4]], 2, 2, datatype="UINT32")], table(None, [1, 3], [2, 4])),
    ([tensor([1.5, 2.5], 2)], table(("x",), [1.5, 2.5])),
    ([tensor([1.5, 2.5], 2, 1)], table(("x",), [1.5, 2.5])),
    ([tensor([[1.5], [2.5]], 2, 1)], table(("x",), [1.5, 2.5])),
    ([tensor([True, False], 2, name="a", datatype="BOOL"), tensor(["é", ""], 2, 1, name="b", datatype="BYTES")],
     table(("a", "b"), [True, False], ["é", ""])),
    ([tensor([1, 2, 3, 4], 2, 2, name="a"), tensor([[5], [6]], 2, 1, name="b")],
     table(("a[0]", "a[1]", "b"), [1, 3], [2, 4], [5, 6])),
    ([tensor([None, "NaN"], 2)], table(("x",), [None, "NaN"])),
    ([tensor([1, 2, 3, 4], 2, 2, 1, 1)], table(None, [1, 3], [2, 4])),
    ([tensor([[[1], [2]], [[3], [4]]], 2, 2, 1)], table(None, [1, 3], [2, 4])),
    ([tensor([], 0)], table(("x",), [])), ([tensor([], 0, 2)], table(None, [], [])),
]  # fmt: skip


@pytest.mark.parametrize(("tensors", "expected"), TABLES)
def test_tensors_are_columns(tensors: Any, expected: Table) -> None:
    assert both(tensors, id="42") == [expected, expected]


@pytest.mark.parametrize(("tensors", "reason"), [
    ([tensor([1, 2, 3], 2, 2)], "shape_mismatch"), ([tensor([1], 3, datatype="BOOL")], "shape_mismatch"),
    ([tensor([[1, 2], [3]], 2, 2)], "shape_mismatch"), ([tensor([[1, 2, 3], [4]], 2, 2)], "shape_mismatch"),
    ([tensor([[1], 2], 2)], "shape_mismatch"), ([tensor([], 10**15, 3)], "shape_mismatch"),
    ([tensor([1], 1, name="a"), tensor([1, 2], 2, name="b")], "shape_mismatch"),
    ([tensor([1], 1), tensor([2], 1)], "shape"), ([tensor([1, 2], 1, 2), tensor([3], 1, name="x[1]")], "shape"),
    ([tensor([1] * 4, 1, 2, 2)], "shape"), ([tensor([1])], "shape"), ([tensor([[[1, 2]]], 1, 2)], "shape"),
    ([tensor([1] * 4, 1, 1, 1, 4)], "shape"), ([tensor([[[1], [2]], [[3], 4]], 2, 2, 1)], "shape"),
    ([tensor([1], -1)], "shape"), ([tensor([1], True)], "shape"), ([tensor([1], 1.0)], "shape"),
    ([tensor([], 5, 0)], "shape"), ([tensor("x", 1)], "shape"), ([tensor({"a": 1}, 1)], "shape"),
    ([tensor([1], 1, name=3)], "shape"), ([tensor([1], 1), 3], "shape"),
    ([{"name": "x", "shape": 3, "datatype": "FP32", "data": [1]}], "shape"),
    ([{"name": "x", "shape": [1], "datatype": "FP32"}], "shape"),
    ([tensor([1], 1, datatype="FLOAT")], "datatype"), ([tensor([1], 1, datatype=["FP32"])], "datatype"),
    ([tensor([], 0, 10**12)], "too_many_columns"),
    ([tensor([0] * 9_000, 1, 9_000, name=name) for name in "ab"], "too_many_columns"),
])  # fmt: skip
def test_tensors_that_are_none_have_a_reason(tensors: Any, reason: str) -> None:
    for found in both(tensors):
        assert isinstance(found, Failure)
        assert found.reason == reason


@pytest.mark.parametrize("datatype", sorted(DATATYPES))
def test_every_datatype_is_read(datatype: str) -> None:
    assert both([tensor([1], 1, datatype=datatype)]) == [table(("x",), [1])] * 2


def test_the_data_frame_of_mlserver_is_read() -> None:
    body = {"parameters": {"content_type": "pd"}, "inputs": [
        {"name": "First Name", "datatype": "BYTES", "parameters": {"content_type": "str"}, "shape": [2],
         "data": ["Joanne", "Michael"]},
        {"name": "Age", "datatype": "INT32", "shape": [2], "data": [34, 22]},
    ]}  # fmt: skip
    answer = {"model_name": "m", "id": "1", "parameters": {"content_type": "np"}, "outputs": [
        {"name": "predict", "shape": [2, 1], "datatype": "INT64", "parameters": {"content_type": "np"}, "data": [1, 0]},
    ]}  # fmt: skip
    seen = decode(exchange(json.dumps(body).encode(), json.dumps(answer).encode()))
    assert seen.features == table(("First Name", "Age"), ["Joanne", "Michael"], [34, 22])
    assert seen.predictions == table(("predict",), [1, 0])


def test_rows_that_look_nearly_like_tensors_are_rows() -> None:
    found = decode(exchange(b'{"inputs": [{"name": "Ann", "shape": "round"}]}')).features
    assert found == Table(1, ("name", "shape"), (["Ann"], ["round"]))


def test_tensors_that_were_cut_off_have_no_complete_rows() -> None:
    body = json.dumps({"inputs": [tensor([1, 2], 2, name="a"), tensor([3, 4], 2, name="b")]}).encode()
    for at in range(len(body) + 1):
        found = decode(exchange(b"", request=Body(999, Capture.TRUNCATED, body[:at]))).features
        assert isinstance(found, Failure)
        assert found.reason == "truncated"


SIZES = st.one_of(st.integers(-1, 4), st.integers(), st.none(), st.text(max_size=2))
CELLS = st.recursive(st.one_of(st.none(), st.floats(), st.text(max_size=2)), lambda inner: st.lists(inner, max_size=4))
TENSORS = st.fixed_dictionaries(
    {"name": st.one_of(st.text(max_size=2), st.none()), "shape": st.lists(SIZES, max_size=3),
     "datatype": st.one_of(st.sampled_from(sorted(DATATYPES)), st.none())},
    optional={"data": CELLS, "parameters": CELLS},
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(TENSORS, max_size=3))
def test_any_tensors_are_an_observation(tensors: Any) -> None:
    for found in both(tensors):
        check(found)
