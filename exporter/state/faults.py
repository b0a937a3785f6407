"""What disks say, in the words of `STATE_ERRORS`."""

import errno
from typing import Final

_REASONS: Final = {
    errno.ENOSPC: "no_space", errno.EDQUOT: "no_space", errno.EFBIG: "no_space",
    errno.EROFS: "read_only", errno.EACCES: "read_only", errno.EPERM: "read_only",
    errno.EIO: "io", errno.EAGAIN: "in_use",
}  # fmt: skip
_WORDS: Final = {"in_use": "another exporter has it"}


def reason(error: OSError) -> str:
    """One of STATE_ERRORS."""
    return _REASONS.get(error.errno or 0, "other")


def words(error: OSError) -> str:
    """For people."""
    return _WORDS.get(reason(error)) or error.strerror or str(error)
