"""Tensors in binary behind a JSON header: every datatype as it is in memory, and every size that cannot be."""

import json
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from decode.test_contract import check, decode, exchange
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from exporter.decode.tensors import DATATYPES
from exporter.profile.build import Plan, build
from exporter.records import Body, Capture, Failure, Table
from exporter.sketch.binning import NumberBins

LENGTH = "inference-header-content-length"


def tensor(size: Any, *shape: int, name: str = "x", datatype: str = "FP32") -> dict[str, Any]:
    return {"name": name, "shape": list(shape), "datatype": datatype, "parameters": {"binary_data_size": size}}


def both(tensors: Any, blob: bytes, length: Any = None, *, capture: Capture = Capture.WHOLE, cut: int = 0) -> list[Any]:
    """The same tensors as a request and as its answer; `cut`: how many bytes are missing at the end."""
    sides = []
    for key in ("inputs", "outputs"):
        head = json.dumps({key: tensors}).encode()
        content = (head + blob)[: len(head) + len(blob) - cut]
        headers = {"content-type": "application/octet-stream", LENGTH: str(len(head)) if length is None else length}
        sides.append((Body(len(head) + len(blob), capture, content), headers))
    (request, asked), (response, answered) = sides
    seen = decode(exchange(b"", request=request, response=response, request_headers=asked, response_headers=answered))
    return [seen.features, seen.predictions]


