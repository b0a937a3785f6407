"""Where somebody wants something of single exchanges."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Self

from numpy.typing import NDArray

from exporter.collect.exposition import Exemplars
from exporter.config import Settings
from exporter.monitor.models import Models
from exporter.monitor.watched import Found, Shown
from exporter.records import Exchange, Observation
from exporter.scalars.private import Private
from exporter.scalars.salted import Salt
from exporter.witness import seeing, stumbles
from exporter.witness.counting import Counting
from exporter.witness.holding import Holding
from exporter.witness.takers import Takers
from exporter.witnessed import LINE_LOSSES, SPAN_LOSSES, Example, Witnessed

_PATIENCE_S: Final = 2.0


class Witness:
    """One analyser's."""

    def __init__(self, settings: Settings, salt: Salt | None, private: Private | None) -> None:
        """ConfigError where something is missing that settings need."""
        self._takers = Takers(settings, salt, private)
        self._seeing = seeing.Seeing(settings, judges=self._takers.judge)
        self._holding = Holding(self._take)
        self._counting = {
            name: Counting(one.porter, reasons)
            for name, one, reasons in (
                ("spans", self._takers.spans, SPAN_LOSSES), ("lines", self._takers.log, LINE_LOSSES)
            ) if one
        }  # fmt: skip

    @property
    def eyes(self) -> Self:
        """Who looks at what comes through the rings."""
        return self

    @property
    def own(self) -> dict[str, NDArray[Any]]:
        """To be committed with all else, and restored before `settle`."""
        return {f"witness.{name}": one.array for name, one in self._counting.items()}

    def settle(self) -> None:
        """Go on from what was committed: what waited then is lost, and counted."""
        for one in self._counting.values():
            one.settle()

    def see(self, exchanges: Sequence[Exchange], decoded: Sequence[Observation], found: Sequence[Found | None]) -> None:
        """Look at exchanges that were counted, soon; see `monitor.stream.Witness`."""
        if self._takers.judge:
            self._holding.add(exchanges, decoded, found)
        else:
            self._take(exchanges, decoded, found)

    def _take(
        self, exchanges: Sequence[Exchange], decoded: Sequence[Observation], found: Sequence[Found | None]
    ) -> None:
        for seen in self._seeing.seen(exchanges, decoded, found):
            try:
                self._takers.take(seen)
            except Exception as error:  # noqa: BLE001 (whatever is odd about one, it was counted, and others follow)
                stumbles.tell(error)

    def look(self) -> bool:
        """Count what was carried away; whether there is anything that a commit should have."""
        self._holding.look()
        return any({name: one.look() for name, one in self._counting.items()}.values())  # each of them must look

    def watch(self, shown: Iterable[Shown], models: Models) -> None:
        """Mark rows from now on that lie where drift has grown."""
        if self._takers.marks_drift:
            seeing.watch(shown, models)

    @property
    def shown(self) -> tuple[Exemplars, Mapping[tuple[str, str], Sequence[Example]]]:
        """For the page: exemplars, and examples by model and version, the newest first."""
        taken = self._takers
        return taken.exemplars.found if taken.exemplars else {}, taken.examples.found() if taken.examples else {}

    def snapshot(self) -> Witnessed:
        """What became of all."""
        counts = {name: one.counts() for name, one in self._counting.items()}
        return Witnessed(counts.get("spans"), counts.get("lines"))

    def finish(self) -> None:
        """Have carried away what waits, as far as it can be done soon."""
        self._holding.show()
        deadline = time.monotonic() + _PATIENCE_S
        porters = [one.porter for one in (self._takers.spans, self._takers.log) if one]
        for porter in porters:
            porter.end()
        for porter in porters:
            porter.finish(deadline - time.monotonic())
