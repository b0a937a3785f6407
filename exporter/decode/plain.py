"""Whatever people's own handlers take where no other protocol is spoken: BentoML, Ray Serve, LitServe, FastAPI.

BentoML's objects are keyed by the arguments of the service, LitServe has `{"input": ...}` and `{"output": ...}`; for
the rest a body speaks for itself or not at all (`shapes`).
"""

from typing import Final

from exporter.decode import shapes
from exporter.decode.payload import Payload, Side
from exporter.decode.prefix import Rows
from exporter.errors import DecodeError
from exporter.records import Table

_ERRORS: Final = ({"error"}, {"detail"}, {"message"})


def _features(payload: Payload) -> Table:
    """The rows of a request. DecodeError: shape, ragged, too_many_columns, unknown_protocol."""
    return shapes.features(payload.json)


def _outputs(payload: Payload) -> Table:
    """The rows of an answer. DecodeError as `_features`."""
    document = payload.json
    if isinstance(document, dict) and document.keys() in _ERRORS:
        raise DecodeError("unknown_protocol", "an error with the code of a success")
    return shapes.outputs(document, payload.rows_in)


def _is_output(_: object) -> bool:
    return True


REQUEST: Final = Side(_features, rows=(Rows(()), Rows(("input",))), bare=shapes.is_readable)
RESPONSE: Final = Side(_outputs, rows=(Rows(()), Rows(("output",))), bare=_is_output)
