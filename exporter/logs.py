"""Log lines to standard error that never hold anyone up: a pipe that nobody reads would block whoever writes to it.

A thread writes; what does not fit into its queue is lost, and counted. The standard library only.
"""

import atexit
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_MOST_LINES: Final = 1000
_LAST_WORDS_S: Final = 1.0


class Outlet(logging.Handler):
    """A bounded queue before a descriptor. Its thread starts with the first line."""

    def __init__(self, descriptor: int, lost: Callable[[], None], most: int = _MOST_LINES) -> None:
        """`lost` is called for every line that was not written."""
        super().__init__()
        self._descriptor = descriptor
        self._lost = lost
        self._lines: queue.Queue[bytes] = queue.Queue(most)
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line."""
        try:
            line = self.format(record).encode(errors="backslashreplace") + b"\n"
            self._lines.put_nowait(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="log", daemon=True)
                self._thread.start()
        except queue.Full:
            self._lost()
        except Exception:  # noqa: BLE001 (a line must cost nothing but itself)
            self._lost()

    def _write(self) -> None:
        while True:
            line = self._lines.get()
            while line:
                try:
                    line = line[os.write(self._descriptor, line) :]
                except OSError:  # closed, or nobody will ever read it
                    self._lost()
                    break
            self._lines.task_done()

    def finish(self, within_s: float = _LAST_WORDS_S) -> None:
        """Wait until everything is written, for a while."""
        deadline = time.monotonic() + within_s
        while self._lines.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.005)


def start(level: str, lost: Callable[[], None]) -> None:
    """Log to standard error from `level` up, what nobody caught included."""
    outlet = Outlet(2, lost)
    outlet.setFormatter(logging.Formatter(_FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[outlet])
    atexit.register(outlet.finish)
    sys.excepthook = lambda *error: logging.getLogger("exporter").critical("not caught", exc_info=error)


def finish() -> None:
    """Wait until what was said is written, for a while: whoever ends without `atexit` calls it."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Outlet):
            handler.finish()
