"""Payload protocols: an exchange in, an observation out. No I/O, and any bytes at all are survived.

To add a protocol: a file with a `REQUEST`, a `RESPONSE` or both (`payload.Side`: how it is recognised, and read), and a
line in the table. A request is known by its path, its Content-Type and then its keys; on the paths of no protocol, what
speaks for itself is read all the same (`plain`). A response belongs to the protocol of its request; where that is not
known, to whoever recognises it.
"""

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from exporter.decode import (
    business,
    columnar,
    identity,
    instances,
    mlflow,
    open_inference,
    openai,
    plain,
    predictions,
    sagemaker,
    seldon,
    torchserve,
)
from exporter.decode.columns import Columns, ProfileOf
from exporter.decode.identity import Named
from exporter.decode.mapping import Mapper
from exporter.decode.naming import Ask
from exporter.decode.payload import Payload, Shelf, Side
from exporter.decode.rules import Rules
from exporter.errors import ConfigError, DecodeError
from exporter.records import Body, Capture, Exchange, Failure, Observation, Table
from exporter.values import nearest

REASONS: Final = (
    "error_status", "truncated", "shed", "sampled", "content_encoding", "corrupt", "empty", "content_type", "multipart",
    "invalid_json", "invalid_csv", "unknown_protocol", "shape", "shape_mismatch", "tensor_size", "datatype", "ragged",
    "too_many_columns", "pointer", "row_count", "profile_mismatch", "internal",
)  # fmt: skip
"""Why a side of an exchange was not decoded; the last three are judged against the other side or the profile."""
_MOST_PLACES: Final = 1024
"""Paths of which is remembered what is spoken there."""


class Protocol(NamedTuple):
    """One entry of the table."""

    request: Side
    response: Shelf
    """How its servers answer."""
    others: tuple[Side, ...] = ()
    """Requests of other protocols that its servers take, too."""


PROTOCOLS: Final[Mapping[str, Protocol]] = {
    "open_inference": Protocol(open_inference.REQUEST, Shelf(open_inference.RESPONSE)),
    "mlflow": Protocol(
        mlflow.REQUEST, Shelf(predictions.RESPONSE, mlflow.RESPONSE), (instances.REQUEST, columnar.REQUEST)
    ),
    "sagemaker": Protocol(sagemaker.REQUEST, Shelf(predictions.RESPONSE, sagemaker.RESPONSE)),
    "instances": Protocol(instances.REQUEST, Shelf(predictions.RESPONSE, instances.RESPONSE), (columnar.REQUEST,)),
    "columnar": Protocol(columnar.REQUEST, Shelf(columnar.RESPONSE, predictions.RESPONSE, mlflow.RESPONSE)),
    "seldon": Protocol(seldon.REQUEST, Shelf(seldon.RESPONSE)),
    "openai": Protocol(openai.REQUEST, Shelf(openai.RESPONSE)),
    "torchserve": Protocol(torchserve.REQUEST, Shelf(predictions.RESPONSE, torchserve.RESPONSE)),
    "plain": Protocol(plain.REQUEST, Shelf(plain.RESPONSE)),
}
_ANSWERS: Final = {protocol.request: protocol.response for protocol in PROTOCOLS.values()}
_NAMES: Final = {protocol.request: name for name, protocol in PROTOCOLS.items()}
_ANY_ANSWER: Final = Shelf(predictions.RESPONSE, open_inference.RESPONSE, columnar.RESPONSE, seldon.RESPONSE)
"""For requests that were not recognised."""
_MAPPED_ANSWER: Final = Shelf(*_ANY_ANSWER.sides, plain.RESPONSE)
"""For those that the operator's pointers read, whoever's they are."""
_PATHS: Final = {
    name: re.compile("|".join(f"(?:{path})$" for path in protocol.request.paths))
    for name, protocol in PROTOCOLS.items() if protocol.request.paths
}  # fmt: skip


class _Ways(NamedTuple):
    """How one side may be read."""

    shelf: Shelf
    mapper: Mapper | None
    """Whose pointers, if it has any, are the only way."""


class Place(NamedTuple):
    """What is known of a path."""

    ways: _Ways
    """How requests to it are read."""
    named: Named


