"""The one profile of a sidecar, looked after where it lives: what is in force, and what comes in its place.

For the supervisor: the standard library only, nothing waits, and nothing is raised but by `move`. What is in force is
kept in memory that an analyser is given: one that is started again finds the same. What cannot be used changes
nothing.
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from exporter import locations
from exporter.errors import ConfigError
from exporter.handoff import memory
from exporter.handoff.board import Seat
from exporter.locations import FILE, Location
from exporter.places import asking
from exporter.places.asking import ABSENT, FOUND, SAME, Answer, Known, Order
from exporter.profile.signature import Signature, signature_of

_LOG = logging.getLogger("exporter.profile")
_PATIENCE_S: Final = 10.0
"""So long the analyser waits for the profile at the start."""
_LOOK_S: Final = 2.0
"""How often a file is looked at, whether it has changed."""


class Followed(NamedTuple):
    """What is followed, and how."""

    place: str | None
    """As in the settings; None for none, or where each model has its own."""
    poll_s: float
    copies: Path | None
    """Where what was found is kept for the next run."""


class Following:
    """The place of the one profile, and the profile that is in force."""

    def __init__(self, followed: Followed, seats: "memoryview[int]") -> None:
        """`seats` is the board, for what became of it."""
        self._followed = followed
        self._seats = seats
        self._known = Known()
        self._said = ""
        """Why there was nothing usable, as it was said last."""
        self._warned_of = ""
        self._watch = _Watch(followed.place)
        self._stale: list[int] = []
        self._first_look = asyncio.Event()
        self._moved = asyncio.Event()
        self.fd: int | None = None
        """Memory with the profile that is in force; None where there is none."""

    # for the supervisor

    async def settled(self) -> None:
        """Wait until there is a profile, but not for long: then what an earlier run kept must do, or none."""
        if self._followed.place is None:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._first_look.wait(), _PATIENCE_S)
        if self.fd is None:
            await self._take_copy()

    async def follow(self, renewed: Callable[[], None]) -> None:
        """Look for ever; `renewed` is called whenever another profile is in force, which the last one outlives."""
        while True:
            followed = self._followed
            self._seats[Seat.PROFILE_LOOKED] = int(followed.place is not None)
            self._warn(followed)
            if followed.place is not None:
                try:
                    is_other = await self._look(followed)
                except OSError as error:  # no descriptor left, say: the next look may succeed
                    is_other = False
                    _LOG.error("profile: not looked at: %s", error.strerror)
                if is_other:
                    renewed()
                    self.forget()
                self._first_look.set()
            await self._due()

    def _warn(self, followed: Followed) -> None:
        """Of what anybody on the way could change: once."""
        place = None if followed.place is None else locations.parse(followed.place)
        if place and place.scheme == "http" and place.sha256 is None and place.shown != self._warned_of:
            self._warned_of = place.shown
            _LOG.warning("profile: %s can be changed by anybody on the way: use https, or pin #sha256=", place.shown)

    async def move(self, followed: Followed) -> bool:
        """Follow something else; whether another profile, or none, is in force by that.

        ConfigError where the new place gives nothing usable: then all stays as it was.
        """
        before, old = self.fd, self._followed
        if followed.place is None:
            self._followed = followed
            self._put_in_force(None, Known())
        elif followed.place != old.place:
            await self._settle_in(followed)
        else:
            self._followed = followed
            if locations.parse(followed.place).scheme == FILE:
                await self._look(followed)
        if followed.place != old.place:
            self._watch.end()
            self._watch = _Watch(followed.place)
        self._moved.set()
        return self.fd != before

    def forget(self) -> None:
        """Give the memory back of profiles that were in force, once nobody will be given it any more."""
        while self._stale:
            os.close(self._stale.pop())

    def _put_in_force(self, descriptor: int | None, known: Known) -> None:
        if self.fd is not None:
            self._stale.append(self.fd)
        self.fd, self._known = descriptor, known

    # looking

    async def _settle_in(self, followed: Followed) -> None:
        """Have the profile of another place."""
        place = locations.parse(str(followed.place))
        answer, descriptor = await _fetched(self._order(followed, Known()))
        if answer.outcome != FOUND:
            os.close(descriptor)
            raise ConfigError(f"profile: {place.shown}: {answer.words}")
        self._followed = followed
        self._note(place, answer)
        self._put_in_force(descriptor, answer.known)

    async def _look(self, followed: Followed) -> bool:
        """Look once; whether another profile is in force now."""
        place = locations.parse(str(followed.place))
        answer, descriptor = await _fetched(self._order(followed, self._known))
        if self._followed is followed:
            is_other = answer.outcome == FOUND and answer.known.sha256 != self._known.sha256
            self._note(place, answer)
            if is_other:
                self._put_in_force(descriptor, answer.known)
                return True
        os.close(descriptor)
        return False

    @staticmethod
    def _order(followed: Followed, known: Known) -> Order:
        copy = _copy(followed)
        return Order(str(followed.place), known, None if copy is None else str(copy))

    async def _take_copy(self) -> None:
        """Go on with what an earlier run kept of this place, if it did."""
        copy, place = _copy(self._followed), locations.parse(str(self._followed.place))
        if copy is None:
            return
        answer, descriptor = await _fetched(Order(str(copy) + (f"#sha256={place.sha256}" if place.sha256 else "")))
        if answer.outcome != FOUND or self.fd is not None:
            os.close(descriptor)
            return
        self._put_in_force(descriptor, Known(sha256=answer.known.sha256))
        self._seats[Seat.PROFILE_KEPT] = 1
        _LOG.warning("profile: %s: in force is the one that an earlier run kept of it", place.shown)

    def _note(self, place: Location, answer: Answer) -> None:
        """Count what came of a look, and say it once until it is something else."""
        usable = answer.outcome in {FOUND, SAME}
        self._seats[Seat.PROFILE_FOUND] = int(usable)
        self._seats[Seat.PROFILE_ERRORS] += not usable and answer.outcome != ABSENT
        if usable:
            self._known = answer.known
            self._seats[Seat.PROFILE_KEPT] = 0
            self._seats[Seat.PROFILE_FOUND_WALL_NS] = time.time_ns()
        elif answer.words != self._said:
            rest = "there is none before it" if self.fd is None else "the profile before it stays in force"
            level = logging.WARNING if answer.outcome == ABSENT else logging.ERROR
            _LOG.log(level, "profile: %s: %s; %s", place.shown, answer.words, rest)
        if answer.outcome == FOUND or (usable and self._said):
            _LOG.info("profile: %s: in force, SHA-256 %s", place.shown, answer.known.sha256)
        self._said = answer.words

    async def _due(self) -> None:
        """Wait until it is time for another look: at a file, until it has changed."""
        while not self._moved.is_set():
            pause_s = _LOOK_S if self._watch.is_of_file else self._followed.poll_s
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), pause_s if self._followed.place else None)
            if not self._watch.is_of_file or self._watch.changed():
                break
        self._moved.clear()


async def _fetched(order: Order) -> tuple[Answer, int]:
    """An answer, and the descriptor of memory that holds what was found: the caller's from now on."""
    descriptor = memory.create("profile", 0)
    try:
        return await asking.asked(order, descriptor), descriptor
    except BaseException:
        os.close(descriptor)
        raise


def _copy(followed: Followed) -> Path | None:
    """Where the copy is; there is none of files, which are as near as it is."""
    is_near = locations.parse(str(followed.place)).scheme == FILE
    return None if is_near else asking.copy_of(str(followed.place), followed.copies)


class _Watch:
    """Whether a file has changed. A thread looks, for a disk may hang, and whoever supervises may not."""

    def __init__(self, place: str | None) -> None:
        found = None if place is None else locations.parse(place)
        self._path = Path(found.text) if found is not None and found.scheme == FILE else None
        self._now: Signature | None = None
        self._before: Signature | None = None
        self._ended = threading.Event()
        if self._path is not None:
            threading.Thread(target=self._run, args=(self._path,), name="profile", daemon=True).start()

    @property
    def is_of_file(self) -> bool:
        """Whether there is a file to be watched."""
        return self._path is not None

    def changed(self) -> bool:
        """Whether it is another one than at the last call, has come, or gone; at first it has come."""
        before, self._before = self._before, self._now
        return before != self._before

    def end(self) -> None:
        """Watch no longer."""
        self._ended.set()

    def _run(self, path: Path) -> None:
        while not self._ended.is_set():
            self._now = signature_of(path)
            self._ended.wait(_LOOK_S)
