"""Windows to disk and back, in a thread of its own: a disk may be slow, full, read-only or gone, and nobody waits.

Every model has a file of its own. None is replaced before it was read, however long that takes: until then writing
waits, and what is read late fills the gaps of the windows that went on without it. What an earlier run kept of models
that this one has not met yet is read at the start. Every fault is counted on the board and said once, until it is
another one or over. What could not be written is forgotten: a newer snapshot follows.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from numpy.typing import NDArray

from exporter.handoff import board
from exporter.handoff.board import Seat
from exporter.records import STATE_ERRORS, Owner
from exporter.state import clock, faults
from exporter.state.clock import Moment
from exporter.state.directory import MOST_KEPT, Claim, Directory, content
from exporter.state.image import Image, Unreadable, pack, unpack

_LOG = logging.getLogger("exporter.state")
Arrays = Mapping[str, NDArray[Any]]
_LOCK_PATIENCE_S: Final = 2.0
_READ_PATIENCE_S: Final = 5.0
_FINISH_PATIENCE_S: Final = 3.0


class Windows(Protocol):
    """Whose windows are kept. All but `wanted` and `most` is asked by whoever calls the keeper."""

    @property
    def most(self) -> int:
        """How many owners there may be."""

    def owners(self) -> Sequence[Owner]:
        """Whose there are now."""

    def held(self, owner: Owner, now: float) -> Iterable[tuple[str, NDArray[Any]]]:
        """What they hold, array by array: all of them at once would be in memory twice."""

    def lacks(self, owner: Owner) -> bool:
        """Whether they have yet to take what was kept."""

    def put_back(self, owner: Owner, held: Arrays, shift_s: float, now: float) -> int:
        """Have them take arrays of a clock that showed `shift_s` less; the panes that still counted."""

    def wanted(self, owner: Owner, held: Arrays) -> Arrays:
        """What would be welcome of somebody's that this run has not met yet. Any thread may ask."""


