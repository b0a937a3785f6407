"""Who takes something of an exchange, in the order in which they do: a span first, as others name it."""

from exporter.config import Settings
from exporter.scalars.private import Private
from exporter.scalars.salted import Salt
from exporter.witness import environment
from exporter.witness.examples import Reservoir
from exporter.witness.exemplars import Kept
from exporter.witness.log import Log
from exporter.witness.seeing import Seen
from exporter.witness.spans import Spans
from exporter.witness.traces import of_caller


class Takers:
    """Those that settings ask for."""

    def __init__(self, settings: Settings, salt: Salt | None, private: Private | None) -> None:
        """ConfigError where something is missing that one of them needs."""
        traces = settings.tracing.enable and not environment.is_disabled()
        self.spans = Spans(settings, salt, private) if traces else None
        self.log = Log(settings, salt, private) if settings.prediction_log.enable else None
        self.exemplars = Kept() if settings.metrics.exemplars else None
        self.examples = Reservoir(settings, salt, private) if settings.examples.enable else None
        by_rows = self.spans is not None and settings.tracing.tail.looks_at_rows
        self.judge = bool(self.log or self.exemplars or self.examples or by_rows)
        """Whether anybody wants to know which checks rows failed: for spans alone only where some are kept for it."""

        tails = (settings.tracing.tail, settings.prediction_log.tail)
        self.marks_drift = any(one.drifted for one in tails)
        """And which lie in bins that have grown: while all drifts, that is nearly each value."""

    def take(self, seen: Seen) -> None:
        """An exchange that was counted."""
        sent = self.spans.take(seen) if self.spans else None
        caller = of_caller(seen.context)
        if self.log:
            self.log.take(seen, sent or caller)
        if self.exemplars:
            is_recorded = seen.context is not None and seen.context.sampled is True
            self.exemplars.take(seen, sent or (caller if is_recorded else None))
        if self.examples:
            self.examples.take(seen, sent or caller)
