"""A tensor of the Open Inference Protocol as columns: `{"name", "shape", "datatype", "data"}`, [n], [n,1] or [n,d].

`data` is flat in row-major order, or nested. A shape is only believed where as many values are there: nothing is ever
made as large as a payload says that it is.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from exporter.decode.tables import MOST_COLUMNS
from exporter.decode.turned import Turned
from exporter.errors import DecodeError
from exporter.records import Columns
from exporter.sketch.decimals import of_widened

DATATYPES: Final = frozenset((
    "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "BF16", "FP32", "FP64",
    "BYTES",
))  # fmt: skip


class Form(NamedTuple):
    """What a tensor says of itself."""

    name: str
    datatype: str
    rows: int
    width: int


def form(tensor: object) -> Form:
    """DecodeError: shape, datatype, too_many_columns."""
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise DecodeError("shape", "a tensor is an object with a name")
    datatype, shape = tensor.get("datatype"), tensor.get("shape")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise DecodeError("datatype", "a tensor's datatype is none of the protocol's")
    if not isinstance(shape, list) or not 1 <= len(shape) <= 2:
        raise DecodeError("shape", "a tensor has one dimension or two")
    rows, width = shape if len(shape) == 2 else (shape[0], 1)
    if type(rows) is not int or type(width) is not int or rows < 0 or width < 1:
        raise DecodeError("shape", "a tensor's shape is not one of sizes")
    if width > MOST_COLUMNS:
        raise DecodeError("too_many_columns", f"a tensor of {width} columns")
    return Form(tensor["name"], datatype, rows, width)


def columns(data: object, form_: Form) -> Columns:
    """The columns of a tensor in JSON, cells are JSON scalars. DecodeError: shape, shape_mismatch."""
    if not isinstance(data, list):
        raise DecodeError("shape", "a tensor without a list 'data'")
    cells = _flat(data) if data and isinstance(data[0], list) else data
    return across(of_widened(cells) if form_.datatype == "FP32" and len(cells) else cells, form_)


def across(cells: Sequence[object], form_: Form) -> Columns:
    """Cells in row-major order as columns. DecodeError: shape_mismatch."""
    rows, width = form_.rows, form_.width
    if len(cells) != rows * width:
        raise DecodeError("shape_mismatch", f"{len(cells)} values in a tensor of {rows} x {width}")
    if width == 1:
        return (cells,)
    return Turned([cells[start : start + width] for start in range(0, len(cells), width)], width)


def _flat(data: list[Any]) -> list[object]:
    if not all(isinstance(row, list) for row in data):
        raise DecodeError("shape_mismatch", "values and lists of values in one tensor")
    if any(len(row) != len(data[0]) for row in data):
        raise DecodeError("shape_mismatch", "nested rows of different lengths")
    cells = list(chain.from_iterable(data))
    if cells and isinstance(cells[0], list):
        raise DecodeError("shape", "data of more than two dimensions")
    return cells
