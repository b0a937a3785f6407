"""How far a long reading is, in one line of a terminal: share, rows, rate, time left. Silent elsewhere."""

import time
from typing import Self, TextIO

_EVERY_S = 0.1
_FIRST_S = 0.5
_BAR = 24


class Progress:
    """Draws on a terminal over its own line; wipes it at the end. Nothing is drawn of what is quickly done."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = stream.isatty()
        self._drawn = False
        self._started = time.monotonic()
        self._next = self._started + _FIRST_S

    def __call__(self, done: float, rows: int) -> None:
        """Take the share that is done, 0 to 1, and the rows so far."""
        if not self._shown:
            return
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY_S
            self._drawn = True
            self._stream.write("\r" + line(done, rows, now - self._started) + "\x1b[K")
            self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def line(done: float, rows: int, elapsed_s: float) -> str:
    """What is drawn after so many seconds."""
    full = round(_BAR * done)
    rate = rows / elapsed_s if elapsed_s else 0.0
    left = f", {_clock(elapsed_s * (1 - done) / done)} left" if done > 0.01 else ""
    return f"{'█' * full}{'░' * (_BAR - full)} {done:4.0%}  {rows:,} rows, {rate:,.0f}/s{left}"


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
