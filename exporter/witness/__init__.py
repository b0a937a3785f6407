"""What is kept of single exchanges: spans, lines of a log, exemplars, examples. All of it off unless settings ask.

The loop calls all of this, run of exchanges by run, after they are counted. Nothing waits here: what goes elsewhere is
carried by threads, as far as there is room, and counted where there is none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from numpy.typing import NDArray

from exporter.collect.exposition import Exemplars
from exporter.config import Settings
from exporter.monitor.models import Models
from exporter.monitor.watched import Found
from exporter.monitor.watched import Shown as ShownModel
from exporter.records import Exchange, Observation
from exporter.scalars.private import Private
from exporter.scalars.salted import Salt
from exporter.witnessed import Example, Witnessed

if TYPE_CHECKING:
    from exporter.witness.witness import Witness


Shown = tuple[Exemplars, Mapping[tuple[str, str], Sequence[Example]]]
"""Exemplars, and examples by model and version, the newest first."""


class NoWitness:
    """Where nobody wants anything of single exchanges."""

    own: Final[dict[str, NDArray[Any]]] = {}
    eyes: Final = None
    """Who looks at what comes through the rings: nobody."""
    shown: Final[Shown] = ({}, {})

    def settle(self) -> None:
        """Nothing to go on from."""

    def see(self, exchanges: Sequence[Exchange], decoded: Sequence[Observation], found: Sequence[Found | None]) -> None:
        """Nobody looks."""

    def look(self) -> bool:
        """Nothing to commit."""
        return False

    def watch(self, shown: Iterable[ShownModel], models: Models) -> None:
        """Nothing to mark."""

    def snapshot(self) -> Witnessed:
        """Nothing to count."""
        return Witnessed()

    def finish(self) -> None:
        """Nothing waits."""


def of(settings: Settings, salt: Salt | None, private: Private | None) -> "Witness | NoWitness":
    """What the settings say; `salt` and `private` are as for all else that is shown. ConfigError."""
    parts = (settings.tracing.enable, settings.prediction_log.enable, settings.examples.enable)
    if not any((*parts, settings.metrics.exemplars)):
        return NoWitness()
    from exporter.witness.witness import Witness  # noqa: PLC0415 (few want it)

    return Witness(settings, salt, private)
