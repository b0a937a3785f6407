"""Files that are written whole or not at all, and read whole or not at all."""

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Final

from exporter.errors import DataError

LARGEST: Final = 64 << 20
"""Bytes of a profile."""
LARGEST_OVERRIDES: Final = 1 << 20


def read(path: Path, most: int) -> bytes:
    """The bytes of a regular file; DataError where it is longer than `most`, OSError where it is none.

    A pipe in its place must not hold anyone up, nor a device fill the memory.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if about.st_size > most:
            raise DataError(f"{path}: larger than {most >> 20} MiB")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(about.st_size)
    finally:
        os.close(descriptor)


def write(target: Path, text: str) -> None:
    """Replace a file by `text`, durably. OSError, and the old file untouched, where that fails."""
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8")  # a device or pipe is written to, never replaced
        return
    target = target.resolve()  # what a link points to is replaced, not the link
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:  # an interrupt, too, leaves nothing behind
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
