"""The OpenTelemetry protocol, by HTTP or gRPC."""

import logging
import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from exporter.traced import GRPC, HTTP, PROTOCOLS, Tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_LOG = logging.getLogger("exporter.witness")
_PATH: Final = "/v1/traces"
_SAID_BY: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def protocol(said: Tracing) -> str:
    """How spans are sent: by the settings, else by the environment; HOST:PORT is gRPC's way to say where."""
    if said.protocol is not None:
        return said.protocol
    if said.endpoint and "//" not in said.endpoint:
        return GRPC
    named = next((os.environ[name].strip() for name in _SAID_BY if os.environ.get(name)), HTTP)
    if named not in PROTOCOLS:
        _LOG.warning("OTEL_EXPORTER_OTLP_PROTOCOL is none that is known here: %s counts", HTTP)
        return HTTP
    return named


def module(said: Tracing) -> str:
    """What must be installed."""
    return f"opentelemetry.exporter.otlp.proto.{'grpc' if protocol(said) == GRPC else 'http'}"


def make(said: Tracing) -> "SpanExporter":
    """An exporter; it tries again by itself what may be taken another time."""
    if protocol(said) == GRPC:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as ByGrpc  # noqa: PLC0415 (extra)

        return ByGrpc(endpoint=said.endpoint)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as ByHttp  # noqa: PLC0415 (extra)

    return ByHttp(endpoint=said.endpoint and whole(said.endpoint, _PATH))


def whole(endpoint: str, path: str) -> str:
    """An address with the path that everybody has, where it has none."""
    return endpoint.rstrip("/") + path if urlsplit(endpoint).path in {"", "/"} else endpoint
