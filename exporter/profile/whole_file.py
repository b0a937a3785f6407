"""Files that are written whole or not at all."""

import contextlib
import os
from pathlib import Path


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
