"""What is added up of predictions with their truths where there are many parts of the traffic: little for each.

As in `tally` all words are whole numbers, so that order and batches make no difference, and what they say of measures
is what `tally` says; there are fewer measures. Words are of each row: a part adds up its own. Of classes these are the
four outcomes of the positive one, or right and wrong ones, and the Brier score; of numbers errors, their sizes and
squares; of rankings hits and gains. At most 55 words of 64 bits.
"""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.fixed import Fixed
from exporter.performance.intervals import NONE, bounded, even_rows, plain, positive, share
from exporter.performance.moments import Scale, mean
from exporter.performance.ranked import gains, relevant_of
from exporter.performance.residuals import scale_of
from exporter.performance.scoring import losses
from exporter.performance.task import BINARY, MULTICLASS, RANKING, REGRESSION, Rows, Task
from exporter.performance.weighing import SQUARES, UNIT, WORDS, Batch, Weighed, batch, read, squares_of_each
from exporter.performed import Measure

LAYOUT: Final = 1
"""Changes with what words mean."""
_WRONG_FROM: Final = {BINARY: 2}
"""Cells from this one on are of wrong ones, else from 1."""
_TRUE_POSITIVE, _TRUE_NEGATIVE, _FALSE_POSITIVE, _FALSE_NEGATIVE, _OF_OTHERS = range(5)
"""Of two classes; the last is of wrong ones that neither said the positive class nor were it."""
_LOSSES: Final = Scale(Fixed(6, 3), Fixed(32, 5))
_GAINS: Final = Scale(Fixed(1, 3), Fixed(21, 4))
_EXACT: Final = Fixed(82, 5)
_ROUGH: Final = Fixed(182, 8)
_MOST: Final = 2.0**40
"""Units: errors that are larger count as this."""
_MEANS: Final = 3
"""Of numbers, with weights: e, |e|, e²; with their squares these and e⁴."""
Words = NDArray[np.int64]


class Parted(NamedTuple):
    """What the words of one part say."""

    rows: int
    """That could be judged."""
    wrong: int
    """Of classes those that were not right, of numbers those that were off by the edge or more, of rankings those with
    nothing relevant among the first."""
    measures: tuple[Measure, ...]


