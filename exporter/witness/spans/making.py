"""One exchange as a span, by OpenTelemetry's conventions (semantic conventions for HTTP servers, 1.23 and later).

What they have no word for begins with `inference.`; docs/tracing.md lists all. The SDK's own tracer is left out: it
keeps spans that begin and end here and now, with locks, and this one is over already.
"""

import socket
from collections.abc import Mapping
from typing import Final

from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from opentelemetry.util.types import AttributeValue

from exporter import __version__
from exporter.config import Settings
from exporter.records import Exchange, Failure, Observation, Table
from exporter.trace_context import Context
from exporter.witness.keeping import CALLER, LOT
from exporter.witness.naming import IdsShown
from exporter.witness.seeing import Seen
from exporter.witness.traces import Trace

_SERVICE: Final = "inference-exporter"
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"))
_OTHER: Final = "_OTHER"
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_NOT_SAMPLED: Final = TraceFlags(TraceFlags.DEFAULT)
_UNSET: Final = Status(StatusCode.UNSET)
_ERROR: Final = Status(StatusCode.ERROR)
_NO_STATE: Final = TraceState()
_GENERATING: Final = "openai"
_MOST_CHECKS: Final = 20
_USUAL: Final = frozenset((CALLER, LOT))
"""Why spans are kept that nothing is to be said of."""
_LONGEST: Final = 1024
"""Characters of a value, where nobody says otherwise."""
Attributes = dict[str, AttributeValue]


class Making:
    """Makes spans."""

    def __init__(self, settings: Settings, ids: IdsShown) -> None:
        self._ids = ids
        self._scheme = "https" if settings.listen_tls.cert_file else "http"
        self._resource = _resource()
        self._scope = InstrumentationScope(_SERVICE, __version__)
        limits = SpanLimits()
        self._longest = min(limits.max_span_attribute_length or _LONGEST, _LONGEST)
        self._most = limits.max_span_attributes

    def span(self, seen: Seen, trace: Trace, why: str) -> ReadableSpan:
        """That of an exchange, kept for a reason."""
        exchange = seen.exchange
        start = max(exchange.wall_ns - max(exchange.duration_ns, 0), 0)  # a clock may be set to its beginning
        events = (Event("first_byte", {}, start + exchange.first_byte_ns),) if exchange.first_byte_ns else ()
        own = SpanContext(int(trace.trace_id, 16), int(trace.span_id, 16), False, _SAMPLED, _state(seen.context))
        method = exchange.method if exchange.method in _METHODS else "HTTP"
        attributes = self._attributes(seen, why)
        if self._most is not None and len(attributes) > self._most:
            attributes = dict(list(attributes.items())[: self._most])
        return ReadableSpan(
            f"{method} {seen.watched.label.model}", own, _parent(seen.context), self._resource, attributes, events,
            kind=SpanKind.SERVER, status=_ERROR if exchange.status >= 500 else _UNSET, start_time=start,
            end_time=max(exchange.wall_ns, start), instrumentation_scope=self._scope,
        )  # fmt: skip

    def _attributes(self, seen: Seen, why: str) -> Attributes:
        exchange, known, label = seen.exchange, seen.known, seen.watched.label
        found: Attributes = {
            "http.request.method": exchange.method if exchange.method in _METHODS else _OTHER,
            "url.path": exchange.path[: self._longest],
            "url.scheme": self._scheme,
            "inference.model.name": label.model,
            "inference.model.version": label.version,
            "inference.outcome": _outcome(exchange, known),
        }
        if exchange.method not in _METHODS:
            found["http.request.method_original"] = exchange.method[: self._longest]
        if why not in _USUAL:
            found["inference.kept"] = why
        if exchange.status:
            found["http.response.status_code"] = exchange.status
            if exchange.status >= 500:
                found["error.type"] = str(exchange.status)
        if agent := exchange.request_headers.get("user-agent"):
            found["user_agent.original"] = agent[: self._longest]
        if known.request_id and self._ids.of_request:
            found["inference.request.id"] = known.request_id
        if known.protocol == _GENERATING:
            found["gen_ai.request.model"] = label.model
        _add_rows(seen, found)
        return found


def _add_rows(seen: Seen, found: Attributes) -> None:
    """What is known of the rows, and why what is not known is not."""
    sides = (seen.known.features, seen.known.predictions)
    rows = max((side.rows for side in sides if isinstance(side, Table)), default=None)
    if rows is not None:
        found["inference.rows"] = rows
    for word, side in zip(("request", "response"), sides, strict=True):
        if isinstance(side, Failure):
            found[f"inference.unobserved.{word}"] = side.reason
    if seen.flags:
        found["inference.rows.flagged"] = len({flag.row for flag in seen.flags})
        checks = dict.fromkeys(f"{flag.column}:{flag.check}" if flag.column else flag.check for flag in seen.flags)
        found["inference.checks.failed"] = list(checks)[:_MOST_CHECKS]


def _outcome(exchange: Exchange, known: Observation) -> str:
    """`predicted`, `failed`, `unobserved` where a body could not be read, or `other` where it is no prediction."""
    if exchange.status and not 100 <= exchange.status < 400:
        return "failed"
    sides = (known.features, known.predictions)
    if any(isinstance(side, Failure) for side in sides):
        return "unobserved"
    return "predicted" if any(isinstance(side, Table) for side in sides) else "other"


def _parent(context: Context | None) -> SpanContext | None:
    if context is None:
        return None
    flags = _NOT_SAMPLED if context.sampled is False else _SAMPLED
    return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), True, flags, _state(context))


def _state(context: Context | None) -> TraceState:
    return TraceState.from_header([context.state]) if context is not None and context.state else _NO_STATE


class _Known(Resource):
    """Whose hash is known: the SDK makes JSON of a resource for that, span by span, a fifth of what encoding takes."""

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource.attributes, resource.schema_url)
        self._hash = super().__hash__()

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or super().__eq__(other)


def _resource() -> Resource:
    """Who sends spans. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES count where they say anything."""
    own: Mapping[str, AttributeValue] = {
        SERVICE_NAME: _SERVICE, SERVICE_VERSION: __version__, SERVICE_INSTANCE_ID: socket.gethostname(),
    }  # fmt: skip
    said = Resource.create().attributes
    unsaid = {name: value for name, value in own.items() if name not in said or _is_unknown(said[name])}
    return _Known(Resource.create(unsaid))


def _is_unknown(value: AttributeValue) -> bool:
    """What the SDK says where nobody has said anything."""
    return isinstance(value, str) and value.startswith("unknown_service")
