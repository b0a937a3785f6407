"""Feedback as Seldon Core v1 posts it: `{"request": …, "response": {"meta": {"puid": …}}, "reward": …, "truth": {…}}`.

`truth` is a SeldonMessage; each of its rows is of one row of the request. `reward` is of the whole request: it is the
business value of the first row. Source: Seldon Core, prediction.proto, Feedback.
"""

from collections.abc import Mapping
from typing import Any, Final

from exporter.decode import seldon
from exporter.decode.pointer import find
from exporter.errors import DecodeError
from exporter.feedback.record import Rules, shown, truth_of
from exporter.truths import Truth
from exporter.values import Fault, nearest

_KEYS: Final = ("request", "response", "reward", "truth")
_OWN: Final = frozenset(("request", "response", "reward"))
_PUID: Final = "/meta/puid"
_FLAT: Final = ("/data/ndarray", "/data/tensor/values", "/jsonData")


def is_feedback(document: Mapping[str, Any]) -> bool:
    """Whether it is Seldon's."""
    return not _OWN.isdisjoint(document) and "id" not in document


def truths(document: Mapping[str, Any], rules: Rules, now_ms: int) -> list[Truth]:
    """One for each row. Fault."""
    for word in document:
        if word not in _KEYS:
            raise Fault(f".{shown(word)}", f"unknown key{nearest(word, {*_KEYS})}")
    puid = _puid(document)
    rows = _rows(document.get("truth"))
    found = []
    for row, truth in enumerate(rows):
        value = document.get("reward") if row == 0 else None
        record = {"id": puid, "row": row, "truth": truth, "value": value}
        try:
            found.append(truth_of(record, rules, now_ms))
        except Fault as fault:
            raise Fault(_place(fault.path, row), str(fault)) from None
    return found


def _place(path: str, row: int) -> str:
    """Where the part of a record is from."""
    return {".id": ".response.meta.puid", ".value": ".reward", ".row": ".truth"}.get(path, f".truth, row {row}")


def _puid(document: Mapping[str, Any]) -> object:
    found = (find(document.get(side), _PUID) for side in ("response", "request"))
    return next((one for one in found if isinstance(one, str | int | float)), None)


def _rows(truth: object) -> list[Any]:
    """What turned out, row by row: a value, or a list where there are several columns. Fault."""
    if not isinstance(truth, dict) or not truth:
        raise Fault(".truth", "must be a SeldonMessage: a reward alone says nothing of what turned out")
    try:
        table = seldon.table_of(truth, _flat(truth))
    except DecodeError as error:
        raise Fault(".truth", str(error)) from None
    if not table.rows:
        raise Fault(".truth", "has no rows")
    cells = [list(row) for row in zip(*table.columns, strict=True)]
    return [row[0] if len(row) == 1 else row for row in cells]


def _flat(truth: Mapping[str, Any]) -> int:
    """How many values there are in a row, each of which is then a row of its own."""
    found = (find(truth, place) for place in _FLAT)
    return next((len(values) for values in found if isinstance(values, list)), 0)
