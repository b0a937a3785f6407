"""The relay process: accepts clients on an inherited socket and couples each with the model server.

It imports the standard library, uvloop and httptools, nothing heavier. Its orders are one line of JSON on standard
input. The supervisor tells it when to drain; it goes on serving should the supervisor be killed.
"""

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import uvloop

from exporter import logs
from exporter.addresses import Place
from exporter.errors import ConfigError
from exporter.handoff.ring import Ring, Writer
from exporter.handoff.tally import Slot, Tally
from exporter.process import DRAIN
from exporter.proxy import introduction, tls
from exporter.proxy.connection import Connection
from exporter.proxy.door import Crowd, Door, most_connections
from exporter.proxy.filters import Filter
from exporter.proxy.tap import Tap
from exporter.proxy.upstream import Upstream

_LOG = logging.getLogger("exporter.worker")
_STDIN: Final = 0
_LONGEST_ORDERS: Final = 1 << 16
_HEARTBEAT_S: Final = 0.2
_SWEEP_S: Final = 0.05
_LOOKS_PER_TIMEOUT: Final = 10


class Worker:
    """Everything one relay process holds."""

    def __init__(self, orders: dict[str, Any]) -> None:
        ring = Ring(orders["ring_fd"])
        writer = Writer(ring)
        self._tally = Tally(ring.block)
        self._tally.take_over(os.getpid())
        logs.start(orders["log_level"], lambda: self._tally.add(Slot.LOG_LINES_LOST))
        self._tap = Tap(self._tally, writer, orders["max_body"], orders["max_pending"])
        self._routes = list(_routes(orders))
        self._tells_no_end = any(upstream.tls for _, upstream in self._routes)
        self._drain_timeout = 0.0
        self._head_timeout_ns = 0
        self._next_look_ns = 0
        self._heard = b""
        self._connections: set[Connection] = set()
        self._crowd = Crowd(self._tally, self._connections, 0)
        self._tune(orders)
        self._draining = asyncio.Event()
        self._supervisor = orders["supervisor"]

    def _tune(self, orders: dict[str, Any]) -> None:
        """Take over what may change while connections are open, certificates too. Nothing changes at a ConfigError."""
        clients, server = tls.listener_context(orders["listen_tls"]), tls.upstream_context(orders["upstream_tls"])
        self._crowd.tls = clients
        self._crowd.limit = most_connections(orders["max_connections"])
        for _, upstream in self._routes:
            upstream.timeout = orders["connect_timeout"]
            if upstream.tls:
                upstream.tls, upstream.server_name = server, orders["upstream_tls"]["server_name"]
        self._drain_timeout = orders["drain_timeout"]
        self._head_timeout_ns, self._next_look_ns = round(orders["head_timeout"] * 1e9), 0
        wanted = Filter(orders["methods"], orders["paths"], orders["headers"])
        self._tap.tune(orders["max_body"], orders["max_pending"], wanted)
        self._ending = orders["announce_end"]
        if self._ending:
            for connection in self._connections:
                connection.announce_end()
        logging.getLogger().setLevel(orders["log_level"].upper())

    def _hear(self) -> None:
        """More orders from the supervisor; none at all when it has gone."""
        heard = os.read(_STDIN, _LONGEST_ORDERS)
        if not heard:
            asyncio.get_running_loop().remove_reader(_STDIN)
            return
        *lines, self._heard = (self._heard + heard).split(b"\n")
        try:
            if lines:
                self._tune(json.loads(lines[-1]))
        except ConfigError as error:
            _LOG.error("what was there before stays: %s", error)

    async def run(self) -> None:
        """Relay until told to drain, then until the last exchange is over or time is up."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(DRAIN, self._draining.set)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_by_others)
        doors = [Door(listener, self._crowd, partial(self._relay, upstream)) for listener, upstream in self._routes]
        for door in doors:
            door.open()
        loop.add_reader(_STDIN, self._hear)
        heart = loop.create_task(self._beat())
        self._tap.schedule = loop.call_soon
        gc.freeze()
        await self._draining.wait()
        for door in doors:
            door.close()
        await self._drain()
        signal.pthread_sigmask(signal.SIG_BLOCK, {DRAIN})  # told once more, it would die of it: the loop takes none now
        heart.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await heart

    def _told_by_others(self) -> None:
        # The supervisor decides when to drain; without it there is nobody left to ask.
        if os.getppid() != self._supervisor:
            self._draining.set()

    def _relay(self, upstream: Upstream) -> asyncio.Protocol:
        connection = Connection(upstream, self._tap, self._connections)
        connection.ending = self._ending
        return connection

    async def _beat(self) -> None:
        while True:
            self._tally.slots[Slot.HEARTBEAT_NS] = time.monotonic_ns()
            if self._head_timeout_ns:
                self._let_dawdlers_go()
            if self._tells_no_end:
                for connection in [one for one in self._connections if one.over_unsaid]:
                    connection.close()
            await asyncio.sleep(_HEARTBEAT_S)

    def _let_dawdlers_go(self) -> None:
        """Close on clients that send a request's head too slowly: one look at all of them instead of a timer each."""
        now = time.monotonic_ns()
        if now < self._next_look_ns:
            return
        self._next_look_ns = now + self._head_timeout_ns // _LOOKS_PER_TIMEOUT
        for connection in [one for one in self._connections if one.dawdles(now - self._head_timeout_ns)]:
            self._tally.add(Slot.CLOSED_HEAD_TIMEOUT)
            connection.close()

    async def _drain(self) -> None:
        """Close connections as they fall idle. What cannot be observed is waited for until the end.

        What is cut off then is reset: an ordinary end could make half a response look whole.
        """
        deadline = time.monotonic() + self._drain_timeout
        self._tally.slots[Slot.DRAINING] = 1
        idle: set[Connection] = set()
        while (self._connections or self._crowd.arriving) and time.monotonic() < deadline:
            # Idle twice: who has just come in may have its first request on the way.
            idle_before, idle = idle, {one for one in self._connections if one.idle}
            for connection in idle & idle_before:
                connection.close()
            await asyncio.sleep(_SWEEP_S)
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(_SWEEP_S)


def _routes(orders: dict[str, Any]) -> Iterator[tuple[socket.socket, Upstream]]:
    verification = orders["upstream_tls"]
    context = tls.upstream_context(verification)
    for route in orders["routes"]:
        place: Place = route["upstream"] if isinstance(route["upstream"], str) else tuple(route["upstream"])
        upstream = Upstream(place, orders["connect_timeout"])
        if route["tls"]:
            upstream = Upstream(place, orders["connect_timeout"], context, verification["server_name"])
        upstream.introduce = introduction.FORMS[orders["proxy_protocol"]]
        yield socket.socket(fileno=route["listen_fd"]), upstream


def main() -> None:
    """Run one worker to its end."""
    first = b""
    while not first.endswith(b"\n"):  # byte by byte: what follows is heard later
        first += os.read(_STDIN, 1)
    orders = json.loads(first)

    async def run() -> None:
        await Worker(orders).run()

    # asyncio's own loop is for the tests: nothing may hang on what uvloop does and does not promise.
    loops = {"uvloop": uvloop.run, "asyncio": asyncio.run}
    loops[orders["event_loop"]](run())


if __name__ == "__main__":
    main()
