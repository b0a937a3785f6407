"""The steady stream of requests by which faults are judged, in a process of its own: `python -m faults.probe`.

Some keep-alive connections take turns. Every request has an id of its own, and every byte of its answer is known
beforehand. Orders come on standard input, one JSON object a line:
  {"go": PORT, "rate": PER_SECOND, "connections": N}   begin, in the phase "before"
  {"phase": NAME}                                       what is sent from now on belongs to this phase
  {"phase": NAME, "told": true}                         the same; answered when nothing of the one before is under way
  {"pause": true}                                       finish what is under way and report, one line of JSON
"""

import asyncio
import contextlib
import json
import math
import random
import statistics
import sys
import time
from typing import Any

from faults.server import answer

HANG_S = 100.0
"""No request takes that long, whatever happens."""
_LARGE_EVERY = 25
_RETRY_S = 0.02
_LOOK_S = 0.002
COLOURS = ("red", "green", "blue")


class Phase:
    """What was seen of the requests of one phase."""

    def __init__(self) -> None:
        self.requests = self.answered = self.wrong = 0
        self.errors: dict[str, int] = {}
        self.seconds: list[float] = []

    def failed(self, kind: str) -> None:
        self.errors[kind] = self.errors.get(kind, 0) + 1

    def report(self) -> dict[str, Any]:
        ordered = sorted(self.seconds) or [0.0]
        return {
            "requests": self.requests, "answered": self.answered, "wrong": self.wrong, "errors": self.errors,
            "p50": statistics.median(ordered), "p99": ordered[int(len(ordered) * 0.99)], "longest": ordered[-1],
        }  # fmt: skip


class Stream:
    """One run of the stream."""

    def __init__(self, port: int, rate: float, connections: int) -> None:
        self.phases = {"before": Phase()}
        self.phase = self.phases["before"]
        self.connections = 0
        self._port = port
        self._random = random.Random(port)
        self._count = 0
        self._over = asyncio.Event()
        step = connections / rate
        self._tasks = [asyncio.create_task(self._talk(time.monotonic() + at / rate, step)) for at in range(connections)]

    def enter(self, name: str) -> None:
        self.phase = self.phases.setdefault(name, Phase())

    async def over(self, phase: Phase) -> None:
        """Wait until nothing of a phase is under way any longer."""
        while phase.requests > phase.answered + sum(phase.errors.values()):
            await asyncio.sleep(_LOOK_S)

    async def pause(self) -> dict[str, Any]:
        self._over.set()
        await asyncio.gather(*self._tasks)
        return {name: phase.report() for name, phase in self.phases.items()} | {"connections": self.connections}

    async def _talk(self, due: float, step: float) -> None:
        connection = Connection(self._port)
        while not await self._told(due):
            phase = self.phase
            phase.requests += 1
            try:
                self.connections += await connection.open()
                await asyncio.wait_for(self._exchange(connection, phase), HANG_S)
            except (OSError, EOFError, Refused) as error:
                phase.failed(_kind(error))
                connection.drop()
                await asyncio.sleep(_RETRY_S)
            due += step * max(math.ceil((time.monotonic() - due) / step), 1)  # turns that were missed are left out
        connection.drop()

    async def _told(self, due: float) -> bool:
        """Wait for one's turn; whether there are no more."""
        if not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), max(due - time.monotonic(), 0))
        return self._over.is_set()

    def _body(self) -> bytes:
        self._count += 1
        draw = self._random
        row = {"amount": draw.lognormvariate(3, 1), "age": draw.randint(18, 89), "colour": draw.choice(COLOURS)}
        pad = "x" * (draw.randint(20_000, 150_000) if self._count % _LARGE_EVERY == 0 else draw.randint(0, 300))
        return json.dumps({"id": f"{id(self)}-{self._count}", "instances": [row], "pad": pad}).encode()

    async def _exchange(self, connection: "Connection", phase: Phase) -> None:
        body = self._body()
        expected = answer(body)
        begun = time.perf_counter()
        received = await connection.ask(body)
        phase.seconds.append(time.perf_counter() - begun)
        phase.answered += 1
        phase.wrong += received != expected


class Refused(Exception):
    """An answer that is no 200."""


class Connection:
    """One keep-alive connection, opened again where it has ended."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> bool:
        """Whether a new one was needed."""
        if self._writer and not self._reader.at_eof():
            return False
        self.drop()
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return True

    def drop(self) -> None:
        if self._writer:
            self._writer.close()
            self._writer = None

    async def ask(self, body: bytes) -> bytes:
        assert self._writer
        head = b"POST /v1/models/m:predict HTTP/1.1\r\nhost: m\r\ncontent-type: application/json\r\n"
        self._writer.write(head + b"content-length: %d\r\n\r\n%s" % (len(body), body))
        reply = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(reply.partition(b"content-length:")[2].partition(b"\r\n")[0])
        content = await self._reader.readexactly(length)
        if not reply.startswith(b"http/1.1 200 "):
            raise Refused(reply[9:12].decode())
        beyond = bytes(self._reader._buffer)  # whatever comes behind the answer is wrong
        if b"connection: close" in reply:
            self.drop()
        return content + beyond


def _kind(error: Exception) -> str:
    if isinstance(error, Refused):
        return f"status {error}"
    kinds = {ConnectionResetError: "reset", BrokenPipeError: "reset", ConnectionRefusedError: "refused",
             asyncio.IncompleteReadError: "closed", TimeoutError: "hung"}  # fmt: skip
    return kinds.get(type(error), type(error).__name__)


async def _main() -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    stream: Stream | None = None
    while line := await orders.readline():
        order = json.loads(line)
        if "go" in order:
            stream = Stream(order["go"], order["rate"], order["connections"])
        elif stream and "phase" in order:
            before = stream.phase
            stream.enter(order["phase"])
            if order.get("told"):
                await stream.over(before)
                print("{}", flush=True)
        elif stream and "pause" in order:
            print(json.dumps(await stream.pause()), flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
