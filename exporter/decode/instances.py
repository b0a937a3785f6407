"""KServe V1 and TensorFlow Serving, row form: `{"instances": [{"age": 34}, ...]}` or `[[34, 1.5], ...]`.

KServe: data plane V1; TensorFlow Serving: RESTful API, predict.
"""

from typing import Final

from exporter.decode import tables
from exporter.decode.payload import Payload, Side
from exporter.decode.prefix import Rows
from exporter.records import Table


def _features(payload: Payload) -> Table:
    """The rows of a request. DecodeError: shape, ragged, too_many_columns."""
    return tables.from_any(payload.document["instances"])


REQUEST: Final = Side(_features, keys=("instances",), rows=(Rows(("instances",)),))
