"""Golden requests in the running sidecar: sent round after round by a thread of their own, and what comes of them.

source    the file of cases, read again when it is another one
asking    a case → what became of it
pace      the thread: when which case is asked
news      what it has to tell
standing  what is known of each version, in arrays that can be kept
"""

import logging
import threading
from collections.abc import Mapping
from typing import Any, Final

from numpy.typing import NDArray

from exporter.checked import GoldenChecked
from exporter.config import Settings
from exporter.rounds.asking import Asking
from exporter.rounds.pace import Pace, Pacer
from exporter.rounds.source import Source
from exporter.rounds.standing import Called, Standings
from exporter.upstream_way import way_there

_LOG = logging.getLogger("exporter.rounds")
_STACK_BYTES: Final = 1 << 20
"""Of the thread, reserved: the system's default would count eightfold against the analyser's limit."""


class Rounds:
    """Those of one exporter. Everything but the thread of `start` is of one thread, the caller's."""

    def __init__(self, settings: Settings, kept: Mapping[str, NDArray[Any]]) -> None:
        """`kept` is what an earlier analyser has kept of `own`."""
        said = settings.golden
        self._standings = Standings(said.interval, kept)
        way = way_there(settings) if said.file else None
        self._pacer: Pacer | None = None
        if said.file and way:
            asking = Asking(way, said.timeout, settings.model.version or "")
            self._pacer = Pacer(Pace(said.interval), Source(said.file), asking)

    def start(self, stop: threading.Event) -> None:
        """Ask until `stop`."""
        if self._pacer is None:
            return
        before = threading.stack_size(_STACK_BYTES)
        try:
            threading.Thread(target=self._pacer.run, args=(stop,), name="golden", daemon=True).start()
        finally:
            threading.stack_size(before)

    def look(self, called: Called) -> bool:
        """Count what was found since the last look; whether there was anything."""
        news = self._pacer.take() if self._pacer else []
        for line in self._standings.count(news, called):
            _LOG.warning("%s", line)
        return bool(news)

    @property
    def own(self) -> Mapping[str, NDArray[Any]]:
        """What is kept, by name and layout."""
        return self._standings.own if self._pacer else {}

    def snapshot(self) -> GoldenChecked | None:
        """How it stands; None where no golden requests are sent."""
        return self._standings.snapshot() if self._pacer else None
