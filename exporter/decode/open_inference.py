"""Open Inference Protocol (V2) of KServe, Triton, MLServer: `{"inputs": [tensor, ...]}`, and `outputs` alike.

Several tensors are columns by their names, those of [n,d] `name[0]`, `name[1]` …; a lone tensor of [n,d] is columns by
position. MLServer's content types (pd, np, str) change nothing of that. Tensors may follow the JSON in binary, all or
some of them. Of a lone [n,d] tensor that was cut off the complete rows are read: where it has company after all, its
width is not the profile's. Source: Open Inference Protocol, required_api.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from exporter.decode import blobs, tables, tensors
from exporter.decode.blobs import Blobs
from exporter.decode.payload import Payload, Side
from exporter.decode.prefix import Rows
from exporter.errors import DecodeError
from exporter.records import Columns, Table

_SIGNS: Final = ("name", "shape", "datatype")
_LENGTH: Final = "inference-header-content-length"
"""The header that says how long the JSON is, where tensors in binary follow it."""
_LONGEST_LENGTH: Final = 18
"""Digits; no body is longer."""


def _features(payload: Payload) -> Table:
    return _table(payload, "inputs")


def _outputs(payload: Payload) -> Table:
    return _table(payload, "outputs")


def _table(payload: Payload, key: str) -> Table:
    """DecodeError: truncated, shape, shape_mismatch, datatype, tensor_size, too_many_columns."""
    document, rest = _opened(payload)
    given = document.get(key)
    if not isinstance(given, list) or not given:
        raise DecodeError("shape", "a list of tensors was expected")
    if rest is None and not payload.partial:
        vectors = tensors.vectors(given)
        if vectors:
            return tables.from_named(vectors, len(vectors[0][1]))
    forms = [tensors.form(tensor) for tensor in given]
    if payload.partial:
        return _beginning(given, forms, rest)
    rows = forms[0].rows
    if any(form.rows != rows for form in forms):
        raise DecodeError("shape_mismatch", "tensors of different batch sizes")
    found = [_columns(tensor, form, rest) for tensor, form in zip(given, forms, strict=True)]
    if rest is not None:
        rest.end()
    return _joined(forms, found)


def _opened(payload: Payload) -> tuple[Mapping[str, Any], Blobs | None]:
    """The JSON, and what follows it. DecodeError: truncated, tensor_size, and those of `Payload.document`."""
    length = payload.headers.get(_LENGTH)
    if length is None:
        return payload.document, None
    if not (length.isascii() and length.isdecimal() and len(length) <= _LONGEST_LENGTH):
        raise DecodeError("tensor_size", "the header's length is no number")
    size = int(length)
    if size > len(payload.content):
        raise DecodeError("truncated" if payload.partial else "tensor_size", "the header is longer than the body")
    return payload.head(size), Blobs(payload.content, size)


def _columns(tensor: Mapping[str, Any], form: tensors.Form, rest: Blobs | None) -> Columns:
    if rest is not None and "data" not in tensor:
        return blobs.columns(rest.take(_binary_size(tensor)), form)
    return tensors.columns(tensor.get("data"), form)


def _binary_size(tensor: Mapping[str, Any]) -> object:
    parameters = tensor.get("parameters")
    return parameters.get("binary_data_size") if isinstance(parameters, dict) else None


def _beginning(given: Sequence[Mapping[str, Any]], forms: Sequence[tensors.Form], rest: Blobs | None) -> Table:
    """Of a lone tensor that was cut off its complete rows; of several not even the first is any use."""
    if len(forms) == 1 and rest is not None and _binary_size(given[0]) is not None:
        blob, form = rest.beginning(forms[0])
        return _joined([form], [blobs.columns(blob, form)])
    if len(forms) != 1 or rest is not None or forms[0].width == 1:
        raise DecodeError("truncated", "tensors are not complete row by row")
    form, data = tensors.beginning(given[0].get("data"), forms[0])
    return _joined([form], [tensors.columns(data, form)])


def _joined(forms: Sequence[tensors.Form], found: Sequence[Columns]) -> Table:
    rows = forms[0].rows
    if len(found) == 1 and len(found[0]) > 1:
        return Table(rows, None, found[0])
    return tables.from_parts([(form.name, columns) for form, columns in zip(forms, found, strict=True)], rows)


def _is_binary(payload: Payload) -> bool:
    return _LENGTH in payload.headers


def _has_inputs(document: Mapping[str, Any]) -> bool:
    return _tensors(document["inputs"])


def _has_outputs(document: Mapping[str, Any]) -> bool:
    return _tensors(document["outputs"])


def _tensors(values: object) -> bool:
    """Whether these are tensors, not the rows or columns that others have under the same key."""
    return isinstance(values, list) and bool(values) and isinstance(values[0], dict) and values[0].keys() >= set(_SIGNS)


REQUEST: Final = Side(
    _features,
    keys=("inputs",),
    rows=(Rows(("inputs", "", "data"), beside=_SIGNS),),
    claims=_has_inputs,
    by_head=_is_binary,
    paths=("/v2/models/[^/]+(?:/versions/[^/]+)?/(?:infer|explain)",),
    id="/id",
)
RESPONSE: Final = Side(
    _outputs,
    keys=("outputs",),
    rows=(Rows(("outputs", "", "data"), beside=_SIGNS),),
    claims=_has_outputs,
    by_head=_is_binary,
    id="/id",
    model=("model_name", "model_version"),
)
