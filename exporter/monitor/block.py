"""The columns of one side, features or outputs: cells in, bins counted, scores out."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.findings import MatchCounts
from exporter.monitor.aspects import aspects
from exporter.monitor.batch import Batch, Scope
from exporter.monitor.binner import Binner
from exporter.monitor.by_rows import ByRows, Counter
from exporter.monitor.live import Live
from exporter.monitor.match import Fit, Matcher
from exporter.monitor.outside import Outside, share
from exporter.monitor.paned import Paned, paned
from exporter.monitor.scoring import Scoring, importance, reach
from exporter.monitor.shares import Shares, of_samples
from exporter.monitor.spreading import Spread
from exporter.override import NOTHING, Override
from exporter.records import Table
from exporter.reference import OUT_OF_RANGE, Side
from exporter.sections import Windows as WindowSettings
from exporter.sketch.binning import counted
from exporter.sketch.moments import WORDS, in_sd, sums, within_reach
from exporter.sketch.window import Arrays, Windows
from exporter.snapshots import BlockSnapshot, ColumnTotals, Recent, Scores
from exporter.values import format_duration

_MOST_PENDING_CELLS: Final = 1 << 18
_MOST_PENDING_ROWS: Final = 4096


class Block:
    """Some columns of a profile, and the values they had since."""

    def __init__(
        self, side: Side, windows: WindowSettings, binner: Binner, *, by_name: bool, said: Sequence[Override] = ()
    ) -> None:
        """`by_name` says whether a lone field must have its name, too; `said` is what people say of each column.

        `binner` is the side's; it holds tables, so that blocks of one side share it.
        """
        columns = side.columns
        self._by_name = by_name or len(side.fields) > 1
        self._said = tuple(said) or (NOTHING,) * len(columns)
        self._matcher = Matcher(side, frozenset(at for at, rule in enumerate(self._said) if rule.ignore))
        self.binner = binner
        self._readable = binner.readable
        self.fields = {field: place for place, field in enumerate(side.fields)}
        """Place of each field of a payload."""
        self.scope = Scope(columns, self._readable, binner.spelled(self._said), windows, by_name, side.unusual)
        self._outside = Outside(self.scope)
        self._aspects = aspects(self.scope) if windows.lengths else None
        self.live = Live(columns, windows)
        self._minimum_samples = windows.minimum_samples
        ordered = [column for column in columns if column.ordered]
        self._ordered = np.flatnonzero([column.ordered for column in columns])
        self._mean = np.array([column.mean for column in ordered])
        self._sd = np.array([column.sd or np.nan for column in ordered])
        self._reach = reach(ordered)
        self._bins = max(len(column.counts) for column in columns)
        self._spread = Spread(() if by_name else columns)
        self._shares = Shares(columns, self._outside.places)
        self._scoring = Scoring(columns, windows.scores, importance(columns, self._said))
        shape = (len(columns), self._bins)
        self.totals = np.zeros(shape, np.int64)
        """Counts since start, shape (columns, bins)."""
        self._match = np.zeros(4, np.int64)
        self._noted, self._notes = self._matcher.bare(len(side.fields)), 0
        """How the last payload fitted, and how many did so in a row that are not in `_match` yet."""
        self._type_errors = np.zeros(len(columns), np.int64)
        self._counts = Windows(windows.lengths, windows.pane, shape, np.int32, self.live.pasts)
        self._deviations = Windows(windows.lengths, windows.pane, (len(columns), WORDS), np.int64)
        self._longest, self.widest_s = self._deviations.most_panes(windows.pane) if windows.lengths else (0.0, 0.0)
        """Of the window that has most panes: how long it is, and how wide they are."""
        self._spreads = Windows(windows.lengths, windows.pane, self._spread.shape, np.int64)
        self._by_rows = ByRows(windows, {
            "spread": Counter(self._spread.shape, np.int64, self._spread.counted),
            "counts": Counter(shape, np.int32, self._counted),
            "deviations": Counter((len(columns), WORDS), np.int64, self._deviated),
            f"outside.{self._outside.name}": Counter((self._outside.places.size, 2), np.int32, self._outside.judged),
        })  # fmt: skip
        self._intake = self.binner.intake()
        self.most_waiting = max(16, min(_MOST_PENDING_ROWS, _MOST_PENDING_CELLS // len(side.fields)))
        """Rows that should be counted before there are more of them."""

    @property
    def unreadable(self) -> int:
        """Columns that cannot be read for want of a salt: nothing in them is counted."""
        return int((~self._readable).sum())

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept."""
        return {
            f"{prefix}.totals": self.totals,
            f"{prefix}.type_errors": self._type_errors,
            f"{prefix}.match": self._match,
            **self._counts.arrays(f"{prefix}.counts"),
            **self._deviations.arrays(f"{prefix}.deviations"),
            **self._spreads.arrays(f"{prefix}.spread"),
            **self._outside.arrays(f"{prefix}.outside"),
            **self._by_rows.arrays(f"{prefix}.by_rows"),
            **(self._aspects.arrays(prefix) if self._aspects else {}),
        }

    def held(self, prefix: str, now: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at `now`, to be kept for another time. Counts since start are not in it."""
        yield from self._counts.held(f"{prefix}.counts", now).items()
        yield from self._deviations.held(f"{prefix}.deviations", now).items()
        yield from self._spreads.held(f"{prefix}.spread", now).items()
        yield from self._outside.held(f"{prefix}.outside", now).items()
        yield from self._by_rows.held(f"{prefix}.by_rows").items()
        if self._aspects:
            yield from self._aspects.held(prefix, now)

    def put_back(self, held: Arrays, prefix: str, shift_s: float, now: float) -> int:
        """Go on with windows that were held when the clock showed `shift_s` less: how many panes there were."""
        self._deviations.put_back(held, f"{prefix}.deviations", shift_s, now)
        self._spreads.put_back(held, f"{prefix}.spread", shift_s, now)
        self._outside.put_back(held, f"{prefix}.outside", shift_s, now)
        self._by_rows.put_back(held, f"{prefix}.by_rows", shift_s, now)
        if self._aspects:
            self._aspects.put_back(held, prefix, shift_s, now)
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

    @property
    def waiting(self) -> int:
        """Rows that are not counted yet."""
        return self._intake.rows

    def add(self, fit: Fit, table: Table, start: int, stop: int) -> None:
        """Take the rows from `start` to `stop` of a table that fits; they wait for `flush`."""
        self._intake.add(fit, table.columns, start, stop)

    def flush(self, at: float) -> Batch | None:
        """Count the rows that wait, which came at the moment `at`; what they were, None where there are none."""
        if self._notes:
            self._write_notes()
        rows = self._intake.rows
        if not rows:
            return None
        batch = self.binner.batch(self._intake.take(), rows, at)
        self._count(batch)
        return batch

    def _count(self, batch: Batch) -> None:
        counts = self._counted(batch, slice(None))
        self.totals += counts
        self._type_errors += batch.mistyped
        self._counts.add(batch.at, counts)
        self._deviations.add(batch.at, self._deviated(batch, slice(None)))
        self._spreads.add(batch.at, self._spread.counted(batch, slice(None)))
        self._outside.add(batch)
        self._by_rows.add(batch)
        if self._aspects:
            self._aspects.add(batch)

    def _counted(self, batch: Batch, part: slice) -> NDArray[np.int64]:
        counts = counted(batch.bins[part], self._bins)
        counts[~self._readable] = 0
        return counts

    def _deviated(self, batch: Batch, part: slice) -> NDArray[np.int64]:
        deviations = np.zeros((len(self._readable), WORDS), np.int64)
        deviations[self._ordered] = sums(batch.numbers[part], self._mean, self._sd, self._reach)
        return deviations

    # out

    def snapshot(self, now: float) -> BlockSnapshot:
        """Totals, and the scores of every window that ends at `now`."""
        totals = ColumnTotals(self.totals.copy(), self._type_errors.copy(), self._out_of_order())
        scores = tuple(self._scores(now))
        aspects = self._aspects.snapshot(now) if self._aspects else ()
        live = tuple(self.live.with_past(self._counts, now))
        match = MatchCounts(*self._match.tolist())
        return BlockSnapshot(totals, scores, match, self._said, aspects, live, self._by_rows.first)

    def _out_of_order(self) -> dict[str, NDArray[np.float64]]:
        """Values since start that were not as they should be, by QUALITY."""
        found = self._shares.counted(self.totals)
        found[OUT_OF_RANGE][self._outside.places] = self._outside.totals()
        return found

    def counted(self, now: float, length: float) -> NDArray[np.int64]:
        """Values by bin in the window of `length` that ends at `now`, shape (columns, bins)."""
        return self._counts.total(now, length)

    def paned(self, now: float) -> Paned:
        """The panes that are over at `now`, of the window that has most of them."""
        counts, deviations = (one.over(now, self._longest, self.widest_s) for one in (self._counts, self._deviations))
        return paned(counts, deviations, self.scope.columns)

    def recent(self, now: float, names: Sequence[str]) -> Recent | None:
        """As `paned`, all that some columns held, and the pane that is not over; None where there are none of them."""
        watched = {one.name: at for at, one in enumerate(self.scope.columns) if not self._said[at].ignore}
        places = np.array([watched[name] for name in names if name in watched], np.intp)
        if not places.size or not self.widest_s:
            return None
        counts = self._counts.recent(now, self._longest, self.widest_s, places)
        begun = (now // self.widest_s - len(counts) + 1) * self.widest_s
        return Recent([self.scope.columns[at] for at in places], counts, begun, self.widest_s)

    def _scores(self, now: float) -> Iterator[Scores]:
        """Of windows of time, and of rows while there is little in those, and anything at all in the longest."""
        longest = None
        for length in self._counts.lengths:
            longest = self._score(
                format_duration(length), self._counts.total(now, length), self._deviations.total(now, length),
                self._outside.ratios(now, length),
            )._replace(reach_s=self._counts.reach(now, length), spread=self._spreads.total(now, length))  # fmt: skip
            yield longest
        if longest and longest.samples.any():
            yield from (self._score_of_rows(now, rows) for rows in self._by_rows.shown(now))

    def _score_of_rows(self, now: float, rows: int) -> Scores:
        spread, counts, deviations, outside = (self._by_rows.total(name, rows) for name in self._by_rows.names)
        reach_s = float(np.maximum(now - self._by_rows.begun(rows), 0.0))  # NaN stays it
        return self._score(f"{rows}rows", counts, deviations, share(outside))._replace(reach_s=reach_s, spread=spread)

    def _score(
        self, window: str, counts: NDArray[np.int64], deviations: NDArray[np.int64], outside: NDArray[np.float64]
    ) -> Scores:
        """Of what one window holds; the shares outside are those of the columns of which something is said."""
        samples, deviation = counts.sum(axis=1), in_sd(deviations)
        scored = self._scoring.score(counts, within_reach(deviations))
        ratios = of_samples(self._shares.counted(counts), samples)
        ratios[OUT_OF_RANGE][self._outside.places] = outside
        critical = {**scored.critical, **{f"{name}_ratio": one for name, one in self._shares.critical(samples).items()}}
        return Scores(
            window, samples, samples >= self._minimum_samples, scored.values, critical, ratios, math.nan,
            counts, deviation, tuple(scored.moved),
        )  # fmt: skip
