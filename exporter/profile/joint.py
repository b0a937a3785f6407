"""The second pass over a table: columns counted against time and against what the model answered.

By now the bins are known. Of each run of rows the keys come first, times and answers; then every column is put into its
bins and counted with them, in whole numbers: neither the order of the rows nor how they are shared out shows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from exporter.profile.calendar import Calendar
from exporter.profile.clock import Clock
from exporter.profile.counts import JointCounts
from exporter.profile.judged import Judging
from exporter.profile.keys import Bins, Keys, Output, Times
from exporter.profile.pieces import Piece, gathered
from exporter.profile.placing import OfFeatures, Placed, Placing, placings
from exporter.profile.recount import Recount
from exporter.profile.segmented import Dividing
from exporter.profile.together import sampled
from exporter.profile.unusual import Surprise
from exporter.reference import Column, Profile
from exporter.scalars.salted import Salt
from exporter.segmentations import Segmented
from exporter.target import Target

MOST_OUTPUTS: Final = 8
"""Outputs that features are compared with."""


class _Watched:
    """A column of the profile, counted."""

    def __init__(
        self, column: Column, times: Times | None, outputs: int | None, segments: int, *, anew: bool
    ) -> None:  # fmt: skip
        """`outputs` that it is counted with, None where it is one itself."""
        self.column = column
        self.asked = outputs is not None
        self.counts = JointCounts(len(column.counts), times, outputs or 0, segments)
        self.again = Recount(column) if anew or column.kind == "embedding" else None
        """Scalars of embeddings have bins before anybody has counted them."""

    def merge(self, other: "_Watched") -> None:
        self.counts.merge(other.counts)
        if self.again is not None and other.again is not None:
            self.again.merge(other.again)

    def found(self, outputs: list[Output]) -> Column:
        base = self.column if self.again is None else self.again.column()
        factor, beyond = self.counts.noise()
        return replace(
            base, hours=self.counts.table(), association=self.counts.associations(outputs), dependence=factor,
            wander=beyond,
        )  # fmt: skip


class Joint:
    """A second pass under way. It can be pickled, and merged with those of other parts of the table."""

    def __init__(
        self, profile: Profile, calendar: Calendar | None, salt: Salt | None = None, *, anew: bool = False,
        together: bool = False,
    ) -> None:  # fmt: skip
        """`calendar` of the first pass, where the profile has a column of time; `anew` counts the bins, too.

        `salt` is that of hashed categories; `together` finds out how the numeric features are watched as one.
        """
        self.rows = 0
        self._profile = profile
        self._outputs = [Output(column) for column in profile.outputs[:MOST_OUTPUTS]]
        bins = sum(len(column.counts) for column in (*profile.outputs, *profile.features))
        clock = Clock(profile.time.zone) if profile.time and calendar else None
        self._times = Times(clock, calendar, bins) if clock and calendar else None
        self._divisions = [Dividing(one, salt) for one in profile.segments]
        segments = sum(one.segments for one in self._divisions)
        made: list[tuple[Placing, int | None]] = [(one, None) for one in placings(profile.outputs, (), salt)]
        self.sample = sampled(profile) if together else None
        one_of = self.sample.together if self.sample else profile.together
        asked = placings(profile.features, profile.embeddings, salt, one_of)
        made += [(one, len(self._outputs)) for one in asked]
        self.columns: list[tuple[Placing, list[_Watched]]] = [
            (one, [_Watched(column, self._times, outputs, segments, anew=anew) for column in one.columns])
            for one, outputs in made
        ]
        self.judging = Judging(profile.target, profile.outputs, salt, segments, anew=anew) if profile.target else None
        self._keys = self._no_keys()
        self._later: list[tuple[_Watched, Bins, int]] = []
        """Bins of columns that divide the rows: they come before the answers, and are counted behind them."""
        self.surprise = Surprise(profile.features)

    def _no_keys(self) -> Keys:
        return Keys(self._times, len(self._outputs), len(self._divisions))

    def fields(self) -> list[tuple[str, ...]]:
        """Groups of the table's columns that are read: time, what divides the rows, outputs, features.

        The truth, and the outputs that are held against it, come together.
        """
        time = [(self._profile.time.column,)] if self._profile.time and self._times else []
        keys = [*time, *(one.fields for one in self._divisions)]
        judged = self.judging.fields if self.judging else ()
        alone = [one.fields for one, _ in self.columns if not {*judged}.issuperset(one.fields)]
        return list(dict.fromkeys([*keys, *([judged] if judged else []), *alone]))

    def arrange(self, names: Sequence[str]) -> list[tuple[str, ...]]:
        """All of them, whatever the table has, but for the truth: newer rows may not have one."""
        target = self._profile.target
        if target is not None and target.column.name not in names:
            self.judging = None
        return self.fields()

    def read(self, pieces: Iterable[Piece]) -> None:
        """Count the pieces of a table, which are arranged so. NoTime."""
        run, first = -1, self.fields()[0]
        for together in gathered(pieces, self.fields()):
            if together[0].run != run:
                self._end()
                run = together[0].run
            fields = tuple(piece.column for piece in together)
            self.rows += together[0].cells.rows if fields == first else 0
            if self.judging is not None and fields == self.judging.fields:
                start, rows = together[0].start, together[0].cells.rows
                parts = [one.places for one in self._keys.slice(start, rows).segments] if self._divisions else ()
                self.judging.add({piece.column: piece.cells for piece in together}, parts)
                for piece in together:
                    self._add((piece.column,), [piece])
            else:
                self._add(fields, together)
        self._end()

    def _end(self) -> None:
        """A run of rows is over."""
        self._count_later()
        self._keys.clear()
        self.surprise.end()

    def _add(self, fields: tuple[str, ...], together: Sequence[Piece]) -> None:
        cells = [piece.cells for piece in together]
        time = self._profile.time
        if self._times and time and fields == (time.column,):
            self._keys.add_times(self._times.clock.read(cells[0]))
        offset = 0
        for division, dividing in enumerate(self._divisions):
            if fields == dividing.fields:
                self._keys.add_segments(division, dividing.codes(cells[0]) + np.int32(offset))
            offset += dividing.segments
        for one, columns in self.columns:
            if one.fields == fields:
                found = one.place(cells)
                for watched, placed in zip(columns, found, strict=True):
                    self._count(watched, placed, together[0].start)
                if self.sample and isinstance(one, OfFeatures):
                    self.sample.add(np.column_stack([placed.values for placed in found if placed.values is not None]))

    def _count(self, watched: _Watched, placed: Placed, start: int) -> None:
        for place, output in enumerate(self._outputs):
            if output.column is watched.column:
                self._keys.add_answers(place, output.words(placed))
        if watched.asked:
            self.surprise.add(watched.column, placed.bins, start)
        if watched.again is not None:
            watched.again.add(placed)
        if any(watched.column.field in one.fields for one in self._divisions):
            self._later.append((watched, placed.bins.astype(np.uint8), start))
        else:
            watched.counts.add(placed.bins, self._keys.slice(start, placed.bins.size))

    def _count_later(self) -> None:
        for watched, bins, start in self._later:
            watched.counts.add(bins.astype(np.int64), self._keys.slice(start, bins.size))
        self._later.clear()

    def merge(self, other: "Joint") -> None:
        """Add all that the pass over another part holds."""
        self.rows += other.rows
        self.surprise.merge(other.surprise)
        if self.judging and other.judging:
            self.judging.merge(other.judging)
        if self.sample and other.sample:
            self.sample.merge(other.sample)
        for (_, mine), (_, theirs) in zip(self.columns, other.columns, strict=True):
            for one, another in zip(mine, theirs, strict=True):
                one.merge(another)

    def __getstate__(self) -> dict[str, Any]:
        """Without the keys of the last run."""
        return vars(self) | {"_keys": self._no_keys()}

    def completed(self) -> Profile:
        """The profile with what was counted."""
        watched = {id(one.column): one for _, columns in self.columns for one in columns}
        profile = self._profile
        features, outputs = (
            [watched[id(column)] for column in side] for side in (profile.features, profile.outputs)
        )  # fmt: skip
        found = tuple(one.found(self._outputs) for one in features)
        target = None if self.judging is None else self.judging.found()
        counted = replace(
            profile,
            features=found,
            outputs=tuple(one.found(self._outputs) for one in outputs),
            unusual=self.surprise.found(found),
            segments=tuple(self._segmented(features, outputs, target)),
            target=target,
            performance={**(self.judging.performance() if self.judging else {}), **profile.performance},
            digest="",
        )
        return self.sample.completed(counted) if self.sample else counted

    def _segmented(
        self, features: Sequence[_Watched], outputs: Sequence[_Watched], target: Target | None
    ) -> Iterator[Segmented]:  # fmt: skip
        start = 0
        errors = self.judging.errors_by_part(target) if self.judging and target else []
        for one in self._profile.segments:
            end = start + one.segments
            sides = (tuple(watched.counts.segmented(start, end) for watched in side) for side in (features, outputs))
            yield one._replace(features=next(sides), outputs=next(sides), errors=tuple(errors[start:end]))
            start = end