class Keeper:
    """The windows of all models in one directory."""

    def __init__(
        self, directory: str, interval_s: float, seats: "memoryview[int]", windows: Windows, commit: Callable[[], None]
    ) -> None:
        """`seats` is the board, for what became of it; `commit` makes what the windows have taken last."""
        self._directory = directory
        self._interval_s = interval_s
        self._seats = seats
        self._windows = windows
        self._commit = commit
        self._due = 0.0
        self._claim = Claim(Path(directory))
        self._places: dict[Owner, Directory] = {}
        self._bytes: dict[Owner, int] = {}
        self._waiting: list[Owner] = []
        """Who is to be written in this round."""
        self._asked: Owner | None = None
        """Whose file the first of them has had read in this round."""
        self._found: list[tuple[Image, bool]] = []
        """What was read and not yet put back; whether it is taken in any case, as of a volume that came later."""
        self._looked: list[Owner] = []
        """Whose files were read since, whether there was anything or not."""
        self._unreadable: dict[str, str] = {}
        """What was said last of a file that cannot be read."""
        self._fault = ""
        """And of the directory."""
        self._jobs: queue.SimpleQueue[tuple[Callable[[], None], threading.Event]] = queue.SimpleQueue()
        self._done = threading.Event()
        """Of the last order."""
        self._done.set()
        threading.Thread(target=self._work, name="state", daemon=True).start()

    # from outside

    def resume(self) -> None:
        """Go on with what an earlier run kept, where there is any and the windows lack it.

        What a slow disk shows later is put back later, by whoever calls `keep_when_due`.
        """
        owners = self._windows.owners()
        is_first = all(self._windows.lacks(owner) for owner in owners)
        places = [self._place(owner) for owner in owners]
        self._do(lambda: self._read_first(list(zip(owners, places, strict=True)), is_first))
        if is_first:
            self._seats[Seat.STATE_RESTORED] = 0
            if self._has_ended(_READ_PATIENCE_S):
                self._go_on()

    def keep_when_due(self) -> None:
        """Write what the windows hold at this moment, if it is time and the last write has ended: one model's a call.

        At once the first time, and where there is a model that was not there before.
        """
        if not self._done.is_set():
            return
        self._go_on()
        now = time.monotonic()
        if now >= self._due:
            self._due = now + self._interval_s
            self._wait_for(self._windows.owners())
            self._forget()
        elif not self._waiting:
            self._wait_for([owner for owner in self._windows.owners() if owner not in self._places])
        if self._waiting:
            self._next()

    def finish(self) -> None:
        """Write a last time, and wait for it, for a while."""
        deadline = time.monotonic() + _FINISH_PATIENCE_S
        if not self._has_ended(_FINISH_PATIENCE_S):
            return
        self._wait_for(self._windows.owners())
        self._asked = None
        while self._waiting:
            self._go_on()
            self._next()
            if not self._has_ended(deadline - time.monotonic()):
                return

    def _wait_for(self, owners: Sequence[Owner]) -> None:
        """Have these written; the file of none is tidied away before it is its turn."""
        self._waiting = list(owners)
        for owner in owners:
            self._place(owner)

    def _next(self) -> None:
        """Have the next file written; have it read before, where it may be news, and written when that has ended."""
        owner = self._waiting[0]
        place = self._place(owner)
        if place.unread and self._asked != owner:
            self._asked = owner
            self._do(lambda: self._read(owner, place, 0.0))
            return
        self._asked = None
        self._waiting.pop(0)
        if not place.unread:
            self._pack(owner, place)

    def _pack(self, owner: Owner, place: Directory) -> None:
        """Have what an owner's windows hold written; packed here, at 4 ms a MiB: counting would change it meanwhile."""
        moment = clock.now()
        try:
            packed = pack(owner, moment, self._windows.held(owner, time.monotonic()))
        except Exception as error:  # noqa: BLE001 (whatever it was, counting goes on)
            self._fail("other", f"{type(error).__name__}: {error}")
        else:
            self._do(lambda: self._write(owner, moment, packed, place))

    def _forget(self) -> None:
        """Places of those whose windows are no more, such as of another profile."""
        self._places = {owner: place for owner, place in self._places.items() if owner in self._waiting}
        self._bytes = {owner: size for owner, size in self._bytes.items() if owner in self._places}
        self._claim.files = {place.file for place in self._places.values()}

    def _place(self, owner: Owner) -> Directory:
        if owner not in self._places:
            self._places[owner] = Directory(Path(self._directory), owner, self._claim)
        return self._places[owner]

    def _has_ended(self, patience_s: float) -> bool:
        """Whether the last order is carried out, after a while at the most."""
        ended = self._done.wait(max(patience_s, 0.0))
        if not ended:
            self._fail("slow", "the disk takes too long")
        return ended

    def _go_on(self) -> None:
        """Have the windows take what was read since, once, and have them written soon after."""
        found, self._found = self._found, []
        looked, self._looked = self._looked, []
        try:
            panes = sum(self._take(image) for image, is_news in found if is_news or self._windows.lacks(image.owner))
        except Exception:  # noqa: BLE001 (it must not keep us from starting, again and again)
            self._count("unreadable")
            _LOG.exception("the windows in %s start empty", self._directory)
            panes = 0
        for owner in looked:
            if self._windows.lacks(owner):  # there was nothing, or nothing that could be used
                self._windows.put_back(owner, {}, 0.0, time.monotonic())
        has_looked = bool(found or looked)
        del found  # as large as the windows, and so is what a commit takes for a moment
        if has_looked:
            self._commit()
        if panes:
            self._seats[Seat.STATE_RESTORED] = 1
            self._due = 0.0

    def _take(self, image: Image) -> int:
        here = clock.now()
        shift_s = clock.shift_s(image.moment, here)
        if shift_s is None:
            _LOG.warning("the windows in %s are of a later time than now and start empty", self._directory)
            return 0
        panes = self._windows.put_back(image.owner, image.arrays, shift_s, here.monotonic_s)
        age_s = here.monotonic_s - shift_s - image.moment.monotonic_s
        if panes:
            _LOG.info("windows of %r, version %r, go on with %d panes, kept %.0f s ago", *image.owner[:2], panes, age_s)
        return panes

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
                self._fail(faults.reason(error), faults.words(error))
            except Exception as error:  # noqa: BLE001 (whatever it was, the next one may succeed)
                self._fail("other", f"{type(error).__name__}: {error}")
            done.set()

    def _read_first(self, known: Sequence[tuple[Owner, Directory]], is_first: bool) -> None:
        self._claim.have_within(_LOCK_PATIENCE_S)
        for owner, place in known:
            self._read(owner, place, 0.0)
        if is_first:
            self._find_strangers({owner for owner, _ in known})

    def _find_strangers(self, known: set[Owner]) -> None:
        """Have what there is of models that this run has not met yet; what cannot be read is left where it is."""
        for path in self._claim.newest(self._windows.most + MOST_KEPT):
            if path in self._claim.files:
                continue
            try:
                image = unpack(content(path))
            except (Unreadable, OSError):
                continue
            if image.owner not in known and (welcome := self._windows.wanted(image.owner, image.arrays)):
                self._found.append((image._replace(arrays=welcome), False))

    def _read(self, owner: Owner, place: Directory, patience_s: float) -> None:
        """Have what is there for the windows; from then on it may be replaced."""
        try:
            read = place.read(patience_s)
            if read is not None:
                self._found.append((_understood(read, owner), place.was_read))
        except Unreadable as fault:
            self._say_unreadable(owner, str(fault))
            place.set_aside()
            self._unreadable.pop(str(owner), None)
        place.is_read()
        self._looked.append(owner)

    def _say_unreadable(self, owner: Owner, words: str) -> None:
        if words != self._unreadable.get(str(owner)):  # once, however often it cannot be set aside either
            self._count("unreadable")
            _LOG.error("the windows in %s cannot be read, are set aside and start empty: %s", self._directory, words)
        self._unreadable[str(owner)] = words

    def _write(self, owner: Owner, moment: Moment, packed: bytes, place: Directory) -> None:
        if place.may_be_news():  # another directory was put in its place
            self._read(owner, place, 0.0)
            if self._found:
                return
        place.write(packed)
        self._bytes[owner] = len(packed)
        self._seats[Seat.STATE_KEPT_BYTES] = sum(self._bytes.values())
        self._seats[Seat.STATE_KEPT_WALL_NS] = int(moment.wall_s * 1e9)
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


def _understood(read: bytes, owner: Owner) -> Image:
    image = unpack(read)
    if image.owner != owner:
        raise Unreadable("of another model, version or profile")
    return image
