"""What the analyser sees around it: the model server, what that needs, golden requests, and our own processes.

Looked at by threads of their own: whatever hangs out there, the analyser's loop goes on.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from exporter.addresses import upstream_place
from exporter.config import Settings
from exporter.handoff.board import Seat
from exporter.handoff.ring import Ring
from exporter.handoff.tally import Slot
from exporter.probing import Probes
from exporter.records import Label, Observation
from exporter.rounds import Rounds
from exporter.vitals import Lookout, ServerWatch


class Surroundings:
    """As they were at the last look."""

    def __init__(
        self, settings: Settings, board: "memoryview[int]", rings: Sequence[Ring], kept: Mapping[str, NDArray[Any]]
    ) -> None:
        """`kept` is what an earlier analyser has kept of `own`."""
        self._board = board
        self._rings = rings
        upstream, pid = settings.watched, settings.upstream_pid
        watch = ServerWatch(upstream_place(upstream), pid, lambda: self._pids().values()) if upstream else None
        self.lookout = Lookout(watch, self._pids, settings.upstream_probe_interval)
        self._probes = Probes(settings.dependencies)
        self._rounds = Rounds(settings, kept)

    def watch(self, stop: threading.Event) -> None:
        """Look, again and again, until `stop`."""
        threading.Thread(target=self.lookout.run, args=(stop,), name="vitals", daemon=True).start()
        self._probes.start(stop)
        self._rounds.start(stop)

    def look(self, label_of: Callable[[Observation], Label]) -> bool:
        """Count what was found since the last look; whether there was anything. `label_of` says whose an answer is."""
        found = self._rounds.look(lambda model, version: label_of(Observation(None, None, "", model, version)))
        return self._probes.look() or found

    @property
    def own(self) -> dict[str, NDArray[Any]]:
        """What is kept, by name and layout."""
        return {**self._probes.own, **self._rounds.own}

    @property
    def seen(self) -> dict[str, Any]:
        """What is shown of it, by the fields of `Health`."""
        return {
            "processes": self.lookout.processes,
            "dependencies": self._probes.snapshot(),
            "golden": self._rounds.snapshot(),
        }

    def _pids(self) -> dict[str, int]:
        return {
            "supervisor": self._board[Seat.SUPERVISOR_PID],
            "analyser": os.getpid(),
            **{f"worker-{index}": ring.slots[Slot.PID] for index, ring in enumerate(self._rings)},
        }
