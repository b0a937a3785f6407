"""The first process: binds the sockets, owns the memory, starts the others and starts them again.

It relays nothing and computes nothing, so there is little it can die of. The standard library only. It answers
`/-/healthy` and `/-/ready` itself: a platform's probes must not depend on the analyser.
"""

import asyncio
import contextlib
import logging
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Final

from exporter import config, orders, sockets
from exporter.addresses import listener_place
from exporter.errors import ConfigError
from exporter.handoff import board, memory, ring
from exporter.handoff.board import Seat
from exporter.handoff.ring import Ring
from exporter.handoff.tally import Slot
from exporter.process import DRAIN, Child, Terms

_LOG = logging.getLogger("exporter.supervisor")

# A worker that is away is an outage: it is back at once. An analyser that keeps dying must not eat the machine.
_WORKER_TERMS: Final = Terms(hung_after_s=10.0, longest_backoff_s=0.5)
_ANALYSER_TERMS: Final = Terms(hung_after_s=60.0, longest_backoff_s=30.0)
_CHECK_S: Final = 0.5
_ANALYSER_GRACE_S: Final = 10.0
_REQUEST_TIMEOUT_S: Final = 2.0
_EX_SOFTWARE: Final = 70
_MOST_DESCRIPTORS: Final = 1 << 20
_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def _keep_profile(path: str | None) -> int | None:
    """The profile as it is now: an analyser that is started again must not find another one in its place."""
    if path is None:
        return None
    try:
        return memory.keep("profile", Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"profile: cannot read {path}: {error}") from None


