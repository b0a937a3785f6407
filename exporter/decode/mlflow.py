"""MLflow's scoring server: `dataframe_split`, `dataframe_records`, and CSV with a header row.

Its `instances` are those of KServe V1, its `inputs` those of TensorFlow Serving. MLflow 1 had the data frame at the top
level, `{"columns": ..., "data": ...}`, or a list of records (`format=pandas-records`), and answered with a bare list.
Source: MLflow, pyfunc scoring server.
"""

from collections.abc import Mapping
from typing import Any, Final

from exporter.decode import delimited, tables
from exporter.decode.media import Kind
from exporter.decode.payload import Payload, Side
from exporter.decode.prefix import Rows
from exporter.errors import DecodeError
from exporter.records import Table

_OTHERS: Final = "x-amzn-sagemaker-"


def _features(payload: Payload) -> Table:
    """The rows of a request. DecodeError: shape, ragged, too_many_columns, and those of `Payload.cells`."""
    if payload.kind is Kind.CSV:
        header, *rows = payload.cells
        return tables.from_rows(rows, _names(header))
    if isinstance(payload.json, list):
        return tables.from_any(payload.json)
    document = payload.document
    if "dataframe_records" in document:
        return tables.from_any(document["dataframe_records"])
    return _split(document.get("dataframe_split", document))


def _split(frame: object) -> Table:
    if not isinstance(frame, dict) or not isinstance(frame.get("data"), list):
        raise DecodeError("shape", "dataframe_split needs a list 'data'")
    columns = frame.get("columns")
    if columns is None:
        return tables.from_any(frame["data"])
    if not isinstance(columns, list):
        raise DecodeError("shape", "dataframe_split 'columns' must be a list of names")
    return tables.from_rows(frame["data"], _names(columns))


def _names(columns: list[Any]) -> tuple[str, ...]:
    if not all(isinstance(name, str | int | float) for name in columns):
        raise DecodeError("shape", "a column's name is none")
    names = tuple(map(str, columns))
    if len(set(names)) != len(names):
        raise DecodeError("shape", "a column is named twice")
    return names


def _is_frame(document: Mapping[str, Any]) -> bool:
    """Whether an object with `columns` is MLflow 1's, or one that has a key of today's."""
    if "columns" not in document:
        return True
    return isinstance(document["columns"], list) and isinstance(document.get("data"), list)


def _has_header(payload: Payload) -> bool:
    return _may_have_header(payload) and delimited.has_header(payload.cells)


def _may_have_header(payload: Payload) -> bool:
    return not any(name.startswith(_OTHERS) for name in payload.headers)


def is_one_short(payload: Payload, rows_out: int) -> bool:
    """Whether CSV was answered with one row less than it has, because its first one is a header after all.

    Texts above texts do not tell, nor do the numbers that pandas gives to columns without names.
    """
    if payload.kind is not Kind.CSV or payload.partial or not _may_have_header(payload):
        return False
    header, *rows = payload.cells
    return len(rows) == rows_out and (header == [*range(len(header))] or all(isinstance(cell, str) for cell in header))


def _are_records(document: object) -> bool:
    return isinstance(document, list) and bool(document) and isinstance(document[0], dict)


def _answers(payload: Payload) -> Table:
    return tables.from_any(payload.json)


REQUEST: Final = Side(
    _features,
    keys=("dataframe_split", "dataframe_records", "columns"),
    rows=(
        Rows(("dataframe_records",)), Rows(("dataframe_split", "data"), beside=("columns",)),
        Rows(("data",), beside=("columns",)), Rows(()),
    ),
    claims=_is_frame,
    bare=_are_records,
    kinds=(Kind.CSV,),
    picks=_has_header,
    paths=("/invocations",),
)  # fmt: skip
RESPONSE: Final = Side(_answers, rows=(Rows(()),), bare=lambda document: isinstance(document, list))
