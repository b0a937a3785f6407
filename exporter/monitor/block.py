"""The columns of one side, features or outputs: cells in, bins counted, scores out."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.findings import MatchCounts
from exporter.monitor import cells
from exporter.monitor.intake import Intake
from exporter.monitor.match import Fit, Matcher
from exporter.monitor.outside import Outside
from exporter.monitor.reading import Reading
from exporter.monitor.scoring import Scoring
from exporter.override import NOTHING, Override
from exporter.records import Table
from exporter.reference import OUT_OF_RANGE, QUALITY, Column, Side
from exporter.scalars.salted import Salt
from exporter.sections import Windows as WindowSettings
from exporter.sketch.binning import CategoryBins, NumberBins
from exporter.sketch.moments import WORDS, in_sd, sums
from exporter.sketch.window import Arrays, Windows
from exporter.snapshots import BlockSnapshot, ColumnTotals, Scores
from exporter.values import format_duration

_MOST_PENDING_CELLS: Final = 1 << 18
_MOST_PENDING_ROWS: Final = 4096


class Block:
    """Some columns of a profile, and the values they had since."""

    def __init__(
        self, side: Side, windows: WindowSettings, salt: Salt | None = None, *,
        by_name: bool, said: Sequence[Override] = (),
    ) -> None:  # fmt: skip
        """`by_name` says whether a lone field must have its name, too; `salt` is that of hashed categories.

        `said` is what people say of each column.
        """
        columns = side.columns
        self._columns = columns
        self._by_name = by_name or len(side.fields) > 1
        self._said = tuple(said) or (NOTHING,) * len(columns)
        self._matcher = Matcher(side, frozenset(at for at, rule in enumerate(self._said) if rule.ignore))
        self._reading = Reading(side, salt)
        self._outside = Outside(self._reading.spelled(self._said), windows)
        self._minimum_samples = windows.minimum_samples
        self._pane_s = windows.pane
        self._ordered = np.array([column.ordered for column in columns])
        self._numeric = np.flatnonzero(self._ordered)
        self._number_bins = NumberBins([columns[place].edges for place in self._numeric])
        self._category_bins = {
            place: CategoryBins(column.categories, column.others)
            for place, column in enumerate(columns) if not column.ordered
        }  # fmt: skip
        self._mean = np.array([columns[place].mean for place in self._numeric])
        self._sd = np.array([columns[place].sd or np.nan for place in self._numeric])
        self._bins = max(len(column.counts) for column in columns)
        self._quality = _quality_bins(columns, self._bins)
        self._scoring = Scoring(columns, windows.scores)
        shape = (len(columns), self._bins)
        self.totals = np.zeros(shape, np.int64)
        """Counts since start, shape (columns, bins)."""
        self._match = np.zeros(4, np.int64)
        self._noted, self._notes = self._matcher.bare(len(side.fields)), 0
        """How the last payload fitted, and how many did so in a row that are not in `_match` yet."""
        self._type_errors = np.zeros(len(columns), np.int64)
        self._counts = Windows(windows.lengths, windows.pane, shape, np.int32)
        self._deviations = Windows(windows.lengths, windows.pane, (len(columns), WORDS), np.int64)
        self._intake = Intake(self._reading.number_places, self._reading.other_places, self._reading.embeddings)
        self._most_pending = max(16, min(_MOST_PENDING_ROWS, _MOST_PENDING_CELLS // len(side.fields)))
        self._pending_at = self._pending_pane = 0.0

    @property
    def unreadable(self) -> int:
        """Columns that cannot be read for want of a salt: nothing in them is counted."""
        return len(self._reading.unreadable)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return {
            f"{prefix}.totals": self.totals,
            f"{prefix}.type_errors": self._type_errors,
            f"{prefix}.match": self._match,
            **self._counts.arrays(f"{prefix}.counts"),
            **self._deviations.arrays(f"{prefix}.deviations"),
            **self._outside.arrays(f"{prefix}.outside"),
        }

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`, to be kept for another time. Counts since start are not in it."""
        held = self._counts.held(f"{prefix}.counts", now) | self._deviations.held(f"{prefix}.deviations", now)
        return held | self._outside.held(f"{prefix}.outside", now)

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> int:
        """Go on with windows that were held when the clock showed `shift_s` less: how many panes there were."""
        self._deviations.put_back(held, f"{prefix}.deviations", shift_s, now)
        self._outside.put_back(held, f"{prefix}.outside", shift_s, now)
        return self._counts.put_back(held, f"{prefix}.counts", shift_s, now)

    # in

    def fit(self, table: Table) -> Fit:
        """How a table's columns are the profile's."""
        if table.names is None or self._lone(table.names):
            return self._matcher.bare(len(table.columns))
        return self._matcher.named(table.names)

    def note(self, fit: Fit) -> None:
        """Count how a payload fits."""
        if fit is not self._noted:  # the next one is mostly alike
            self._write_notes()
            self._noted = fit
        self._notes += 1

    def _write_notes(self) -> None:
        fit, times = self._noted, self._notes
        self._match += (times, times * bool(fit.mismatch), times * self._matcher.expected, times * fit.found)
        self._notes = 0

    @staticmethod
    def unknown_fields(fit: Fit, table: Table) -> int:
        """Values, not nulls, under names that the profile does not know."""
        return sum(cell is not None for place in fit.strangers for cell in table.columns[place])

    def _lone(self, names: Sequence[str]) -> bool:
        # A single output: the server's word for it is rarely that of the training table.
        return not self._by_name and len(names) == 1

    def add(self, fit: Fit, table: Table, at: float) -> None:
        """Take the cells of a table that fits, seen at the moment `at`."""
        pane = at // self._pane_s
        if pane != self._pending_pane:
            self.flush()
            self._pending_pane = pane
        self._pending_at = at
        for start in range(0, table.rows, self._most_pending):  # a huge payload must not become huge arrays
            self._intake.add(fit, table.columns, start, min(start + self._most_pending, table.rows))
            if self._intake.rows >= self._most_pending:
                self.flush()

    def flush(self) -> None:
        """Count the pending cells."""
        if self._notes:
            self._write_notes()
        if not self._intake.rows:
            return
        rows = self._intake.rows
        taken = self._intake.take()
        counts = np.zeros((len(self._columns), self._bins), np.int64)
        deviations = np.zeros((len(self._columns), WORDS), np.int64)
        for places, values in self._reading.numbers(taken.numbers):
            self._count_ordered(places, values, counts, deviations)
        for places, wrong in self._reading.errors(taken.errors, taken.vector_errors):
            self._type_errors[places] += wrong
        for place, waiting in self._reading.others(taken.others):
            if self._ordered[place]:
                packed, mistyped = cells.measured(waiting, self._columns[place].scalar)
                self._count_ordered(np.array([place]), np.frombuffer(packed)[:, None], counts, deviations)
                self._type_errors[place] += len(mistyped)
            else:
                names, errors = self._reading.names(place, waiting)
                counts[place] += np.bincount(self._category_bins[place].place(names), minlength=self._bins)
                self._outside.names(place, names)
                self._type_errors[place] += errors
        self.totals += counts
        self._counts.add(self._pending_at, counts)
        self._deviations.add(self._pending_at, deviations)
        self._outside.add(self._pending_at, rows)

    def _count_ordered(
        self, places: NDArray[np.int64], values: NDArray[np.float64],
        counts: NDArray[np.int64], deviations: NDArray[np.int64],
    ) -> None:  # fmt: skip
        """Add values of some ordered columns, shape (rows, len(places)), NaN where one is missing."""
        chosen = np.searchsorted(self._numeric, places)
        placed = self._number_bins.place(values, np.isnan(values), chosen) + places * self._bins
        counts += np.bincount(placed.ravel(), minlength=counts.size).reshape(counts.shape)
        deviations[places] = sums(values, self._mean[chosen], self._sd[chosen])
        self._outside.numbers(places, values)

    # out

    def snapshot(self, now: float) -> BlockSnapshot:
        """Totals, and the scores of every window that ends at `now`."""
        totals = ColumnTotals(self.totals.copy(), self._type_errors.copy(), self._out_of_order())
        scores = tuple(self._score(now, length) for length in self._counts.lengths)
        return BlockSnapshot(totals, scores, MatchCounts(*self._match.tolist()), self._said)

    def _out_of_order(self) -> dict[str, NDArray[np.float64]]:
        """Values since start that were not as they should be, by QUALITY."""
        found = self._of_quality(self.totals)
        found[OUT_OF_RANGE][self._outside.places] = self._outside.totals()
        return found

    def counted(self, now: float, length: float) -> NDArray[np.int64]:
        """Values by bin in the window of `length` that ends at `now`, shape (columns, bins)."""
        return self._counts.total(now, length)

    def _score(self, now: float, length: float) -> Scores:
        counts = self._counts.total(now, length)
        deviation = in_sd(self._deviations.total(now, length))
        samples = counts.sum(axis=1)
        scored = self._scoring.score(counts, deviation)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = {name: values / samples for name, values in self._of_quality(counts).items()}
        ratios[OUT_OF_RANGE][self._outside.places] = self._outside.ratios(now, length)
        return Scores(
            format_duration(length), samples, samples >= self._minimum_samples, scored.values, scored.critical, ratios,
            self._counts.reach(now, length), counts, deviation, tuple(scored.moved),
        )  # fmt: skip

    def _of_quality(self, counts: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Values in the bins of each QUALITY, shape (columns,); NaN where it does not apply."""
        return {
            name: np.where(applies, (counts * bins).sum(axis=1), np.nan)
            for name, (applies, bins) in self._quality.items()
        }


def _quality_bins(columns: Sequence[Column], bins: int) -> Mapping[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """By QUALITY: the columns it applies to, and the bins it counts."""
    table = {name: (np.zeros(len(columns), bool), np.zeros((len(columns), bins), bool)) for name in QUALITY}
    for place, column in enumerate(columns):
        for name, chosen in column.quality_bins().items():
            table[name][0][place] = True
            table[name][1][place, list(chosen)] = True
    return table
