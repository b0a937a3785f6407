"""What a probe finds, and the time it has."""

import errno
import ssl
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Final, NamedTuple

from exporter.records import DEPENDENCY_FAILURES

_OURS: Final = frozenset((
    errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM,
))  # fmt: skip
"""Of this host: no descriptors, memory or ports, or a firewall of its own."""
_SYSTEM: Final[tuple[tuple[type[OSError], str, str], ...]] = (
    (TimeoutError, "timeout", "no answer in time"),
    (ConnectionRefusedError, "refused", "nothing listens there"),
    (ConnectionError, "protocol", "the connection was cut off"),
)


class Failed(Exception):
    """A probe that failed; the message is for people and holds nothing that the other side has said."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason
        """Of DEPENDENCY_FAILURES."""


class Deadline:
    """The time that all of a probe has together, in seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self.resolving = False
        """Whether a name is being looked up: that cannot be interrupted."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return time.monotonic() >= self._end

    def left(self) -> float:
        """What is left. Failed where that is nothing."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise Failed("timeout", f"not done within {self._seconds:g} s")
        return left


Attempt = Callable[[Deadline], float]
"""One probe: the Unix time at which the certificate ends, 0 where there is none. It raises what `told` takes."""


class Finding(NamedTuple):
    """What became of one probe."""

    failure: str
    """Of DEPENDENCY_FAILURES; empty where there was none."""
    detail: str
    duration_s: float
    wall_s: float
    """Unix time of its end."""
    expiry_wall_s: float = 0.0


def told(error: Exception) -> Failed:
    """An exception in our own words: those of others may hold what a server, a library or a file has said."""
    if isinstance(error, Failed):
        return error
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, HTTPException):
        return Failed("protocol", f"does not speak HTTP as it should ({type(error).__name__})")
    return Failed("local", f"no probe could be made ({type(error).__name__})")


def _of_system(error: OSError) -> Failed:
    if isinstance(error, ssl.SSLError):
        return _of_tls(error)
    if error.errno in _OURS:
        return Failed("local", f"no probe could be made ({error.strerror})")
    for kind, reason, words in _SYSTEM:
        if isinstance(error, kind):
            return Failed(reason, words)
    return Failed("unreachable", f"no way there ({error.strerror or type(error).__name__})")


def _of_tls(error: ssl.SSLError) -> Failed:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failed("tls", f"its certificate is not to be trusted: {error.verify_message}")
    return Failed("tls", f"TLS failed ({error.reason or type(error).__name__})")


def likeliest(failures: list[Failed]) -> Failed:
    """Of those of several addresses the one that says most."""
    return min(failures, key=lambda one: DEPENDENCY_FAILURES.index(one.reason))
