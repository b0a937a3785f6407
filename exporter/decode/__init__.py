"""Payload protocols: an exchange in, an observation out. No I/O, and any bytes at all are survived.

To add a protocol: a file with a `REQUEST`, a `RESPONSE` or both (`payload.Side`: how it is recognised, and read), and a
line in the table. A response belongs to the protocol of its request; where that is not known, to whoever recognises it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from exporter.decode import columnar, instances, mlflow, open_inference, predictions
from exporter.decode.columns import Columns, ProfileOf
from exporter.decode.identity import identity
from exporter.decode.mapping import Mapper
from exporter.decode.naming import Ask
from exporter.decode.payload import Payload, Shelf, Side
from exporter.decode.rules import Rules
from exporter.errors import DecodeError
from exporter.records import Body, Capture, Exchange, Failure, Observation, Table

REASONS: Final = (
    "error_status", "truncated", "shed", "sampled", "content_encoding", "corrupt", "empty", "invalid_json",
    "unknown_protocol", "shape", "shape_mismatch", "tensor_size", "datatype", "ragged", "too_many_columns", "pointer",
    "row_count", "profile_mismatch", "internal",
)  # fmt: skip
"""Why a side of an exchange was not decoded; the last three are judged against the other side or the profile."""


class Protocol(NamedTuple):
    """One entry of the table."""

    request: Side
    response: Shelf
    """How its servers answer."""


PROTOCOLS: Final[Mapping[str, Protocol]] = {
    "instances": Protocol(instances.REQUEST, Shelf(predictions.RESPONSE)),
    "mlflow": Protocol(mlflow.REQUEST, Shelf(predictions.RESPONSE)),
    "open_inference": Protocol(open_inference.REQUEST, Shelf(open_inference.RESPONSE)),
    "columnar": Protocol(columnar.REQUEST, Shelf(columnar.RESPONSE, predictions.RESPONSE)),
}
_REQUESTS: Final = Shelf(*(protocol.request for protocol in PROTOCOLS.values()))
_ANSWERS: Final = {protocol.request: protocol.response for protocol in PROTOCOLS.values()}
_ANY_ANSWER: Final = Shelf(predictions.RESPONSE, open_inference.RESPONSE, columnar.RESPONSE)
"""For requests that were not recognised."""


class Decoder:
    """Reads exchanges by some rules. It remembers what it found out about a path; nothing else outlives an exchange."""

    def __init__(self, rules: Rules | None = None, ask: Ask | None = None, profile_of: ProfileOf | None = None) -> None:
        """`ask` knows what servers call the columns of their models, `profile_of` what is to be compared with."""
        self.columns = Columns(rules or Rules(), ask, profile_of)

    def decode(self, exchange: Exchange) -> Observation:
        """What an exchange says about the model, as the profile has it; a side that cannot be read is a Failure."""
        return self.columns(self.read(exchange), exchange.path)

    def read(self, exchange: Exchange) -> Observation:
        """The same by the names of the payload."""
        model, version = identity(exchange)
        return replace(self._sides(exchange), model=model, version=version)

    def _sides(self, exchange: Exchange) -> Observation:
        if exchange.request.capture is Capture.SKIPPED:  # traffic, but no data
            return Observation(None, None)
        side, features = _attempt(exchange.request, exchange.request_headers, _REQUESTS, self.columns.features)
        if not 200 <= exchange.status < 300:  # what was asked may say why
            return Observation(features, Failure("error_status"))
        shelf = _ANSWERS[side] if side else _ANY_ANSWER
        _, answers = _attempt(exchange.response, exchange.response_headers, shelf, self.columns.outputs)
        if isinstance(features, Table) and isinstance(answers, Table) and _contradict(features, answers):
            answers = Failure("row_count", f"{features.rows} rows in, {answers.rows} out")
        return Observation(features, answers)


def _contradict(features: Table, answers: Table) -> bool:
    """Whether rows went in and did not come out; of a prefix it is known that there were no fewer."""
    too_few, too_many = answers.rows < features.rows, answers.rows > features.rows
    return (too_few and not answers.partial) or (too_many and not features.partial)


def _attempt(
    body: Body, headers: Mapping[str, str], shelf: Shelf, mapper: Mapper | None
) -> tuple[Side | None, Table | Failure]:
    """Whose a body is, as far as that could be told, and what is in it."""
    side = None
    try:
        if mapper and mapper.pointers:
            payload = Payload(body, headers, mapper.pointers.places)
            table = mapper.pointers.read(payload)
        else:
            payload = Payload(body, headers, shelf.rows)
            side = shelf.side_of(payload)
            table = side.read(payload)
        return side, replace(table, partial=True) if payload.partial else table
    except DecodeError as error:
        return side, Failure(error.reason, error.detail)
    except Exception as error:  # noqa: BLE001 (a bug in a decoder costs one payload, never the analyser)
        return side, Failure("internal", type(error).__name__)