class PartTally:
    """Of one task."""

    def __init__(self, task: Task, edge: float = math.nan) -> None:
        """`edge` is an error of a number from which on it is wrong; NaN where nobody knows one."""
        self._task, self._edge = task, edge
        self._cells = 5 if task.kind == BINARY else 2
        self._first_wrong = _WRONG_FROM.get(task.kind, 1)
        self._scored = len(task.scores) == {BINARY: 1, MULTICLASS: len(task.classes)}.get(task.kind, 0) > 0
        self._counted = WORDS * self._cells
        self.size = self._counted + self._more
        """Words of each part."""

    @property
    def _more(self) -> int:
        if self._task.kind == REGRESSION:
            return _MEANS * _EXACT.words + (_MEANS + 1) * _ROUGH.words
        if self._task.kind == RANKING:
            return _GAINS.size
        return (WORDS + _LOSSES.size) * self._scored

    # in

    def of(self, rows: Rows) -> Words:
        """Words of each row, shape (rows, size); 0 of one that cannot be judged."""
        found = np.zeros((rows.rows, self.size), np.int64)
        given = batch(rows)
        known, cells = self._judged(given)
        places = np.flatnonzero(known)
        _count(found, places, cells[known], given.units, self._cells)
        if self._task.kind == REGRESSION:
            found[places, self._counted :] = self._errors(given.where(known))
        elif self._task.kind == RANKING:
            kept = given.where(known)
            found[places, self._counted :] = _of_each(_GAINS, gains(kept.true, self._task.ranks), kept)
        elif self._scored:
            self._score(found, given)
        return found

    def _judged(self, given: Batch) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Which rows can be judged, and the cell of each."""
        if self._task.kind == RANKING:
            known = np.asarray(np.isfinite(given.true).any(axis=1))
            hit = (relevant_of(given.true)[:, : self._task.ranks] > 0).any(axis=1)
            return known, np.where(hit, 0, 1).astype(np.intp)
        said, true = given.said[:, 0], given.true
        known = np.isfinite(said) & np.isfinite(true)
        if self._task.kind == REGRESSION:
            with np.errstate(invalid="ignore", over="ignore"):
                return known, (np.abs(said - true) >= self._edge).astype(np.intp)
        last = len(self._task.classes)
        answer, truth = (np.clip(np.nan_to_num(side), 0, last).astype(np.int64) for side in (said, true))
        if self._task.kind == MULTICLASS:
            return known, (answer != truth).astype(np.intp)
        wrong = np.select([answer == 1, truth == 1], [_FALSE_POSITIVE, _FALSE_NEGATIVE], _OF_OTHERS)
        right = np.where(truth == 1, _TRUE_POSITIVE, _TRUE_NEGATIVE)
        return known, np.where(answer == truth, right, wrong).astype(np.intp)

    def _errors(self, kept: Batch) -> Words:
        with np.errstate(over="ignore"):
            error = np.clip((kept.said[:, 0] - kept.true) / scale_of(self._task.unit), -_MOST, _MOST)
        square = error * error
        exact = _EXACT.weighed(np.stack((error, np.abs(error), square)), kept.units)
        rough = _ROUGH.limbs(np.stack((error, np.abs(error), square, square * square)) * kept.weight**2)
        return np.concatenate([part.reshape(part.shape[0] * part.shape[1], len(error)) for part in (exact, rough)]).T

    def _score(self, found: Words, given: Batch) -> None:
        known = np.isfinite(given.said[:, 1:]).all(axis=1) & np.isfinite(given.true)
        places, kept = np.flatnonzero(known), given.where(known)
        own = found[:, self._counted :]
        _count(own, places, np.zeros(places.size, np.intp), given.units, 1)
        _, brier = losses(kept, binary=self._task.kind == BINARY)
        own[places, WORDS:] = _of_each(_LOSSES, brier, kept)

    # out

    def read(self, words: Words, dependence: float = 1.0) -> Parted:
        """What the words of one part say, shape (size,); so many rows are worth one independent row."""
        cells = read(words[: self._counted], (self._cells,))
        more = words[self._counted :]
        wrong = int(cells.rows[self._first_wrong :].sum())
        return Parted(int(cells.rows.sum()), wrong, tuple(self._measures(cells, more, dependence)))

    def _measures(self, cells: Weighed, more: Words, dependence: float) -> Iterator[Measure]:
        if self._task.kind == REGRESSION:
            yield from self._of_numbers(cells.sum(), more, dependence)
            return
        right, everything = cells.at(slice(0, self._first_wrong)).sum(), cells.sum()
        value, interval = share(right, everything, dependence)
        if self._task.kind == RANKING:
            yield Measure("hit_rate", value, *interval)
            (gain,) = _GAINS.read(more, everything)
            rows = even_rows(everything) / dependence
            yield Measure("ndcg", gain.value, *bounded(gain.value, gain.variance * dependence, rows))
            return
        yield Measure("accuracy", value, *interval)
        if self._task.kind == BINARY:
            yield _of_positive("precision", cells, _FALSE_POSITIVE, dependence)
            yield _of_positive("recall", cells, _FALSE_NEGATIVE, dependence)
        if self._scored:
            (loss,) = _LOSSES.read(more[WORDS:], read(more[:WORDS], (1,)).at(0))
            yield Measure("brier", loss.value, *positive(loss.value, loss.variance * dependence))

    def _of_numbers(self, rows: Weighed, more: Words, dependence: float) -> Iterator[Measure]:
        scale, cut = scale_of(self._task.unit), _MEANS * _EXACT.words
        weight = float(rows.weight)
        if weight <= 0:
            return
        error, size, square = (_EXACT.read(more[:cut].reshape(_EXACT.words, -1)) / UNIT / weight).tolist()
        crossed = _ROUGH.read(more[cut:].reshape(_ROUGH.words, -1)).tolist()

        def variance(value: float, once: int, twice: int) -> float:
            return mean(value * weight, crossed[once], crossed[twice], rows).variance * dependence

        yield Measure("mae", size * scale, *positive(size, variance(size, 1, 2)).times(scale))
        lower, upper = map(math.sqrt, positive(square, variance(square, 2, 3)))
        yield Measure("rmse", math.sqrt(square) * scale, lower * scale, upper * scale)
        yield Measure("bias", error * scale, *plain(error, variance(error, 0, 2)).times(scale))


def by_part(words: Words, places: NDArray[np.uint8], parts: int) -> Words:
    """Sums of the words of rows by their part, shape (parts, size); `places` beyond the last part are nobody's."""
    found = np.zeros((parts, words.shape[1]), np.int64)
    order = np.argsort(places, kind="stable")
    own, starts = np.unique(places[order], return_index=True)
    if own.size:
        sums = np.add.reduceat(words[order], starts, axis=0)
        found[own[own < parts]] = sums[own < parts]
    return found


def _of_positive(name: str, cells: Weighed, beside: int, dependence: float) -> Measure:
    """Precision or recall of the positive class: `beside` are those that it lacks or has too many."""
    there = cells.rows[[_TRUE_POSITIVE, _FALSE_POSITIVE, _FALSE_NEGATIVE]].sum()
    value, interval = share(cells.at(_TRUE_POSITIVE), cells.at([_TRUE_POSITIVE, beside]).sum(), dependence)
    if math.isnan(value) and there:
        return Measure(name, 0.0, *NONE)
    return Measure(name, value, *interval)


def _count(found: Words, places: NDArray[np.intp], cells: NDArray[np.intp], units: Words, size: int) -> None:
    """Put into rows at `places` how many, how heavy, and the square of that, each in its cell of `size`."""
    found[places, cells] = 1
    found[places, size + cells] = units[places]
    for at, part in enumerate(squares_of_each(units[places])):
        found[places, (WORDS - SQUARES + at) * size + cells] = part


def _of_each(scale: Scale, numbers: NDArray[np.float64], kept: Batch) -> Words:
    """As `Scale.of`, of each row: shape (rows, size)."""
    crossed = kept.weight**2 * numbers
    parts = scale.exact.weighed(numbers, kept.units), scale.rough.limbs(crossed), scale.rough.limbs(crossed * numbers)
    return np.concatenate(parts).T
