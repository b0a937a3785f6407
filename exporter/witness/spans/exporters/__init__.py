"""SHELF: who takes spans. A sibling makes an exporter of OpenTelemetry's SDK of settings, and says what it needs."""

import logging
import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple

from exporter.errors import ConfigError
from exporter.traced import Tracing
from exporter.witness.porter import DELIVERED, Outcome
from exporter.witness.spans.exporters import otlp, zipkin

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

_LOST: Final = "collector"


class Entry(NamedTuple):
    """One of them."""

    make: "Callable[[Tracing], SpanExporter]"
    module: Callable[[Tracing], str]


EXPORTERS: Final = {"otlp": Entry(otlp.make, otlp.module), "zipkin": Entry(zipkin.make, zipkin.module)}
"""By what tracing.exporter calls it."""


def check(said: Tracing) -> None:
    """ConfigError where the library is not there."""
    module = EXPORTERS[said.exporter].module(said)
    try:
        is_there = find_spec(module) is not None
    except ImportError:
        is_there = False
    if not is_there:
        raise ConfigError(f"tracing.exporter: {said.exporter} needs `pip install inference-exporter[otel]`")


def opened(said: Tracing) -> "Callable[[Sequence[ReadableSpan]], Outcome]":
    """What takes a batch of spans. It is made by the first batch, in its thread: that alone takes some time."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # each batch that is lost is counted, and told here
    return _Deliver(said)


class _Deliver:
    """For one thread."""

    def __init__(self, said: Tracing) -> None:
        self._said = said
        self._exporter: SpanExporter | None = None

    def __call__(self, batch: "Sequence[ReadableSpan]") -> Outcome:
        """One batch, once."""
        from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415 (as few have it)

        try:
            if self._exporter is None:
                self._exporter = EXPORTERS[self._said.exporter].make(self._said)
            result = self._exporter.export(batch)
        except Exception as error:  # noqa: BLE001 (whatever a library raises, the next batch may do)
            return Outcome(_LOST, type(error).__name__, is_final=False)
        if result is SpanExportResult.SUCCESS:
            return DELIVERED
        return Outcome(_LOST, "the collector did not take them", is_final=False)
