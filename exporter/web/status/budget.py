"""What pages and answers about the status may cost: whoever asks for many waits, and never who asks the model.

Time of a processor, threads, and what is held for those who read slowly: each has its bound, of all that ask together.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from flask import Response

from exporter.web.limits import Bucket

_SHARE: Final = 0.1
"""Of one processor, over any longer time."""
_BURST_S: Final = 2.0
"""What may be spent at once, by who opens a few pages."""
_SEATS: Final = 6
"""Threads that make or wait; the others of the web side are left for other pages."""
_MOST_UNREAD: Final = 16 << 20
"""Bytes of answers that were made and not yet taken."""
AGAIN_S: Final = 1


class Crowded(Exception):
    """Too many ask at once."""


class Budget:
    """Of one web side. For any thread."""

    def __init__(self, bucket: Bucket | None = None, most_unread: int = _MOST_UNREAD) -> None:
        self._bucket = bucket or Bucket(_SHARE, _BURST_S)
        self._seats = threading.Semaphore(_SEATS)
        self._lock = threading.Lock()
        self._most_unread, self._unread = most_unread, 0

    @property
    def is_spent(self) -> bool:
        """Whether nothing may be made now."""
        return not self._bucket.has_any

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Pay what this thread works inside. Crowded where too many others are there."""
        if not self._seats.acquire(blocking=False):
            raise Crowded
        begun = time.thread_time()
        try:
            yield
        finally:
            self._seats.release()
            self._bucket.spend(time.thread_time() - begun)

    def hold(self, answer: Response) -> bool:
        """Count an answer until its client has it; whether there is room for it."""
        size = answer.content_length or 0
        with self._lock:
            if self._unread + size > self._most_unread:
                return False
            self._unread += size
        answer.call_on_close(lambda: self._leave(size))
        return True

    def _leave(self, size: int) -> None:
        with self._lock:
            self._unread -= size
