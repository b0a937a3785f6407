"""What is said of the merging itself, on the page it is about."""

import threading
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from exporter import catalogue
from exporter.collect.exposition import Block, Samples
from exporter.collect.library import Library
from exporter.handoff.board import Seat
from exporter.records import MERGE_ERRORS, MERGE_REFUSALS


class Outcome(NamedTuple):
    """What came of one question."""

    media: str
    """The format of the page that is made of it."""
    blocks: Sequence[Block]
    """What is passed on."""
    seconds: float
    is_up: bool


class Counts:
    """Counted on the board, where it outlives this process. For any thread."""

    def __init__(self, seats: "memoryview[int]") -> None:
        self._seats = seats
        self._lock = threading.Lock()

    def error(self, reason: str) -> None:
        """Nothing was passed on, once more; by MERGE_ERRORS."""
        self._add(Seat.MERGE_ERRORS + MERGE_ERRORS.index(reason))

    def refused(self, reason: str) -> None:
        """A family was not; by MERGE_REFUSALS."""
        self._add(Seat.MERGE_REFUSED + MERGE_REFUSALS.index(reason))

    def samples(self) -> Iterator[Samples]:
        """All of it."""
        errors = [((why,), self._seats[Seat.MERGE_ERRORS + at]) for at, why in enumerate(MERGE_ERRORS)]
        yield Samples(catalogue.UPSTREAM_METRICS_ERRORS, errors)
        refused = [((why,), self._seats[Seat.MERGE_REFUSED + at]) for at, why in enumerate(MERGE_REFUSALS)]
        yield Samples(catalogue.UPSTREAM_METRICS_REFUSED, refused)

    def _add(self, seat: int) -> None:
        with self._lock:
            self._seats[seat] += 1


class Telling:
    """Writes it, for one thread at a time."""

    def __init__(self, counts: Counts, off: Collection[str]) -> None:
        """`off` are families that nobody wants."""
        self._counts, self._off = counts, off
        self._library = Library()

    def blocks(self, found: Outcome) -> list[Block]:
        """The families of a page with this outcome."""
        series = sum(block.series for block in found.blocks)
        items = (
            Samples(catalogue.UPSTREAM_METRICS_UP, [((), int(found.is_up))]),
            Samples(catalogue.UPSTREAM_METRICS_DURATION, [((), found.seconds)]),
            Samples(catalogue.UPSTREAM_METRICS_SERIES, [((), series)]),
            *self._counts.samples(),
        )
        return [self._library.block(item) for item in items if item.family.name not in self._off]
