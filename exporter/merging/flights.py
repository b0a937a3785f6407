"""One question at a time for all who ask: scrapers of the same second share an answer, each waits as long as it may.

Whoever finds no answer that is fresh sends a thread for one. It ends by itself; however long it takes, nobody waits for
it longer than they want to.
"""

import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

FRESH_S: Final = 1.0
"""How long an answer is shared after it came."""
_SEATS: Final = 8
"""Of those who wait; whoever finds none waits a moment only, so that threads of the web side are there for others."""
_MOMENT_S: Final = 0.1
_Outcome = TypeVar("_Outcome")


class _Flight(Generic[_Outcome]):
    """One question on its way."""

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.landed_s = 0.0
        self.outcome: _Outcome | None = None

    @property
    def is_old(self) -> bool:
        """Whether another one should be sent."""
        return self.landed.is_set() and time.monotonic() - self.landed_s >= FRESH_S


class Flights(Generic[_Outcome]):
    """Questions by what is asked for: as many at once, and as many answers held, as there are of these."""

    def __init__(self, look: Callable[[str], _Outcome]) -> None:
        """`look` takes as long as it takes, and is called in threads."""
        self._look = look
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight[_Outcome]] = {}
        self._seats = threading.Semaphore(_SEATS)

    def outcome(self, key: str, patience_s: float) -> _Outcome | None:
        """What came of it; None where that is not known in time."""
        flight = self._current(key)
        if not flight.landed.is_set():
            self._wait(flight, patience_s)
        return flight.outcome

    def _current(self, key: str) -> _Flight[_Outcome]:
        with self._lock:
            flight = self._flights.get(key)
            if flight is None or flight.is_old:
                flight = self._flights[key] = _Flight()
                self._send(key, flight)
            return flight

    def _send(self, key: str, flight: _Flight[_Outcome]) -> None:
        try:
            threading.Thread(target=self._fly, args=(key, flight), name="merging", daemon=True).start()
        except RuntimeError:  # no thread to be had now
            self._land(flight)

    def _fly(self, key: str, flight: _Flight[_Outcome]) -> None:
        try:
            flight.outcome = self._look(key)
        finally:
            self._land(flight)

    def _land(self, flight: _Flight[_Outcome]) -> None:
        flight.landed_s = time.monotonic()
        flight.landed.set()

    def _wait(self, flight: _Flight[_Outcome], patience_s: float) -> None:
        seated = self._seats.acquire(blocking=False)
        try:
            flight.landed.wait(patience_s if seated else min(patience_s, _MOMENT_S))
        finally:
            if seated:
                self._seats.release()
