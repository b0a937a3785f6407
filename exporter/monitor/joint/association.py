"""What the model answers where a feature's value is in a bin, against what it answered there in the training data.

Finds what leaves every column as it was: two features swapped on their way, one that comes from another row, a model
that has lost one of its inputs. Counted are, by bin, the rows with an answer, the sum of their answers and that of the
squares, in whole numbers, so that no order shows.

Only long windows have it, those of an hour or longer where panes are a minute wide (the longest where none is): means
take rows. Each has a ring of its own of twelve panes, so its beginning may be a twelfth late. Memory: 288 bytes for
each bin, output and window; of 100 numeric features, one output and two windows some 0.9 MB.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.drift import association
from exporter.drift.association import Answers, Features
from exporter.monitor.batch import Batch, Paired, Scope
from exporter.profile.keys import WORD, Output
from exporter.profile.placing import Placed
from exporter.reference import Association, Column
from exporter.sections import Windows as WindowSettings
from exporter.sketch.coarse import CoarseWindows
from exporter.sketch.window import Arrays
from exporter.snapshots import Listed
from exporter.values import format_duration

SHIFT: Final = "association_shift"
CRITICAL: Final = "association_shift_critical"
_LEAST_PANES: Final = 60
_PANES: Final = 12
_ROWS, _SUM, _SQUARES = range(3)
_SQUARE: Final = float(1 << 16)
"""Units of a squared standard deviation: 2^27 of the wildest answers fit 64 bits, and a batch of them a float."""
_IN_CACHE: Final = 1 << 14
"""Values that are worked on together."""


class _Answer(NamedTuple):
    """An output, and what the training data say of it."""

    place: int
    """Among the columns of its side, and among the ordered ones of them."""
    at: int
    output: Output
    scale: float
    """Its standard deviation in the words' unit."""
    reference: Answers
    least: NDArray[np.float64]
    """The reference's variance within bins, by feature; of numbers alone."""
    features: Features

    def words(self, batch: Batch) -> NDArray[np.float64]:
        """Answers in whole numbers, NaN where there is none; shape (rows,)."""
        bins = batch.bins[:, self.place].astype(np.int64)
        return self.output.words(Placed(bins, batch.numbers[:, self.at] if self.output.column.ordered else None))