_Look = tuple[Side | None, Table | Failure, Payload | None]
"""What came of one side of an exchange: whose it is, what is in it, and how it was opened, each as far as it got."""


_SAY_MODEL: Final = frozenset(side for answer in _ANSWERS.values() for side in answer.sides if side.model[0])
_ERROR: Final[_Look] = (None, Failure("error_status"), None)


class Decoder:
    """Reads exchanges by some rules. It remembers what it found out about a path; nothing else outlives an exchange."""

    def __init__(self, rules: Rules | None = None, ask: Ask | None = None, profile_of: ProfileOf | None = None) -> None:
        """`ask` knows what servers call the columns of their models, `profile_of` what is to be compared with.

        ConfigError: a rule names a protocol that there is not.
        """
        self._rules = rules or Rules()
        self.columns = Columns(self._rules, ask, profile_of)
        self._forced = [
            (re.compile(fnmatch.translate(pattern)), _forced(_named(name))) for pattern, name in self._rules.protocols
        ]
        self._place = lru_cache(maxsize=_MOST_PLACES)(self._find)
        self._answers = {side: _Ways(shelf, self.columns.outputs) for side, shelf in _ANSWERS.items()}
        self._any_answer = _Ways(_ANY_ANSWER, self.columns.outputs)
        self._mapped_answer = _Ways(_MAPPED_ANSWER, self.columns.outputs)
        self._shadow = self._rules.shadow
        self._own_id = bool(self._rules.id_pointer or self._rules.id_header)

    def decode(self, exchange: Exchange) -> Observation:
        """What an exchange says about the model, as the profile has it; a side that cannot be read is a Failure."""
        read = self.read(exchange)
        seen = self.columns(read, exchange.path)
        if self._rules.id_columns:
            seen.row_ids = self._row_ids(seen) or self._row_ids(read)
        if self._rules.values:
            seen.values = self._values(seen)
        return seen

    def read(self, exchange: Exchange) -> Observation:
        """The same by the names of the payload."""
        if exchange.request.capture is Capture.SKIPPED:  # traffic, but no data
            return Observation(None, None, shadow=self._is_shadow(exchange))
        ways, named = self._place(exchange.path)
        asked = _look(exchange.request, exchange.request_headers, ways, 0)
        side, features, _ = asked
        if 200 <= exchange.status < 300:
            rows_in = features.rows if isinstance(features, Table) and not features.partial else 0
            mapped = isinstance(features, Table)
            ways = self._answers[side] if side else self._mapped_answer if mapped else self._any_answer
            answered = _look(exchange.response, exchange.response_headers, ways, rows_in)
        else:
            answered = _ERROR
        answers = answered[1]
        if isinstance(features, Table) and isinstance(answers, Table) and _contradict(features, answers):
            asked = _read_again(asked, answers.rows, self._place(exchange.path).ways.shelf)
            side, features, _ = asked
        if isinstance(features, Table) and isinstance(answers, Table) and _contradict(features, answers):
            answers = Failure("row_count", f"{features.rows} rows in, {answers.rows} out")
        telling = not identity.TELLING.isdisjoint(exchange.request_headers)
        if telling or answered[0] in _SAY_MODEL:
            named = _all_named(named, exchange, answered)
        request_id = self._request_id(exchange, asked, answered)
        protocol = _NAMES[side] if side else ""
        seen = Observation(features, answers, protocol, named.model, named.version, request_id)
        if self._rules.values:
            seen.values = business.of_bodies(self._rules.values, asked[2], answered[2])
        seen.shadow = self._is_shadow(exchange)
        return seen

    def _is_shadow(self, exchange: Exchange) -> bool:
        """Whether it is a copy, whose answer nobody gets."""
        return bool(self._shadow and self._shadow.fits(exchange.request_headers))

    def _find(self, path: str) -> Place:
        """What may be spoken on a path that was not seen lately, and whose it is."""
        forced = next((shelf for pattern, shelf in self._forced if pattern.match(path)), None)
        own = tuple(name for name, pattern in _PATHS.items() if pattern.search(path))
        return Place(_Ways(forced or _shelf(own), self.columns.features), identity.by_path(path))

    def _request_id(self, exchange: Exchange, asked: _Look, answered: _Look) -> str:
        """The first id that anybody gave; empty where nobody did."""
        if self._own_id:
            found = self._configured_id(exchange, asked[2], answered[2])
            if found:
                return found
        for side, _, payload in (asked, answered):
            if side and side.id and payload:
                found = identity.by_pointer(payload.read_json, side.id)
                if found:
                    return found
        return identity.id_by_headers(exchange.request_headers) or identity.id_by_headers(exchange.response_headers)

    def _configured_id(self, exchange: Exchange, *payloads: Payload | None) -> str:
        rules = self._rules
        found = (identity.by_pointer(payload.read_json, rules.id_pointer) for payload in payloads if payload)
        headers = (exchange.request_headers, exchange.response_headers)
        given = (identity.believed(one.get(rules.id_header, "")) for one in headers if rules.id_header)
        return next(filter(None, found), "") or next(filter(None, given), "")

    def _values(self, seen: Observation) -> tuple[business.Numbers, ...]:
        features = seen.features, self.columns.names(seen)
        return business.of_columns(
            self._rules.values, seen.values, features, (seen.predictions, self.columns.output_names(seen))
        )

    def _row_ids(self, seen: Observation) -> tuple[str, ...]:
        if not isinstance(seen.features, Table):
            return ()
        return identity.ids_by_columns(seen.features, self.columns.names(seen), self._rules)


