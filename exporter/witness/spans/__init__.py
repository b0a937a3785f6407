"""Spans of exchanges, for a collector of traces (docs/tracing.md).

A span is made when its exchange is over and all is known of it: so what failed, was slow or unusual is sent whatever
the caller or a lot said of its trace. What waits is bounded, a collector that is slow costs spans alone.
"""

import random
from typing import Final

from exporter.config import Settings
from exporter.scalars.private import Private
from exporter.scalars.salted import Salt
from exporter.trace_context import NO_SPAN, NO_TRACE
from exporter.witness import environment
from exporter.witness.fields import Fields, Said
from exporter.witness.keeping import CALLER, LOT, Keeping
from exporter.witness.naming import ids_shown
from exporter.witness.porter import Limits, Porter
from exporter.witness.seeing import Seen
from exporter.witness.spans import exporters
from exporter.witness.traces import Trace

_QUEUE: Final = 2048
_BATCH: Final = 512
_LINGER_MS: Final = 5000
_TRIES: Final = 3
"""Of a batch, beside what the exporter of OTLP tries itself."""
_PARENT: Final = "parentbased_"


class Spans:
    """Takes exchanges."""

    def __init__(self, settings: Settings, salt: Salt | None, private: Private | None) -> None:
        """ConfigError where `inference-exporter[otel]` is not installed."""
        said = settings.tracing
        exporters.check(said)
        from exporter.witness.spans.making import Making  # noqa: PLC0415 (it needs OpenTelemetry, as few have it)

        sampler = said.sampler or environment.sampler()
        self._follows, kind = sampler.startswith(_PARENT), sampler.removeprefix(_PARENT)
        self._ratio = {"always_on": 1.0, "always_off": 0.0}.get(kind)
        if self._ratio is None or (said.ratio is not None and said.sampler is None):
            self._ratio = environment.ratio() if said.ratio is None else said.ratio
        self._keeping = Keeping(said.tail, self._ratio)
        fields = Fields(Said(), salt, private)
        self._making = Making(settings, ids_shown(settings.request_id, fields))
        batch = environment.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", _BATCH)
        most = max(environment.number("OTEL_BSP_MAX_QUEUE_SIZE", _QUEUE), batch)
        linger_s = environment.number("OTEL_BSP_SCHEDULE_DELAY", _LINGER_MS) / 1000
        self.porter = Porter("spans", exporters.opened(said), Limits(most, batch, linger_s, _TRIES))

    def take(self, seen: Seen) -> Trace | None:
        """Send a span of an exchange, if it is kept: by which it can be found then."""
        context = seen.context
        trace_id = context.trace_id if context else _drawn(128, NO_TRACE)
        why = self._keeping.in_any_case(seen)
        if not why:
            if self._follows and context is not None and context.sampled is not None:
                why = CALLER if context.sampled else ""
            elif self._keeping.is_drawn(trace_id):
                why = LOT
        if not why:
            return None
        trace = Trace(trace_id, _drawn(64, NO_SPAN))
        self.porter.put(self._making.span(seen, trace, why))
        return trace


def _drawn(bits: int, none: str) -> str:
    """An id of its own, in hexadecimal digits."""
    found = none
    while found == none:
        found = f"{random.getrandbits(bits):0{bits // 4}x}"
    return found
