"""Windows to disk and back, in a thread of its own: a disk may be slow, full, read-only or gone, and nobody waits.

Every fault is counted on the board and said once, until it is another one or over. What could not be written is
forgotten: a newer snapshot follows.
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
        self._unreadable = False
        """Whether there is a file that must be set aside before another one takes its place."""
        self._fault = ""
        self._jobs: queue.SimpleQueue[tuple[Callable[[], None], threading.Event]] = queue.SimpleQueue()
        self._done = threading.Event()
        """Of the last order."""
        self._done.set()
        threading.Thread(target=self._work, name="state", daemon=True).start()

    # from outside

    def resume(self, put_back: Callable[[Arrays, float, float], int]) -> None:
        """Go on with what an earlier run kept, where there is any: `put_back` takes arrays, clock shift and now.

        It gives the panes that still counted.
        """
        image = self._image()
        panes = 0
        try:
            panes = 0 if image is None else self._put_back(image, put_back)
        except Exception:  # noqa: BLE001 (it must not keep us from starting, again and again)
            self._count("unreadable")
            _LOG.exception("the windows in %s start empty", self._directory)
        self._seats[Seat.STATE_RESTORED] = int(panes > 0)

    def _put_back(self, image: Image, put_back: Callable[[Arrays, float, float], int]) -> int:
        here = clock.now()
        shift_s = clock.shift_s(image.moment, here)
        if shift_s is None:
            _LOG.warning("the windows in %s are of a later time than now and start empty", self._directory)
            return 0
        panes = put_back(image.arrays, shift_s, here.monotonic_s)
        age_s = here.monotonic_s - shift_s - image.moment.monotonic_s
        _LOG.info("windows go on with %d panes that were kept %.0f s ago", panes, age_s)
        return panes

    def keep_when_due(self, held: Callable[[float], Arrays]) -> None:
        """Write what is `held` at this moment, if it is time to and the last write has ended. At once the first time.

        The arrays are not to be changed afterwards.
        """
        now = time.monotonic()
        if now >= self._due and self._done.is_set():
            self._due = now + self._interval_s
            self._keep(held(now))

    def finish(self, held: Callable[[float], Arrays]) -> None:
        """Write a last time, and wait for it, for a while."""
        self._keep(held(time.monotonic()))
        if not self._done.wait(_FINISH_PATIENCE_S):
            self._fail("slow", "the disk takes too long")

    def _image(self) -> Image | None:
        found: list[Image | None] = []
        self._do(lambda: found.append(self._read()))
        if not self._done.wait(_READ_PATIENCE_S):
            self._fail("slow", "the disk takes too long")
        return found[0] if found else None

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

    def _read(self) -> Image | None:
        try:
            content = self._place.read(_LOCK_PATIENCE_S)
            image = None if content is None else unpack(content)
            if image is not None and image.owner != self._owner:
                raise Unreadable("of another model, version or profile")
        except Unreadable as fault:
            self._count("unreadable")
            self._unreadable = True
            _LOG.error("the windows in %s cannot be read, are set aside and start empty: %s", self._directory, fault)
            self._set_aside()
            return None
        return image

    def _set_aside(self) -> None:
        if self._unreadable:
            self._place.set_aside()
            self._unreadable = False

    def _write(self, image: Image) -> None:
        content = pack(image)
        self._set_aside()
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
