"""Standard output, which belongs to nobody else here: messages go to standard error."""

import os
from collections.abc import Callable, Sequence

from exporter.traced import PredictionLog
from exporter.witness.porter import DELIVERED, Outcome

_OUT = 1


def opened(_: PredictionLog) -> Callable[[Sequence[bytes]], Outcome]:
    """No buffer is between: what was written is out, and a reader that stops holds up this thread alone."""
    return _write


def _write(lines: Sequence[bytes]) -> Outcome:
    rest = memoryview(b"".join(lines))
    try:
        while rest:
            rest = rest[os.write(_OUT, rest) :]
    except OSError as error:
        written = sum(map(len, lines)) - len(rest)
        return Outcome("io", f"standard output: {error.strerror}", lost(lines, written))
    return DELIVERED


def lost(lines: Sequence[bytes], written: int) -> int:
    """How many of them are not whole where so many bytes were written."""
    whole = 0
    for line in lines:
        written -= len(line)
        if written < 0:
            break
        whole += 1
    return len(lines) - whole
