"""Probes of what a model needs beside its server: each in a thread of its own pace, what they find in one place.

A scheme of addresses is one file beside this one and a line in `SCHEMES`. At most `dependencies.MOST` threads are
there, with a stack of 1 MiB each; one that hangs keeps its own thread and no other, and is told as down.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.condition import DependencyState
from exporter.dependencies import TCP, Dependency
from exporter.probing import tcp, web
from exporter.probing.findings import Attempt
from exporter.probing.pace import Pacer
from exporter.probing.standing import Standing

_LOG = logging.getLogger("exporter.probing")
_STACK_BYTES: Final = 1 << 20
"""Of a thread, reserved; the system's default of 8 MiB would count eightfold against the analyser's limit."""
SCHEMES: Final[Mapping[str, Callable[[Dependency], Attempt]]] = {
    TCP: tcp.attempt,
    "http": web.attempt,
    "https": web.attempt,
}


class Probes:
    """All dependencies of one exporter. Everything but the threads of `start` is of one thread, the caller's."""

    def __init__(self, asked: tuple[Dependency, ...]) -> None:
        self._paced = [(Pacer(one, SCHEMES[one.scheme](one)), Standing(one)) for one in asked]

    def start(self, stop: threading.Event) -> None:
        """Probe until `stop`."""
        if not self._paced:
            return
        before = threading.stack_size(_STACK_BYTES)
        try:
            for pacer, _ in self._paced:
                threading.Thread(target=pacer.run, args=(stop,), name=f"probe {pacer.name}", daemon=True).start()
        finally:
            threading.stack_size(before)

    def look(self) -> bool:
        """Count what probes have found since the last look, and give up what hangs; whether there was anything."""
        found = [(standing, finding) for pacer, standing in self._paced for finding in pacer.take(time.monotonic())]
        for standing, finding in found:
            line = standing.count(finding)
            if line:
                _LOG.warning("%s", line)
        return bool(found)

    @property
    def own(self) -> dict[str, NDArray[np.int64]]:
        """What is kept, by name and layout; each name says what is probed, and how."""
        return {standing.key: standing.counts for _, standing in self._paced}

    def snapshot(self) -> tuple[DependencyState, ...]:
        """How each one is, in the order of the settings."""
        return tuple(standing.snapshot() for _, standing in self._paced)
