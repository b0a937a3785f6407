"""TorchServe and DJL Serving: `POST /predictions/{model}[/{version}]`, JSON as the model's own handler takes it.

Their wrappers for KServe speak V1 and V2. Source: TorchServe, inference API.
"""

from typing import Final

from exporter.decode import shapes
from exporter.decode.payload import Payload, Side
from exporter.decode.prefix import Rows
from exporter.records import Table


def _features(payload: Payload) -> Table:
    """The rows of a request. DecodeError: shape, ragged, too_many_columns, unknown_protocol."""
    return shapes.features(payload.json)


def _outputs(payload: Payload) -> Table:
    return shapes.outputs(payload.json, payload.rows_in)


def _is_on_its_path(_: object) -> bool:
    return True


REQUEST: Final = Side(
    _features,
    rows=(Rows(()),),
    bare=shapes.is_readable,
    paths=("/predictions/[^/]+(?:/[^/]+)?",),
)
RESPONSE: Final = Side(_outputs, rows=(Rows(()),), bare=_is_on_its_path)
