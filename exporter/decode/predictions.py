"""The answer of KServe V1, TensorFlow Serving and MLflow: `{"predictions": ...}`.

A list of scalars (one output), of lists (outputs by position), of objects (outputs by name), or an object of
columns.
"""

from collections.abc import Mapping
from typing import Any, Final

from exporter.decode import tables
from exporter.decode.prefix import Rows
from exporter.errors import DecodeError
from exporter.records import Table

KEY: Final = "predictions"
ROWS: Final = (Rows(("predictions",)),)


def outputs(document: Mapping[str, Any]) -> Table:
    """The rows of an answer. DecodeError: shape, ragged, too_many_columns."""
    answer = document[KEY]
    if not isinstance(answer, dict):
        return tables.from_any(answer)
    columns = list(answer.values())
    if not columns or not all(isinstance(column, list) for column in columns):
        raise DecodeError("shape", "an object of columns was expected")
    if len({len(column) for column in columns}) != 1:
        raise DecodeError("ragged", "columns of different lengths")
    return Table(len(columns[0]), tuple(answer), tuple(columns))