def _named(protocol: str) -> Protocol:
    if protocol not in PROTOCOLS:
        raise ConfigError(f"protocols: unknown protocol {protocol}{nearest(protocol, set(PROTOCOLS))}")
    return PROTOCOLS[protocol]


def _forced(protocol: Protocol) -> Shelf:
    return Shelf(protocol.request, *protocol.others, forced=True)


@lru_cache(maxsize=1 << len(PROTOCOLS))
def _shelf(own: tuple[str, ...]) -> Shelf:
    """What comes into question on a path of some protocols: those before the others.

    What has no key of anybody's is read by them alone; on other paths by whoever has no paths.
    """
    first = [PROTOCOLS[name].request for name in own]
    rest = [protocol.request for name, protocol in PROTOCOLS.items() if name not in own]
    return Shelf(*first, *rest, bare=first or [side for side in rest if not side.paths])


def _contradict(features: Table, answers: Table) -> bool:
    """Whether rows went in and did not come out; of a prefix it is known that there were no fewer."""
    too_few, too_many = answers.rows < features.rows, answers.rows > features.rows
    return (too_few and not answers.partial) or (too_many and not features.partial)


def _read_again(asked: _Look, rows_out: int, shelf: Shelf) -> _Look:
    """A request whose answer has another number of rows: by whom the answer shows it to be for, where it does."""
    side, _, payload = asked
    if side is not sagemaker.REQUEST or payload is None or mlflow.REQUEST not in shelf.sides:
        return asked
    try:
        return (
            (mlflow.REQUEST, mlflow.REQUEST.read(payload), payload) if mlflow.is_one_short(payload, rows_out) else asked
        )
    except DecodeError:
        return asked


def _all_named(named: Named, exchange: Exchange, answered: _Look) -> Named:
    """The model by URL, else by the answer's body, else by headers."""
    side, _, payload = answered
    if side and payload and side.model[0]:
        named = named.also(identity.by_body(payload.read_json, side.model))
    return named.also(identity.by_headers(exchange.request_headers))


def _look(body: Body, headers: Mapping[str, str], ways: _Ways, rows_in: int) -> _Look:
    """Whose a body is, as far as that could be told, and what is in it."""
    side = payload = None
    try:
        if ways.mapper and ways.mapper.pointers:
            payload = Payload(body, headers, ways.mapper.pointers.places, rows_in)
            table = ways.mapper.pointers.read(payload)
        else:
            payload = Payload(body, headers, ways.shelf.rows, rows_in)
            side = ways.shelf.side_of(payload)
            table = side.read(payload)
    except DecodeError as error:
        return side, Failure(error.reason, error.detail), payload
    except Exception as error:  # noqa: BLE001 (a bug in a decoder costs one payload, never the analyser)
        return side, Failure("internal", type(error).__name__), None
    return side, replace(table, partial=True) if payload.partial else table, payload
