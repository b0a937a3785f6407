"""Clients of every kind, good and bad, that come and go for as long as they are let.

A good client checks what it gets: its own id, and one prediction a row. A bad one only has to come to an end.
"""

import asyncio
import contextlib
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

from model_server import LARGE, MIB, read_body, read_head, reset

PATIENCE_S = 30.0
FEATURES = [f"measurement_{number:02}" for number in range(10)]
CATEGORIES = ("north", "south", "east", "west")
CODES = (200, 201, 400, 401, 404, 409, 413, 418, 422, 429, 500, 502, 503, 504, 599, 999)
_PAUSE_S = 0.05
_BODIES = 64
_AFTER_A_KILL_S = 5.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class WrongAnswer(Exception):
    """Somebody else's answer, or other bytes than the server sent."""


class Churn:
    """So many clients at once, each of which does one thing after another, chosen by lot."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._chance = random.Random(seed)
        self._ids = itertools.count(1)
        self._bodies = [self._rows(self._chance.randint(1, 20)) for _ in range(_BODIES)]
        self._open, self._resting = asyncio.Event(), asyncio.Event()
        self._open.set()
        self._busy = 0
        self._killed = -_AFTER_A_KILL_S
        self.requests = 0
        """Requests of good clients that were answered."""
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        """By what was done and how it failed: good clients that were not served."""
        self.excused = 0
        """Those of them that had to do with a worker that was killed."""
        self._good = (self.keep_alive, self.short, self.pipelined, self.strange_shapes, self.large_up, self.large_down)
        self._bad = (self.gone_in_request, self.gone_in_answer, self.garbage, self.bad_server, self.upgraded)
        self._idle = self.idle

    def _rows(self, count: int) -> tuple[int, bytes]:
        """So many rows, as JSON."""
        chance = self._chance
        rows = [
            {name: round(chance.gauss(0, 3), 4) for name in FEATURES} | {"region": chance.choice(CATEGORIES)}
            for _ in range(count)
        ]
        return count, json.dumps({"instances": rows}).encode()

    # running

    async def run(self, clients: int) -> None:
        """Go on until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(self._client())

    async def lull(self) -> None:
        """Let nobody begin anything, and wait until all have finished what they were at."""
        self._open.clear()
        self._resting.set()
        async with asyncio.timeout(2 * PATIENCE_S):
            while self._busy:
                await asyncio.sleep(0.02)

    def go_on(self) -> None:
        """The lull is over."""
        self._resting.clear()
        self._open.set()

    def kill_noted(self) -> None:
        """Whoever fails now has been a victim of the killer, not of the relay."""
        self._killed = time.monotonic()

    async def _client(self) -> None:
        while True:
            await self._open.wait()
            self._busy += 1
            try:
                await self._act(self._choose())
            finally:
                self._busy -= 1
            await asyncio.sleep(self._chance.expovariate(1 / _PAUSE_S))

    def _choose(self) -> Callable[[], Awaitable[None]]:
        lot = self._chance.random()
        if lot < 0.02:
            return self._idle
        return self._chance.choices(self._good, (8, 8, 4, 4, 1, 1))[0] if lot < 0.7 else self._chance.choice(self._bad)

    async def _act(self, act: Callable[[], Awaitable[None]]) -> None:
        name = act.__name__  # type: ignore[attr-defined]
        try:
            async with asyncio.timeout(PATIENCE_S):
                await act()
        except (OSError, EOFError, ValueError, WrongAnswer) as error:
            if act not in self._good and not isinstance(error, TimeoutError | WrongAnswer):
                pass  # it was asking for it
            elif time.monotonic() - self._killed < _AFTER_A_KILL_S and not isinstance(error, WrongAnswer):
                self.excused += 1
            else:
                self.failed[f"{name}: {error!r}"] += 1
        self.done[name] += 1

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Streams]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    # good clients

    def _request(self, path: str, body: tuple[int, bytes], *fields: str) -> tuple[str, int, bytes]:
        """An id of its own, rows, and the bytes of a POST."""
        id_ = str(next(self._ids))
        head = [f"POST {path} HTTP/1.1", "Host: model", f"X-Id: {id_}", f"X-Rows: {body[0]}", *fields,
                "Content-Type: application/json", f"Content-Length: {len(body[1])}", "", ""]  # fmt: skip
        return id_, body[0], "\r\n".join(head).encode() + body[1]

    async def _ask(self, streams: Streams, *requests: tuple[str, int, bytes]) -> None:
        """Send requests one behind the other, and check every answer."""
        reader, writer = streams
        writer.write(b"".join(request for _, _, request in requests))
        for id_, rows, _ in requests:
            line, head = await read_head(reader)
            while line.split(" ")[1] == "103":
                line, head = await read_head(reader)
            answer = json.loads(await read_body(reader, head))
            if head.get("x-id") != id_ or len(answer["predictions"]) != rows:
                raise WrongAnswer(f"{line}: {head}")
            self.requests += 1

    def _any_body(self) -> tuple[int, bytes]:
        return self._chance.choice(self._bodies)

    async def keep_alive(self) -> None:
        """Many requests on one connection."""
        async with self._connection() as streams:
            for _ in range(self._chance.randint(2, 20)):
                path = self._chance.choice(("/v1/models/m:predict", "/chunked", "/slow"))
                await self._ask(streams, self._request(path, self._any_body()))

    async def short(self) -> None:
        """A connection for each request, each with paths and fields that nobody has used before."""
        mark = f"{self._chance.getrandbits(64):x}"
        async with self._connection() as streams:
            fields = f"X-{mark}: {mark}", f"Cookie: session={mark * 20}", f"User-Agent: client/{mark}"
            await self._ask(streams, self._request(f"/score/{mark}?q={mark}", self._any_body(), *fields))

    async def pipelined(self) -> None:
        """Several requests in one write."""
        async with self._connection() as streams:
            await self._ask(streams, *(self._request("/v1/models/m:predict", self._any_body()) for _ in range(8)))

    async def strange_shapes(self) -> None:
        """JSON that is no model's input, or nearly one, and every kind of status."""
        mark = f"{self._chance.getrandbits(64):x}"
        shapes = (
            {"instances": [{mark: 1, "region": mark, FEATURES[0]: "NaN"}]}, {"instances": [[1, 2], [3]]}, {mark: mark},
            {"dataframe_split": {"columns": [mark, *FEATURES], "data": [[1] * 11]}}, [[[[[mark]]]]] * 50, mark,
            {"instances": [dict.fromkeys(FEATURES, float("nan"))]},
        )  # fmt: skip
        async with self._connection() as streams:
            for shape in shapes:
                path = f"/status/{self._chance.choice(CODES[:-1])}"
                await self._ask(streams, self._request(path, (1, json.dumps(shape).encode())))
            await self._ask(streams, self._request(f"/{mark}", (0, b'{"instances": ' + b"[" * 100_000)))

    async def large_up(self) -> None:
        """Beyond what is captured."""
        count, rows = self._bodies[0]
        padding = b" " * self._chance.randint(MIB // 2, 3 * MIB)
        async with self._connection() as streams:
            await self._ask(streams, self._request("/v1/models/m:predict", (count, rows[:-1] + padding + b"}")))

    async def large_down(self) -> None:
        """The same the other way."""
        async with self._connection() as (reader, writer):
            writer.write(self._request("/large", self._any_body())[2])
            _, head = await read_head(reader)
            if await read_body(reader, head) != LARGE:
                raise WrongAnswer("large")
            self.requests += 1

    # bad ones

    async def idle(self) -> None:
        """Connects, asks once or never, and does nothing for a while."""
        async with self._connection() as streams:
            if self._chance.random() < 0.5:
                await self._ask(streams, self._request("/v1/models/m:predict", self._any_body()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._chance.uniform(0.5, 10)):
                    await self._resting.wait()

    async def gone_in_request(self) -> None:
        """Ends, or resets, amid what it sends."""
        async with self._connection() as (_, writer):
            request = self._request("/v1/models/m:predict", (1, bytes(200_000)))[2]
            writer.write(request[: self._chance.randrange(1, len(request))])
            await asyncio.sleep(self._chance.choice((0, 0, 0.01)))
            if self._chance.random() < 0.5:
                reset(writer)

    async def gone_in_answer(self) -> None:
        """Asks for much and is gone before it has it all."""
        async with self._connection() as (reader, writer):
            writer.write(self._request("/large", self._any_body())[2] * self._chance.choice((1, 3)))
            await reader.read(self._chance.choice((1, 100, 100_000)))
            if self._chance.random() < 0.5:
                reset(writer)

    async def garbage(self) -> None:
        """No HTTP, or nearly."""
        garbage = (
            self._chance.randbytes(self._chance.randrange(1, 5000)), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + bytes(1000),
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 500,
        )  # fmt: skip
        async with self._connection() as (reader, writer):
            writer.write(self._chance.choice(garbage))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await reader.read(1000)

    async def bad_server(self) -> None:
        """A server that closes, resets, stops half way, or never says how long its answer is."""
        async with self._connection() as (reader, writer):
            path = self._chance.choice(("/close", "/reset", "/half", "/endless", f"/status/{CODES[-1]}"))
            writer.write(self._request(path, self._any_body(), "Connection: close")[2])
            if "status" not in path:
                await reader.read()
            await reader.read(1000)

    async def upgraded(self) -> None:
        """A connection that stops to be HTTP."""
        async with self._connection() as (reader, writer):
            writer.write(b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
            await read_head(reader)
            said = self._chance.randbytes(self._chance.randrange(1, 50_000))
            writer.write(said)
            if await reader.readexactly(len(said)) != said:
                raise WrongAnswer("echo")
