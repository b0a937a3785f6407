"""Zipkin's own format, version 2, as JSON."""

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from exporter.traced import Tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_PATH: Final = "/api/v2/spans"


def module(_: Tracing) -> str:
    """What must be installed."""
    return "opentelemetry.exporter.zipkin.json"


def make(said: Tracing) -> "SpanExporter":
    """An exporter."""
    from opentelemetry.exporter.zipkin.json import ZipkinExporter  # noqa: PLC0415 (extra)

    endpoint = said.endpoint
    if endpoint and urlsplit(endpoint).path in {"", "/"}:
        endpoint = endpoint.rstrip("/") + _PATH
    return ZipkinExporter(endpoint=endpoint)
