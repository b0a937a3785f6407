"""Categories that say nothing of what they stand for: HMAC-SHA256 of their names, under a secret salt."""

import hashlib
import hmac
from typing import Final

_DIGITS: Final = 16
_SHORTEST: Final = 16
_LONGEST: Final = 4096
_FINGERPRINT: Final = b"inference-exporter: the fingerprint of a salt"
_MOST: Final = 1 << 16
_LONGEST_KEPT: Final = 256
"""Characters of a name whose hash is remembered; clients may make up as many as they like."""


class Salt:
    """A secret. What is remembered of names is bounded, and in memory alone."""

    __slots__ = ("_hashes", "_secret", "fingerprint")

    def __init__(self, content: bytes) -> None:
        """`content` of a file; white space around it does not count. ValueError where it cannot keep a secret."""
        self._secret = content.strip()
        if not _SHORTEST <= len(self._secret) <= _LONGEST:
            raise ValueError(f"must hold {_SHORTEST} to {_LONGEST} bytes, such as `openssl rand -hex 32` writes")
        self.fingerprint = self._digest(_FINGERPRINT)
        """What tells it from others and does not tell it."""
        self._hashes: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Salt({self.fingerprint})"

    def name(self, category: str) -> str:
        """What a category is called: 16 hexadecimal digits."""
        found = self._hashes.get(category)
        if found is None:
            found = self._digest(category.encode("utf-8", "surrogatepass"))
            if len(category) <= _LONGEST_KEPT:
                if len(self._hashes) >= _MOST:
                    self._hashes.clear()
                self._hashes[category] = found
        return found

    def _digest(self, message: bytes) -> str:
        return hmac.digest(self._secret, message, hashlib.sha256).hex()[:_DIGITS]
