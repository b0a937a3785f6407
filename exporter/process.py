"""One process that is kept running: started by exec, started again with back-off, killed where it hangs.

The standard library only, and nothing is raised: whoever looks after processes must outlive every one of them.
"""

import errno
import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from exporter.records import RESTART_REASONS

_LOG = logging.getLogger("exporter.process")

DRAIN: Final = signal.SIGUSR1
"""The order to finish. Not SIGTERM, which a service manager may send to every process at once: the supervisor says
when whose turn it is."""
_FIRST_BACKOFF_S: Final = 0.1
_STEADY_S: Final = 3.0
"""A process that ran this long starts its back-off anew."""
_LONGEST_LOOK_S: Final = 1.0
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


OUT_OF_MEMORY: Final = 71
"""What a process exits with that ran into its own limit (EX_OSERR)."""
_PAGE_BYTES: Final = os.sysconf("SC_PAGESIZE")
_PIPE_BYTES: Final = 1 << 16
"""What a pipe takes before anybody reads, where nothing else was agreed on."""


class Terms(NamedTuple):
    """How a process is treated."""

    hung_after_s: float
    longest_backoff_s: float
    memory_limit: int = 0
    """Resident bytes over which it is killed; 0 is any number."""


RELAYING: Final = Terms(hung_after_s=10.0, longest_backoff_s=0.5)
"""Of a worker: where it is away clients have an outage, so it is back at once."""


class Child:
    """A module of ours in a process of its own."""

    def __init__(
        self, module: str, orders: dict[str, Any], fds: tuple[int, ...], seen: Callable[[], int], terms: Terms
    ) -> None:
        """`orders` go to its standard input; `seen` gives its last heartbeat, any number that changes."""
        self.name = f"{module.rpartition('.')[2]}-{orders['index']}" if "index" in orders else "analyser"
        self.restarts = dict.fromkeys(RESTART_REASONS, 0)
        """How often it was started again, by why it had ended."""
        self._reason = "exited"
        self._killed_for = ""
        self._module = module
        self._orders = _line(orders)
        self._line = -1
        """The writing end of its standard input."""
        self._renewing = False
        self._fds = fds
        self._seen = seen
        self._terms = terms
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._looked = self._start_at = 0.0
        self._backoff = _FIRST_BACKOFF_S
        self._last_seen = 0
        self._silent_s = 0.0

    @property
    def pid(self) -> int:
        """Its process id, 0 while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    def start(self) -> None:
        """Start it: nothing is inherited but the descriptors named.

        A session of its own keeps a terminal's signals from it, which are the supervisor's affair.
        """
        self._started = self._looked = time.monotonic()
        self._silent_s = 0.0
        self._killed_for = ""
        self._renewing = False
        self._close_line()
        try:
            reading, self._line = os.pipe()
            try:
                self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
                    [sys.executable, "-m", self._module],
                    stdin=reading, pass_fds=self._fds, env=os.environ | _ONE_THREAD, start_new_session=True,
                )  # fmt: skip
            finally:
                os.close(reading)
            os.set_blocking(self._line, False)
            _make_room(self._line, len(self._orders))
            os.write(self._line, self._orders)
        except OSError as error:  # no descriptors, processes or memory; or it died while it was told
            _LOG.error("%s could not be started: %s", self.name, error)
            if self._process is None:
                self._wait_before_next_start()

    def _close_line(self) -> None:
        line, self._line = self._line, -1
        if line >= 0:
            os.close(line)

    def tell(self, orders: dict[str, Any]) -> None:
        """Give it and its successors new orders while it runs."""
        self._orders = _line(orders)
        if self.pid:
            try:
                os.write(self._line, self._orders)
            except OSError as error:  # it hangs, or has just ended
                _LOG.error("%s could not be told: %s", self.name, error)

    def renew(self, orders: dict[str, Any], fds: tuple[int, ...], terms: Terms) -> None:
        """Have it end in order and start anew with other orders; that is no restart to be counted."""
        self._orders, self._fds, self._terms = _line(orders), fds, terms
        self._renewing = bool(self.pid)
        self.signal(DRAIN)

    def look_after(self) -> None:
        """Start it again if it died, kill it if it hangs."""
        now = time.monotonic()
        # Where this process was frozen with all the others, that time is no silence of theirs.
        self._silent_s += min(now - self._looked, _LONGEST_LOOK_S)
        self._looked = now
        if self._seen() != self._last_seen:
            self._last_seen, self._silent_s = self._seen(), 0.0
        if self.pid:
            self._kill_if_harmful()
        elif self._process is not None:
            status, self._process = self._process.returncode, None
            if self._renewing:
                self.start()
            else:
                self._note_end(status)
                self._wait_before_next_start()
        if self._process is None and time.monotonic() >= self._start_at:
            self.restarts[self._reason] += 1
            self.start()

    @property
    def due_s(self) -> float:
        """How long until it is to be started again; far away where it runs."""
        return _LONGEST_LOOK_S if self._process else max(self._start_at - time.monotonic(), 0.0)

    def _kill_if_harmful(self) -> None:
        limit = self._terms.memory_limit
        if self._silent_s > self._terms.hung_after_s:
            _LOG.error("%s gave no sign of life for %.0f s, killing it", self.name, self._silent_s)
            self._killed_for = "hung"
        elif limit and (resident := _resident_bytes(self.pid)) > limit:
            _LOG.error("%s uses %d MiB of memory, more than it may, killing it", self.name, resident >> 20)
            self._killed_for = "memory"
        if self._killed_for:
            self.signal(signal.SIGKILL)

    def _note_end(self, status: int) -> None:
        _LOG.error("%s ended with status %s", self.name, status)
        if self._killed_for:
            self._reason = self._killed_for
        elif status == OUT_OF_MEMORY:
            self._reason = "memory"
        else:
            self._reason = "signalled" if status < 0 else "exited"

    def _wait_before_next_start(self) -> None:
        """One that ran for long starts again at once; one that keeps ending, later and later."""
        now = time.monotonic()
        if now - self._started > _STEADY_S:
            self._backoff, self._start_at = _FIRST_BACKOFF_S, now
            return
        self._start_at = now + self._backoff
        self._backoff = min(self._backoff * 2, self._terms.longest_backoff_s)

    def signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.pid:
            os.kill(self.pid, number)

    async def ended(self, within_s: float) -> bool:
        """Wait for its end."""
        import asyncio  # noqa: PLC0415 (whoever waits has it; who asks for a name of ours alone may not)

        deadline = time.monotonic() + within_s
        while self.pid and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        return not self.pid


def _make_room(pipe: int, size: int) -> None:
    """Let a pipe take so much before anybody reads; maps of columns may be long. OSError where it cannot."""
    if size > _PIPE_BYTES and fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, size) < size:
        raise OSError(errno.ENOBUFS, "the settings are too long to be passed on")


def _line(orders: dict[str, Any]) -> bytes:
    """With whose they are: a child that asked who its parent is might do so when that one is no more."""
    return json.dumps({"supervisor": os.getpid(), **orders}).encode() + b"\n"


def _resident_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123 (looked at twice a second, for ever)
            return int(file.read().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0  # it has just ended, or this is not Linux
