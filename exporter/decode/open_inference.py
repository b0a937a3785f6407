"""Open Inference Protocol (V2) of KServe, Triton, MLServer: `{"inputs": [tensor, ...]}`, and `outputs` alike.

Several tensors are columns by their names, those of [n,d] `name[0]`, `name[1]` …; a lone tensor of [n,d] is columns by
position. MLServer's content types (pd, np, str) change nothing of that. Source: Open Inference Protocol, required_api.
"""

from collections.abc import Mapping
from typing import Any, Final

from exporter.decode import tables, tensors
from exporter.decode.payload import Payload, Side
from exporter.errors import DecodeError
from exporter.records import Table

_SIGNS: Final = {"name", "shape", "datatype"}


def _features(payload: Payload) -> Table:
    return _table(payload, "inputs")


def _outputs(payload: Payload) -> Table:
    return _table(payload, "outputs")


def _table(payload: Payload, key: str) -> Table:
    """DecodeError: truncated, shape, shape_mismatch, datatype, too_many_columns."""
    if payload.partial:
        raise DecodeError("truncated", "tensors are not complete row by row")
    given = payload.document.get(key)
    if not isinstance(given, list) or not given:
        raise DecodeError("shape", "a list of tensors was expected")
    forms = [tensors.form(tensor) for tensor in given]
    rows = forms[0].rows
    if any(form.rows != rows for form in forms):
        raise DecodeError("shape_mismatch", "tensors of different batch sizes")
    found = [tensors.columns(tensor.get("data"), rows, form.width) for tensor, form in zip(given, forms, strict=True)]
    if len(found) == 1 and len(found[0]) > 1:
        return Table(rows, None, tuple(found[0]))
    named = [pair for form, columns in zip(forms, found, strict=True) for pair in tables.spread(form.name, columns)]
    return tables.from_named(named, rows)


def _has_inputs(document: Mapping[str, Any]) -> bool:
    return _tensors(document["inputs"])


def _has_outputs(document: Mapping[str, Any]) -> bool:
    return _tensors(document["outputs"])


def _tensors(values: object) -> bool:
    """Whether these are tensors, not the rows or columns that others have under the same key."""
    return isinstance(values, list) and bool(values) and isinstance(values[0], dict) and values[0].keys() >= _SIGNS


REQUEST: Final = Side(_features, keys=("inputs",), claims=_has_inputs)
RESPONSE: Final = Side(_outputs, keys=("outputs",), claims=_has_outputs)
