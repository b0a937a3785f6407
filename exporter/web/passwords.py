"""Passwords by bcrypt, which is slow on purpose: a flood of wrong ones must not cost more than a bounded share.

One is checked at a time, and wrong ones are paid for with the processor time they took: `_BURST_S` of it may be spent
at once, and `_SHARE` of a processor comes back; beyond that nobody is checked. So much is there for addresses from
which a wrong one has come, and so much for all others: a flood from few addresses does not keep anybody else out.

Passwords that were right are remembered, under a keyed hash, and cost nothing: whoever has passed once does so at any
time. Where nobody has the name, the password is held against somebody's hash all the same, always the same one's: time
does not tell which names there are.
"""

import base64
import binascii
import hashlib
import ipaddress
import os
import threading
import time
from collections.abc import Mapping
from enum import Enum
from typing import Final

from exporter.web.limits import Bucket, Clock, Remembered

_BURST_S: Final = 1.0
_SHARE: Final = 0.05
_MOST_KNOWN: Final = 1000
_MOST_ADDRESSES: Final = 1000
_MOST_WAITING: Final = 4
_PATIENCE_S: Final = 1.0
"""How long so many wait for the one that is being checked."""
_LONGEST: Final = 1024
"""Bytes of a header that is looked at."""
_BCRYPT_READS: Final = 72
"""Bytes of a password; further ones make no difference."""
_NETWORK_BITS: Final = 64
"""Of an IPv6 address: whoever has one has the others, too."""


class Verdict(Enum):
    """What became of a password."""

    RIGHT = "right"
    WRONG = "wrong"
    PUT_OFF = "put_off"
    """Too many were wrong of late."""


class Passwords:
    """Checks passwords; for any thread. It remembers a thousand right ones and a thousand addresses at most."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._key = os.urandom(32)
        self._known = Remembered(_MOST_KNOWN)
        self._failed = Remembered(_MOST_ADDRESSES)
        self._budgets = {failed: Bucket(_SHARE, _BURST_S, clock) for failed in (False, True)}
        self._checking = threading.Lock()
        self._waiting = threading.Semaphore(_MOST_WAITING)

    def judge(self, header: str, users: Mapping[str, str], address: str = "") -> Verdict:
        """What an Authorization header is worth that came from an address; `users` are names and their hashes."""
        name, password = _said(header)
        if name is None or not users:
            return Verdict.WRONG
        hashed = users.get(name)
        token = self._token(name, hashed or "", password)
        if token in self._known:
            return Verdict.RIGHT
        found = self._check(password, hashed or self._stand_in(name, users), _network(address))
        if hashed is None:
            return Verdict.WRONG if found is Verdict.RIGHT else found
        if found is Verdict.RIGHT:
            self._known.add(token)
        return found

    def _token(self, *parts: str | bytes) -> bytes:
        """Of a name, its hash and a password; it changes with each of them."""
        made = hashlib.blake2b(key=self._key)
        for part in parts:
            content = part.encode() if isinstance(part, str) else part
            made.update(len(content).to_bytes(4, "big") + content)
        return made.digest()

    def _stand_in(self, name: str, users: Mapping[str, str]) -> str:
        return list(users.values())[int.from_bytes(self._token(name)[:8], "big") % len(users)]

    def _check(self, password: bytes, hashed: str, network: str) -> Verdict:
        """PUT_OFF where it is not the moment."""
        budget = self._budgets[network in self._failed]
        if not budget.has_any or not self._waiting.acquire(blocking=False):
            return Verdict.PUT_OFF
        try:
            if not self._checking.acquire(timeout=_PATIENCE_S):
                return Verdict.PUT_OFF
        finally:
            self._waiting.release()
        try:
            return self._checked(password, hashed, network, budget) if budget.has_any else Verdict.PUT_OFF
        finally:
            self._checking.release()

    def _checked(self, password: bytes, hashed: str, network: str, budget: Bucket) -> Verdict:
        begun = time.thread_time()
        if _matches(password, hashed):
            self._failed.discard(network)
            return Verdict.RIGHT
        budget.spend(time.thread_time() - begun)
        self._failed.add(network)
        return Verdict.WRONG


def _network(address: str) -> str:
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # of a Unix socket there is none
        return address
    return str(ipaddress.ip_network((known, _NETWORK_BITS), strict=False)) if known.version == 6 else str(known)


def _matches(password: bytes, hashed: str) -> bool:
    import bcrypt  # noqa: PLC0415 (only where there are users)

    try:
        return bcrypt.checkpw(password[:_BCRYPT_READS], hashed.encode())
    except ValueError:  # a password that bcrypt cannot read is nobody's
        return False


def _said(header: str) -> tuple[str | None, bytes]:
    """Name and password of basic authentication; no name where it is none."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic" or len(rest) > _LONGEST:
        return None, b""
    try:
        name, colon, password = base64.b64decode(rest.strip(), validate=True).partition(b":")
        return (name.decode() if colon else None), password
    except (binascii.Error, ValueError):
        return None, b""
