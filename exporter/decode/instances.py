"""KServe V1 and TensorFlow Serving, row form: `{"instances": [{"age": 34}, ...]}` or `[[34, 1.5], ...]`.

KServe: data plane V1; TensorFlow Serving: RESTful API, predict.
"""

from collections.abc import Mapping
from typing import Any, Final

from exporter.decode import tables
from exporter.decode.prefix import Rows
from exporter.records import Table

KEYS: Final = ("instances",)
ROWS: Final = (Rows(("instances",)),)


def features(document: Mapping[str, Any]) -> Table:
    """The rows of a request. DecodeError: shape, ragged, too_many_columns."""
    return tables.from_any(document["instances"])
