"""Runs of equal values, of many columns at once, from batch to batch.

What is not there neither ends a run nor lengthens it: a sensor that is stuck and fails now and then is stuck still.
"""

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

_Value = TypeVar("_Value", np.float64, np.int64)
Lengths = NDArray[np.int64]


class Runs(Generic[_Value]):
    """The run that each column is in. Two arrays of shape (columns,), to be kept by whoever wants it to go on."""

    __slots__ = ("last", "lengths")

    def __init__(self, columns: int, of: type[_Value]) -> None:
        """`of` is the type of the values."""
        self.last: NDArray[_Value] = np.zeros(columns, of)
        """The last value of each that was there."""
        self.lengths: Lengths = np.zeros(columns, np.int64)
        """How often it has come in a row; 0 before the first."""

    def add(self, values: NDArray[_Value], present: NDArray[np.bool_]) -> Lengths:
        """Add values of shape (rows, columns), at least one row: how long runs have been among them, at their longest.

        A run counts with all that it had before; of a column without a value it is 0.
        """
        longest = np.zeros_like(self.lengths)
        whole = present.all(axis=0)
        alone = whole & ~(values[1:] == values[:-1]).any(axis=0)
        alone &= (values[0] != self.last) | (self.lengths == 0)
        longest[alone] = self.lengths[alone] = 1  # no two are equal: most columns of measured numbers
        self.last[alone] = values[-1, alone]
        others = np.flatnonzero(present.any(axis=0) & ~alone)
        if others.size:
            longest[others] = self._measure(others, values[:, others].T, present[:, others].T)
        return longest

    def _measure(self, columns: NDArray[np.intp], values: NDArray[_Value], present: NDArray[np.bool_]) -> Lengths:
        """As `add`, of values of shape (columns, rows), at least one of each column being there."""
        there = values[present]
        ends = present.sum(axis=1).cumsum()
        firsts = np.concatenate(([0], ends[:-1]))
        begins = np.ones(there.size, bool)
        np.not_equal(there[1:], there[:-1], out=begins[1:])
        begins[firsts] = True
        starts = np.flatnonzero(begins)
        lengths = np.diff(starts, append=there.size)
        first_runs = np.searchsorted(starts, firsts)
        lengths[first_runs] += np.where(there[firsts] == self.last[columns], self.lengths[columns], 0)
        self.last[columns] = there[ends - 1]
        self.lengths[columns] = lengths[np.append(first_runs[1:], lengths.size) - 1]
        return np.maximum.reduceat(lengths, first_runs)
