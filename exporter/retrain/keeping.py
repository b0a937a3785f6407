"""What must not be forgotten of who was asked: as bytes, in the ledger and in the state directory.

A death of the analyser leaves what was committed; one of everything leaves the file. An event is in both before it is
sent, body and all, so that it is sent again as it was by whoever comes after a death; a mark that it was sent comes
after that. In between it may be sent twice: with one id, by which receivers know it.
"""

import contextlib
import hashlib
import logging
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from exporter.handoff import board
from exporter.handoff.board import Seat
from exporter.records import STATE_ERRORS, Owner
from exporter.retrain.alerts import Firing
from exporter.retrain.episodes import Memory, memory_of
from exporter.retrain.event import Event, Key
from exporter.state import faults
from exporter.state.directory import Claim, Directory
from exporter.state.image import Unreadable

_LOG = logging.getLogger("exporter.retrain")
DIRECTORY: Final = "retrain"
_VERSION: Final = 1
_OWNER: Final = Owner("retrain", "", "")
_ROOM: Final = 512 << 10
"""Bytes in the ledger, whatever the settings say: they may be others when the analyser starts again. Each model takes
some 200, and an event that waits a thousand."""
_HEAD: Final = 8
_LARGEST: Final = 16 << 20
_PATIENCE_S: Final = 1.0
"""Whoever had the directory before may need a moment to end."""


class Kept(NamedTuple):
    """All of it."""

    memories: Mapping[Key, Memory]
    events: Mapping[str, Event]
    """Those that are not delivered, by model."""
    firing: Mapping[str, Firing]


NOTHING: Final = Kept({}, {}, {})


def packed(kept: Kept) -> bytes:
    """As bytes: a checksum, and compressed JSON."""
    document = {
        "version": _VERSION,
        "memories": [[*key, memory.document()] for key, memory in kept.memories.items()],
        "events": [[*event] for event in kept.events.values()],
        "firing": [[known, *one] for known, one in kept.firing.items()],
    }
    content = zlib.compress(orjson.dumps(document), 1)
    return hashlib.sha256(content).digest() + content


def unpacked(content: bytes) -> Kept:
    """The inverse. Unreadable where it is nothing of ours."""
    said, rest = content[:32], content[32:]
    if hashlib.sha256(rest).digest() != said:
        raise Unreadable("its checksum is wrong")
    try:
        reader = zlib.decompressobj()
        document: dict[str, Any] = orjson.loads(reader.decompress(rest, _LARGEST))
        if document["version"] != _VERSION:
            raise Unreadable("it is of another version")
        return Kept(
            {Key(*one[:3]): memory_of(one[3]) for one in document["memories"]},
            {event.model: event for event in (Event(*one) for one in document["events"])},
            {known: Firing(*told) for known, *told in document["firing"]},
        )
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from None


def room() -> NDArray[np.uint8]:
    """For the ledger, where arrays keep their size: nothing yet."""
    return np.zeros(_ROOM, np.uint8)


def put(content: bytes, array: NDArray[np.uint8]) -> bool:
    """Write bytes into such room; False where there is too little, and nothing is in it: then the file counts."""
    fits = _HEAD + len(content) <= array.size
    size = len(content) if fits else 0
    array[:_HEAD] = np.frombuffer(size.to_bytes(_HEAD, "little"), np.uint8)
    array[_HEAD : _HEAD + size] = np.frombuffer(content[:size], np.uint8)
    return fits


def taken(array: NDArray[np.uint8]) -> bytes:
    """The inverse; empty where nothing was written yet."""
    size = int.from_bytes(array[:_HEAD].tobytes(), "little")
    return array[_HEAD : _HEAD + size].tobytes()


class Files:
    """The file in a state directory. For one thread; no fault of a disk is raised: it is counted, and said once."""

    def __init__(self, state: str, seats: "memoryview[int]") -> None:
        """`seats` is the board, for what became of it."""
        path = Path(state) / DIRECTORY
        self._directory = Directory(path, _OWNER, Claim(path))
        self._seats = seats
        self._fault = ""

    def read(self) -> bytes | None:
        """What was kept last; empty where nothing was, or it cannot be had; None where another exporter has it."""
        try:
            content = self._directory.read(_PATIENCE_S) or b""
            if content:
                unpacked(content)
        except BlockingIOError as error:
            if not self._fault:  # it is asked for again and again
                self._fail(faults.reason(error), faults.words(error))
            return None
        except OSError as error:
            self._fail(faults.reason(error), faults.words(error))
            return b""
        except Unreadable as error:
            return self._aside(error)
        self._fault = ""
        return content

    def keep(self, content: bytes) -> bool:
        """Whether it is kept now."""
        try:
            self._directory.write(content)
        except OSError as error:
            self._fail(faults.reason(error), faults.words(error))
            return False
        self._fault = ""
        return True

    def let_go(self) -> None:
        """Let somebody else keep it."""
        self._directory.let_go()

    def _aside(self, error: Unreadable) -> bytes:
        self._fail("unreadable", f"{error}; it is set aside")
        with contextlib.suppress(OSError):
            self._directory.set_aside()
        return b""

    def _fail(self, why: str, words: str) -> None:
        board.add(self._seats, Seat.STATE_ERRORS + STATE_ERRORS.index(why))
        if words != self._fault:
            _LOG.error("who was asked to train a model again is not kept in the state directory: %s", words)
        self._fault = words
