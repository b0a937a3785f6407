"""The answer of KServe V1, TensorFlow Serving and MLflow: `{"predictions": ...}`.

A list of scalars (one output), of lists (outputs by position), of objects (outputs by name), or an object of
columns.
"""

from typing import Final

from exporter.decode import tables
from exporter.decode.payload import Payload, Side
from exporter.decode.prefix import Rows
from exporter.records import Table


def _outputs(payload: Payload) -> Table:
    """The rows of an answer. DecodeError: shape, ragged, too_many_columns."""
    answer = payload.document["predictions"]
    return tables.from_columns(answer) if isinstance(answer, dict) else tables.from_any(answer)


RESPONSE: Final = Side(_outputs, keys=("predictions",), rows=(Rows(("predictions",)),))
