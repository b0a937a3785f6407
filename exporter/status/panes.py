"""Where web threads ask what panes held, and the analyser's loop answers: the rings of panes are the loop's alone.

The loop only copies counts, of at most MOST_NAMES columns for each question; what is made of them the asking thread
computes itself. Few may ask at once, and nobody waits for long.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from exporter.drift import total_variation
from exporter.drift.summary import of_bins
from exporter.records import Label
from exporter.reference import Column
from exporter.snapshots import Recent
from exporter.status.facts import Bin, Moment, MomentColumn, Trail, Trails

MOST_NAMES: Final = 50
"""Columns of one question."""
_MOST_WAITING: Final = 8
_LONGEST_WAIT_S: Final = 2.0
_SLACK: Final = 0.01
"""Of a pane: so much before it begins a moment is of it, as clocks are set while its beginning is on its way."""


class Monitoring(Protocol):
    """What is known of one model."""

    def recent(self, side: str, names: Sequence[str], now: float) -> Recent | None:
        """What some columns held of late, pane by pane."""
        ...


class Monitored(Protocol):
    """A model that is watched."""

    @property
    def label(self) -> Label:
        """Its name and version."""
        ...

    @property
    def monitor(self) -> Monitoring:
        """What is known of it, compared with the profile of now."""
        ...


class _Question:
    """What a thread waits for."""

    def __init__(self, label: Label, side: str, names: Sequence[str]) -> None:
        self.label, self.side, self.names = label, side, names
        self.found: Recent | None = None
        self.answered = threading.Event()


class _Panes(NamedTuple):
    """What was found, in Unix time."""

    recent: Recent
    begun: float


class Desk:
    """One analyser's."""

    def __init__(self, wall: Callable[[float], float], clock: Callable[[], float] = time.monotonic) -> None:
        """`wall` gives Unix time of a moment on the clock of exchanges."""
        self._wall, self._clock = wall, clock
        self._lock = threading.Lock()
        self._waiting: list[_Question] = []

    # for web threads

    def trails(self, model: str, version: str, side: str, names: Sequence[str]) -> Trails | None:
        """The last panes of some columns, MOST_NAMES at most, the running pane among them.

        Those that are unknown or ignored are left out; None where none remains. TimeoutError where nobody answers.
        """
        panes = self._ask(_Question(Label(model, version), side, _once(names)))
        if panes is None:
            return None
        columns, counts, _, width_s = panes.recent
        moved, samples = _total_variation(columns, counts), counts.sum(axis=2)
        return Trails(
            side,
            tuple(panes.begun + number * width_s for number in range(len(counts))),
            width_s,
            tuple(Trail(column.name, tuple(samples[:, at].tolist()), tuple(each[at] for each in moved))
                  for at, column in enumerate(columns)),
        )  # fmt: skip

    def moment(self, model: str, version: str, side: str, names: Sequence[str], at: float) -> Moment | None:
        """Some columns in the pane that has the moment `at`; as `trails`, and None where no pane has it."""
        panes = self._ask(_Question(Label(model, version), side, _once(names))) if math.isfinite(at) else None
        if panes is None:
            return None
        columns, counts, _, width_s = panes.recent
        number = math.floor((at - panes.begun) / width_s + _SLACK)
        if not 0 <= number < len(counts):
            return None
        start = panes.begun + number * width_s
        return Moment(side, start, start + width_s, tuple(_columns(columns, counts[number])))

    def _ask(self, question: _Question) -> _Panes | None:
        with self._lock:
            if len(self._waiting) >= _MOST_WAITING:
                raise TimeoutError("too many ask at once")
            self._waiting.append(question)
        if not question.answered.wait(_LONGEST_WAIT_S):
            self._leave(question)
            raise TimeoutError("the analyser is busy")
        found = question.found
        return found and _Panes(found, self._wall(found.begun))

    def _leave(self, question: _Question) -> None:
        with self._lock:
            if question in self._waiting:
                self._waiting.remove(question)

    # for the loop

    def answer(self, models: Iterable[Monitored]) -> None:
        """Tell those who wait; to be called at each turn."""
        if not self._waiting:
            return
        with self._lock:
            waiting, self._waiting = self._waiting, []
        known: Mapping[Label, Monitoring] = {one.label: one.monitor for one in models}
        now = self._clock()
        for question in waiting:
            monitor = known.get(question.label)
            question.found = monitor.recent(question.side, question.names, now) if monitor else None
            question.answered.set()


def _once(names: Sequence[str]) -> Sequence[str]:
    if len(names) > MOST_NAMES:
        raise ValueError(f"at most {MOST_NAMES} columns may be asked for")
    return tuple(dict.fromkeys(names))


def _columns(columns: Sequence[Column], counts: NDArray[np.int32]) -> Iterable[MomentColumn]:
    """Of one pane; counts have the shape (columns, bins)."""
    (moved,) = _total_variation(columns, counts[None])
    for column, held, distance in zip(columns, counts.tolist(), moved, strict=True):
        samples, rows = sum(held), column.rows or 1
        bins = tuple(
            Bin(f"{place:02d}", text, column.counts[place] / rows, held[place] / samples if samples else None)
            for place, text in column.bins()
        )
        yield MomentColumn(column.name, samples, distance, bins)


def _total_variation(columns: Sequence[Column], counts: NDArray[np.int32]) -> list[list[float | None]]:
    """Of each column in each pane against the reference; None where either has no value."""
    panes, _, bins = counts.shape
    reference = np.zeros((bins, len(columns)), np.int64)
    for at, column in enumerate(columns):
        reference[: len(column.counts), at] = column.counts
    flat = counts.reshape(-1, bins).T.astype(np.int64, order="C")  # bin by bin: six times as fast to add up
    held = flat.any(axis=0) & np.tile(reference.any(axis=0), panes)
    of = np.tile(np.arange(len(columns)), panes)[held]
    found = np.full(len(held), None, object)
    found[held] = total_variation.score(of_bins(reference[:, of].T), of_bins(flat[:, held].T))
    table: list[list[float | None]] = found.reshape(panes, len(columns)).tolist()
    return table
