"""Requests of live clients: relayed by the worker that `serve` has, and looked at here, in memory alone.

It ends as `serve` does: what is under way may finish. A worker that dies is started again.
"""

import asyncio
import contextlib
import signal
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, NamedTuple

from exporter import orders, sockets
from exporter.addresses import listener_place
from exporter.config import Settings
from exporter.errors import DataError
from exporter.handoff import frames, report, ring
from exporter.handoff.reader import Reader
from exporter.handoff.ring import Ring
from exporter.handoff.tally import UNOBSERVABLE, Slot
from exporter.process import DRAIN, RELAYING, Child
from exporter.proxy import filters, tls
from exporter.records import Capture, Exchange
from exporter.samples.bodies import printable
from exporter.values import format_duration

_LOOK_S: Final = 0.1
_BATCH: Final = (100, 8 << 20)
"""Records and bytes taken from the ring at a time."""
_MOST_PATHS: Final = 50
_MOST_BYTES: Final = 64 << 20
_GRACE_S: Final = 2.0
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
"""A terminal that is closed must not leave a relay behind that nobody looks after."""


class Wishes(NamedTuple):
    """How much is to be seen."""

    requests: int
    timeout: float
    """Seconds."""


class Seen:
    """The exchanges that a map can be told from, by their paths: bodies of other kinds belong to other requests."""

    def __init__(self, most: int, *, together: bool) -> None:
        """`together`: the operator said which paths there are, so they are one."""
        self._most = most
        self._together = together
        self._by_path: dict[str, list[Exchange]] = {}
        self._bytes = 0
        self._unfit: Counter[str] = Counter()

    def add(self, exchange: Exchange) -> None:
        """Keep an exchange, or count why not."""
        path = "" if self._together else exchange.path
        why = _unfit(exchange)
        if not why and path not in self._by_path and len(self._by_path) == _MOST_PATHS:
            why = "on further paths"
        if why:
            self._unfit[why] += 1
        elif not self.enough:
            self._by_path.setdefault(path, []).append(exchange)
            self._bytes += exchange.request.size + exchange.response.size

    @property
    def best(self) -> list[Exchange]:
        """Those of the path that has most of them; all of them where each has a path of its own: ids are part of it."""
        most = max(self._by_path.values(), key=len, default=[])
        return most if len(most) > 1 else [exchange for each in self._by_path.values() for exchange in each]

    @property
    def enough(self) -> bool:
        """Whether there is no need to see more."""
        return len(self.best) >= self._most or self._bytes >= _MOST_BYTES

    @property
    def progress(self) -> str:
        """How far it is, in words."""
        paths = {exchange.path for exchange in self.best}
        where = f" to {printable(paths.pop())}" if len(paths) == 1 else ""
        return f"{len(self.best)} of {self._most} requests{where}"

    @property
    def others(self) -> list[str]:
        """What passed and is not among the best, in words."""
        used = {exchange.path for exchange in self.best}
        left = {path: len(kept) for path, kept in self._by_path.items() if path and path not in used}
        return [f"{count} to {printable(path)}" for path, count in left.items()] + [
            f"{count} {why}" for why, count in self._unfit.items()
        ]


def _unfit(exchange: Exchange) -> str:
    """Why nothing can be learned from an exchange; empty where it can."""
    bodies = exchange.request, exchange.response
    if any(body.capture is Capture.SKIPPED for body in bodies):
        return "of another method or path"
    if not 200 <= exchange.status < 300:
        return "that failed"
    if any(body.capture is not Capture.WHOLE for body in bodies):
        return "not copied as a whole (capture.max_body)"
    return "" if all(body.content for body in bodies) else "without a body on both sides"


