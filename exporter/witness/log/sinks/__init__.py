"""SHELF: where lines go. A sibling opens a sink of the settings: what writes a batch of lines and says what came of it.

A sink may take its time, and raises nothing: it is called by a thread of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from exporter.traced import PredictionLog
from exporter.witness.log.sinks import file, posted, stdout
from exporter.witness.porter import Outcome

Sink = Callable[[Sequence[bytes]], Outcome]
SINKS: Final[Mapping[str, Callable[[PredictionLog], Sink]]] = {
    "stdout": stdout.opened, "file": file.opened, "http": posted.opened, "https": posted.opened,
}  # fmt: skip
"""By what an address begins with."""


def opened(said: PredictionLog) -> Sink:
    """That of the settings. ConfigError where it cannot be."""
    return SINKS[said.to.partition(":")[0]](said)
