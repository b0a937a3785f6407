"""Payload protocols: an exchange in, an observation out. No I/O, and any bytes at all are survived.

To add a protocol: a file with a `REQUEST`, a `RESPONSE` or both (`payload.Side`: how it is recognised, and read), and a
line in the table. A response belongs to the protocol of its request; where that is not known, to whoever recognises it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from exporter.decode import columnar, instances, mlflow, naming, open_inference, predictions
from exporter.decode.identity import identity
from exporter.decode.mapping import Mapper
from exporter.decode.payload import Payload, Shelf, Side
from exporter.decode.rules import Rules
from exporter.errors import DecodeError
from exporter.origins import Origin
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
_NAMELESS: Final = naming.Schema()


class Decoder:
    """Reads exchanges by some rules. It remembers what it found out about a path; nothing else outlives an exchange."""

    def __init__(self, rules: Rules | None = None, ask: naming.Ask | None = None) -> None:
        """`ask` knows what servers call the columns of their models."""
        self.rules = rules or Rules()
        self.features = _mapper(self.rules.features, self.rules.feature_order)
        self.outputs = _mapper(self.rules.outputs, self.rules.output_order)
        """What makes the profile's columns of a payload's; None where the operator says nothing of them."""
        self._ask = ask
        self._maps = bool(self.features or self.outputs)

    def decode(self, exchange: Exchange) -> Observation:
        """What an exchange says about the model, as the profile has it; a side that cannot be read is a Failure."""
        seen = self.read(exchange)
        if not self._maps:
            return seen
        features, answers = _mapped(seen.features, self.features), _mapped(seen.predictions, self.outputs)
        return replace(seen, features=features, predictions=answers)

    def read(self, exchange: Exchange) -> Observation:
        """The same by the names of the payload."""
        model, version = identity(exchange)
        return replace(self._sides(exchange), model=model, version=version)

    def _sides(self, exchange: Exchange) -> Observation:
        if exchange.request.capture is Capture.SKIPPED:  # traffic, but no data
            return Observation(None, None)
        side, features = _attempt(exchange.request, exchange.request_headers, _REQUESTS, self.features)
        if not 200 <= exchange.status < 300:  # what was asked may say why
            return Observation(features, Failure("error_status"))
        shelf = _ANSWERS[side] if side else _ANY_ANSWER
        _, answers = _attempt(exchange.response, exchange.response_headers, shelf, self.outputs)
        if isinstance(features, Table) and isinstance(answers, Table) and _contradict(features, answers):
            answers = Failure("row_count", f"{features.rows} rows in, {answers.rows} out")
        if self._ask and (naming.is_bare(features) or naming.is_bare(answers)):
            schema = self._ask(exchange.path) or _NAMELESS
            features = naming.named(features, schema.inputs, self.rules.feature_order)
            answers = naming.named(answers, schema.outputs, self.rules.output_order)
        return Observation(features, answers)


def _mapper(origins: tuple[Origin, ...], order: tuple[str, ...]) -> Mapper | None:
    return Mapper(origins, order) if origins else None


def _mapped(side: Table | Failure | None, mapper: Mapper | None) -> Table | Failure | None:
    if mapper is None or not isinstance(side, Table):
        return side
    try:
        return mapper(side)
    except Exception as error:  # noqa: BLE001 (as in a decoder)
        return Failure("internal", type(error).__name__)


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
