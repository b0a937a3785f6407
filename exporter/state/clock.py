"""When windows were held, in a way that another process, boot or machine can relate to its own clock.

Exchanges are placed by the monotonic clock, which nobody can set. It is the same for all that runs between two boots:
there windows go on exactly, whatever became of the wall clock. Only beyond that is the wall clock believed.
"""

import contextlib
import time
from pathlib import Path
from typing import Final, NamedTuple

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_TIME_NAMESPACE: Final = Path("/proc/self/ns/time")
_BACK_S: Final = 10.0
"""So much may the wall clock have been set back between two runs without being doubted."""


class Moment(NamedTuple):
    """One moment on every clock there is."""

    monotonic_s: float
    wall_s: float
    boot: str
    """What is the same as long as the monotonic clock is the same; empty where nobody knows."""


def now() -> Moment:
    """This moment."""
    return Moment(time.monotonic(), time.time(), _boot())


def wall(monotonic_s: float) -> float:
    """Unix time of a moment on the monotonic clock, as far as is known now."""
    return monotonic_s + time.time() - time.monotonic()


def shift_s(held: Moment, here: Moment) -> float | None:
    """What to add to the monotonic clock of `held` to have that of `here`; None where their order is in doubt.

    A wall clock that shows less than it did was wrong then or is wrong now: what it says of ages is not to be had.
    """
    if held.boot and held.boot == here.boot and held.monotonic_s <= here.monotonic_s:
        return 0.0
    if here.wall_s < held.wall_s - _BACK_S:
        return None
    return (here.monotonic_s - here.wall_s) - (held.monotonic_s - held.wall_s)


def _boot() -> str:
    try:
        boot = _BOOT_ID.read_text().strip()
    except OSError:
        return ""
    with contextlib.suppress(OSError):  # a kernel without them has one monotonic clock
        boot += f" {_TIME_NAMESPACE.readlink()}"
    return boot
