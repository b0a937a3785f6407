"""The end of the process: whoever waits, for an answer or for the next pane, waits no longer once a signal has come.

What is being calculated is never broken off, so that what is kept is whole.
"""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from exporter.errors import PrometheusError
from exporter.fleet.poller import Client
from exporter.prometheus import Series

_WORDS: Final = "the answer is not waited for, as this process ends"
_NUDGE_S: Final = 0.05


class Ending:
    """Knows whether it is time; of the first thread, which Python tells of signals."""

    def __init__(self) -> None:
        self.is_due = False
        self._is_waiting = False

    def heed(self, *numbers: signal.Signals) -> None:
        """Take these signals from now on, whichever thread they reach; called once, by the first thread.

        Python tells the first thread between two of its steps. A signal that comes just before a step that waits, or
        that reaches another thread, is told when that step ends, which may take an hour: whoever hears of the signal
        at once, by the file descriptor, breaks that step off.
        """
        for number in numbers:
            signal.signal(number, self.told)
        heard, told = socket.socketpair()
        told.setblocking(False)
        signal.set_wakeup_fd(told.detach(), warn_on_full_buffer=False)
        first = threading.get_ident()
        threading.Thread(target=self._nudge, args=(heard, first), name="ending", daemon=True).start()

    def told(self, *_: object) -> None:
        """Take a signal; breaks off what is waited for. PrometheusError in whoever waits."""
        self.is_due = True
        if self._is_waiting:
            self._is_waiting = False
            raise PrometheusError(_WORDS)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While something is waited for. PrometheusError where it is time, or comes to be."""
        self._is_waiting = True
        try:
            if self.is_due:
                raise PrometheusError(_WORDS)
            yield
        finally:
            self._is_waiting = False

    def wait(self, pause_s: float) -> None:
        """Do nothing for so long, or until it is time."""
        with suppress(PrometheusError), self.waiting():
            time.sleep(pause_s)

    def of(self, client: Client) -> Client:
        """The client, whose answers are waited for until it is time."""
        return _Waiting(client, self)

    def _nudge(self, heard: socket.socket, first: int) -> None:
        number = heard.recv(1)[0]
        while not self.is_due:
            signal.pthread_kill(first, number)
            time.sleep(_NUDGE_S)


class _Waiting:
    def __init__(self, client: Client, ending: Ending) -> None:
        self._client, self._ending = client, ending

    @property
    def warnings(self) -> tuple[str, ...]:
        """As of the client."""
        return self._client.warnings

    def query(self, expression: str, at: float | None = None) -> list[Series]:
        """As of the client. PrometheusError, ConfigError."""
        with self._ending.waiting():
            return self._client.query(expression, at)
