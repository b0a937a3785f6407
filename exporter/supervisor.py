"""The first process: binds the sockets, owns the memory, starts the others and starts them again.

It relays nothing and computes nothing, so there is little it can die of. The standard library only. It answers
`/-/healthy` and `/-/ready` itself: a platform's probes must not depend on the analyser.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from exporter import config, health, locations, logs, orders, reload, sockets
from exporter.addresses import listener_place
from exporter.errors import ConfigError
from exporter.handoff import board, memory, ring
from exporter.handoff.board import Seat
from exporter.handoff.ring import Ring
from exporter.handoff.tally import Slot
from exporter.locations import has_many
from exporter.places import beside
from exporter.places.beside import Beside
from exporter.places.following import Followed, Following
from exporter.process import DRAIN, RELAYING, Child, Terms

_LOG = logging.getLogger("exporter.supervisor")

_ANALYSER_HUNG_AFTER_S: Final = 90.0
"""It costs numbers alone, and a machine or a debugger that stops it for a minute is no reason to lose those."""
_ANALYSER_LONGEST_BACKOFF_S: Final = 30.0
"""One that keeps dying must not eat the machine."""
_CHECK_S: Final = 0.5
_SHORTEST_LOOK_S: Final = 0.01
_ANALYSER_GRACE_S: Final = 10.0
_EX_SOFTWARE: Final = 70
_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def _followed(settings: config.Settings) -> Followed:
    """What is followed here: the one profile. Where each model has its own, the analyser looks after them."""
    place = None if has_many(settings.profile) else settings.profile
    return Followed(place, settings.profile_poll_interval, _copies(settings))


def _copies(settings: config.Settings) -> Path | None:
    """Where profiles that were fetched are kept for the next run."""
    state = settings.state.directory
    return None if state is None else Path(state, "profiles")


def _beside(settings: config.Settings) -> beside.Contents:
    """The rules about columns and the salt as they are now."""
    return beside.read({key: getattr(settings, key) for key in beside.KEYS})


class Supervisor:
    """The sockets, the memory and the children of one sidecar."""

    def __init__(self, settings: config.Settings, words: Sequence[str]) -> None:
        """`words` are the command line that the settings came from, to be read again."""
        self._settings = settings
        self._words = words
        self._draining = False
        self._routes = settings.every_route
        self._listeners = [
            sockets.listen_for_each(route.listen, "routes" if number else "listen", settings.relays)
            for number, route in enumerate(self._routes)
        ]
        self._web = sockets.listen(settings.web.listen_address, "web.listen_address")
        self._health = sockets.listen(settings.health.listen_address, "health.listen_address")
        self._board_fd = board.create()
        self._board = board.attach(self._board_fd)
        logs.start(settings.log_level, lambda: board.add(self._board, Seat.SUPERVISOR_LOG_LINES_LOST))
        self._ring_fds = [ring.create(settings.capture.ring) for _ in range(settings.relays)]
        self._rings = [Ring(fd) for fd in self._ring_fds]
        self._ledger_fd = memory.create("ledger", 4096)
        self._scratch: str | None = None
        self._profile = Following(_followed(settings), self._board)
        self._beside = Beside(_beside(settings))
        self._workers = [self._worker(index) for index in range(settings.relays)]
        told, fds, terms = self._analysis()
        self._analyser = Child("exporter.analyser", told, fds, lambda: self._board[Seat.ANALYSER_HEARTBEAT_NS], terms)
        self._signals: asyncio.Queue[int] = asyncio.Queue()
        self._look = asyncio.Event()
        self._hung_up = asyncio.Event()
        self._is_analysing = False
        """Whether the analyser was started: it waits a while for a profile that is fetched."""

    def _worker(self, index: int) -> Child:
        slots = self._rings[index].slots
        fds = (*(each[index].fileno() for each in self._listeners), self._ring_fds[index])
        return Child("exporter.worker", self._relaying(index), fds, lambda: slots[Slot.HEARTBEAT_NS], RELAYING)

    def _relaying(self, index: int) -> dict[str, Any]:
        """What a worker is told."""
        listeners = [each[index].fileno() for each in self._listeners]
        return orders.worker(self._settings, index, listeners, self._ring_fds[index])

    def _analysis(self) -> tuple[dict[str, Any], tuple[int, ...], Terms]:
        """What the analyser is told and given, and how it is treated."""
        fds = (self._web.fileno(), self._board_fd, self._ledger_fd, *self._ring_fds)
        told = orders.analyser(self._settings, {
            "profile_fd": self._profile.fd, "profiles_are_many": has_many(self._settings.profile),
            "profiles_dir": self._profiles_dir(), **{f"{key}_fd": fd for key, fd in self._beside.fds.items()},
            "web_fd": fds[0], "board_fd": fds[1], "ledger_fd": fds[2], "ring_fds": self._ring_fds,
        })  # fmt: skip
        fds += tuple(fd for fd in (self._profile.fd, *self._beside.fds.values()) if fd is not None)
        return (
            told,
            fds,
            Terms(_ANALYSER_HUNG_AFTER_S, _ANALYSER_LONGEST_BACKOFF_S, self._settings.analyser.memory_limit),
        )

    def _profiles_dir(self) -> str | None:
        """Where the analyser keeps what it fetches for each model: one that is started again finds it there."""
        kept, place = _copies(self._settings), self._settings.profile
        if kept is None and place is not None and locations.parse(place).is_template and self._scratch is None:
            with contextlib.suppress(OSError):  # nothing can be written anywhere: then the store is asked again
                self._scratch = tempfile.mkdtemp(prefix="inference-exporter-")
        return self._scratch if kept is None else str(kept)

    # running

    async def run(self) -> int:
        """Run until told to stop; the exit code. Whatever happens, no process is left behind."""
        self._handle_signals()
        self._board[Seat.SUPERVISOR_PID] = os.getpid()
        self._board[Seat.STARTED_WALL_NS] = self._board[Seat.RELOADED_WALL_NS] = time.time_ns()
        create_task = asyncio.get_running_loop().create_task
        aside = [create_task(each) for each in (
            self._reload_when_told(), self._profile.follow(self._renew_analyser), self._start_analyser(),
        )]  # fmt: skip
        try:
            for worker in self._workers:
                worker.start()
            async with await asyncio.start_server(health.Answers(lambda: self.ready).answer, sock=self._health):
                return await self._supervise()
        finally:
            for task in aside:
                task.cancel()
            await self._kill_all()
            if self._scratch is not None:
                shutil.rmtree(self._scratch, ignore_errors=True)

    async def _start_analyser(self) -> None:
        await self._profile.settled()
        self._renew_analyser()
        if not self._draining:
            self._analyser.start()
            self._is_analysing = True

    def _renew_analyser(self) -> None:
        self._analyser.renew(*self._analysis())

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self._signals.put_nowait, number)
        loop.add_signal_handler(signal.SIGCHLD, self._look.set)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up.set)

    async def _supervise(self) -> int:
        settings = self._settings
        for route in self._routes:
            _LOG.info("relaying %s to %s", route.listen, route.upstream)
        if settings.takes_events:
            _LOG.info("taking events on http://%s/events", settings.web.listen_address)
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
                for at, count in enumerate(worker.restarts.values(), Slot.RESTARTS):
                    self._rings[index].slots[at] = count
            if self._is_analysing:
                self._analyser.look_after()
            self._board[Seat.ANALYSER_PID] = self._analyser.pid
            for at, count in enumerate(self._analyser.restarts.values(), Seat.ANALYSER_RESTARTS):
                self._board[at] = count
            next_s = min(_CHECK_S, *(child.due_s for child in (*self._workers, self._analyser)))
            self._look.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), max(next_s, _SHORTEST_LOOK_S))

    async def _reload_when_told(self) -> None:
        while True:
            await self._hung_up.wait()
            self._hung_up.clear()
            try:
                changed = await self._reload()
            except Exception as error:  # noqa: BLE001 (whatever it was, what was in force stays so)
                self._board[Seat.RELOAD_FAILED] = 1
                _LOG.error("settings not reloaded, those before stay: %s", error)
            else:
                self._board[Seat.RELOAD_FAILED] = 0
                self._board[Seat.RELOADED_WALL_NS] = time.time_ns()
                _LOG.info("settings reloaded, changed: %s", ", ".join(sorted(changed)) or "none")

    async def _reload(self) -> frozenset[str]:
        """Put the settings as they are now in force; the keys that changed. Any error leaves all as it was."""
        if self._draining:
            raise ConfigError("it is draining")
        settings = await reload.reread(self._words)
        changed = reload.changes(self._settings, settings)
        contents = await asyncio.to_thread(_beside, settings)
        if await self._profile.move(_followed(settings)):
            changed |= {"profile"}
        changed |= self._beside.put_in_force(contents)
        self._settings = settings
        logging.getLogger().setLevel(settings.log_level.upper())
        for index, worker in enumerate(self._workers):
            worker.tell(self._relaying(index))  # each time: certificates may have changed in their files
        if reload.concerns_analyser(changed):
            self._renew_analyser()
        elif changed:
            self._analyser.tell(self._analysis()[0])  # to be shown
        self._profile.forget()
        self._beside.forget()
        return changed

    async def _stop(self, watch: "asyncio.Task[None]") -> None:
        """Drain: not ready at once, then no new connections, then the exchanges, then the numbers."""
        _LOG.info("draining")
        self._draining = True
        if self._settings.drain.close_header:
            for index, worker in enumerate(self._workers):
                worker.tell(self._relaying(index) | {"announce_end": True})
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
        """Listening and not draining; the analyser has a say only where nothing is relayed and it is all there is."""
        if not self._settings.relay and not (self._analyser.pid and self._board[Seat.ANALYSER_HEARTBEAT_NS]):
            return False
        return not self._draining and all(
            worker.pid and worker_ring.slots[Slot.HEARTBEAT_NS]
            for worker, worker_ring in zip(self._workers, self._rings, strict=True)
        )


def serve(settings: config.Settings, words: Sequence[str]) -> int:
    """Run a sidecar to its end; the exit code. ConfigError where a socket cannot be had.

    `words` are the flags that the settings came from.
    """
    if settings.relay and not settings.every_route:
        raise ConfigError(
            "upstream: not set; give --upstream http://HOST:PORT of the model server, or --no-relay for events alone"
        )
    sockets.raise_descriptor_limit()
    return asyncio.run(Supervisor(settings, words).run())
