"""Business values of one model: sums and means over windows, of all rows and of each segment.

A value is taken to six decimals, as a whole number; sums of them and of their squares are whole numbers of any size, in
nine words of 64 bits, so that neither order nor batching shows and no cent is lost. Windows go by Unix time and by when
was predicted, as truths that come late have values, too.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from exporter.business import BusinessValue
from exporter.monitor.batch import UNKNOWN_SEGMENT, Batch, Came
from exporter.monitor.segments.ways import Way
from exporter.performance.extra import unpack
from exporter.performed import Valued
from exporter.sketch.coarse import CoarseWindows
from exporter.truths import Joined
from exporter.values import format_duration

_PARTS: Final = 1_000_000
"""Of one, in which values are taken."""
_BITS: Final = 30
"""Of the lower half of a value; the upper one has no more."""
_LOW: Final = (1 << _BITS) - 1
_WORDS: Final = 9
"""Rows; the value's halves; of the squares of the upper half, of the product, of the square of the lower one both halves
each."""
_PANES: Final = 30
"""Of a window."""
_WHOLE: Final = 0
"""The place of all rows; behind it are the segments."""
_CONFIDENCE: Final = 0.975
_MOST_WAITING: Final = 1 << 16
Arrays = Mapping[str, NDArray[Any]]
Segment = tuple[str, str]


class _Found(NamedTuple):
    """Some numbers of one value that came together."""

    value: int
    """Its place among all."""
    at_s: float
    numbers: Sequence[float]
    first: int
    """The row of the batch that the first one is of; negative where they are of none."""


class Valuing:
    """Of one model. Memory: nine words for each value and segment, in thirty panes of each window."""

    def __init__(
        self, values: Sequence[BusinessValue], ways: Sequence[Way], lengths: tuple[float, ...], pane_s: float
    ) -> None:  # fmt: skip
        """`ways` to divide traffic, as segments are numbered in batches; `lengths` of windows, seconds."""
        self._values, self._ways, self._pane_s = tuple(values), ways, pane_s
        self._of_traffic = [place for place, one in enumerate(values) if not one.feedback]
        self._of_feedback = next((place for place, one in enumerate(values) if one.feedback), None)
        self._starts = np.cumsum([0, *(way.segments for way in ways)]).tolist()
        self._shape = (len(self._values), 1 + self._starts[-1], _WORDS)
        self._windows = CoarseWindows(lengths, pane_s, _PANES, self._shape, np.int64)
        self._noted: list[_Found] = []
        self._waiting = 0
        """Rows of the batch that are noted."""

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; names carry what the values are, the ways to divide are the same as long as the profile."""
        return self._windows.arrays(f"{prefix}.{self._name}")

    @property
    def _name(self) -> str:
        return "-".join(one.name for one in self._values) + f".{self._shape[1]}"

    def held(self, prefix: str, wall_s: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at a Unix time, and whose segments they are."""
        prefix = f"{prefix}.{self._name}"
        labels = json.dumps(list(self._labels())).encode()
        yield f"{prefix}.labels", np.frombuffer(labels, np.uint8).copy()
        yield from self._windows.held(prefix, wall_s).items()

    def put_back(self, held: Arrays, prefix: str, wall_s: float) -> None:
        """Go on with windows that were held, each segment where it is now; those of segments put back before this."""
        prefix = f"{prefix}.{self._name}"
        labels = held.get(f"{prefix}.labels")
        if labels is None or labels.dtype != np.uint8:
            return
        theirs = [tuple(one) if one else None for one in json.loads(labels.tobytes())]
        ours = {label: place for place, label in enumerate(self._labels()) if label is not None}
        moved = [(there, ours[label]) for there, label in enumerate(theirs) if label is not None and label in ours]
        panes = {
            name: _placed(array, moved, self._shape) if name.endswith(".panes") else array
            for name, array in held.items() if name.startswith(f"{prefix}.")
        }  # fmt: skip
        self._windows.put_back(panes, prefix, 0.0, wall_s)

    def _labels(self) -> Iterator[Segment | None]:
        """Of each place what divides the traffic and the value, empty ones of all; None of places that are not taken."""
        yield "", ""
        for way in self._ways:
            for label in way.labels:
                yield None if label is None else (way.said.name, label)

    # in

    def note(self, came: Came, start: int, rows: int) -> None:
        """Take what comes with the next so many rows of a batch, which are those of an exchange from `start` on."""
        at_s = came.wall_ns / 1e9
        for place, numbers in zip(self._of_traffic, came.values, strict=False):
            if len(numbers) > 1 or rows == 1:
                some: Sequence[float] = numbers[start : start + rows]
            else:  # of the request as a whole
                some = numbers if start == 0 else ()
            if some:
                self._noted.append(_Found(place, at_s, some, self._waiting))
        self._waiting += rows

    def alone(self, came: Came) -> None:
        """Take what comes with an exchange of which no row is counted elsewhere."""
        for place, numbers in zip(self._of_traffic, came.values, strict=False):
            if numbers:
                self._noted.append(_Found(place, came.wall_ns / 1e9, numbers, -1))
        if len(self._noted) >= _MOST_WAITING and not self._waiting:
            self.add(None)

    def add(self, batch: Batch | None) -> None:
        """Count what was noted; of no batch its segments are not known."""
        noted, self._noted, self._waiting = self._noted, [], 0
        if noted:
            segments = batch.segments if batch is not None else np.zeros((0, 0), np.uint8)
            self._count(noted, segments)

    def add_feedback(self, joined: Sequence[Joined]) -> None:
        """Count what truths say: by when they were predicted, and of the segments that they name."""
        if self._of_feedback is None:
            return
        places = self._segment_places()
        found, of = list[_Found](), list[list[int]]()
        for one in joined:
            extra = unpack(one.extra) if one.extra else None
            if extra is not None and extra.value is not None:
                found.append(_Found(self._of_feedback, one.at_ms / 1e3, (extra.value,), len(found)))
                of.append([places.get(name, -1) for name in extra.segments])
        if found:
            width = max(map(len, of))
            at = np.array([[*some, *[-1] * (width - len(some))] for some in of], np.int64)
            self._count(found, np.where(at < 0, UNKNOWN_SEGMENT, at - 1).astype(np.uint8))

    def _segment_places(self) -> dict[Segment, int]:
        return {label: place for place, label in enumerate(self._labels()) if place and label is not None}

    def _count(self, noted: Sequence[_Found], segments: NDArray[np.uint8]) -> None:
        """Add numbers to panes; `segments` of the rows that they are of, shape (rows, ways)."""
        sizes = [len(one.numbers) for one in noted]
        numbers = np.fromiter((number for one in noted for number in one.numbers), np.float64, sum(sizes))
        values = np.repeat([one.value for one in noted], sizes)
        at_s = np.repeat([one.at_s for one in noted], sizes)
        rows = np.concatenate([np.arange(one.first, one.first + len(one.numbers)) if one.first >= 0
                               else np.full(len(one.numbers), -1) for one in noted])  # fmt: skip
        there = ~np.isnan(numbers)
        words, values, rows = words_of(numbers[there]), values[there], rows[there]
        panes, pane = np.unique(at_s[there] // self._pane_s, return_inverse=True)
        for at, number in enumerate(panes.tolist()):
            some = pane == at
            total = self._total(words[some], values[some], rows[some], segments)
            self._windows.add(number * self._pane_s, total)

    def _total(
        self, words: NDArray[np.int64], values: NDArray[np.int64], rows: NDArray[np.int64], segments: NDArray[np.uint8]
    ) -> NDArray[np.int64]:
        total = np.zeros(self._shape, np.int64)
        np.add.at(total, (values, _WHOLE), words)
        known = (rows >= 0) & (rows < len(segments))
        for places in segments.T:
            place = np.full(rows.size, UNKNOWN_SEGMENT, np.int64)
            place[known] = places[rows[known]]
            own = place != UNKNOWN_SEGMENT
            np.add.at(total, (values[own], 1 + place[own]), words[own])
        return total

    # out

    def snapshot(self, wall_s: float) -> Iterator[Valued]:
        """Every value and segment that a window has rows of, at a Unix time."""
        labels = list(self._labels())
        for length in self._windows.lengths:
            total = self._windows.total(wall_s, length)
            for value, place in zip(*np.nonzero(total[:, :, 0]), strict=True):
                label = labels[place]
                if label is not None:
                    said = _told(total[value, place].tolist())
                    yield Valued(self._values[value].name, *label, format_duration(length), *said)


def words_of(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Each number in words that add up, shape (numbers, 9)."""
    whole = np.rint(numbers * _PARTS).astype(np.int64)
    high, low = whole >> _BITS, whole & _LOW
    found = [np.ones_like(whole), high, low]
    for product in (high * high, high * low, low * low):
        found += [product >> _BITS, product & _LOW]
    return np.stack(found, axis=-1)


def _told(words: Sequence[int]) -> tuple[int, float, float, float, float]:
    """Rows, sum, mean, and the interval that has the true mean 95 times of 100 (Student); NaN of a single row."""
    rows = words[0]
    whole, *products = ((high << _BITS) + low for high, low in zip(words[1::2], words[2::2], strict=True))
    squares = (products[0] << 2 * _BITS) + (products[1] << (_BITS + 1)) + products[2]
    total, mean = whole / _PARTS, whole / (rows * _PARTS)
    if rows < 2:
        return rows, total, mean, math.nan, math.nan
    spread = rows * squares - whole * whole
    """The variance times rows, rows - 1 and the square of the parts, without any loss."""
    error = math.sqrt(spread / (rows * rows * (rows - 1))) / _PARTS
    half = float(stdtrit(rows - 1, _CONFIDENCE)) * error
    return rows, total, mean, mean - half, mean + half


def _placed(panes: NDArray[Any], moved: Sequence[tuple[int, int]], shape: tuple[int, ...]) -> NDArray[Any]:
    """Panes whose segments are where they are now."""
    if panes.shape[1:] != shape:
        return panes  # of other values: nobody takes it
    found = np.zeros_like(panes)
    for there, here in moved:
        found[:, :, here] = panes[:, :, there]
    return found
