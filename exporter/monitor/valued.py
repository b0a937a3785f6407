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
import scipy
from numpy.typing import NDArray

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
"""Rows; the value's halves; both halves of the upper one's square, of their product, and of the lower one's square."""
_PANES: Final = 30
"""Of a window."""
_WHOLE: Final = 0
"""The place of all rows; behind it are the segments."""
_CONFIDENCE: Final = 0.975
_MOST_WAITING: Final = 1 << 12
_ALONE: Final = 2
_NO_SEGMENTS: Final[NDArray[np.uint8]] = np.zeros((0, 0), np.uint8)
Arrays = Mapping[str, NDArray[Any]]
Segment = tuple[str, str]


class _Found(NamedTuple):
    """Some numbers of one value that came together."""

    value: int
    """Its place among all."""
    at_s: float
    numbers: Sequence[float]
    first: int
    """The row of its batch that the first one is of."""


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
        self._newest = np.zeros(1, np.int64)
        """The highest number of the joined ones that the windows have."""
        self._noted: tuple[list[_Found], ...] = ([], [], [])
        """By the batch that they are of: see `note`."""
        self._waiting = [0, 0]
        """Rows of both batches that are noted."""

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; names carry what the values are, and those of segments are the profile's."""
        prefix = f"{prefix}.{self._name}"
        return {f"{prefix}.newest": self._newest, **self._windows.arrays(prefix)}

    @property
    def _name(self) -> str:
        return "-".join(one.name for one in self._values) + f".{self._shape[1]}"

    def held(self, prefix: str, wall_s: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at a Unix time, and whose segments they are."""
        prefix = f"{prefix}.{self._name}"
        labels = json.dumps(list(self._labels())).encode()
        yield f"{prefix}.labels", np.frombuffer(labels, np.uint8).copy()
        yield f"{prefix}.newest", self._newest.copy()
        yield from self._windows.held(prefix, wall_s).items()

    def put_back(self, held: Arrays, prefix: str, wall_s: float) -> None:
        """Go on with windows that were held, each segment where it is now; those of segments put back before this."""
        prefix = f"{prefix}.{self._name}"
        labels, newest = held.get(f"{prefix}.labels"), held.get(f"{prefix}.newest")
        if labels is None or newest is None or newest.shape != (1,) or self._newest[0]:
            return
        self._newest[0] = newest[0]
        theirs = [tuple(one) if one else None for one in json.loads(labels.tobytes())]
        ours = {label: place for place, label in enumerate(self._labels()) if label is not None}
        moved = [(there, ours[label]) for there, label in enumerate(theirs) if label is not None and label in ours]
        panes = {
            name: _placed(array, moved, self._shape) if name.endswith(".panes") else array
            for name, array in held.items() if name.startswith(f"{prefix}.")
        }  # fmt: skip
        self._windows.put_back(panes, prefix, 0.0, wall_s)

    def _labels(self) -> Iterator[Segment | None]:
        """Of each place what divides the traffic, and the value; empty ones of all, None of a place not taken."""
        yield "", ""
        for way in self._ways:
            for label in way.labels:
                yield None if label is None else (way.said.name, label)

    # in

    def note(self, came: Came, rows: slice, side: int) -> None:
        """Take what comes with some rows of an exchange, which are the next ones of a batch: see `add`."""
        at_s, count = came.wall_ns / 1e9, rows.stop - rows.start
        for place, numbers in zip(self._of_traffic, came.values, strict=False):
            if len(numbers) > 1:
                some: Sequence[float] = numbers[rows]
            else:  # of the request as a whole
                some = () if rows.start else numbers
            if some:
                self._noted[side].append(_Found(place, at_s, some, self._waiting[side]))
        self._waiting[side] += count

    def alone(self, came: Came) -> None:
        """Take what comes with an exchange of which no row is in a batch."""
        for place, numbers in zip(self._of_traffic, came.values, strict=False):
            if numbers:
                self._noted[_ALONE].append(_Found(place, came.wall_ns / 1e9, numbers, 0))
        if len(self._noted[_ALONE]) >= _MOST_WAITING:
            self._count(self._noted[_ALONE], _NO_SEGMENTS)
            self._noted[_ALONE].clear()

    def add(self, asked: Batch | None, answered: Batch | None) -> None:
        """Count what was noted, of requests (side 0), of answers (1), and alone."""
        sides = (asked.segments if asked else _NO_SEGMENTS, answered.segments if answered else _NO_SEGMENTS)
        for noted, segments in zip(self._noted, (*sides, _NO_SEGMENTS), strict=True):
            if noted:
                self._count(noted, segments)
                noted.clear()
        self._waiting = [0, 0]

    def add_again(self, joined: Sequence[Joined], wall_s: float) -> None:
        """Count those of earlier runs that the windows do not have, as `add_feedback` does."""
        self.add_feedback([one for one in joined if one.number > self._newest[0]], wall_s)

    def add_feedback(self, joined: Sequence[Joined], wall_s: float) -> None:
        """Count what truths say, of the segments that they name, by when was predicted and not after a Unix time.

        They come in the order of their numbers.
        """
        if self._of_feedback is None or not joined:
            return
        self._newest[0] = max(int(self._newest[0]), joined[-1].number)
        places = self._segment_places()
        found, of = list[_Found](), list[list[int]]()
        for one in joined:
            extra = unpack(one.extra) if one.extra else None
            if extra is not None and extra.value is not None:
                found.append(_Found(self._of_feedback, min(one.at_ms / 1e3, wall_s), (extra.value,), len(found)))
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
        rows = np.concatenate([np.arange(one.first, one.first + size) for one, size in zip(noted, sizes, strict=True)])
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
        np.add.at(total, (values, np.full(values.size, _WHOLE)), words)
        there = rows < len(segments)
        for places in segments.T:
            place = np.full(rows.size, UNKNOWN_SEGMENT, np.int64)
            place[there] = places[rows[there]]
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
                    words = total[value, place].tolist()
                    name, window = self._values[value].name, format_duration(length)
                    yield Valued(name, label[0], label[1], window, words[0], *_told(words))


def words_of(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Each number in words that add up, shape (numbers, 9)."""
    whole = np.rint(numbers * _PARTS).astype(np.int64)
    high, low = whole >> _BITS, whole & _LOW
    found = [np.ones_like(whole), high, low]
    for product in (high * high, high * low, low * low):
        found += [product >> _BITS, product & _LOW]
    return np.stack(found, axis=-1)


def _told(words: Sequence[int]) -> tuple[float, float, float, float]:
    """Sum, mean, and the interval that has the true mean 95 times of 100 (Student); NaN of a single row."""
    rows = words[0]
    whole, *products = ((high << _BITS) + low for high, low in zip(words[1::2], words[2::2], strict=True))
    squares = (products[0] << 2 * _BITS) + (products[1] << (_BITS + 1)) + products[2]
    total, mean = whole / _PARTS, whole / (rows * _PARTS)
    if rows < 2:
        return total, mean, math.nan, math.nan
    spread = rows * squares - whole * whole
    """The variance times rows, rows - 1 and the square of the parts, without any loss."""
    error = math.sqrt(spread / (rows * rows * (rows - 1))) / _PARTS
    half = float(scipy.special.stdtrit(rows - 1, _CONFIDENCE)) * error
    return total, mean, mean - half, mean + half


def _placed(panes: NDArray[Any], moved: Sequence[tuple[int, int]], shape: tuple[int, ...]) -> NDArray[Any]:
    """Panes whose segments are where they are now."""
    if panes.shape[1:] != shape:
        return panes  # of other values: nobody takes it
    found = np.zeros_like(panes)
    for there, here in moved:
        found[:, :, here] = panes[:, :, there]
    return found


def valuing(
    values: Sequence[BusinessValue], ways: Sequence[Way], lengths: tuple[float, ...], pane_s: float
) -> Valuing | None:  # fmt: skip
    """None where nobody looks for any."""
    return Valuing(values, ways, lengths, pane_s) if values else None
