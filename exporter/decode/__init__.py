"""Payload protocols: an exchange in, an observation out. No I/O, no state, and any bytes at all are survived.

To add a protocol: a file with `KEYS`, the top-level keys that announce it, `ROWS`, where its lists of rows are, and
`features(document)`; then a line in the table. A decoder raises DecodeError and nothing else, and its messages never
hold a value of the payload.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from exporter.decode import instances, json_body, mlflow, predictions
from exporter.decode.prefix import Rows
from exporter.errors import DecodeError
from exporter.records import Body, Capture, Exchange, Failure, Observation, Table

REASONS: Final = (
    "error_status", "truncated", "shed", "sampled", "content_encoding", "empty", "invalid_json", "unknown_protocol",
    "shape", "ragged", "too_many_columns", "row_count", "width", "no_known_field", "internal",
)  # fmt: skip
"""Why a side of an exchange was not decoded; the last four are judged against the other side or the profile."""


class Decoder(NamedTuple):
    """One entry of the table."""

    keys: tuple[str, ...]
    rows: tuple[Rows, ...]
    features: Callable[[Mapping[str, Any]], Table]


DECODERS: Final[Mapping[str, Decoder]] = {
    "instances": Decoder(instances.KEYS, instances.ROWS, instances.features),
    "mlflow": Decoder(mlflow.KEYS, mlflow.ROWS, mlflow.features),
}
_ROWS: Final = tuple(place for decoder in DECODERS.values() for place in decoder.rows)
_Read = Callable[[Mapping[str, Any]], Table]


def decode(exchange: Exchange) -> Observation:
    """What an exchange says about the model; a side that cannot be read is a Failure."""
    if exchange.request.capture is Capture.SKIPPED:  # traffic, but no data
        return Observation(None, None)
    if not 200 <= exchange.status < 300:
        failure = Failure("error_status")
        return Observation(failure, failure)
    features = _attempt(_features, _ROWS, exchange.request, exchange.request_headers)
    answers = _attempt(_predictions, predictions.ROWS, exchange.response, exchange.response_headers)
    if isinstance(features, Table) and isinstance(answers, Table) and _contradict(features, answers):
        answers = Failure("row_count", f"{features.rows} rows in, {answers.rows} out")
    return Observation(features, answers)


def _contradict(features: Table, answers: Table) -> bool:
    """Whether rows went in and did not come out; of a prefix it is known that there were no fewer."""
    too_few, too_many = answers.rows < features.rows, answers.rows > features.rows
    return (too_few and not answers.partial) or (too_many and not features.partial)


def _attempt(read: _Read, rows: Collection[Rows], body: Body, headers: Mapping[str, str]) -> Table | Failure:
    try:
        if body.capture is Capture.WHOLE:
            return read(json_body.document(body.content, headers))
        if body.capture is Capture.TRUNCATED:
            return replace(read(json_body.beginning(body.content, headers, rows)), partial=True)
        raise DecodeError("sampled" if body.capture is Capture.SAMPLED else "shed")
    except DecodeError as error:
        return Failure(error.reason, error.detail)
    except Exception as error:  # noqa: BLE001 (a bug in a decoder costs one payload, never the analyser)
        return Failure("internal", type(error).__name__)


def _features(document: Mapping[str, Any]) -> Table:
    for decoder in DECODERS.values():
        if any(key in document for key in decoder.keys):
            return decoder.features(document)
    raise DecodeError("unknown_protocol", "no known key at the top level")


def _predictions(document: Mapping[str, Any]) -> Table:
    if predictions.KEY not in document:
        raise DecodeError("unknown_protocol", f"no key {predictions.KEY!r} at the top level")
    return predictions.outputs(document)
