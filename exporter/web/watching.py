"""Whether files hold something else than when they were last looked at; no file is opened for that."""

import os
from collections.abc import Iterable

Signs = tuple[tuple[int, ...] | None, ...]
"""Of each file what changes with it; None where there is none."""


def signs(paths: Iterable[str]) -> Signs:
    """How files look now. What a directory of Kubernetes points to counts, not the link itself."""
    return tuple(map(_sign, paths))


def _sign(path: str) -> tuple[int, ...] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 (with each request)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
