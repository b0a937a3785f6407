"""How the analyser leaves the machine to those whose work it watches: processor time, memory."""

import contextlib
import ctypes
import os
import resource
from pathlib import Path
from typing import Final

_NICE: Final = 10
_DATA_PER_RESIDENT: Final = 2
"""Memory that is reserved and not touched counts as data; stacks of threads do."""


def step_back() -> None:
    """Let everybody else go first: the relay, and the model server itself.

    Where the kernel shares processors among sessions (autogroup), niceness counts within a session alone, and this
    process has one of its own.
    """
    os.nice(_NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(f"{_NICE}\n")


def trim() -> None:
    """Give freed memory back: glibc keeps what large bodies leave between small blocks, and so grows to the worst mix.

    Its mmap threshold would do so too, at half as much CPU time again for each large body.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def limit_memory(resident: int) -> None:
    """The supervisor looks at resident memory twice a second; this holds where it grows faster than that."""
    with contextlib.suppress(OSError, ValueError):
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        wanted = resident * _DATA_PER_RESIDENT
        resource.setrlimit(
            resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
