"""Recorded traffic in a profile's bins, minute by minute and hour by hour: what it shows of chance.

Tables of whatever format profiles are built from. They are read twice: for their times, so that it can be chosen of
which hours minutes are counted, and for their columns. Memory is that of a build.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import numpy as np

from exporter.errors import ConfigError, DataError
from exporter.profile import sources
from exporter.profile.calendar import Calendar
from exporter.profile.calibrate import SIDES, Calibration, Shown, shown
from exporter.profile.clock import MICROSECONDS, Clock, faults_of
from exporter.profile.draft import Draft, Pass, Time, Watch, watched
from exporter.profile.joint import Joint
from exporter.profile.pieces import Arrange
from exporter.profile.plan import Plan, require_salt
from exporter.profile.table import Table, of_file
from exporter.reference import Column, Profile, TimeSpan


def calibrate(plans: Sequence[Plan], profile: Profile, watch: Watch | None = None) -> Calibration:
    """What tables show, each of which has a column of time; together they are one. ConfigError, DataError.

    Of each plan the source, its dialect, the time and the salt count. A column may be in some of the tables alone.
    """
    tables = [_Recorded(plan, profile) for plan in plans]
    calendar, passes = Calendar(), 2 * len(tables)
    with ExitStack() as stack:
        for table in tables:
            stack.enter_context(sources.unchanged(table.plan.source))
        for number, table in enumerate(tables):
            calendar.merge(table.look(Pass(watch, number, passes)))
        if calendar.first is None or calendar.last is None:
            raise DataError(f"{plans[0].source}: column {plans[0].time!r} holds no time")
        known = {name for table in tables for name in table.names}
        span = calendar.first / MICROSECONDS, calendar.last / MICROSECONDS
        bare = replace(_as_far_as(known, profile), time=TimeSpan(plans[0].time or "", plans[0].zone, *span))
        joint = Joint(bare, calendar, plans[0].salt)
        for number, table in enumerate(tables, len(tables)):
            table.count(joint, Pass(watch, number, passes))
    return Calibration(
        tuple(_shown(bare, joint.completed())), tuple(_absent(profile, bare)), calendar.rows - calendar.missing,
        calendar.hours.size, *span, notes=tuple(_notes(calendar)),
    )  # fmt: skip


class _Recorded:
    """A table under way."""

    def __init__(self, plan: Plan, profile: Profile) -> None:
        require_salt(plan, profile)
        if not sources.again(plan.source):
            raise ConfigError(f"{plan.source}: must be a file, which can be read twice")
        self.plan = plan
        self.names: list[str] = []
        """Of its columns."""
        self._table: Table = of_file(plan).opened(plan.source)

    def look(self, watch: Watch) -> Calendar:
        """When its rows are from."""
        column, clock = self.plan.time or "", Clock(self.plan.zone)
        draft = Draft({}, Time(column, clock))
        with faults_of(self.plan.source):
            draft.read(self._table.read(self.names, partial(_alone, column)), self.names, watch)
        if column not in self.names:
            raise DataError(f"{self.plan.source}: no column {column!r}, which --time names")
        return draft.calendar

    def count(self, joint: Joint, watch: Watch) -> None:
        """Add what it has of the columns."""
        names: list[str] = []
        with faults_of(self.plan.source):
            joint.read(watched(self._table.read(names, self._wanted(joint)), names, watch))

    def _wanted(self, joint: Joint) -> Arrange:
        groups = [group for group in joint.fields() if {*group} <= {*self.names}]
        return lambda _: groups


def _alone(column: str, names: Sequence[str]) -> list[tuple[str]]:
    return [(column,)] if column in names else []


def _as_far_as(known: set[str], profile: Profile) -> Profile:
    """What of a profile a table with these columns tells of."""
    embeddings = tuple(one for one in profile.embeddings if known.issuperset(one.fields))
    together = profile.together if profile.together and known.issuperset(profile.together.fields) else None
    there = known | {one.name for one in embeddings} | ({together.name} if together else set())
    features, outputs = (
        tuple(column for column in side if column.field in there) for side in (profile.features, profile.outputs)
    )
    return replace(profile, features=features, outputs=outputs, embeddings=embeddings, together=together, segments=())


def _shown(before: Profile, counted: Profile) -> Iterator[Shown]:
    for side in SIDES:
        for reference, live in zip(getattr(before, side), getattr(counted, side), strict=True):
            counts = np.array(live.hours, np.int64).sum(axis=0)
            if counts.any():
                yield shown(side, reference, counts, (live.dependence or 1.0, live.wander or 0.0))


def _absent(profile: Profile, bare: Profile) -> Iterator[str]:
    for side in SIDES:
        columns: tuple[Column, ...] = getattr(profile, side)
        there = {column.name for column in getattr(bare, side)}
        yield from (column.name for column in columns if column.name not in there)


def _notes(calendar: Calendar) -> Iterator[str]:
    if calendar.missing:
        yield f"{calendar.missing:,} rows without a time are in no hour"
