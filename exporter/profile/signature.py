"""What tells a file from another that took its place."""

import stat
from pathlib import Path

Signature = tuple[int, int, int, int]
"""Device, inode, size, and time of change in nanoseconds."""


def signature_of(path: Path) -> Signature | None:
    """None where there is no such file."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(about.st_mode):
        return None
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns
