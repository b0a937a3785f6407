"""What the analyser sees around it: the model server, what that needs, and the processes of this exporter.

Looked at by threads of their own: whatever hangs out there, the analyser's loop goes on.
"""

import os
import threading
from collections.abc import Sequence

from exporter.addresses import upstream_place
from exporter.config import Settings
from exporter.handoff.board import Seat
from exporter.handoff.ring import Ring
from exporter.handoff.tally import Slot
from exporter.probing import Probes
from exporter.vitals import Lookout, ServerWatch


class Surroundings:
    """As they were at the last look."""

    def __init__(self, settings: Settings, board: "memoryview[int]", rings: Sequence[Ring]) -> None:
        self._board = board
        self._rings = rings
        upstream, pid = settings.watched, settings.upstream_pid
        watch = ServerWatch(upstream_place(upstream), pid, lambda: self._pids().values()) if upstream else None
        self.lookout = Lookout(watch, self._pids, settings.upstream_probe_interval)
        self.probes = Probes(settings.dependencies)

    def watch(self, stop: threading.Event) -> None:
        """Look, again and again, until `stop`."""
        threading.Thread(target=self.lookout.run, args=(stop,), name="vitals", daemon=True).start()
        self.probes.start(stop)

    def _pids(self) -> dict[str, int]:
        return {
            "supervisor": self._board[Seat.SUPERVISOR_PID],
            "analyser": os.getpid(),
            **{f"worker-{index}": ring.slots[Slot.PID] for index, ring in enumerate(self._rings)},
        }
