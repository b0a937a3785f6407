"""One model of a page, put in order for those that tell of it: what each column is in, and what evidence names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from exporter.collect.columns import shortest
from exporter.collect.scene import FEATURES, OUTPUTS, Page, Scene
from exporter.evidence.verdict import Verdict
from exporter.override import Override
from exporter.reference import Column
from exporter.snapshots import DIAGNOSIS, BlockSnapshot, Listed, Measured, Scores
from exporter.versioned import SHADOW

FEATURE, OUTPUT = SIDES = ("feature", "output")
Values = NDArray[np.float64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True)
class Side:
    """Features, or outputs. Arrays have shape (columns,), or (windows, columns)."""

    word: str
    """One of SIDES."""
    columns: Sequence[Column]
    block: BlockSnapshot
    told: Verdict | None
    streams: NDArray[np.int64]
    """Their places in the verdict."""
    named: Marks
    """By evidence, sudden or slow."""

    @property
    def said(self) -> Sequence[Override]:
        """What people say of each column."""
        return self.block.said

    @cached_property
    def ignored(self) -> Marks:
        """Those that somebody has said to ignore."""
        return np.array([bool(rule.ignore) for rule in self.said], bool)

    def tolerated(self, otherwise: float) -> Values:
        """How much of each column may move for nothing; `otherwise` where nobody says."""
        return np.array([otherwise if rule.tolerance is None else rule.tolerance for rule in self.said])

    @cached_property
    def chosen(self) -> NDArray[np.int64]:
        """Place of the window to look at: the shortest that suffices, else the one that has most."""
        at, is_any = shortest(self.windows)
        return np.where(is_any, at, self.samples.argmax(axis=0))

    @property
    def windows(self) -> Sequence[Scores]:
        """What each says."""
        return self.block.scores

    @cached_property
    def samples(self) -> NDArray[np.int64]:
        """Values by window."""
        return np.stack([one.samples for one in self.windows])

    @cached_property
    def sufficient(self) -> Marks:
        """Whether a window holds enough."""
        return np.stack([one.sufficient for one in self.windows])

    @cached_property
    def judged(self) -> Marks:
        """Columns that have a window that holds enough, and are not ignored."""
        return np.asarray(self.sufficient.any(axis=0) & ~self.ignored)

    def score(self, statistic: str) -> Values:
        """By window; NaN where it is not known."""
        return self._by_window([one.values.get(statistic) for one in self.windows])

    def critical(self, statistic: str) -> Values:
        """What chance makes of it."""
        return self._by_window([one.critical.get(statistic) for one in self.windows])

    def ratio(self, word: str) -> Values:
        """Share of values that are not as they should be, by window."""
        return self._by_window([one.ratios.get(word) for one in self.windows])

    def measured(self, word: str) -> Values:
        """What is counted beside bins, by window; what is of no window is the same in all."""
        found = {one.window: one.values for one in self.block.aspects
                 if isinstance(one, Measured) and one.word == word and not one.labels}  # fmt: skip
        return self._by_window([found.get(one.window, found.get("")) for one in self.windows])

    def _by_window(self, values: Sequence[Values | None]) -> Values:
        nothing = np.full(len(self.columns), np.nan)
        return np.stack([nothing if one is None else np.asarray(one, np.float64) for one in values])

    def at_chosen(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Of (windows, columns) what is of the window to look at."""
        return np.asarray(values[self.chosen, np.arange(len(self.columns))])

    @cached_property
    def beyond(self) -> Marks:
        """Where more has moved than chance explains, by both scores that alerts look at, by window."""
        return (
            (self.score("psi") > self.critical("psi"))
            & (self.score("total_variation") > self.critical("total_variation"))
            & self.sufficient
        )

    @cached_property
    def moved(self) -> Marks:
        """Columns of which any window says so, and the freshest still does."""
        now = self.at_chosen(self.score("total_variation") > self.critical("total_variation"))
        return np.asarray(self.beyond.any(axis=0) & now.astype(bool) & ~self.ignored)

    @cached_property
    def diagnoses(self) -> Mapping[int, tuple[str, str]]:
        """Code and sentence, by column."""
        return {
            one.column: (one.labels[0], one.labels[1])
            for one in self.block.aspects if isinstance(one, Listed) and one.word == DIAGNOSIS
        }  # fmt: skip


@dataclass(frozen=True)
class View:
    """One model."""

    scene: Scene
    page: Page

    @property
    def now(self) -> float:
        """Unix time of the numbers."""
        return self.page.health.snapshot_wall_s

    @property
    def key(self) -> tuple[str, str]:
        """Model and version."""
        return self.scene.labels

    @property
    def is_shadow(self) -> bool:
        """Whether it answers nobody: nothing of it counts as served."""
        found = self.scene.snapshot.versioned
        return found is not None and found.role == SHADOW

    @property
    def last_s(self) -> float:
        """Unix time of the last request; 0 before the first."""
        return self.scene.snapshot.traffic.last_wall_s

    @cached_property
    def sides(self) -> tuple[Side, ...]:
        """Those that the profile has."""
        profile, told, first = self.scene.profile, self.scene.snapshot.evidence, 0
        if profile is None:
            return ()
        found = []
        for at, columns in ((FEATURES, profile.features), (OUTPUTS, profile.outputs)):
            block = self.scene.block(at)
            if block is not None and columns and block.scores:
                streams = np.arange(first, first + len(columns))
                named = np.zeros(len(columns), bool) if told is None else self._named[streams]
                found.append(Side(SIDES[at], columns, block, told, streams, named))
            first += len(columns) if block is not None else 0
        return tuple(found)

    def side(self, word: str) -> Side | None:
        """One of SIDES; None where there is nothing of it."""
        return next((one for one in self.sides if one.word == word), None)

    @cached_property
    def listened(self) -> NDArray[np.int64]:
        """Places in the verdict of columns that nobody has said to ignore."""
        blocks = [block for block in (self.scene.block(FEATURES), self.scene.block(OUTPUTS)) if block is not None]
        said = [rule for block in blocks for rule in block.said]
        return np.flatnonzero([not rule.ignore for rule in said])

    @cached_property
    def _named(self) -> Marks:
        told = self.scene.snapshot.evidence
        if told is None:
            return np.zeros(0, bool)
        return np.asarray(told.named(self.listened) | told.named_slowly(self.listened))
