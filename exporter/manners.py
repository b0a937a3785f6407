"""How a process leaves room for others: processor time and memory. The standard library only."""

import contextlib
import ctypes
import os
import resource
from pathlib import Path
from typing import Final

_NICE: Final = 10
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_LARGE_BLOCK: Final = 2 << 20
"""Bytes: twice a body that is captured."""
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


def return_large_blocks() -> None:
    """Have glibc give each large block back at once; left to itself it soon keeps those of up to 32 MiB.

    Not bodies, for which that would take half as much CPU time again: see `trim`.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
        library.mallopt(_M_TRIM_THRESHOLD, _LARGE_BLOCK)


def trim() -> None:
    """Give freed memory back: glibc keeps what bodies leave between small blocks, and so grows to the worst mix."""
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
