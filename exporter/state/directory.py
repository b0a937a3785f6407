"""The state directory: one file per model, version and profile, replaced whole or not at all, by one exporter alone.

What is not ours to read is set aside and never stands in the way. Everything in here is bounded in number; files are
for their owner's eyes only. All of it raises OSError, and whoever calls goes on without.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from exporter.records import Owner
from exporter.state.image import LARGEST, Unreadable

_SUFFIX: Final = ".ixstate"
_OURS: Final = re.compile(r"[\w.-]{1,40}-[0-9a-f]{16}\.ixstate", re.ASCII)
_ASIDE: Final = re.compile(_OURS.pattern + r"\.unreadable-\d{8}T\d{12}Z", re.ASCII)
_HALF: Final = re.compile(_OURS.pattern + r"\.tmp", re.ASCII)
MOST_KEPT: Final = 8
_MOST_ASIDE: Final = 4
_LOCK: Final = "lock"
_LOCK_LOOK_S: Final = 0.05
_FLAGS: Final = os.O_CLOEXEC | os.O_NOFOLLOW
_READ_ONLY: Final = frozenset((errno.EROFS, errno.EACCES, errno.EPERM))
_ANOTHER_KIND: Final = frozenset((errno.ELOOP, errno.ENXIO, errno.ENODEV, errno.EISDIR))
"""What opening says of links, sockets and devices. All else it says is of the disk or of us, and may be over soon."""


def file_name(owner: Owner) -> str:
    """Where an owner's windows are: readable for people, different for every owner."""
    word = re.sub(r"[^\w.-]+", "-", owner.model, flags=re.ASCII)[:40] or "model"
    return f"{word}-{hashlib.sha256(repr(tuple(owner)).encode()).hexdigest()[:16]}{_SUFFIX}"


class Claim:
    """Being the only one in a directory. Not for several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken = 0
        """How often it was had anew: each time what is there may be news."""
        self.files: set[Path] = set()
        """Those in use, which are never tidied away."""
        self._lock: int | None = None

    def have(self) -> None:
        """Make the directory where there is none, and have it alone. BlockingIOError where somebody else has it."""
        self.path.mkdir(0o700, parents=True, exist_ok=True)
        lock = self.path / _LOCK
        if self._lock is not None and _is(self._lock, lock):
            return
        self.let_go()
        descriptor = _open_lock(lock)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        self._lock = descriptor
        self.taken += 1
        for half in self._matching(_HALF):  # whoever was killed while writing
            with contextlib.suppress(OSError):
                half.unlink()

    def have_within(self, patience_s: float) -> None:
        """As `have`; whoever had the directory before may need a moment to end."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                return self.have()
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_LOCK_LOOK_S)

    def let_go(self) -> None:
        """Let somebody else have it."""
        descriptor, self._lock = self._lock, None
        if descriptor is not None:
            os.close(descriptor)

    def newest(self, most: int) -> list[Path]:
        """Files of windows that are there, the newest first."""
        self.have()
        return sorted(self._matching(_OURS), key=_age, reverse=True)[:most]

    def tidy(self) -> None:
        """Windows that nobody uses now, and what was set aside, are kept for a while."""
        with contextlib.suppress(OSError):
            others = (path for path in self._matching(_OURS) if path not in self.files)
            _remove_all_but(MOST_KEPT - 1, others, _age)
            _remove_all_but(_MOST_ASIDE, self._matching(_ASIDE), lambda path: path.name.rpartition("-")[2])

    def _matching(self, pattern: re.Pattern[str]) -> list[Path]:
        return [path for path in self.path.iterdir() if pattern.fullmatch(path.name)]


class Directory:
    """The place of one owner's windows. Not for several threads."""

    def __init__(self, path: Path, owner: Owner, claim: Claim | None = None) -> None:
        """`claim` is had together with the places of other owners."""
        self._claim = claim or Claim(path)
        self.file = path / file_name(owner)
        self._half = self.file.with_name(self.file.name + ".tmp")
        self._claim.files.add(self.file)
        self._read_of = 0

    @property
    def unread(self) -> bool:
        """Whether what is there may be news: until whoever reads it says otherwise, and in another directory again."""
        return self._read_of != self._claim.taken or not self._read_of

    @property
    def was_read(self) -> bool:
        """Whether it was read before, here or in another directory."""
        return self._read_of > 0

    def is_read(self) -> None:
        """From now on what is there may be replaced."""
        self._read_of = self._claim.taken

    def read(self, patience_s: float) -> bytes | None:
        """What was written last, None where nothing was. Unreadable where it is nothing of ours; OSError else.

        Whoever had the directory before may need a moment to end: `patience_s`.
        """
        self._claim.have_within(patience_s)
        try:
            return content(self.file)
        except FileNotFoundError:
            return None

    def may_be_news(self) -> bool:
        """Have the directory; whether what is there has not been read since."""
        self._claim.have()
        return self.unread

    def write(self, content: bytes) -> None:
        """Replace what was written before, durably; it is untouched where this fails, and nothing half is left."""
        self._claim.have()
        try:
            self._half.unlink(missing_ok=True)
            _write(self._half, content)
            self._half.replace(self.file)
        except OSError:
            with contextlib.suppress(OSError):
                self._half.unlink(missing_ok=True)
            raise
        _sync(self._claim.path)
        self._claim.tidy()

    def set_aside(self) -> None:
        """Have what cannot be read out of the way, for people to look at."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        with contextlib.suppress(FileNotFoundError):
            self.file.rename(self.file.with_name(f"{self.file.name}.unreadable-{stamp}"))

    def let_go(self) -> None:
        """Let somebody else have it."""
        self._claim.let_go()


def _is(descriptor: int, path: Path) -> bool:
    """Whether a path still leads to what is open: the directory may have been removed, or another one put in place."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
        with contextlib.suppress(OSError):
            return os.open(path, os.O_RDONLY | _FLAGS)  # what was written when it was writable can still be read
        raise


def content(path: Path) -> bytes:
    """The bytes of a file. Unreadable where it is nothing of ours; OSError else."""
    try:
        return _content(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno not in _ANOTHER_KIND:
            raise
        raise Unreadable(error.strerror) from None


def _content(path: Path) -> bytes:
    # A pipe in its place must not hold anyone up, a link not lead anywhere.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _FLAGS)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise Unreadable("no regular file")
        if about.st_size > LARGEST:
            raise Unreadable(f"larger than {LARGEST >> 20} MiB")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(about.st_size)
    finally:
        os.close(descriptor)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    """Make a rename in a directory last."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _FLAGS)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _age(path: Path) -> float:
    return path.stat().st_mtime


def _remove_all_but(most: int, paths: Iterable[Path], age: Callable[[Path], Any]) -> None:
    for path in sorted(paths, key=age, reverse=True)[most:]:
        path.unlink()
