"""MLflow's scoring server: `dataframe_split` and `dataframe_records` (its `instances` are those of KServe V1)."""

from typing import Final

from exporter.decode import tables
from exporter.decode.payload import Payload, Side
from exporter.decode.prefix import Rows
from exporter.errors import DecodeError
from exporter.records import Table


def _features(payload: Payload) -> Table:
    """The rows of a request. DecodeError: shape, ragged, too_many_columns."""
    document = payload.document
    if "dataframe_records" in document:
        return tables.from_any(document["dataframe_records"])
    split = document["dataframe_split"]
    if not isinstance(split, dict) or not isinstance(split.get("data"), list):
        raise DecodeError("shape", "dataframe_split needs a list 'data'")
    columns = split.get("columns")
    if columns is None:
        return tables.from_any(split["data"])
    if not isinstance(columns, list) or not all(isinstance(name, str | int) for name in columns):
        raise DecodeError("shape", "dataframe_split 'columns' must be a list of names")
    names = tuple(map(str, columns))
    if len(set(names)) != len(names):
        raise DecodeError("shape", "dataframe_split names a column twice")
    return tables.from_rows(split["data"], names)


REQUEST: Final = Side(
    _features,
    keys=("dataframe_split", "dataframe_records"),
    rows=(Rows(("dataframe_records",)), Rows(("dataframe_split", "data"), beside=("columns",))),
)
