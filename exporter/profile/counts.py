"""Joint counts of one column: with the hours of a week, with hours and minutes, with answers and with segments."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporter.calibration.dependence import dependence
from exporter.calibration.wander import wander
from exporter.profile.calendar import MINUTES
from exporter.profile.keys import Bins, Moments, Output, Slice, Times
from exporter.reference import HOURS, Association

_ARRAYS = ("week", "hours", "minutes", "answers", "sums", "segments")
_SPARSE = 8


class JointCounts:
    """Of one column. They can be pickled, and merged with others of the same column."""

    def __init__(self, bins: int, times: Times | None, outputs: int, segments: int = 0) -> None:
        self.bins = bins
        hours, paned = (times.hours, times.paned) if times else (0, 0)
        self.week = np.zeros((HOURS if times else 0, bins), np.int64)
        self.hours = np.zeros((hours, bins), np.int32)
        self.minutes = np.zeros((paned * MINUTES, bins), np.int32)
        self.answers = np.zeros((outputs, bins), np.int64)
        self.sums = np.zeros((outputs, bins), np.int64)
        self.segments = np.zeros((segments, bins), np.int64)

    def add(self, bins: Bins, keys: Slice) -> None:
        """Count some rows, no more than 2^16."""
        for counts, moments in ((self.week, keys.week), (self.hours, keys.hours), (self.minutes, keys.minutes)):
            if moments is not None:
                self._count(counts, bins, moments)
        for moments in keys.segments:
            self._count(self.segments, bins, moments)
        for output, (rows, words) in enumerate(keys.answers[: len(self.answers)]):
            held = bins if rows is None else bins[rows]
            self.answers[output] += np.bincount(held, minlength=self.bins)
            self.sums[output] += np.bincount(held, words, self.bins).astype(np.int64)

    def _count(self, counts: NDArray[Any], bins: Bins, moments: Moments) -> None:
        held = bins if moments.rows is None else bins[moments.rows]
        places = moments.places * self.bins + held
        if places.size * _SPARSE < counts.size:
            np.add.at(counts.ravel(), places, 1)  # a view, as all of these lie in one piece
        else:
            counts += np.bincount(places, minlength=counts.size).reshape(counts.shape).astype(counts.dtype)

    def merge(self, other: "JointCounts") -> None:
        """Add all that another one holds."""
        for name in _ARRAYS:
            getattr(self, name).__iadd__(getattr(other, name))

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled: the few counts that are not 0."""
        return {name: _packed(value) if name in _ARRAYS else value for name, value in vars(self).items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, _unpacked(*value) if name in _ARRAYS else value)

    # the end

    def table(self) -> tuple[tuple[int, ...], ...]:
        """Rows per bin in each hour of a week; empty without a column of time."""
        return tuple(map(tuple, self.week.tolist()))

    def segmented(self, start: int, end: int) -> tuple[tuple[int, ...], ...]:
        """Rows per bin in each of some segments."""
        return tuple(map(tuple, self.segments[start:end].tolist()))

    def noise(self) -> tuple[float | None, float | None]:
        """The dependence factor and the natural wander; None without a column of time."""
        if not self.hours.size:
            return None, None
        factor = dependence(self.minutes.reshape(-1, MINUTES, self.bins).astype(np.int64))
        return factor, wander(self.hours.astype(np.int64), factor)

    def associations(self, outputs: list[Output]) -> tuple[Association, ...]:
        """With each of the outputs."""
        return tuple(
            Association(one.column.name, tuple(counts), tuple(map(one.mean, sums, counts)))
            for one, counts, sums in zip(outputs, self.answers.tolist(), self.sums.tolist(), strict=False)
        )


def _packed(array: NDArray[Any]) -> tuple[tuple[int, ...], NDArray[np.int64], NDArray[Any]]:
    places = np.flatnonzero(array)
    return array.shape, places, array.ravel()[places]


def _unpacked(shape: tuple[int, ...], places: NDArray[np.int64], values: NDArray[Any]) -> NDArray[Any]:
    array = np.zeros(shape, values.dtype)
    array.ravel()[places] = values
    return array
