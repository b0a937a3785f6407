"""The log of predictions: a line of JSON for each exchange that is kept (docs/prediction-log.md)."""

from typing import Final

from exporter.config import Settings
from exporter.scalars.private import Private
from exporter.scalars.salted import Salt
from exporter.traced import PredictionLog
from exporter.witness.fields import Fields, Said
from exporter.witness.keeping import Keeping
from exporter.witness.log import sinks
from exporter.witness.log.lines import Lines
from exporter.witness.naming import ids_shown
from exporter.witness.porter import Limits, Porter
from exporter.witness.seeing import Seen
from exporter.witness.traces import Trace

_BATCH_BYTES: Final = 256 << 10
_LINGER_S: Final = 0.5
_TRIES: Final = 4


class Log:
    """Takes exchanges."""

    def __init__(self, settings: Settings, salt: Salt | None, private: Private | None) -> None:
        """ConfigError where its sink cannot be."""
        said: PredictionLog = settings.prediction_log
        self._keeping = Keeping(said.tail, said.ratio)
        fields = Fields(Said(said.fields, said.deny, said.hash), salt, private)
        self._lines = Lines(said, fields, ids_shown(settings.request_id, fields))
        self._most = said.max_line
        sink = sinks.opened(said)
        limits = Limits(said.max_pending, min(_BATCH_BYTES, said.max_pending // 4), _LINGER_S, _TRIES)
        self.porter = Porter("prediction_log", sink, limits)

    def take(self, seen: Seen, trace: Trace | None) -> None:
        """Log an exchange, if it is kept."""
        why = self._keeping.why(seen)
        if not why:
            return
        line = self._lines.line(seen, trace, why)
        if len(line) > self._most:
            self.porter.refuse("too_large")
        else:
            self.porter.put(line, len(line))
