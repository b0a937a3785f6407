"""Shared memory as unsigned 64-bit slots and bytes. An aligned slot is stored at once: readers see old or new.

memfd rather than /dev/shm: not subject to a container's 64 MiB there, gone with its last descriptor, and sealed
against shrinking, so that no process can make another one fault. Where there is none an unlinked file does.
"""

import contextlib
import errno
import fcntl
import mmap
import os
import sys
import tempfile
import threading
from typing import Final

SLOT = 8
_NOT_HERE: Final = frozenset((errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EINVAL))
"""What taking room says where it cannot be taken in advance at all."""


def create(name: str, size: int) -> int:
    """New memory of `size` bytes (it may still grow, never shrink). The caller owns the descriptor."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a container's seccomp profile may not allow it
            return _memfd(name, size)
    with tempfile.TemporaryFile(prefix=f"inference-exporter-{name}-") as file:
        file.truncate(size)
        take_room(file.fileno(), 0, size)
        return os.dup(file.fileno())


def take_room(fd: int, start: int, size: int) -> None:
    """Room is taken now: memory or a disk that is full later would kill whoever writes (SIGBUS). OSError says so."""
    if sys.platform != "linux" or not size:
        return
    try:
        os.posix_fallocate(fd, start, size)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise


def grow(fd: int, size: int, taken: int) -> None:
    """Have a block be `size` bytes, with room for the first `taken` ones now.

    OSError where there is no room for it, and nothing was changed then.
    """
    take_room(fd, 0, taken)
    os.ftruncate(fd, size)


def _memfd(name: str, size: int) -> int:
    fd = os.memfd_create(f"inference-exporter-{name}", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    return fd


def keep(name: str, content: bytes) -> int:
    """New memory that holds `content`. The caller owns the descriptor."""
    fd = create(name, len(content))
    with mmap.mmap(fd, len(content)) as block:
        block.write(content)
    return fd


def kept(fd: int) -> bytes:
    """What `keep` put there."""
    with attach(fd) as block:
        return block.read()


def attach(fd: int) -> mmap.mmap:
    """Map all of a block; the descriptor stays the caller's."""
    return mmap.mmap(fd, os.fstat(fd).st_size)


def attach_privately(fd: int) -> mmap.mmap:
    """Map all of a block as it is; what is written there nobody else will see."""
    return mmap.mmap(fd, os.fstat(fd).st_size, mmap.MAP_PRIVATE)


def give_back(block: mmap.mmap, start: int, size: int) -> None:
    """Give the memory of whole pages back where that can be done; it must be taken again before it is used."""
    first, last = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE, (start + size) // mmap.PAGESIZE * mmap.PAGESIZE
    if sys.platform == "linux" and first < last:
        with contextlib.suppress(OSError):
            block.madvise(mmap.MADV_REMOVE, first, last - first)


def slots(block: mmap.mmap, count: int) -> "memoryview[int]":
    """The first `count` slots of a block."""
    return memoryview(block)[: count * SLOT].cast("Q")


class Barrier:
    """Keeps loads and stores in order, where the processor needs to be told."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Nothing written before is seen after what is written next, nothing read next was read before."""
        for _ in range(2):  # a release, then an acquire
            self._lock.acquire()
            self._lock.release()