class Associations:
    """Of all features that are counted with outputs in the training data."""

    def __init__(self, features: Scope, outputs: Scope, places: list[int], named: list[str]) -> None:
        """`places` of the features, and the outputs' names."""
        columns = [features.columns[place] for place in places]
        self._places = np.array(places, np.int64)
        self._readable = features.readable[self._places]
        self._minimum = features.windows.minimum_samples
        widths = np.array([len(column.counts) for column in columns], np.int64)
        self._starts = np.concatenate(([0], widths.cumsum()[:-1])).astype(np.int64)
        self._answers = [_answer(outputs, name, columns, self._starts) for name in named]
        said = {column.name: rule for column, rule in zip(outputs.columns, outputs.said, strict=True)}
        self._ignored = [said[name].ignore for name in named]
        self._cells = int(widths.sum())
        shape = (len(named), 3, self._cells)
        windows = features.windows
        self._windows = CoarseWindows(tuple(_lengths(windows)), windows.pane, _PANES, shape, np.int64)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return self._windows.arrays(prefix)

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`."""
        return self._windows.held(prefix, now)

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> None:
        """Go on with what was held."""
        self._windows.put_back(held, prefix, shift_s, now)

    # in

    def add(self, rows: Paired) -> None:
        """Count rows."""
        cells = rows.features.bins[:, self._places]
        found = np.stack([self._counted(cells, one.words(rows.outputs), one.output) for one in self._answers])
        self._windows.add(rows.features.at, found)

    def _counted(self, bins: NDArray[np.uint8], words: NDArray[np.float64], output: Output) -> NDArray[np.int64]:
        """Of one output, shape (3, cells)."""
        there = ~np.isnan(words)
        if not there.all():
            bins, words = bins[there], words[there]
        total = np.zeros((3, self._cells), np.int64)
        squares = None if output.indicator else np.rint((words / WORD) ** 2 * _SQUARE)
        columns = bins.shape[1]
        step = max(1, _IN_CACHE // columns)
        for start in range(0, len(bins), step):
            part = slice(start, start + step)
            cells = (bins[part] + self._starts).ravel()
            total[_ROWS] += np.bincount(cells, minlength=self._cells)
            for which, numbers in ((_SUM, words), (_SQUARES, squares)):
                if numbers is not None:
                    sums = np.bincount(cells, np.repeat(numbers[part], columns), self._cells)
                    total[which] += sums.astype(np.int64)
        return total

    # out

    def snapshot(self, now: float) -> Iterator[Listed]:
        """Scores and critical values, of windows that hold enough rows of which both sides are known."""
        for length in self._windows.lengths:
            counts = self._windows.total(now, length)
            for one, ignored, of_output in zip(self._answers, self._ignored, counts, strict=True):
                if not ignored:
                    yield from self._told(one, of_output, format_duration(length))

    def _told(self, one: _Answer, counts: NDArray[np.int64], window: str) -> Iterator[Listed]:
        enough = np.add.reduceat(counts[_ROWS], self._starts) >= self._minimum
        if not enough.any():
            return
        found = self._shift(one, counts)
        for at in np.flatnonzero(enough & self._readable & ~np.isnan(found.score)).tolist():
            place, labels = int(self._places[at]), (one.output.column.name, window)
            yield Listed(SHIFT, place, labels, float(found.score[at]))
            yield Listed(CRITICAL, place, labels, float(found.critical[at]))

    def _shift(self, one: _Answer, counts: NDArray[np.int64]) -> association.Shift:
        rows = counts[_ROWS].astype(float)
        word = 1.0 if one.output.indicator else WORD
        live = Answers(rows, counts[_SUM] / np.maximum(rows, 1) / word / one.scale)
        if one.output.indicator:
            variance = association.of_truth(live, one.reference, one.scale)
        else:
            variance = association.of_numbers(live, counts[_SQUARES] / _SQUARE, self._starts, one.least)
        return association.shift(live, one.reference, variance, one.features)


def _lengths(windows: WindowSettings) -> list[float]:
    long = [length for length in windows.lengths if length >= _LEAST_PANES * windows.pane * (1 - 1e-9)]
    return long or [max(windows.lengths)]


def _answer(outputs: Scope, name: str, features: list[Column], starts: NDArray[np.int64]) -> _Answer:
    place = next(at for at, column in enumerate(outputs.columns) if column.name == name)
    output = Output(outputs.columns[place])
    known = [_known(column, name) for column in features]
    rows, means = (np.concatenate([getattr(one, word) for one in known]).astype(float) for word in ("counts", "means"))
    scale = 1.0
    if output.indicator:
        share = float(rows @ means / max(rows.sum(), 1.0))
        scale = float(np.sqrt(share * (1 - share))) if 0 < share < 1 else 1.0
    else:
        means = (means - output.column.mean) / output.unit
    reference = Answers(rows, means / scale)
    least = association.within(reference, starts, (output.column.sd / output.unit) ** 2)
    dependence = [max(column.dependence or 1.0, output.column.dependence or 1.0) for column in features]
    return _Answer(
        place, sum(column.ordered for column in outputs.columns[:place]), output, scale,
        reference, least, Features(starts, np.array(dependence)),
    )  # fmt: skip


def _known(column: Column, output: str) -> Association:
    """No rows where nothing was counted."""
    nothing = (0,) * len(column.counts)
    return next((one for one in column.association if one.output == output), Association(output, nothing, nothing))


def made(features: Scope, outputs: Scope) -> Associations | None:
    """None where the profile was made without, or nothing of it can be read here."""
    readable = {column.name for column, fine in zip(outputs.columns, outputs.readable, strict=True) if fine}
    places = [place for place, column in enumerate(features.columns) if column.association]
    known = {one.output for place in places for one in features.columns[place].association} & readable
    if not known or not features.windows.lengths:
        return None
    return Associations(features, outputs, places, [column.name for column in outputs.columns if column.name in known])
