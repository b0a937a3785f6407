"""The columns of one side, features or outputs: cells in, bins counted, scores out."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.config import Windows as WindowSettings
from exporter.drift import STATISTICS
from exporter.drift.summary import Summary
from exporter.findings import MatchCounts
from exporter.monitor import cells
from exporter.monitor.intake import Intake
from exporter.monitor.match import Fit, Matcher
from exporter.records import Table
from exporter.reference import MISSING, QUALITY, Column
from exporter.sketch.binning import CategoryBins, NumberBins
from exporter.sketch.moments import WORDS, in_sd, sums
from exporter.sketch.window import Arrays, Windows
from exporter.snapshots import BlockSnapshot, ColumnTotals, Scores
from exporter.values import format_duration

_MOST_PENDING_CELLS: Final = 1 << 18
_MOST_PENDING_ROWS: Final = 4096


class Block:
    """Some columns of a profile, and the values they had since."""

    def __init__(self, columns: tuple[Column, ...], windows: WindowSettings, *, by_name: bool) -> None:
        """`by_name` says whether a lone column must have its name, too."""
        self._columns = columns
        self._by_name = by_name or len(columns) > 1
        self._matcher = Matcher(columns)
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
        self._reference = self._make_reference()
        shape = (len(columns), self._bins)
        self.totals = np.zeros(shape, np.int64)
        """Counts since start, shape (columns, bins)."""
        self._match = np.zeros(4, np.int64)
        self._noted, self._notes = self._matcher.bare(len(columns)), 0
        """How the last payload fitted, and how many did so in a row that are not in `_match` yet."""
        self._type_errors = np.zeros(len(columns), np.int64)
        self._counts = Windows(windows.lengths, windows.pane, shape, np.int32)
        self._deviations = Windows(windows.lengths, windows.pane, (len(columns), WORDS), np.int64)
        self._intake = Intake(columns)
        self._most_pending = max(16, min(_MOST_PENDING_ROWS, _MOST_PENDING_CELLS // len(columns)))
        self._pending_at = self._pending_pane = 0.0

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return {
            f"{prefix}.totals": self.totals,
            f"{prefix}.type_errors": self._type_errors,
            f"{prefix}.match": self._match,
            **self._counts.arrays(f"{prefix}.counts"),
            **self._deviations.arrays(f"{prefix}.deviations"),
        }

    def held(self, prefix: str, now: float) -> dict[str, NDArray[Any]]:
        """What the windows hold at `now`, to be kept for another time. Counts since start are not in it."""
        return self._counts.held(f"{prefix}.counts", now) | self._deviations.held(f"{prefix}.deviations", now)

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> int:
        """Go on with windows that were held when the clock showed `shift_s` less: how many panes there were."""
        self._deviations.put_back(held, f"{prefix}.deviations", shift_s, now)
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
        self._match += (times, times * bool(fit.mismatch), times * len(self._columns), times * fit.found)
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
        numbers, others, errors = self._intake.take()
        counts = np.zeros((len(self._columns), self._bins), np.int64)
        deviations = np.zeros((len(self._columns), WORDS), np.int64)
        places = np.array(self._intake.number_places, np.int64)
        self._count_ordered(places, numbers, counts, deviations)
        self._type_errors[places] += errors
        for place, waiting in zip(self._intake.other_places, others, strict=True):
            if self._ordered[place]:
                lengths, wrong = cells.lengths(waiting)
                self._count_ordered(np.array([place]), np.frombuffer(lengths)[:, None], counts, deviations)
                self._type_errors[place] += len(wrong)
            else:
                names, mistyped = cells.categories(waiting, self._columns[place].kind)
                counts[place] += np.bincount(self._category_bins[place].place(names), minlength=self._bins)
                self._type_errors[place] += mistyped
        self.totals += counts
        self._counts.add(self._pending_at, counts)
        self._deviations.add(self._pending_at, deviations)

    def _count_ordered(
        self, places: NDArray[np.int64], values: NDArray[np.float64],
        counts: NDArray[np.int64], deviations: NDArray[np.int64],
    ) -> None:  # fmt: skip
        """Add values of some ordered columns, shape (rows, len(places)), NaN where one is missing."""
        chosen = np.searchsorted(self._numeric, places)
        placed = self._number_bins.place(values, np.isnan(values), chosen) + places * self._bins
        counts += np.bincount(placed.ravel(), minlength=counts.size).reshape(counts.shape)
        deviations[places] = sums(values, self._mean[chosen], self._sd[chosen])

    # out

    def snapshot(self, now: float) -> BlockSnapshot:
        """Totals, and the scores of every window that ends at `now`."""
        totals = ColumnTotals(self.totals.copy(), self._type_errors.copy())
        scores = tuple(self._score(now, length) for length in self._counts.lengths)
        return BlockSnapshot(totals, scores, MatchCounts(*self._match.tolist()))

    def counted(self, now: float, length: float) -> NDArray[np.int64]:
        """Values by bin in the window of `length` that ends at `now`, shape (columns, bins)."""
        return self._counts.total(now, length)

    def _score(self, now: float, length: float) -> Scores:
        counts = self._counts.total(now, length)
        current = self._summary(counts, in_sd(self._deviations.total(now, length)))
        empty = current.samples == 0
        values, critical = {}, {}
        with np.errstate(divide="ignore", invalid="ignore"):
            for name, statistic in STATISTICS.items():
                hidden = empty | ~self._ordered if statistic.numbers_only else empty
                values[name] = np.where(hidden, np.nan, statistic.score(self._reference, current))
                if statistic.critical:
                    undefined = np.isnan(values[name])
                    critical[name] = np.where(undefined, np.nan, statistic.critical(self._reference, current))
        sufficient = current.samples >= self._minimum_samples
        ratios = self._ratios(counts, current.samples)
        reach = self._counts.reach(now, length)
        return Scores(
            format_duration(length), current.samples, sufficient, values, critical, ratios, reach, counts,
            current.deviation,
        )  # fmt: skip

    def _summary(self, counts: NDArray[np.int64], deviation: NDArray[np.float64]) -> Summary:
        ordered = np.zeros((len(self._columns), MISSING), np.int64)
        if self._numeric.size:  # categories alone may have fewer bins than there are of numbers
            ordered[self._numeric] = counts[self._numeric, :MISSING]
        finite = ordered.sum(axis=1)
        finite[self._numeric[np.isnan(self._sd)]] = 0  # a constant has no standard error
        return Summary(counts, counts.sum(axis=1), ordered, finite, deviation)

    def _make_reference(self) -> Summary:
        counts = np.zeros((len(self._columns), self._bins), np.int64)
        for place, column in enumerate(self._columns):
            counts[place, : len(column.counts)] = column.counts
        return self._summary(counts, np.zeros(len(self._columns)))

    def _ratios(self, counts: NDArray[np.int64], samples: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        with np.errstate(divide="ignore", invalid="ignore"):
            return {
                name: np.where(applies, (counts * bins).sum(axis=1) / samples, np.nan)
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
