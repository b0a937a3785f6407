"""Cells on their way into bins, kept until many rows can be counted at once.

Numbers are packed where they come in, row behind row, as doubles: a request is one call, and nothing of its payload
stays alive. Missing is NaN there, and a wrong type infinite. Cells of other kinds wait in lists, one for each column.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.decode.turned import Row, Turned
from exporter.monitor import cells
from exporter.monitor.match import Fit
from exporter.records import Columns

_FEW: Final = 8
"""So few rows are cheaper counted as rows, even if they came as columns."""
Pick = Callable[[Row], Row]


class _Plan(NamedTuple):
    """Where tables that fit in one way have the profile's columns; None where they do not."""

    numbers: Sequence[int | None]
    others: Sequence[int | None]
    pick_numbers: Pick | None
    """The numbers of a row in the profile's order; None where the row is that as it is."""
    pick_others: Pick
    absent: NDArray[np.int64]
    """Places of the profile's fields that such tables do not have."""


class Taken(NamedTuple):
    """What had come in."""

    numbers: NDArray[np.float64]
    """Shape (rows, fields of numbers)."""
    others: list[list[object]]
    errors: NDArray[np.int64]
    """Wrong types by field of numbers."""
    vector_errors: NDArray[np.int64]
    """Rows by embedding in which one of its fields had a wrong type."""
    absent: NDArray[np.int64]
    """Rows of tables that do not have it, by field of the profile, as far as anybody reads one."""


