"""The two sides of a model, what it is asked and what it answers: their rows are counted in step.

So what belongs together is counted together: of an exchange whose sides have as many rows as each other, row n of the
one is row n of the other.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.diagnosis.changes import Changes
from exporter.evidence.verdict import Verdict
from exporter.findings import Grouped, SegmentScores, SegmentSnapshot
from exporter.monitor import segments
from exporter.monitor.batch import Batch, Came, Paired, Run
from exporter.monitor.binner import Binner
from exporter.monitor.block import Block
from exporter.monitor.diagnosing import Diagnosing, evident
from exporter.monitor.gathering import WATCHING, Counting, Watching, gathering
from exporter.monitor.grouping import grouping
from exporter.monitor.joint import joints
from exporter.monitor.looping import looping
from exporter.monitor.match import Fit
from exporter.monitor.predicting import predicting
from exporter.monitor.said import Said
from exporter.monitor.segments.sources import Noted
from exporter.monitor.valued import Valuing, valuing
from exporter.profile import overrides
from exporter.records import Table
from exporter.reference import Profile
from exporter.sections import NO_SEGMENTS, Windows
from exporter.snapshots import BlockSnapshot

FEATURES: Final = "features"
OUTPUTS: Final = "outputs"


class Given(NamedTuple):
    """One side of an exchange."""

    fit: Fit
    table: Table


class Sides:
    """What is watched of a profile's columns."""

    def __init__(self, profile: Profile | None, windows: Windows, said: Said, watching: Watching = WATCHING) -> None:
        features = profile.asked if profile and profile.features else None
        outputs = profile.answered if profile and profile.outputs else None
        of_features, of_outputs = overrides.on(said.overrides, profile) if profile else ((), ())
        self.features = self.outputs = None
        if features:
            self.features = Block(features, windows, Binner(features, said.salt), by_name=True, said=of_features)
        if outputs:
            self.outputs = Block(outputs, windows, Binner(outputs, said.salt), by_name=False, said=of_outputs)
        self._joints = joints(self.features.scope, self.outputs.scope) if self.features and self.outputs else None
        scopes = {name: block.scope for name, block in self.blocks()}
        self._segments = segments.made(profile, said, scopes) if profile else None
        self._grouping = grouping(profile, watching.settings, scopes)
        ways = self._segments.ways if self._segments else ()
        self.predicting = predicting(profile, scopes, said, ways, (watching.hindsight, watching.settings))
        """None where it is not known what is predicted, or nobody asks."""
        self.valuing = valuing(watching.hindsight.values, ways, watching.hindsight.performance.windows, windows.pane)
        """None where nobody looks for business values."""
        self.looping = looping(self.features, self.outputs, wanted=watching.hindsight.loops.enable)
        """None where nobody looks for feedback loops, or no answers are watched."""
        self._evidence = gathering(profile, list(self._counting()), windows.pane, watching)
        clients = frozenset(one.name for one in said.segments.by if one.header)
        self._wall = watching.wall
        self.changes = Changes()
        """What may have to do with a drift."""
        self._diagnosing = {name: Diagnosing(scope, clients) for name, scope in scopes.items()}
        self._most = min((block.most_waiting for _, block in self.blocks()), default=1)
        self._pane_s = windows.pane
        self._at, self._pane = 0.0, -1.0
        self._runs: list[Run] = []

    def blocks(self) -> Iterator[tuple[str, Block]]:
        """Those that there are, by name."""
        for name, block in ((FEATURES, self.features), (OUTPUTS, self.outputs)):
            if block:
                yield name, block

    def _counting(self) -> Iterator[Counting]:
        """What evidence is made of: all rows, or of those that belong together the first one."""
        for name, block in self.blocks():
            yield Counting(block.scope, self._grouping.totals(name) if self._grouping else block.totals)

    @property
    def unreadable(self) -> int:
        """Columns that are hashed under a salt that nobody gave us."""
        return sum(block.unreadable for _, block in self.blocks())

    # what is kept

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """What must be kept; call `flush` first."""
        kept = self._joints.arrays(f"{prefix}.joint") if self._joints else {}
        kept |= self._segments.arrays(f"{prefix}.segments") if self._segments else {}
        kept |= self._evidence.arrays(prefix) if self._evidence else {}
        kept |= self._grouping.arrays(f"{prefix}.grouping") if self._grouping else {}
        kept |= self.valuing.arrays(f"{prefix}.valued") if self.valuing else {}
        for name, block in self.blocks():
            kept |= block.arrays(f"{prefix}.{name}")
        return kept

    def held(self, now: float) -> Iterator[tuple[str, NDArray[Any]]]:
        """What the windows hold at `now`, to be kept for another time, array by array; call `flush` first."""
        if self._joints:
            yield from self._joints.held("joint", now)
        if self._segments:
            yield from self._segments.held("segments", now).items()
        if self._evidence:
            yield from self._evidence.held()
        if self.valuing:
            yield from self.valuing.held("valued", self._wall(now))
        for name, block in self.blocks():
            yield from block.held(name, now)

    def put_back(self, held: Mapping[str, NDArray[Any]], shift_s: float, now: float) -> int:
        """Go on with windows that were held when the clock showed `shift_s` less: how many panes there were."""
        if self._joints:
            self._joints.put_back(held, "joint", shift_s, now)
        if self._segments:
            self._segments.put_back(held, "segments", shift_s, now)
        if self._evidence:
            self._evidence.put_back(held)
        if self.valuing:
            self.valuing.put_back(held, "valued", self._wall(now))
        return sum(block.put_back(held, name, shift_s, now) for name, block in self.blocks())

    # in

    def add(self, came: Came, asked: Given | None, answered: Given | None) -> None:
        """Take an exchange, as far as its sides count."""
        if asked is None and answered is None:
            if self.valuing:
                self.valuing.alone(came)
            return
        at = came.at
        if at // self._pane_s != self._pane:
            self.flush()
            self._pane = at // self._pane_s
            if self._evidence:
                self._evidence.advance(at)
        self._at = at
        rows = max(given.table.rows for given in (asked, answered) if given)
        paired = bool(asked and answered and asked.table.rows == answered.table.rows)
        for start in range(0, rows, self._most):  # a huge payload must not become huge arrays
            part = slice(start, start + self._most)
            self._note(at, _noted(came.headers, asked, answered, part, paired))
            if self.predicting and answered and start < answered.table.rows:
                self.predicting.note(came, start, len(range(answered.table.rows)[part]))
            if self.valuing:
                self._note_values(self.valuing, came, (asked, answered), part)
            self._add(asked, answered, part, paired)

    def _note(self, at: float, noted: Noted) -> None:
        if self._segments:
            self._segments.note(noted)
        if self._grouping:
            self._grouping.note(noted, at)

    @staticmethod
    def _note_values(valuing: Valuing, came: Came, sides: tuple[Given | None, Given | None], part: slice) -> None:
        """What comes with rows is of those of the answer, and of those of the request where there is no answer."""
        side = 1 if sides[1] else 0
        given = sides[side]
        rows = range(given.table.rows)[part] if given else range(0)
        if rows:
            valuing.note(came, slice(rows.start, rows.stop), side)

    def _add(self, asked: Given | None, answered: Given | None, part: slice, paired: bool) -> None:
        before = self._waiting()
        for block, given in ((self.features, asked), (self.outputs, answered)):
            if block and given and part.start < given.table.rows:
                block.add(given.fit, given.table, part.start, min(part.stop, given.table.rows))
        if paired and (self._joints or self._segments or self._grouping or self.predicting):
            self._runs.append(Run(*before, self._waiting()[0] - before[0]))
        if any(block.waiting >= self._most for _, block in self.blocks()):
            self.flush()

    def _waiting(self) -> tuple[int, int]:
        return self.features.waiting if self.features else 0, self.outputs.waiting if self.outputs else 0

    def flush(self) -> None:
        """Count the rows that wait."""
        asked = self.features.flush(self._at) if self.features else None
        answered = self.outputs.flush(self._at) if self.outputs else None
        runs, self._runs = self._runs, []
        if self._grouping:
            self._grouping.add(asked, answered, runs)
        if self._segments and (asked or answered):
            asked, answered = self._segments.add(asked, answered, runs)
        if self.predicting and answered:
            self.predicting.add(asked, answered, runs)
        if self.valuing:
            self.valuing.add(asked, answered)
        for name, batch in ((FEATURES, asked), (OUTPUTS, answered)):
            if batch:
                self._diagnosing[name].add(batch)
        if self._joints and asked and answered and runs:
            self._joints.add(Paired(_picked(asked, [(run.asked, run.rows) for run in runs]),
                                    _picked(answered, [(run.answered, run.rows) for run in runs])))  # fmt: skip

    # out

    def segmented(self, now: float) -> SegmentSnapshot | None:
        """By segment at `now`; None where nobody divides the traffic."""
        return self._segments.snapshot(now) if self._segments else None

    def evidence(self, now: float) -> Verdict | None:
        """Of drift at `now`; None where none is gathered, or nothing has come yet."""
        if self._evidence is None:
            return None
        self._evidence.advance(now)
        return self._evidence.told(now)

    def grouped(self) -> Grouped | None:
        """What became of rows since start; None where nobody groups them."""
        return self._grouping.snapshot() if self._grouping else None

    def snapshot(self, now: float) -> tuple[BlockSnapshot | None, BlockSnapshot | None]:
        """Of features and outputs at `now`."""
        features = self.features.snapshot(now) if self.features else None
        outputs = self.outputs.snapshot(now) if self.outputs else None
        if features and self._joints:
            features = features._replace(aspects=(*features.aspects, *self._joints.snapshot(now)))
        return features, outputs

    def diagnosed(
        self, now: float, shown: tuple[BlockSnapshot | None, ...], parts: SegmentSnapshot | None, found: Verdict | None
    ) -> Iterator[BlockSnapshot | None]:
        """Snapshots of features and outputs, with what happened to columns that drift, by scores or by evidence."""
        start = 0
        for name, block in zip((FEATURES, OUTPUTS), shown, strict=True):
            if block is None:
                yield None
                continue
            own = slice(start, start + len(block.said))
            start = own.stop
            scored: tuple[SegmentScores, ...] = getattr(parts, name) if parts else ()
            known = evident(found, own) if found else {}
            told = tuple(self._diagnosing[name].told(self._wall(now), block.scores, scored, self.changes, known))
            yield block._replace(aspects=(*block.aspects, *told))


def advice(profile: Profile, windows: Windows, said: Said) -> list[str]:
    """What people should know of the ways in which a model's traffic is to be divided."""
    sides = Sides(profile, windows, said._replace(segments=NO_SEGMENTS))
    return segments.told(profile, said, {name: block.scope for name, block in sides.blocks()})


def _noted(
    headers: Mapping[str, str], asked: Given | None, answered: Given | None, part: slice, paired: bool
) -> Noted:  # fmt: skip
    """What a part of an exchange says of the segments of its rows."""
    alone = 0 if paired or answered is None else len(range(answered.table.rows)[part])
    if asked is None:
        return Noted(headers, None, None, slice(0, 0), alone)
    rows = range(asked.table.rows)[part]
    return Noted(headers, asked.fit, asked.table, slice(rows.start, rows.stop), alone)


def _picked(batch: Batch, runs: list[tuple[int, int]]) -> Batch:
    """The rows of some runs; mostly these are all rows, in order."""
    if sum(rows for _, rows in runs) == batch.rows:
        return batch
    return batch.picked(np.concatenate([np.arange(start, start + rows) for start, rows in runs]))
