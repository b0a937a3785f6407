"""A bearer token from a file, for those who post: events, and whatever else is given a token of its own."""

import hmac
import logging
import threading
from typing import Final

from exporter.errors import ConfigError
from exporter.web.watching import Signs, signs

_LOG = logging.getLogger("exporter.web")
_LARGEST: Final = 4096
"""Bytes of the file."""
_SHORTEST: Final = 16
"""Characters: 16 of hexadecimal digits are 64 bits, which nobody guesses over a network."""


def read(path: str, key: str) -> bytes:
    """What a file has as its token, without the blanks about it. ConfigError names the setting, never the token."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (the error should carry the path as given)
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{key}: cannot read {path}: {error.strerror}") from None
    token = content.strip()
    if len(content) > _LARGEST or len(token) < _SHORTEST or not all(33 <= byte <= 126 for byte in token):
        raise ConfigError(f"{key}: {path} must hold {_SHORTEST} to {_LARGEST} visible ASCII characters alone")
    return token


class Token:
    """The token of a file as it is now; the one before stays in force where the file has become unusable."""

    def __init__(self, path: str, key: str) -> None:
        """Where the file is not usable nobody shows its token, until it is."""
        self._path, self._key = path, key
        self._lock = threading.Lock()
        self._signs: Signs = ()
        self._token: bytes | None = None

    def is_shown(self, header: str) -> bool:
        """Whether an Authorization header has it; how long that takes says nothing of how much of it was right."""
        scheme, _, shown = header.partition(" ")
        token = self._now()
        is_same = hmac.compare_digest(shown.strip().encode("latin-1", "replace"), token or b"")
        return is_same and token is not None and scheme.lower() == "bearer"

    def _now(self) -> bytes | None:
        with self._lock:
            if (found := signs([self._path])) != self._signs:
                self._signs = found
                try:
                    self._token = read(self._path, self._key)
                except ConfigError as error:
                    _LOG.error("%s: %s", "the token before stays" if self._token else "nobody may post", error)
            return self._token