def texts(*values: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


NUMBERS = {
    "BOOL": ("u1", [0, 1], [False, True]), "INT8": ("<i1", [-128, 127], None), "INT16": ("<i2", [-(2**15), 7], None),
    "INT32": ("<i4", [-(2**31), 7], None), "INT64": ("<i8", [-(2**63), 2**63 - 1], None),
    "UINT8": ("u1", [0, 255], None), "UINT16": ("<u2", [0, 2**16 - 1], None), "UINT32": ("<u4", [0, 2**32 - 1], None),
    "UINT64": ("<u8", [0, 2**64 - 1], None), "FP16": ("<f2", [-1.5, 65504.0], None),
    "BF16": ("<u2", [0x3FC0, 0xC000], [1.5, -2.0]), "FP32": ("<f4", [-1.5, 0.25], None),
    "FP64": ("<f8", [0.1, 1e300], None),
}  # fmt: skip


@pytest.mark.parametrize("datatype", sorted(DATATYPES - {"BYTES"}))
def test_every_number_is_read_as_it_was_written(datatype: str) -> None:
    kind, stored, expected = NUMBERS[datatype]
    blob = np.array(stored, kind).tobytes()
    table = Table(2, ("x",), (expected or stored,))
    assert both([tensor(len(blob), 2, datatype=datatype)], blob) == [table, table]
    kinds = {type(cell) for cell in (expected or stored)}
    assert {type(cell) for cell in both([tensor(len(blob), 2, datatype=datatype)], blob)[0].columns[0]} == kinds


def test_not_a_number_and_infinity_are_read() -> None:
    (found, _) = both([tensor(12, 3)], np.array([np.nan, np.inf, -np.inf], "<f4").tobytes())
    assert str(found.columns[0]) == "[nan, inf, -inf]"


def test_texts_have_their_length_before_them() -> None:
    blob = texts("é".encode(), b"", b"\xff", b"ab")
    expected = Table(2, None, (["é", "\ufffd"], ["", "ab"]))
    assert both([tensor(len(blob), 2, 2, datatype="BYTES")], blob) == [expected] * 2


def test_the_example_of_the_extension_is_read() -> None:
    blob = struct.pack("<4I", 1, 2, 3, 4) + b"\x01\x00"
    tensors = [tensor(16, 2, 2, name="input0", datatype="UINT32"), tensor(2, 2, name="input1", datatype="BOOL")]
    expected = Table(2, ("input0[0]", "input0[1]", "input1"), ([1, 3], [2, 4], [True, False]))
    assert both(tensors, blob) == [expected] * 2


def test_json_and_binary_may_be_mixed() -> None:
    tensors = [tensor(4, 1, name="a"), {"name": "b", "shape": [1], "datatype": "INT8", "data": [7]},
               tensor(8, 1, name="c", datatype="FP64")]  # fmt: skip
    assert both(tensors, struct.pack("<fd", 1.5, 2.5)) == [Table(1, ("a", "b", "c"), ([1.5], [7], [2.5]))] * 2


def test_a_header_that_is_all_there_is_is_json() -> None:
    tensors = [{"name": "b", "shape": [1], "datatype": "INT8", "data": [7]}]
    assert both(tensors, b"") == [Table(1, ("b",), ([7],))] * 2


def test_no_rows_are_no_rows() -> None:
    assert both([tensor(0, 0, 2)], b"") == [Table(0, None, ([], []))] * 2
    assert both([tensor(0, 0, datatype="BYTES")], b"") == [Table(0, ("x",), ([],))] * 2


def test_a_binary_request_may_be_answered_in_json() -> None:
    head = json.dumps({"inputs": [tensor(4, 1)]}).encode()
    answer = b'{"outputs": [{"name": "y", "shape": [1], "datatype": "FP32", "data": [0.5]}]}'
    seen = decode(exchange(head + bytes(4), answer, request_headers={LENGTH: str(len(head))}))
    assert seen.features == Table(1, ("x",), ([0.0],))
    assert seen.predictions == Table(1, ("y",), ([0.5],))


@pytest.mark.parametrize(("tensors", "blob", "reason"), [
    ([tensor(8, 2)], bytes(4), "tensor_size"), ([tensor(8, 2)], bytes(9), "tensor_size"),
    ([tensor(-1, 2)], bytes(8), "tensor_size"), ([tensor("8", 2)], bytes(8), "tensor_size"),
    ([tensor(True, 1)], bytes(1), "tensor_size"), ([tensor(10**15, 10**15)], bytes(8), "tensor_size"),
    ([{"name": "x", "shape": [2], "datatype": "FP32"}], bytes(8), "tensor_size"),
    ([{"name": "x", "shape": [2], "datatype": "FP32", "parameters": [8]}], bytes(8), "tensor_size"),
    ([tensor(4, 1, name="a"), tensor(8, 1, name="b")], bytes(8), "tensor_size"),
    ([tensor(8, 3)], bytes(8), "shape_mismatch"), ([tensor(8, 10**15, 10**3)], bytes(8), "shape_mismatch"),
    ([tensor(0, 10**15)], b"", "shape_mismatch"), ([tensor(7, 2)], bytes(7), "shape_mismatch"),
    ([tensor(4, 10**15, datatype="BYTES")], bytes(4), "shape_mismatch"),
    ([tensor(8, 1, datatype="BYTES")], bytes(8), "tensor_size"),
    ([tensor(6, 1, datatype="BYTES")], bytes(6), "tensor_size"),
    ([tensor(4, 1, datatype="BYTES")], b"\xff\xff\xff\xff", "tensor_size"),
    ([tensor(9, 2, datatype="BYTES")], texts(b"hello"), "shape_mismatch"),
    ([tensor(4, 1, datatype="FP8")], bytes(4), "datatype"), ([], bytes(4), "shape"), ("x", b"", "shape"),
])  # fmt: skip
def test_sizes_that_cannot_be_have_a_reason(tensors: Any, blob: bytes, reason: str) -> None:
    for found in both(tensors, blob):
        assert isinstance(found, Failure)
        assert found.reason == reason


@pytest.mark.parametrize(("length", "reason"), [
    ("-1", "tensor_size"), ("1e2", "tensor_size"), ("", "tensor_size"), ("²", "tensor_size"),
    ("9" * 512, "tensor_size"), ("9" * 5000, "tensor_size"), ("99999", "tensor_size"),
    ("0", "empty"), ("5", "invalid_json"),
])  # fmt: skip
def test_a_header_length_that_cannot_be_has_a_reason(length: str, reason: str) -> None:
    for found in both([tensor(4, 1)], bytes(4), length):
        assert isinstance(found, Failure)
        assert found.reason == reason


def test_of_a_lone_tensor_that_was_cut_off_the_complete_rows_are_read() -> None:
    blob = np.arange(6, dtype="<f4").tobytes()
    for cut in range(1, 17):
        rows = (24 - cut) // 8
        expected = Table(rows, None, ([0.0, 2.0, 4.0][:rows], [1.0, 3.0, 5.0][:rows]), partial=True)
        assert both([tensor(24, 3, 2)], blob, capture=Capture.TRUNCATED, cut=cut) == [expected] * 2


@pytest.mark.parametrize(("tensors", "cut"), [
    ([tensor(8, 1, 2)], 1), ([tensor(8, 1, 2)], 20), ([tensor(4, 1, name="a"), tensor(4, 1, name="b")], 1),
    ([tensor(8, 1, datatype="BYTES")], 1),
])  # fmt: skip
def test_what_was_cut_off_before_a_row_was_complete_is_truncated(tensors: Any, cut: int) -> None:
    for found in both(tensors, bytes(8), capture=Capture.TRUNCATED, cut=cut):
        assert isinstance(found, Failure)
        assert found.reason == "truncated"


def test_what_is_declared_is_not_allocated() -> None:
    tensors = [tensor(10**12, 10**6, 10**4, name=str(number)) for number in range(100)]
    tracemalloc.start()
    try:
        both(tensors, bytes(100))
        both([tensor(100, 10**12, datatype="BYTES")], bytes(100))
        both(tensors[:1], bytes(10**5), capture=Capture.TRUNCATED)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


SIZES = st.one_of(st.integers(-1, 20), st.integers(), st.none(), st.booleans())
TENSORS = st.fixed_dictionaries({
    "name": st.text(max_size=2), "shape": st.lists(SIZES, max_size=3), "datatype": st.sampled_from(sorted(DATATYPES)),
    "parameters": st.one_of(st.fixed_dictionaries({"binary_data_size": SIZES}), st.none()),
})  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(
    st.lists(TENSORS, max_size=3), st.binary(max_size=40), st.one_of(st.none(), st.text(max_size=3)),
    st.sampled_from([Capture.WHOLE, Capture.TRUNCATED]), st.integers(0, 60),
)  # fmt: skip
def test_any_binary_tensors_are_an_observation(
    tensors: Any, blob: bytes, length: str | None, capture: Capture, cut: int
) -> None:
    for found in both(tensors, blob, length, capture=capture, cut=cut):
        check(found)


@pytest.mark.parametrize("values", [[0.1, 36.6, 12345.67, -0.3], [1e-3, 250.0, 7.77, 0.9]])
def test_numbers_of_32_bits_are_the_decimals_they_were_made_from(values: list[float]) -> None:
    stored = np.array(values, "<f4")
    expected = Table(4, ("x",), (values,))
    assert both([tensor(16, 4)], stored.tobytes()) == [expected] * 2
    assert stored.astype(float).tolist() != values
    assert both([{"name": "x", "shape": [4], "datatype": "FP32", "data": stored.tolist()}], b"") == [expected] * 2


@pytest.mark.parametrize("values", [{"floatVal": [0.10000000149011612, 0.5]}, {"tensorContent": "zczMPQAAAD8="}])
def test_numbers_of_32_bits_are_decimals_in_tensors_of_seldon_too(values: dict[str, Any]) -> None:
    tensor = {"dtype": "DT_FLOAT", "tensorShape": {"dim": [{"size": "1"}, {"size": "2"}]}, **values}
    body = json.dumps({"data": {"tftensor": tensor}}).encode()
    found = decode(exchange(body, path="/api/v1.0/predictions")).features
    assert isinstance(found, Table)
    assert [list(cells) for cells in found.columns] == [[0.1], [0.5]]


def test_columns_of_few_distinct_numbers_stay_in_their_bins(tmp_path: Path) -> None:
    ratings = np.random.default_rng(1).choice([0.1, 0.2, 0.3, 0.4, 0.7, 0.9], 2000)
    file = tmp_path / "train.csv"
    file.write_text("rating,p\n" + "".join(f"{value},1\n" for value in ratings.tolist()))
    profile, _ = build(Plan(str(file), ["p"]))
    parquet.write_table(pa.table({"rating": ratings.astype("f4"), "p": [1] * 2000}), tmp_path / "train.parquet")
    narrow, _ = build(Plan(str(tmp_path / "train.parquet"), ["p"]))
    assert narrow.features == profile.features
    (found, _) = both([tensor(8000, 2000)], ratings.astype("<f4").tobytes())
    bins = NumberBins([profile.features[0].edges]).place(np.array(found.columns).T, np.zeros((2000, 1), bool))
    assert np.bincount(bins.ravel(), minlength=16).tolist() == list(profile.features[0].counts)
