"""Windows to disk and back, in a thread of its own: a disk may be slow, full, read-only or gone, and nobody waits.

No file is replaced before it was read, however long that takes: until then writing waits, and what is read late fills
the gaps of the windows that went on without it. Every fault is counted on the board and said once, until it is another
one or over. What could not be written is forgotten: a newer snapshot follows.
"""

import errno
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from exporter.handoff import board
from exporter.handoff.board import Seat
from exporter.records import STATE_ERRORS
from exporter.state import clock
from exporter.state.directory import Directory
from exporter.state.image import Image, Owner, Unreadable, pack, unpack

_LOG = logging.getLogger("exporter.state")
Arrays = Mapping[str, NDArray[Any]]
PutBack = Callable[[Arrays, float, float], int]
"""Takes arrays, clock shift and now; gives the panes that still counted."""
_LOCK_PATIENCE_S: Final = 2.0
_READ_PATIENCE_S: Final = 5.0
_FINISH_PATIENCE_S: Final = 3.0
_REASONS: Final = {
    errno.ENOSPC: "no_space", errno.EDQUOT: "no_space", errno.EFBIG: "no_space",
    errno.EROFS: "read_only", errno.EACCES: "read_only", errno.EPERM: "read_only",
    errno.EIO: "io", errno.EAGAIN: "in_use",
}  # fmt: skip
_WORDS: Final = {"in_use": "another exporter has it"}


class Keeper:
    """One owner's windows in one directory."""

    def __init__(self, directory: str, owner: Owner, interval_s: float, seats: "memoryview[int]") -> None:
        """`seats` is the board, for what became of it."""
        self._directory = directory
        self._owner = owner
        self._interval_s = interval_s
        self._due = 0.0
        self._seats = seats
        self._place = Directory(Path(directory), owner)
        self._put_back: PutBack = lambda *_: 0
        self._found: list[Image] = []
        """What was read and not yet put back."""
        self._unreadable = self._fault = ""
        """What was said last of the file that cannot be read, and of the directory."""
        self._jobs: queue.SimpleQueue[tuple[Callable[[], None], threading.Event]] = queue.SimpleQueue()
        self._done = threading.Event()
        """Of the last order."""
        self._done.set()
        threading.Thread(target=self._work, name="state", daemon=True).start()

    # from outside

    def resume(self, put_back: PutBack) -> None:
        """Go on with what an earlier run kept, where there is any and the board says that the windows lack it.

        What a slow disk shows later is put back later, by whoever calls `keep_when_due`.
        """
        self._put_back = put_back
        self._do(lambda: self._read(_LOCK_PATIENCE_S))
        if self._seats[Seat.STATE_UNREAD]:
            self._seats[Seat.STATE_RESTORED] = 0
            if self._has_ended(_READ_PATIENCE_S):
                self._go_on()

    def keep_when_due(self, held: Callable[[float], Arrays]) -> None:
        """Write what is `held` at this moment, if it is time to and the last write has ended. At once the first time.

        The arrays are not to be changed afterwards.
        """
        if not self._done.is_set():
            return
        self._go_on()
        now = time.monotonic()
        if now >= self._due:
            self._due = now + self._interval_s
            if self._place.unread:
                self._do(self._read)
            else:
                self._keep(held(now))

    def finish(self, held: Callable[[float], Arrays]) -> None:
        """Write a last time, and wait for it, for a while."""
        deadline = time.monotonic() + _FINISH_PATIENCE_S
        if not self._has_ended(_FINISH_PATIENCE_S):
            return
        if self._place.unread:
            self._do(self._read)
            if not self._has_ended(deadline - time.monotonic()):
                return
        self._go_on()
        if not self._place.unread:
            self._keep(held(time.monotonic()))
            self._has_ended(deadline - time.monotonic())

    def _has_ended(self, patience_s: float) -> bool:
        """Whether the last order is carried out, after a while at the most."""
        ended = self._done.wait(patience_s)
        if not ended:
            self._fail("slow", "the disk takes too long")
        return ended

    def _go_on(self) -> None:
        """Have the windows take what was read since, once, and have them written soon after."""
        if self._place.unread or not self._seats[Seat.STATE_UNREAD]:
            self._found.clear()
            return
        try:
            panes = sum(self._take(image) for image in self._found)
        except Exception:  # noqa: BLE001 (it must not keep us from starting, again and again)
            self._count("unreadable")
            _LOG.exception("the windows in %s start empty", self._directory)
            panes = 0
        self._found.clear()
        if panes:
            self._seats[Seat.STATE_RESTORED] = 1
        self._seats[Seat.STATE_UNREAD] = 0
        self._due = 0.0

    def _take(self, image: Image) -> int:
        here = clock.now()
        shift_s = clock.shift_s(image.moment, here)
        if shift_s is None:
            _LOG.warning("the windows in %s are of a later time than now and start empty", self._directory)
            return 0
        panes = self._put_back(image.arrays, shift_s, here.monotonic_s)
        age_s = here.monotonic_s - shift_s - image.moment.monotonic_s
        _LOG.info("windows go on with %d panes that were kept %.0f s ago", panes, age_s)
        return panes

    def _keep(self, arrays: Arrays) -> None:
        image = Image(self._owner, clock.now(), arrays)
        self._do(lambda: self._write(image))

    def _do(self, job: Callable[[], None]) -> None:
        self._done = threading.Event()
        self._jobs.put((job, self._done))

    # in the thread

    def _work(self) -> None:
        while True:
            job, done = self._jobs.get()
            try:
                job()
            except OSError as error:
                reason = _REASONS.get(error.errno or 0, "other")
                self._fail(reason, _WORDS.get(reason) or error.strerror or str(error))
            except Exception as error:  # noqa: BLE001 (whatever it was, the next one may succeed)
                self._fail("other", f"{type(error).__name__}: {error}")
            done.set()

    def _read(self, patience_s: float = 0.0) -> None:
        """Have what is there for the windows; from then on it may be replaced."""
        try:
            content = self._place.read(patience_s)
            if content is not None:
                self._found.append(self._understood(content))
        except Unreadable as fault:
            self._say_unreadable(str(fault))
            self._place.set_aside()
            self._unreadable = ""
        self._place.unread = False

    def _understood(self, content: bytes) -> Image:
        image = unpack(content)
        if image.owner != self._owner:
            raise Unreadable("of another model, version or profile")
        return image

    def _say_unreadable(self, words: str) -> None:
        if words != self._unreadable:  # once, however often it cannot be set aside either
            self._count("unreadable")
            _LOG.error("the windows in %s cannot be read, are set aside and start empty: %s", self._directory, words)
        self._unreadable = words

    def _write(self, image: Image) -> None:
        content = pack(image)
        if self._place.may_be_news():  # another directory was put in its place
            self._read()
            if self._found:
                self._seats[Seat.STATE_UNREAD] = 1
                return
        self._place.write(content)
        self._seats[Seat.STATE_KEPT_BYTES] = len(content)
        self._seats[Seat.STATE_KEPT_WALL_NS] = int(image.moment.wall_s * 1e9)
        if self._fault:
            _LOG.info("windows are kept in %s again", self._directory)
            self._fault = ""

    def _fail(self, reason: str, words: str) -> None:
        self._count(reason)
        if words != self._fault:
            _LOG.error("windows are not kept in %s: %s", self._directory, words)
        self._fault = words

    def _count(self, reason: str) -> None:
        board.add(self._seats, Seat.STATE_ERRORS + STATE_ERRORS.index(reason))
