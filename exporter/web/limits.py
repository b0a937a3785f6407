"""What is given out at a rate, and what is remembered up to a number. For any thread."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

Clock = Callable[[], float]
"""Seconds that never go back."""


class Bucket:
    """Holds `burst` at most, and gains `rate` each second; what is spent may be known only afterwards."""

    def __init__(self, rate: float, burst: float, clock: Clock = time.monotonic) -> None:
        self.terms: Final = (rate, burst)
        self._clock = clock
        self._lock = threading.Lock()
        self._left = burst
        self._counted_s = clock()

    def take(self, count: float = 1.0) -> bool:
        """Whether there was so much; then it is gone."""
        with self._lock:
            self._gain()
            if self._left < count:
                return False
            self._left -= count
            return True

    @property
    def has_any(self) -> bool:
        """Whether something is left."""
        with self._lock:
            self._gain()
            return self._left > 0

    def spend(self, count: float) -> None:
        """Take what was used already: there may be less than nothing left, which must be gained again first."""
        with self._lock:
            self._gain()
            self._left -= count

    def _gain(self) -> None:
        now = self._clock()
        rate, burst = self.terms
        self._left = min(self._left + (now - self._counted_s) * rate, burst)
        self._counted_s = now


class Remembered:
    """The things that were seen last, `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._things: OrderedDict[Hashable, None] = OrderedDict()

    def __contains__(self, thing: Hashable) -> bool:
        with self._lock:
            if thing not in self._things:
                return False
            self._things.move_to_end(thing)
            return True

    def add(self, thing: Hashable) -> None:
        """Remember it, and forget the one that was not seen for longest where there are too many."""
        with self._lock:
            self._things[thing] = None
            self._things.move_to_end(thing)
            if len(self._things) > self._most:
                self._things.popitem(last=False)

    def discard(self, thing: Hashable) -> None:
        """Forget it, if it is known."""
        with self._lock:
            self._things.pop(thing, None)
