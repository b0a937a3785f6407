"""TensorFlow Serving, column form, and MLflow's tensors: `{"inputs": {"age": [34, 22], "job": ["a", "b"]}}`.

Where the model has one input, the bare list of its rows. TensorFlow Serving answers `{"outputs": ...}` alike, MLflow
`{"predictions": ...}`. Source: TensorFlow Serving, RESTful API, predict; MLflow, scoring server.
"""

from typing import Final

from exporter.decode import tables
from exporter.decode.payload import Payload, Side
from exporter.decode.prefix import Rows
from exporter.records import Table


def _table(columns: object) -> Table:
    """DecodeError: shape, ragged, too_many_columns."""
    return tables.from_columns(columns) if isinstance(columns, dict) else tables.from_any(columns)


def _features(payload: Payload) -> Table:
    table = _table(payload.document["inputs"])
    return tables.with_texts(table) if b'"b64"' in payload.content else table


def _outputs(payload: Payload) -> Table:
    return _table(payload.document["outputs"])


REQUEST: Final = Side(_features, keys=("inputs",), rows=(Rows(("inputs",)),))
RESPONSE: Final = Side(_outputs, keys=("outputs",), rows=(Rows(("outputs",)),))
