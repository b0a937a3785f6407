"""Provisional references on disk: a profile each, for people to read, edit, replace or delete, by one exporter alone.

They lie in a directory inside of the state directory and are looked at every few seconds by a thread of their own. No
file is ever replaced: one that is there is true, what was made in its absence is not. One that somebody deletes while
we run begins anew; where the whole directory is gone, another volume perhaps, what there is is written again.
"""

import hashlib
import logging
import queue
import re
import threading
from pathlib import Path
from typing import Final, Protocol

from exporter.errors import ConfigError, DataError
from exporter.handoff import board
from exporter.handoff.board import Seat
from exporter.profile import document, whole_file
from exporter.records import STATE_ERRORS, Label
from exporter.reference import Profile
from exporter.state import faults
from exporter.state.directory import Claim

_LOG = logging.getLogger("exporter.state")
DIRECTORY: Final = "provisional"
_LOOK_S: Final = 2.0
_PATIENCE_S: Final = 5.0
_MOST_FILES: Final = 256
Signature = tuple[int, int, int, int]
_UNREAD: Final[Signature] = (0, 0, 0, 0)
"""Of a file that is there and could not be read."""


class Made(Protocol):
    """Who has the references in memory."""

    def put(self, label: Label, profile: Profile) -> None:
        """Have this one from now on."""

    def drop(self, label: Label) -> None:
        """Begin anew."""


def file_name(label: Label) -> str:
    """Where the reference of a model's version is: readable for people, different for every one."""
    word = re.sub(r"[^\w.-]+", "-", "-".join(label), flags=re.ASCII).lstrip(".")[:60] or "model"
    return f"{word}-{hashlib.sha256(repr(tuple(label)).encode()).hexdigest()[:12]}.json"


class ProvisionalFiles:
    """All of them, in one directory."""

    def __init__(self, state: str, seats: "memoryview[int]", made: Made) -> None:
        """`seats` is the board, for what became of it."""
        self._claim = Claim(Path(state) / DIRECTORY)
        self._seats = seats
        self._made = made
        self._taken = 0
        self._known: dict[Path, Signature] = {}
        """Files as they were seen last."""
        self._mine: dict[Label, Profile] = {}
        """What should be there."""
        self._unwritten: set[Label] = set()
        self._news: queue.SimpleQueue[tuple[Label, Profile | None]] = queue.SimpleQueue()
        self._fault = ""
        self._looked = threading.Event()
        self._look_now = threading.Event()
        threading.Thread(target=self._watch, name="provisional", daemon=True).start()

    # from outside

    def resume(self) -> bool:
        """Take what is there, waiting a while for a slow disk; what comes later is taken later."""
        self._looked.wait(_PATIENCE_S)
        return self.take()

    def take(self) -> bool:
        """Have what people did to the files since; whether they did anything."""
        before = self._news.empty()
        while not self._news.empty():
            label, profile = self._news.get()
            if profile is None:
                _LOG.warning(
                    "the provisional reference of the model %r, version %r, was deleted: it begins anew", *label
                )
                self._made.drop(label)
            else:
                _LOG.info("the provisional reference of the model %r, version %r, is %s", *label, profile.short_digest)
                self._made.put(label, profile)
        return not before

    def keep(self, label: Label, profile: Profile) -> None:
        """Have a reference written, where there is no file of it."""
        self._mine[label] = profile
        self._unwritten.add(label)
        self._look_now.set()

    # in the thread

    def _watch(self) -> None:
        while True:
            self._look_now.clear()
            try:
                self._claim.have()
                self._look()
                self._write()
            except OSError as error:
                self._fail(faults.reason(error), faults.words(error))
            except Exception as error:  # noqa: BLE001 (whatever it was, the next look may succeed)
                self._fail("other", f"{type(error).__name__}: {error}")
            self._looked.set()
            self._look_now.wait(_LOOK_S)

    def _look(self) -> None:
        is_new, self._taken = self._claim.taken != self._taken, self._claim.taken
        if is_new:
            self._known.clear()
            self._unwritten |= self._mine.keys()
        there = self._tidy(self._there())
        for path in there:
            signature, known = _signature(path), self._known.get(path)
            if known != signature:
                self._known[path] = signature if self._read(path, is_new=known != _UNREAD) else _UNREAD
        for path in [path for path in self._known if path not in there]:
            del self._known[path]
            for label in [label for label in self._mine if file_name(label) == path.name]:
                del self._mine[label]
                self._unwritten.discard(label)
                self._news.put((label, None))

    def _there(self) -> list[Path]:
        """Files by name. OSError where nobody can tell: `glob` says of a directory that is shut that it is empty."""
        return sorted(
            (path for path in self._claim.path.iterdir() if path.suffix == ".json"), key=lambda path: path.name
        )

    def _read(self, path: Path, *, is_new: bool) -> bool:
        """Take a file as it is now; False where the disk does not give it, which is said if it `is_new`."""
        try:
            profile = document.load(str(path))
        except ConfigError as error:
            if is_new:
                self._refuse(f"{error}; what was in force stays so until it can be read")
            return False
        except DataError as error:
            self._refuse(f"{error}; what was in force stays so")
            return True
        label = Label(profile.model, profile.version)
        if path.name == file_name(label):
            self._take_in(label, profile)
        else:
            self._refuse(
                "{} is of the model {!r}, version {!r}, which is called {}".format(path, *label, file_name(label))
            )
        return True

    def _take_in(self, label: Label, profile: Profile) -> None:
        """It is news, unless it is known."""
        mine = self._mine.get(label)
        if mine is None or mine.digest != profile.digest:
            self._mine[label] = profile
            self._news.put((label, profile))
        self._unwritten.discard(label)

    def _refuse(self, words: str) -> None:
        self._count("unreadable")
        _LOG.error("%s", words)

    def _write(self) -> None:
        for label in list(self._unwritten):
            path = self._claim.path / file_name(label)
            if not path.exists():  # or it cannot be used, and whoever broke it is not to lose it
                whole_file.write(path, document.written(document.describe(self._mine[label])))
                self._known[path] = _signature(path)
                _LOG.info("the provisional reference of the model %r, version %r, is kept in %s", *label, path)
            self._unwritten.discard(label)
        self._fault = ""

    def _tidy(self, there: list[Path]) -> list[Path]:
        """Bound their number: the oldest of those that nobody uses go."""
        if len(there) <= _MOST_FILES:
            return there
        newest = sorted(there, key=lambda path: path.stat().st_mtime, reverse=True)
        in_use = {file_name(label) for label in self._mine}
        for path in newest[_MOST_FILES:]:
            if path.name not in in_use:
                path.unlink(missing_ok=True)
                _LOG.warning("%s was removed: there are more than %d", path, _MOST_FILES)
        return [path for path in there if path.exists()]

    def _fail(self, why: str, words: str) -> None:
        self._count(why)
        if words != self._fault:
            _LOG.error("provisional references are not kept in %s: %s", self._claim.path, words)
        self._fault = words

    def _count(self, why: str) -> None:
        board.add(self._seats, Seat.STATE_ERRORS + STATE_ERRORS.index(why))


def _signature(path: Path) -> Signature:
    about = path.stat()
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns
