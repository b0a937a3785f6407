"""Clients that check every byte of every answer; many of them leave when they should not.

    python -m faults.swap_clients SEED REQUESTS FILE-OF-MARKS PORT REFUSING-PORT FULL-PORT

Prints one line of JSON: how many connections of which kind, and what was wrong.
"""

import asyncio
import json
import random
import socket
import sys
from collections import Counter, deque
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import uvloop
from faults.swap_wire import CUT_OFF, IN_PIECES, LATE, PLAIN, RESET, RESET_ON_CLOSE, answer, body, marks, request

from exporter.proxy.upstream import UNREACHABLE

ANSWERED: Final = 1
"""Mark of a request whose answer came, whole."""
_AT_ONCE: Final = 96
_MOST_REQUESTS: Final = 60
_PATIENCE_S: Final = 60.0
REFUSED: Final = "told that the server cannot be reached"
KINDS: Final = {
    "stays": 50, "half-closes": 14, "leaves": 8, "resets": 8, "is reset": 6, "is cut off": 4,
    "leaves at once": 4, "resets at once": 4, "is refused": 1, "waits in vain": 1,
}  # fmt: skip


class Client(asyncio.Protocol):
    """One connection: so many requests, a few ahead of their answers, then an end of some kind."""

    def __init__(self, crowd: "Crowd", kind: str) -> None:
        self.kind = kind
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._crowd = crowd
        chance = crowd.chance
        self._ahead = chance.choice((1, 1, 1, 2, 8))
        self._left = chance.randint(1, _MOST_REQUESTS)
        self._until = chance.randint(0, self._left) if kind in {"leaves", "resets"} else -1
        """With so many requests left it goes, in the middle of whatever is under way."""
        self._expected: deque[tuple[int, bytes]] = deque()
        self._heard = b""
        self._finished = self._gone = self._served = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()
        if self.kind.endswith("at once"):
            self._leave()

    def _ask(self) -> None:
        """As many requests as may be ahead of their answers."""
        said = []
        while self._left > 0 and len(self._expected) < self._ahead and self._left != self._until:
            self._left -= 1
            said.append(self._request())
        if self._left == self._until:
            said.append(self._request()[: self._crowd.chance.randint(0, 90)])
        self._transport.write(b"".join(said))
        if self._left == self._until:
            self._leave()
        elif self._left <= 0 and self.kind == "half-closes" and not self._finished:
            self._finished = True
            self._transport.write_eof()

    def _request(self) -> bytes:
        chance = self._crowd.chance
        number = self._crowd.next_number()
        content = body(number, chance.choice((1, 1, 5, 30, 2000 if chance.random() < 0.03 else 1)))
        how = PLAIN if chance.random() < 0.9 else chance.choice((IN_PIECES, IN_PIECES, LATE))
        if self._left == 0:
            how = {"is reset": RESET, "is cut off": CUT_OFF}.get(self.kind, how)
        self._expected.append((number, answer(number, content)))
        return request(number, content, how)

    def _leave(self) -> None:
        self._gone = True
        if self.kind.startswith("resets"):
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self._transport.abort()
        else:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while self._expected and self._heard.startswith(self._expected[0][1]):
            number, whole = self._expected.popleft()
            self._heard = self._heard[len(whole) :]
            self._crowd.answered[number] = ANSWERED
            self._served = True
        done = not self._expected and self._left <= 0 and not self._finished
        if done or not (self._refused.startswith(self._heard) or self._awaited.startswith(self._heard)):
            self._transport.close()
        elif not self._gone and not self._finished and self._left > 0:
            self._ask()

    @property
    def _awaited(self) -> bytes:
        return self._expected[0][1] if self._expected else b""

    @property
    def _refused(self) -> bytes:
        """What the relay may say instead of the server: only to begin with."""
        return b"" if self._served else UNREACHABLE

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.count[self.kind] += 1
        if self._heard and self._heard == self._refused:
            self._crowd.count[REFUSED] += 1
        elif not self._awaited.startswith(self._heard):
            self._wrong("other bytes")
        elif self.kind in {"is refused", "waits in vain"}:
            self._wrong("not told that the server cannot be reached")
        elif self.kind in {"stays", "half-closes"} and (self._expected or self._left > 0):
            if isinstance(exc, ConnectionResetError) and not self._served and not self._heard:
                self._crowd.unheard += [number for number, _ in self._expected]
            else:
                self._wrong(f"unanswered, {exc!r}")
        self.over.set_result(None)

    def _wrong(self, what: str) -> None:
        number, wanted = self._expected[0] if self._expected else (-1, b"")
        self._crowd.wrong.append(f"{self.kind}: {what}: {number}: {self._heard[:200]!r} for {wanted[:200]!r}")


class Crowd:
    """All clients of this process."""

    def __init__(self, seed: int, requests: int, answered: Any, ports: list[int]) -> None:
        self.chance = random.Random(seed)
        self.answered = answered
        self.count: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.unheard: list[int] = []
        """Requests of connections that were reset before anything came back."""
        self._requests = requests
        self.begun = 0
        self._port, self._refusing, self._full = ports

    def next_number(self) -> int:
        self.begun += 1
        return self.begun - 1

    async def come(self) -> None:
        """One client after the other until all is said."""
        loop = asyncio.get_running_loop()
        while self.begun < self._requests:
            kind = self.chance.choices(list(KINDS), list(KINDS.values()))[0]
            port = {"is refused": self._refusing, "waits in vain": self._full}.get(kind, self._port)
            if kind.endswith("at once") and self.chance.random() < 0.2:
                port = self._full  # gone while the relay still connects
            _, client = await loop.create_connection(lambda kind=kind: Client(self, kind), "127.0.0.1", port)
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(client.over), _PATIENCE_S)
            if not client.over.done():
                self.wrong.append(f"{kind}: hangs")
                return


async def main(crowd: Crowd) -> None:
    await asyncio.gather(*[crowd.come() for _ in range(_AT_ONCE)])


if __name__ == "__main__":
    seed, requests, file, *ports = sys.argv[1:]
    everybody = Crowd(int(seed), int(requests), marks(Path(file)), list(map(int, ports)))
    uvloop.run(main(everybody))
    print(json.dumps({
        "count": everybody.count, "wrong": everybody.wrong[:20], "begun": everybody.begun,
        "unheard": everybody.unheard,
    }))  # fmt: skip
