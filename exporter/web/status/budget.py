"""What pages and answers about the status may cost: whoever asks for many waits, and never who asks the model."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from exporter.web.limits import Bucket

_SHARE: Final = 0.1
"""Of one processor, over any longer time."""
_BURST_S: Final = 2.0
"""What may be spent at once, by who opens a few pages."""
AGAIN_S: Final = 1


class Budget:
    """Seconds of a processor. For any thread."""

    def __init__(self, bucket: Bucket | None = None) -> None:
        self._bucket = bucket or Bucket(_SHARE, _BURST_S)

    @property
    def is_spent(self) -> bool:
        """Whether nothing may be made now."""
        return not self._bucket.has_any

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Pay what this thread works inside."""
        begun = time.thread_time()
        try:
            yield
        finally:
            self._bucket.spend(time.thread_time() - begun)
