"""Seldon Core v1: `{"data": {"names": [...], "ndarray": [[...], ...]}}`, or a `tensor`, or a `tftensor`.

Names that are absent, or not as many as there are columns, are those of the profile, in order. A flat list is one row;
in an answer it is one row each where as many rows were asked about. `jsonData` is read like any other JSON, `strData`
is a text; `binData` and `customData` cannot be. Source: Seldon Core, prediction.proto, internal API.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from exporter.decode import shapes, tables, tensors
from exporter.decode.payload import Payload, Side
from exporter.decode.prefix import Rows
from exporter.errors import DecodeError
from exporter.records import Table
from exporter.sketch.decimals import of_widened

_FORMS: Final = ("ndarray", "tensor", "tftensor")
_NUMBERS: Final[Mapping[str, tuple[str, str]]] = {
    "DT_FLOAT": ("floatVal", "<f4"), "DT_DOUBLE": ("doubleVal", "<f8"), "DT_INT32": ("intVal", "<i4"),
    "DT_INT64": ("int64Val", "<i8"), "DT_BOOL": ("boolVal", "?"),
}  # fmt: skip
"""Where a TensorProto has its values, and how they lie in `tensorContent`."""


def _features(payload: Payload) -> Table:
    """The rows of a request. DecodeError: shape, shape_mismatch, ragged, datatype, too_many_columns."""
    return _table(payload, 0)


def _outputs(payload: Payload) -> Table:
    return _table(payload, payload.rows_in)


def _table(payload: Payload, rows_in: int) -> Table:
    return table_of(payload.document, rows_in)


def table_of(document: Mapping[str, Any], rows_in: int) -> Table:
    """The rows of a SeldonMessage; a flat list is one row each of so many. DecodeError as of features."""
    if "data" in document:
        return _of_data(document["data"], rows_in)
    if "jsonData" in document:
        return shapes.outputs(document["jsonData"], rows_in) if rows_in else shapes.features(document["jsonData"])
    if isinstance(document.get("strData"), str):
        return Table(1, None, ((document["strData"],),))
    raise DecodeError("datatype", "bytes that only their model understands")


def _of_data(data: object, rows_in: int) -> Table:
    if not isinstance(data, dict):
        raise DecodeError("shape", "data is an object")
    if "ndarray" in data:
        found = _of_array(data["ndarray"], rows_in)
    elif "tensor" in data:
        found = _of_tensor(data["tensor"], rows_in)
    else:
        found = _of_proto(data.get("tftensor"), rows_in)
    names = _names(data.get("names"), len(found.columns))
    return Table(found.rows, names, found.columns) if names else found


def _of_array(array: object, rows_in: int) -> Table:
    if isinstance(array, list) and array and not isinstance(array[0], list | dict):
        return _flat(array, rows_in)
    return tables.from_any(array)


def _flat(cells: Sequence[Any], rows_in: int) -> Table:
    """One row, or one each of those asked about."""
    if any(isinstance(cell, list | dict) for cell in cells):
        raise DecodeError("ragged", "rows of different shapes")
    return Table(len(cells), None, (cells,)) if len(cells) == rows_in else tables.from_rows([list(cells)], None)


def _names(given: object, width: int) -> tuple[str, ...] | None:
    """Names, where they can be those of `width` columns."""
    if not isinstance(given, list) or len(given) != width or not all(isinstance(name, str) for name in given):
        return None
    return tuple(given) if len(set(given)) == width else None


def _of_tensor(tensor: object, rows_in: int) -> Table:
    if not isinstance(tensor, dict) or not isinstance(tensor.get("values"), list):
        raise DecodeError("shape", "a tensor has a shape and a list of values")
    return _shaped(tensor["values"], tensor.get("shape"), rows_in)


def _of_proto(tensor: object, rows_in: int) -> Table:
    """A TensorProto in JSON. Its keys are as in the .proto file, or in camel case."""
    if not isinstance(tensor, dict):
        raise DecodeError("shape", "data has neither an ndarray nor a tensor")
    given = {_camel(key): value for key, value in tensor.items()}
    shape = given.get("tensorShape")
    dims = shape.get("dim") if isinstance(shape, dict) else None
    if not isinstance(dims, list) or not all(isinstance(dim, dict) for dim in dims):
        raise DecodeError("shape", "a tensor's shape is not one of sizes")
    return _shaped(_values(given), [_whole(dim.get("size", 0)) for dim in dims], rows_in)


def _camel(key: str) -> str:
    first, *others = key.split("_")
    return first + "".join(word.capitalize() for word in others)


def _whole(size: object) -> object:
    """A 64-bit number of Protocol Buffers, which is text in JSON."""
    return int(size) if isinstance(size, str) and size.isascii() and size.isdecimal() and len(size) < 19 else size


def _values(given: Mapping[str, Any]) -> Sequence[Any]:
    """The values of a TensorProto. DecodeError: datatype, shape."""
    datatype = given.get("dtype")
    if datatype == "DT_STRING":
        return tables.texts(_listed(given.get("stringVal")))
    if not isinstance(datatype, str) or datatype not in _NUMBERS:
        raise DecodeError("datatype", "a tensor's dtype is none that is read")
    key, kind = _NUMBERS[datatype]
    if given.get("tensorContent"):
        found = _unpacked(given["tensorContent"], np.dtype(kind))
    else:
        found = [_whole(value) for value in _listed(given.get(key))]
    return of_widened(found) if datatype == "DT_FLOAT" and found else found


def _listed(values: object) -> list[Any]:
    if not isinstance(values, list):
        raise DecodeError("shape", "a tensor without a list of values")
    return values


def _unpacked(content: object, kind: np.dtype[Any]) -> Sequence[Any]:
    try:
        numbers: list[Any] = np.frombuffer(base64.b64decode(str(content), validate=True), kind).tolist()
    except (binascii.Error, ValueError):
        raise DecodeError("shape_mismatch", "tensorContent is not made of whole values") from None
    return numbers


def _shaped(cells: Sequence[Any], shape: object, rows_in: int) -> Table:
    """DecodeError: shape, shape_mismatch, too_many_columns."""
    if isinstance(shape, list) and len(shape) == 1:
        if shape[0] != len(cells):
            raise DecodeError("shape_mismatch", f"{len(cells)} values in another shape")
        return _flat(cells, rows_in)
    rows, width = tensors.size(shape)
    if any(isinstance(cell, list | dict) for cell in cells):
        raise DecodeError("shape", "a tensor's values are not flat")
    return Table(rows, None, tuple(tensors.across(cells, tensors.Form("", "", rows, width))))


def _is_data(document: Mapping[str, Any]) -> bool:
    """Whether it is a SeldonMessage, not somebody's own object with `data` in it."""
    data = document.get("data")
    return "data" not in document or (isinstance(data, dict) and not data.keys().isdisjoint(_FORMS))


_KEYS: Final = ("data", "jsonData", "strData", "binData", "customData")
_ROWS: Final = (Rows(("data", "ndarray"), beside=("names",)),)
REQUEST: Final = Side(
    _features, keys=_KEYS, rows=_ROWS, claims=_is_data, paths=("/api/v[0-9.]+/predictions",), id="/meta/puid"
)
RESPONSE: Final = Side(_outputs, keys=_KEYS, rows=_ROWS, claims=_is_data, id="/meta/puid")
