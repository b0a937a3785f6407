"""A file that is set aside by size and age: PATH.1 is the last one that was, PATH.2 the one before.

A line is there as a whole or not at all: what a full disk cut off is taken back, and what an earlier process left
without an end is ended first. Files are readable by their owner alone: they hold what requests hold.
"""

import errno
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from exporter.traced import PredictionLog
from exporter.witness.porter import DELIVERED, Outcome

_MODE: Final = 0o600
_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def opened(said: PredictionLog) -> Callable[[Sequence[bytes]], Outcome]:
    """It is opened by the first batch, and again after a fault: a directory may be there later."""
    return File(said).write


class File:
    """One of them, for one thread."""

    def __init__(self, said: PredictionLog) -> None:
        self._path = Path(said.to.removeprefix("file:"))
        self._size, self._age_s, self._keep = said.rotate_size, said.rotate_age, said.rotate_keep
        self._fd = -1
        self._written, self._begun = 0, 0.0

    def write(self, lines: Sequence[bytes]) -> Outcome:
        """Write them behind all others."""
        done = 0
        try:
            while done < len(lines):
                self._make_ready()
                done += self._append(lines[done:])
        except OSError as error:
            self._close()
            reason = "no_space" if error.errno in _FULL else "io"
            return Outcome(reason, f"{self._path}: {error.strerror or error}", len(lines) - done)
        return DELIVERED

    def _append(self, lines: Sequence[bytes]) -> int:
        """As many as the file takes before it is set aside; how many these were."""
        count, room = 0, self._size - self._written
        while count < len(lines) and (room > 0 or not count):
            room -= len(lines[count])
            count += 1
        content = b"".join(lines[:count])
        try:
            self._put(content)
        except OSError:
            with suppress(OSError):  # of what is no file, such as a pipe, nothing can be taken back
                os.ftruncate(self._fd, self._written)
            raise
        self._written += len(content)
        return count

    def _put(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def _make_ready(self) -> None:
        if self._fd >= 0 and not self._is_there():
            self._close()  # somebody moved or deleted it, as logrotate does
        if self._fd < 0:
            self._open()
        if self._written and (self._written >= self._size or time.time() - self._begun >= self._age_s):
            self._set_aside()
            self._open()

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._fd))
        except OSError:
            return False

    def _open(self) -> None:
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _MODE)
        about = os.fstat(self._fd)
        self._written = about.st_size
        self._begun = _born(self._fd, time.time()) if self._written else time.time()
        if self._written and os.pread(self._fd, 1, self._written - 1) != b"\n":
            self._put(b"\n")
            self._written += 1

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _set_aside(self) -> None:
        """Move all of them on by one; the oldest is deleted."""
        self._close()
        if not self._keep:
            self._path.unlink(missing_ok=True)
            return
        for number in range(self._keep, 1, -1):
            before = self._numbered(number - 1)
            if before.exists():
                before.replace(self._numbered(number))
        self._path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _born(fd: int, otherwise: float) -> float:
    """When the first line of a file was written, by what it says itself: file systems forget it."""
    head = os.pread(fd, 64, 0)
    if not head.startswith(b'{"time":"'):
        return otherwise
    try:
        return datetime.fromisoformat(head[9:28].decode("ascii") + "+00:00").timestamp()
    except (ValueError, UnicodeError, OverflowError):
        return otherwise
