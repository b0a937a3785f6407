"""What goes on beside a test, in a thread of its own, as long as a block lasts."""

import threading
from typing import Self

_PATIENCE_S = 60.0


class InBackground:
    """Begins with the block; `_run` ends soon after `_stop` is set."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        raise NotImplementedError
