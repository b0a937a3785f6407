"""Calls of servers whose answer was lost: they are made again under the name they had, so that they count once.

Where a connection breaks between the commit and the answer, nobody knows whether the call has happened. Each call has a
token, under which the server keeps the answer, in the same transaction, until the next call says that it was heard. A
call that is made again has the token it had and gets the answer that was kept. No I/O, no clock.
"""

import hashlib
import os
from collections.abc import Callable
from typing import Final, TypeVar

from exporter.feedback.stores import Unavailable

ANSWERS_KEPT_S: Final = 900
"""How long a server keeps an answer that nobody says to have heard."""
_MOST: Final = 1000
"""Calls in doubt; the oldest are forgotten."""
_Answer = TypeVar("_Answer")


class Doubts:
    """Which calls are in doubt, of one store."""

    def __init__(self) -> None:
        self._tokens: dict[bytes, str] = {}
        self.heard = ""
        """The token of the last call that was answered: the server need not keep that any longer."""

    def ask(self, call: tuple[object, ...], do: Callable[[str, bool], _Answer]) -> _Answer:
        """What `do(token, is_again)` answers. `call` is what is asked; the same again is the same call, if in doubt.

        Unavailable is raised as it comes.
        """
        name = _name(call) if self._tokens else b""  # it takes a while, and is seldom needed
        known = self._tokens.get(name)
        token = known or os.urandom(16).hex()
        try:
            answer = do(token, known is not None)
        except Unavailable:
            self._doubt(name or _name(call), token)
            raise
        self._tokens.pop(name, None)
        self.heard = token
        return answer

    def _doubt(self, name: bytes, token: str) -> None:
        self._tokens[name] = token
        while len(self._tokens) > _MOST:
            del self._tokens[next(iter(self._tokens))]


def _name(call: tuple[object, ...]) -> bytes:
    return hashlib.blake2b(repr(call).encode("utf-8", "surrogatepass"), digest_size=16).digest()