class _Relay:
    """The worker of `serve`, its sockets and its ring."""

    def __init__(self, settings: Settings) -> None:
        """ConfigError where a socket or a certificate cannot be had."""
        tls.listener_context(orders.listen_tls(settings))
        tls.upstream_context(orders.upstream_tls(settings))
        self._settings = settings
        self._listeners = [
            sockets.listen(route.listen, "routes" if number else "listen")
            for number, route in enumerate(settings.every_route)
        ]
        ring_fd = ring.create(settings.capture.ring)
        self._ring = Ring(ring_fd)
        self._reader = Reader(self._ring)
        fds = [listener.fileno() for listener in self._listeners]
        self._told = orders.worker(settings, 0, fds, ring_fd)
        slots = self._ring.slots
        self.worker = Child("exporter.worker", self._told, (*fds, ring_fd), lambda: slots[Slot.HEARTBEAT_NS], RELAYING)

    async def collect(self, seen: Seen) -> None:
        """Look at what passes until there is enough."""
        said = ""
        while not seen.enough:
            self.worker.look_after()
            for record in self._reader.take(*_BATCH):
                with contextlib.suppress(ValueError):  # damaged on the way: of no use
                    seen.add(frames.unpack(record))
            if seen.best and seen.progress != said:
                said = seen.progress
                _say(said)
            await asyncio.sleep(_LOOK_S)

    def look_away(self) -> None:
        """Have nothing copied any more."""
        report.observe([self._ring], enabled=False)

    @property
    def troubles(self) -> list[str]:
        """Why exchanges were not seen at all, in words."""
        slots = self._ring.slots
        unread = sum(slots[Slot.UNOBSERVABLE + at] for at in range(len(UNOBSERVABLE)))
        counts = {
            "connections to the model server failed": slots[Slot.CONNECT_ERRORS],
            "connections were not HTTP/1 all the way": unread,
        }
        return [f"{count} {what}" for what, count in counts.items() if count]

    async def drain(self) -> None:
        """Take no more clients, and let the exchanges under way finish."""
        drain = self._settings.drain
        if drain.close_header:
            self.worker.tell(self._told | {"announce_end": True})
        for listener, route in zip(self._listeners, self._settings.every_route, strict=True):
            listener.close()
            sockets.remove(listener_place(route.listen))
        self.worker.signal(DRAIN)
        await self.worker.ended(drain.timeout + _GRACE_S)

    async def kill(self) -> None:
        """End the worker, whatever it does."""
        self.worker.signal(signal.SIGKILL)
        await self.worker.ended(_GRACE_S)


def run(settings: Settings, wishes: Wishes, propose: Callable[[Sequence[Exchange]], None]) -> None:
    """Relay clients until enough of their exchanges were seen, time is up or a signal comes; then propose, and drain.

    DataError where there was nothing to learn from, ConfigError where nothing can be relayed.
    """
    sockets.raise_descriptor_limit()
    asyncio.run(_run(settings, wishes, propose))


async def _run(settings: Settings, wishes: Wishes, propose: Callable[[Sequence[Exchange]], None]) -> None:
    relay = _Relay(settings)
    seen = Seen(wishes.requests, together=filters.EVERY_PATH not in settings.capture.paths)
    signals: asyncio.Queue[int] = asyncio.Queue()
    for number in _STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, signals.put_nowait, number)
    relay.worker.start()
    try:
        for route in settings.every_route:
            _say(f"relaying {route.listen} to {route.upstream}")
        _say(f"looking at {wishes.requests} requests, for {format_duration(wishes.timeout)} at most; Ctrl-C ends it")
        await _unless_told(relay.collect(seen), signals, wishes.timeout)
        relay.look_away()
        _conclude(seen, relay.troubles)
        propose(seen.best)
    finally:
        _say("no longer relaying; what is under way may finish")
        await _unless_told(relay.drain(), signals)
        await relay.kill()


def _conclude(seen: Seen, troubles: Sequence[str]) -> None:
    """Say what passed and was of no use. DataError where nothing was."""
    others = ", ".join(seen.others)
    if not seen.best:
        words = [f"not looked at: {others}"] * bool(others) + list(troubles)
        raise DataError("; ".join(["suggest: no answered request with a body on both sides", *words]))
    if others:
        _say(f"not looked at: {others} (--capture.paths says which paths are meant)")
    for trouble in troubles:
        _say(trouble)


async def _unless_told(
    work: Coroutine[Any, Any, None], signals: "asyncio.Queue[int]", within: float | None = None
) -> None:
    """Do some work until its end, a signal, or so many seconds later."""
    loop = asyncio.get_running_loop()
    doing, told = loop.create_task(work), loop.create_task(signals.get())
    done, _ = await asyncio.wait((doing, told), timeout=within, return_when=asyncio.FIRST_COMPLETED)
    for task in (doing, told):
        task.cancel()
    if doing in done:
        doing.result()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
