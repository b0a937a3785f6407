"""SageMaker's containers: CSV without a header, JSON lines, and JSON, `{"instances": [{"features": [...]}]}`.

A row in JSON is `{"features": [...]}`, or the same under `data`, or what a container's own handler takes. Answers are
CSV (a row on each line, or all answers on one), JSON lines, and JSON such as `{"predictions": [{"score": ...}]}`.
Source: SageMaker, common data formats for inference; Clarify, pre-check the model container.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from exporter.decode import shapes, tables
from exporter.decode.media import Kind
from exporter.decode.payload import Payload, Side
from exporter.decode.prefix import Rows
from exporter.records import Table


def _features(payload: Payload) -> Table:
    """The rows of a request. DecodeError: shape, ragged, too_many_columns, and those of `Payload`."""
    if payload.kind is Kind.CSV:
        return tables.from_rows(payload.cells, None)
    if payload.kind is Kind.LINES:
        return _rows(payload.lines)
    document = payload.json
    if isinstance(document, dict) and "instances" in document:
        return _rows(document["instances"])
    return shapes.features(document)


def _outputs(payload: Payload) -> Table:
    """The rows of an answer. DecodeError as `_features`."""
    if payload.kind is Kind.LINES:
        return _rows(payload.lines)
    if payload.kind is Kind.CSV:
        cells = payload.cells
        on_one_line = len(cells) == 1 and len(cells[0]) == payload.rows_in
        return Table(len(cells[0]), None, (cells[0],)) if on_one_line else tables.from_rows(cells, None)
    return shapes.outputs(payload.json, payload.rows_in)


def _rows(given: object) -> Table:
    if isinstance(given, list) and given and all(map(_is_wrapped, given)):
        return tables.from_any([_unwrapped(row) for row in given])
    return tables.from_any(given)


def _is_wrapped(row: object) -> bool:
    return isinstance(row, dict) and len(row) == 1 and isinstance(_unwrapped(row), list | dict)


def _unwrapped(row: Mapping[str, Any]) -> object:
    """What stands under `features`, or under `data` and that; None where nothing does."""
    inner = row.get("data", row)
    return inner.get("features") if isinstance(inner, dict) else None


def _has_features(document: Mapping[str, Any]) -> bool:
    instances = document["instances"]
    return isinstance(instances, Sequence) and bool(instances) and _is_wrapped(instances[0])


REQUEST: Final = Side(
    _features,
    keys=("instances",),
    rows=(Rows(("instances",)), Rows(())),
    claims=_has_features,
    bare=shapes.is_readable,
    kinds=(Kind.CSV, Kind.LINES),
    paths=("/invocations", "/models/[^/]+/invoke"),
)
RESPONSE: Final = Side(_outputs, rows=(Rows(()),), bare=shapes.is_readable, kinds=(Kind.CSV, Kind.LINES))
