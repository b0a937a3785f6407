"""Rows of one side on their way into what is counted: binned once, looked at by every part that counts."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.override import Override
from exporter.reference import Column, Unusual
from exporter.sections import Windows

NO_HEADERS: Final[Mapping[str, str]] = {}
NO_NUMBERS: NDArray[np.float64] = np.zeros((0, 0))
NO_SEGMENTS: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)
UNKNOWN_SEGMENT: Final = 255
"""Of an answer whose request nobody could read."""


class Batch(NamedTuple):
    """At most some thousands of rows that came within one pane."""

    at: float
    """When, seconds on the clock of the exchanges."""
    bins: NDArray[np.uint8]
    """The bin of every value, shape (rows, columns). Those of a column that nobody can read mean nothing."""
    numbers: NDArray[np.float64]
    """Values of the ordered columns, in their order, shape (rows, ordered columns): NaN is missing, an infinity not
    finite or of a wrong type."""
    names: Mapping[int, Sequence[str | None]]
    """Values of the other columns by place, a name for each row; None is missing."""
    mistyped: NDArray[np.int64]
    """Values of a type that does not fit, by column."""
    absent: NDArray[np.int64]
    """Rows of payloads that do not have the field at all, by column; the value is missing there."""
    segments: NDArray[np.uint8] = NO_SEGMENTS
    """The segment of every row in each way that the operator divides traffic, shape (rows, ways); empty where in none.

    All ways number their segments on: no two have one of the same number.
    """

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.bins)

    def picked(self, rows: NDArray[np.int64]) -> "Batch":
        """Some of the rows, by place and in that order; `mistyped` and `absent` stay those of all."""
        names = {place: [column[row] for row in rows.tolist()] for place, column in self.names.items()}
        segments = self.segments[rows] if self.segments.size else self.segments
        return self._replace(bins=self.bins[rows], numbers=self.numbers[rows], names=names, segments=segments)


class Came(NamedTuple):
    """What comes with the rows of one exchange."""

    at: float
    """When, seconds on the clock of the exchanges."""
    headers: Mapping[str, str] = NO_HEADERS
    """The request's."""
    wall_ns: int = 0
    """The same moment, Unix time."""
    request_id: str = ""
    row_ids: tuple[str, ...] = ()
    """Of each row that has one of its own, empty strings for the others; or nothing."""
    values: tuple[tuple[float, ...], ...] = ()
    """Business values, as of `Observation`; nothing of a request that was not answered well."""


class Run(NamedTuple):
    """Rows that lie one behind the other on both sides."""

    asked: int
    answered: int
    rows: int


def by_request(runs: Sequence[Run], answers: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Places of rows of the request in some runs, those of their answers, and those of the answers that are in none."""
    ours, theirs = (
        np.concatenate([np.arange(run[side], run[side] + run.rows) for run in runs] or [np.zeros(0, np.int64)])
        for side in (0, 1)
    )
    return ours, theirs, np.setdiff1d(np.arange(answers), theirs, assume_unique=True)


class Paired(NamedTuple):
    """Rows of which both sides are known: what was asked and what was answered, row by row."""

    features: Batch
    outputs: Batch


class Scope(NamedTuple):
    """Whatever counts the rows of one side must know of it."""

    columns: tuple[Column, ...]
    readable: NDArray[np.bool_]
    """Columns of which anything is counted: the salt of the others is not known."""
    said: Sequence[Override]
    """What people say of each column, categories by the names that they have here."""
    windows: Windows
    asked: bool
    """Whether they are the features, and not the outputs."""
    unusual: Unusual | None = None
    """From where on a row is unusual, where the profile says it."""
