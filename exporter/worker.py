"""The relay process: accepts clients on an inherited socket and couples each with the model server.

It imports the standard library, uvloop and httptools, nothing heavier. Its orders are one line of JSON on standard
input. The supervisor tells it when to drain; it goes on serving should the supervisor be killed.
"""

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import sys
import time
from typing import Any, Final

import uvloop

from exporter.handoff.ring import Ring, Writer
from exporter.handoff.tally import Slot, Tally
from exporter.process import DRAIN
from exporter.proxy.connection import Connection
from exporter.proxy.filters import Filter
from exporter.proxy.tap import Tap
from exporter.proxy.upstream import Upstream

_HEARTBEAT_S: Final = 0.2
_SWEEP_S: Final = 0.05
_BACKLOG: Final = 1024


class Worker:
    """Everything one relay process holds."""

    def __init__(self, orders: dict[str, Any]) -> None:
        ring = Ring(orders["ring_fd"])
        writer = Writer(ring)
        self._tally = Tally(ring.block)
        self._tally.take_over(os.getpid())
        self._tap = Tap(self._tally, writer, orders["max_body"], orders["max_pending"],
                        Filter(orders["methods"], orders["paths"]))  # fmt: skip
        self._upstream = Upstream(orders["upstream_host"], orders["upstream_port"])
        self._listener = socket.socket(fileno=orders["listen_fd"])
        # Handed on to every client accepted: one that vanished without a word is noticed one day.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._drain_timeout = orders["drain_timeout"]
        self._connections: set[Connection] = set()
        self._draining = asyncio.Event()
        self._supervisor = os.getppid()

    async def run(self) -> None:
        """Relay until told to drain, then until the last exchange is over or time is up."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(DRAIN, self._draining.set)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_by_others)
        server = await loop.create_server(self._accept, sock=self._listener, backlog=_BACKLOG)
        heart = loop.create_task(self._beat())
        self._tap.schedule = loop.call_soon
        gc.freeze()
        await self._draining.wait()
        server.close()
        await self._drain()
        heart.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await heart

    def _told_by_others(self) -> None:
        # The supervisor decides when to drain; without it there is nobody left to ask.
        if os.getppid() != self._supervisor:
            self._draining.set()

    def _accept(self) -> asyncio.Protocol:
        return Connection(self._upstream, self._tap, self._connections)

    async def _beat(self) -> None:
        while True:
            self._tally.slots[Slot.HEARTBEAT_NS] = time.monotonic_ns()
            await asyncio.sleep(_HEARTBEAT_S)

    async def _drain(self) -> None:
        """Close connections as they fall idle. What cannot be observed is waited for until the end.

        What is cut off then is reset: an ordinary end could make half a response look whole.
        """
        deadline = time.monotonic() + self._drain_timeout
        self._tally.slots[Slot.DRAINING] = 1
        while self._connections and time.monotonic() < deadline:
            for connection in [one for one in self._connections if one.idle]:
                connection.close()
            await asyncio.sleep(_SWEEP_S)
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(_SWEEP_S)


def main() -> None:
    """Run one worker to its end."""
    orders = json.loads(sys.stdin.readline())

    async def run() -> None:
        await Worker(orders).run()

    uvloop.run(run())


if __name__ == "__main__":
    main()