class Intake:
    """Cells that wait."""

    __slots__ = (
        "_absent", "_errors", "_fit", "_number_places", "_other_places", "_others", "_packed", "_plan",
        "_vector_errors", "_vector_of", "rows",
    )  # fmt: skip

    def __init__(
        self, number_places: Sequence[int], other_places: Sequence[int], embeddings: Sequence[Sequence[int]]
    ) -> None:
        """Places of a profile's fields: of those that are numbers, of the others, and of each embedding's."""
        self._number_places = number_places
        self._other_places = other_places
        group = {place: number for number, places in enumerate(embeddings) for place in places}
        self._vector_of = np.array([group.get(place, -1) for place in number_places], np.int64)
        self._fit: Fit | None = None
        """How the last table fitted, for which `_plan` is: the next one mostly does so, too."""
        self._plan = self._make_plan([None] * (1 + max((*number_places, *other_places), default=0)), 0)
        self._packed: list[bytes | memoryview] = []
        self._others: list[list[object]] = [[] for _ in other_places]
        self._errors = np.zeros(len(number_places), np.int64)
        self._vector_errors = np.zeros(len(embeddings), np.int64)
        self._absent = np.zeros(1 + max((*number_places, *other_places), default=0), np.int64)
        self.rows = 0

    def add(self, fit: Fit, columns: Columns, start: int, stop: int) -> None:
        """Take the rows from `start` to `stop` of a table that fits."""
        if fit is not self._fit:
            self._plan, self._fit = self._make_plan(fit.places, len(columns)), fit
        plan = self._plan
        if isinstance(columns, Turned):
            rows = columns.rows if stop - start == len(columns.rows) else columns.rows[start:stop]
            if isinstance(rows, np.ndarray):
                self._add_array(plan, rows)
            else:
                self._add_rows(plan, rows)
        elif plan.pick_numbers is None and len(columns) == 1 and not self._others:
            self._pack(columns[0][start:stop])
        else:
            given = columns if stop - start == len(columns[0]) else [column[start:stop] for column in columns]
            if stop - start <= _FEW:
                self._add_rows(plan, list(zip(*given, strict=True)))
            else:
                self._add_columns(plan, given, stop - start)
        if plan.absent.size:
            self._absent[plan.absent] += stop - start
        self.rows += stop - start

    def _make_plan(self, places: Sequence[int | None], width: int) -> _Plan:
        numbers = [places[place] for place in self._number_places]
        others = [places[place] for place in self._other_places]
        pick = None if numbers == list(range(width)) else _picker(numbers, cells.NAN)
        read = (*self._number_places, *self._other_places)
        absent = np.array([place for place in read if places[place] is None], np.int64)
        return _Plan(numbers, others, pick, _picker(others, None), absent)

    def _add_rows(self, plan: _Plan, rows: Sequence[Row]) -> None:
        if self._number_places:
            pick = plan.pick_numbers
            if len(rows) == 1:
                found = rows[0] if pick is None else pick(rows[0])
            else:
                found = list(chain.from_iterable(rows if pick is None else map(pick, rows)))
            self._pack(found)
        if self._others:
            for waiting, column in zip(self._others, zip(*map(plan.pick_others, rows), strict=True), strict=True):
                waiting.extend(column)

    def _pack(self, found: Sequence[object]) -> None:
        """Numbers of the profile, row behind row."""
        packed, wrong = cells.numbers(found)
        self._packed.append(packed)
        if wrong:
            rows, at = np.divmod(np.array(wrong, np.int64), len(self._number_places))
            self._note(rows, at)

    def _note(self, rows: NDArray[np.int64], at: NDArray[np.int64]) -> None:
        """Count wrong types, by row and field of numbers; a vector is wrong once, however often it is."""
        np.add.at(self._errors, at, 1)
        vectors = self._vector_of[at]
        found = np.unique(rows[vectors >= 0] * self._vector_errors.size + vectors[vectors >= 0])
        np.add.at(self._vector_errors, found % max(self._vector_errors.size, 1), 1)

    def _add_columns(self, plan: _Plan, columns: Columns, rows: int) -> None:
        numbers = np.full((rows, len(plan.numbers)), np.nan)
        mistyped: list[tuple[Sequence[int], int]] = []
        for at, place in enumerate(plan.numbers):
            if place is not None:
                packed, wrong = cells.numbers(columns[place])
                numbers[:, at] = np.frombuffer(packed)
                mistyped += [(wrong, at)] if wrong else []
        self._packed.append(numbers.data)
        if mistyped:
            at_rows = np.concatenate([np.array(wrong, np.int64) for wrong, _ in mistyped])
            self._note(at_rows, np.repeat([at for _, at in mistyped], [len(wrong) for wrong, _ in mistyped]))
        absent = [None] * rows
        for waiting, place in zip(self._others, plan.others, strict=True):
            waiting.extend(absent if place is None else columns[place])

    def _add_array(self, plan: _Plan, rows: NDArray[Any]) -> None:
        with np.errstate(invalid="ignore"):  # a NaN that signals
            given = np.ascontiguousarray(rows, np.float64)
        numbers = given
        if plan.pick_numbers is not None:
            there = [(at, place) for at, place in enumerate(plan.numbers) if place is not None]
            numbers = np.full((len(rows), len(plan.numbers)), np.nan)
            numbers[:, [at for at, _ in there]] = given[:, [place for _, place in there]]
        self._packed.append(numbers.data)
        for waiting, place in zip(self._others, plan.others, strict=True):
            waiting.extend([None] * len(rows) if place is None else rows[:, place].tolist())

    def take(self) -> Taken:
        """All that waits; nothing does then."""
        numbers = np.frombuffer(b"".join(self._packed)).reshape(self.rows, len(self._number_places))
        taken = Taken(numbers, self._others, self._errors, self._vector_errors, self._absent)
        self._packed = []
        self._others = [[] for _ in self._other_places]
        self._errors = np.zeros_like(self._errors)
        self._vector_errors = np.zeros_like(self._vector_errors)
        self._absent = np.zeros_like(self._absent)
        self.rows = 0
        return taken


def _picker(places: Sequence[int | None], absent: object) -> Pick:
    """What takes cells out of a row, in the order of `places`."""
    if any(place is None for place in places):
        complete = _picker([-1 if place is None else place for place in places], absent)
        return lambda row: complete((*row, absent))
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[place] for place in places if place is not None)
