"""Bodies that were cut off: the complete rows of their beginning, wherever the cut fell, or `truncated`."""

import json
from typing import Any

import pytest
from decode.test_contract import decode, exchange
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.decode.prefix import Rows, close, explained
from exporter.records import Body, Capture, Failure, Table

STRINGS = st.text('ab"\\,:[]{} \n日\ud800', max_size=8)
CELLS = st.one_of(st.none(), st.booleans(), st.integers(-999, 999), st.floats(allow_nan=False), STRINGS)
OBJECTS = st.lists(st.fixed_dictionaries({"age": CELLS, 'ci"ty': CELLS}), max_size=5)
ARRAYS = st.lists(st.tuples(CELLS, CELLS).map(list), max_size=5)
SCALARS = st.lists(CELLS, max_size=6)
ROWS = st.one_of(OBJECTS, ARRAYS, SCALARS)
SHAPES = {
    "instances": lambda rows: {"signature_name": "x", "instances": rows, "parameters": {"instances": [7]}},
    "inputs": lambda rows: {"inputs": rows, "signature_name": "x", "outputs": [[1]]},
    "dataframe_records": lambda rows: {"dataframe_records": rows, "params": [[1], {"a": "b"}]},
    "dataframe_split": lambda rows: {"dataframe_split": {"columns": ["a", "b"], "index": [1, 2], "data": rows}},
}


def cut(body: bytes, at: int) -> Body:
    return Body(10**7, Capture.TRUNCATED, body[:at])


def whole(body: bytes) -> Any:
    return decode(exchange(body)).features


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, protocol=st.sampled_from(list(SHAPES)), ascii_=st.booleans())
def test_wherever_the_cut_falls_its_complete_rows_are_the_first_ones(rows: Any, protocol: str, ascii_: bool) -> None:
    if protocol == "dataframe_split":
        rows = [row if isinstance(row, list) else [1, row] if not isinstance(row, dict) else [2, "x"] for row in rows]
    body = json.dumps(SHAPES[protocol](rows), ensure_ascii=ascii_).encode("utf-8", "surrogatepass")
    complete = whole(body)
    if not isinstance(complete, Table):
        return
    seen = -1
    for at in range(len(body) + 1):
        found = decode(exchange(b"", request=cut(body, at))).features
        if isinstance(found, Failure):
            assert found.reason in {"truncated", "invalid_json"}
            assert found.reason == "truncated" or not ascii_
            assert seen <= 0, "what was seen of a shorter beginning is seen of a longer one"
            continue
        assert found.partial
        assert seen <= found.rows <= complete.rows
        seen = found.rows
        for column, cells in zip(found.columns, complete.columns, strict=False):
            assert list(column) == list(cells)[: found.rows]
    assert seen == complete.rows


def test_rows_are_counted_as_soon_as_they_are_complete() -> None:
    body = b'{"instances": [[1, 2], [3, 4], [5'
    found = decode(exchange(b"", request=cut(body, 99))).features
    assert found == Table(2, None, ((1, 3), (2, 4)), partial=True)
    body = b'{"instances": [1.5, 2.5, 3.'
    assert decode(exchange(b"", request=cut(body, 99))).features == Table(2, None, ([1.5, 2.5],), partial=True)
    body = b'{"predictions": ["a,b", "c\\",", "d, '
    seen = decode(exchange(b'{"instances": [1, 2, 3]}', response=cut(body, 99)))
    assert seen.predictions == Table(2, None, (["a,b", 'c",'],), partial=True)


@pytest.mark.parametrize("body", [
    b"", b"{", b'{"instances"', b'{"instances": [', b'{"instances": [[1', b'{"instances": [1',
    b'{"instances": [{"a": 1', b'{"a": {"instances": [[1], [2]', b'{"predictions": [1, 2, 3',
    b"[[1", b'{"inputs": {"a": [1, 2], "b": [3, ',
    b'{"instances": "' + b"x" * 1000, b"\xff\xfe" + '{"instances": [[1], [2], ['.encode("utf-16-le"),
    b'{"dataframe_split": {"data": [[1], [2], [3', b'{"dataframe_split": {"data": [[1], [2]], "columns": ["a',
    b'{"dataframe_split": {"index": [1, 2, 3',
])  # fmt: skip
def test_no_complete_row_is_truncated(body: bytes) -> None:
    found = decode(exchange(b"", request=cut(body, 10**6))).features
    assert isinstance(found, Failure)
    assert found.reason == "truncated"


def test_columns_in_a_prefix_of_a_column_wise_answer_do_not_belong_together() -> None:
    seen = decode(exchange(b'{"instances": [1]}', response=cut(b'{"predictions": {"a": [1, 2], "b": [3, ', 99)))
    assert isinstance(seen.predictions, Failure)
    assert seen.predictions.reason == "truncated"


@pytest.mark.parametrize(("rows_in", "rows_out", "agrees"), [
    ("whole 3", "whole 3", True), ("whole 3", "whole 2", False),
    ("cut 3", "whole 9", True), ("cut 3", "whole 2", False),
    ("whole 3", "cut 2", True), ("whole 3", "cut 4", False),
    ("cut 3", "cut 9", True), ("cut 9", "cut 3", True),
])  # fmt: skip
def test_a_beginning_and_a_whole_contradict_each_other_only_where_they_must(
    rows_in: str, rows_out: str, agrees: bool
) -> None:
    def body(key: str, what: str) -> Body:
        kind, count = what.split()
        text = json.dumps({key: list(range(int(count)))}).encode()
        return Body(len(text), Capture.WHOLE, text) if kind == "whole" else cut(text, len(text) - 1)

    def one(key: str, what: str) -> Body:
        kind, count = what.split()
        return body(key, what) if kind == "whole" else body(key, f"cut {int(count) + 1}")  # the last has no comma

    seen = decode(exchange(b"", request=one("instances", rows_in), response=one("predictions", rows_out)))
    assert isinstance(seen.features, Table)
    assert isinstance(seen.predictions, Table) == agrees


@pytest.mark.parametrize("body", [
    b"[" * 10**6, b'{"instances": [' + b"[],[1]," * 150_000, b'{"instances": ' + b'[{"a":' * 200_000, b'"' * 10**6,
    b'{"instances": ["' + b'\\"' * 500_000, b'{"instances": ["' + b"\\" * 10**6, b"{}" * 500_000, b"]" * 10**6,
    b'{"instances": [' + b'"",' * 300_000,
], ids=range(9))  # fmt: skip
def test_hostile_beginnings_cost_no_more_than_their_length(body: bytes) -> None:
    # Were anything quadratic, the limit on a test's time would end this.
    assert isinstance(decode(exchange(b"", request=cut(body, 10**6))).features, Table | Failure)


def test_places_may_need_keys_beside_them() -> None:
    places = (Rows(("a", "b"), beside=("c",)),)
    assert explained({"a": {"b": [1], "c": 2}}, places)
    assert explained({"a": {"b": 1}}, places), "no rows are there"
    assert explained({"a": {}}, places)
    assert explained({"a": 3}, places)
    assert not explained({"a": {"b": [1]}}, places)
    assert not explained([{"b": []}], (Rows(("", "b"), beside=("c",)),))
    assert close(b'{"a": {"b": [1, 2', places) == b'{"a": {"b": [1]}}'