class Supervisor:
    """The sockets, the memory and the children of one sidecar."""

    def __init__(self, settings: config.Settings) -> None:
        self._settings = settings
        self._draining = False
        self._routes = settings.every_route
        self._listeners = [
            sockets.listen_for_each(route.listen, "routes" if number else "listen", settings.workers)
            for number, route in enumerate(self._routes)
        ]
        self._web = sockets.listen(settings.web.listen_address, "web.listen_address")
        self._health = sockets.listen(settings.health.listen_address, "health.listen_address")
        self._board_fd = board.create()
        self._board = board.attach(self._board_fd)
        self._ring_fds = [ring.create(settings.capture.ring) for _ in range(settings.workers)]
        self._rings = [Ring(fd) for fd in self._ring_fds]
        self._ledger_fd = memory.create("ledger", 4096)
        self._profile_fd = _keep_profile(settings.profile)
        self._workers = [self._worker(index) for index in range(settings.workers)]
        self._analyser = self._make_analyser()
        self._signals: asyncio.Queue[int] = asyncio.Queue()
        self._look = asyncio.Event()

    def _worker(self, index: int) -> Child:
        slots = self._rings[index].slots
        listeners = [each[index].fileno() for each in self._listeners]
        fds = (*listeners, self._ring_fds[index])
        told = orders.worker(self._settings, index, listeners, self._ring_fds[index])
        return Child("exporter.worker", told, fds, lambda: slots[Slot.HEARTBEAT_NS], _WORKER_TERMS)

    def _make_analyser(self) -> Child:
        fds = (self._web.fileno(), self._board_fd, self._ledger_fd, *self._ring_fds)
        if self._profile_fd is not None:
            fds += (self._profile_fd,)
        told = orders.analyser(self._settings, {
            "profile_fd": self._profile_fd, "web_fd": fds[0], "board_fd": fds[1], "ledger_fd": fds[2],
            "ring_fds": self._ring_fds,
        })  # fmt: skip
        return Child("exporter.analyser", told, fds, lambda: self._board[Seat.ANALYSER_HEARTBEAT_NS], _ANALYSER_TERMS)

    # running

    async def run(self) -> int:
        """Run until told to stop; the exit code. Whatever happens, no process is left behind."""
        self._handle_signals()
        self._board[Seat.SUPERVISOR_PID] = os.getpid()
        self._board[Seat.STARTED_WALL_NS] = time.time_ns()
        try:
            for child in (*self._workers, self._analyser):
                child.start()
            async with await asyncio.start_server(self._answer, sock=self._health):
                return await self._supervise()
        finally:
            await self._kill_all()

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self._signals.put_nowait, number)
        loop.add_signal_handler(signal.SIGCHLD, self._look.set)
        # Elsewhere it asks for a reload; to end on it would leave the relay's clients without one.
        loop.add_signal_handler(signal.SIGHUP, _LOG.warning, "SIGHUP ignored: settings are read at the start only")

    async def _supervise(self) -> int:
        settings = self._settings
        for route in self._routes:
            _LOG.info("relaying %s to %s", route.listen, route.upstream)
        _LOG.info("metrics on http://%s/metrics", settings.web.listen_address)
        loop = asyncio.get_running_loop()
        watch, told = loop.create_task(self._watch()), loop.create_task(self._signals.get())
        await asyncio.wait((watch, told), return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            _LOG.critical("supervision failed, ending", exc_info=watch.exception())
            return _EX_SOFTWARE
        stop, again = loop.create_task(self._stop(watch)), loop.create_task(self._signals.get())
        await asyncio.wait((stop, again), return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            _LOG.warning("told to stop twice, killing everything")
        watch.cancel()
        return 0

    async def _watch(self) -> None:
        while True:
            for index, worker in enumerate(self._workers):
                if not (self._draining and not worker.pid):
                    worker.look_after()
                self._rings[index].slots[Slot.RESTARTS] = worker.restarts
            self._analyser.look_after()
            self._board[Seat.ANALYSER_PID] = self._analyser.pid
            self._board[Seat.ANALYSER_RESTARTS] = self._analyser.restarts
            self._look.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), _CHECK_S)

    async def _stop(self, watch: "asyncio.Task[None]") -> None:
        """Drain: not ready at once, then no new connections, then the exchanges, then the numbers."""
        _LOG.info("draining")
        self._draining = True
        await asyncio.sleep(self._settings.drain.delay)
        for listener in {one for each in self._listeners for one in each}:
            listener.close()
        for route in self._routes:
            sockets.remove(listener_place(route.listen))
        for worker in self._workers:
            worker.signal(DRAIN)
        for worker in self._workers:
            await worker.ended(self._settings.drain.timeout + 2)
        watch.cancel()
        self._analyser.signal(DRAIN)
        await self._analyser.ended(_ANALYSER_GRACE_S)

    async def _kill_all(self) -> None:
        for child in (*self._workers, self._analyser):
            child.signal(signal.SIGKILL)
            await child.ended(5)

    # health

    @property
    def ready(self) -> bool:
        """Listening and not draining; the analyser has no say."""
        return not self._draining and all(
            worker.pid and worker_ring.slots[Slot.HEARTBEAT_NS]
            for worker, worker_ring in zip(self._workers, self._rings, strict=True)
        )

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                line = await reader.readline()
                while await reader.readline() not in {b"\r\n", b"\n", b""}:
                    pass
                writer.write(self._reply(line))
                await writer.drain()
        except (OSError, ValueError):
            pass  # a prober that goes away or sends nonsense
        finally:
            writer.close()

    def _reply(self, request_line: bytes) -> bytes:
        words = request_line.split()
        path = words[1].partition(b"?")[0] if len(words) > 1 else b""
        status, text = {
            b"/-/healthy": (b"200 OK", b"inference-exporter is healthy\n"),
            b"/-/ready": (b"200 OK", b"inference-exporter is ready\n")
            if self.ready
            else (b"503 Service Unavailable", b"inference-exporter is not ready\n"),
        }.get(path, (b"404 Not Found", b"try /-/healthy or /-/ready\n"))
        body = b"" if words[:1] == [b"HEAD"] else text
        head = b"HTTP/1.1 %s\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
        return head % (status, len(text)) + b"connection: close\r\n\r\n" + body


def _raise_descriptor_limit() -> None:
    """Two descriptors a connection: the soft limit that shells start with would halve what the server could take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if wanted > soft:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def serve(settings: config.Settings) -> int:
    """Run a sidecar to its end; the exit code. ConfigError where a socket cannot be had."""
    if not settings.every_route:
        raise ConfigError("upstream: not set; give --upstream http://HOST:PORT of the model server")
    _raise_descriptor_limit()
    logging.basicConfig(
        level=settings.log_level.upper(), stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )  # fmt: skip
    return asyncio.run(Supervisor(settings).run())
