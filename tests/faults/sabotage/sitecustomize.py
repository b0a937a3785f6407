"""What a test does to processes of the sidecar from within: Python imports this where PYTHONPATH leads to it.

SABOTAGE=leak    the analyser takes memory without end as soon as it gets SIGUSR2
SABOTAGE=slow    from SIGUSR2 on the relay's looks at what has passed take a hundred times as long
SABOTAGE=memfd   there is no memfd_create, as under a strict seccomp profile
"""

import os
import signal
import sys
import threading
import time
from typing import Any

_ME = sys.orig_argv[-1]


def _leak(*_: Any) -> None:
    def grow() -> None:
        hoard = []
        while True:
            hoard.append(b"x" * (32 << 20))
            time.sleep(0.1)

    threading.Thread(target=grow, daemon=True).start()


def _slow_down(*_: Any) -> None:
    from exporter.proxy.observer import Observer  # noqa: PLC0415

    look = Observer.look

    def slow(self: Observer, data: bytes, answer: bool, /) -> bool:
        begun = time.thread_time_ns()
        glanced = look(self, data, answer)
        until = begun + 100 * (time.thread_time_ns() - begun)
        while time.thread_time_ns() < until:
            pass
        return glanced

    Observer.look = slow  # type: ignore[method-assign]


def _without_memfd(*_: Any) -> int:
    raise PermissionError(1, "Operation not permitted")


match os.environ.get("SABOTAGE"), _ME:
    case "leak", "exporter.analyser":
        signal.signal(signal.SIGUSR2, _leak)
    case "slow", "exporter.worker":
        signal.signal(signal.SIGUSR2, _slow_down)
    case "memfd", _:
        os.memfd_create = _without_memfd
