"""The second pass over a table, of its truth: what was predicted row by row held against what turned out.

All is counted in whole numbers: neither the order of rows nor how they are shared out shows.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.hindsight import Performance
from exporter.performance.deduced import of_target
from exporter.performance.measures import measured
from exporter.performance.tally import Tally
from exporter.performance.task import Rows
from exporter.profile import score_cells
from exporter.profile.builder import number_name
from exporter.profile.errors_by_part import ErrorsByPart
from exporter.profile.pieces import Cells
from exporter.profile.placing import OwnBins
from exporter.profile.recount import Recount
from exporter.reference import Column
from exporter.scalars.salted import Salt
from exporter.sketch.grid import Grid
from exporter.target import Calibration, Target

QUANTILES: Final = (0.5, 0.75, 0.9, 0.95, 0.99)
"""Of the sizes of errors: edges lie near them."""
_OF_CLASSES: Final = (
    "accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc", "pr_auc", "log_loss",
    "brier",
)  # fmt: skip
_OF_NUMBERS: Final = ("mae", "rmse", "mape", "r2", "bias")
"""Measures that a profile says of the training."""


class Judging:
    """Of all rows of a table, or of a part of them. It can be pickled, and merged with those of other parts."""

    def __init__(
        self, target: Target, outputs: Sequence[Column], salt: Salt | None, segments: int = 0, *, anew: bool
    ) -> None:  # fmt: skip
        """`segments` of all ways to divide the rows, which may be wrong in each.

        `anew` counts the truth's own bins, too, errors in the edges that there are, and fits no calibration.
        """
        self._target = target
        self._task = of_target(target, Performance())
        column = target.column
        names = (column.name, target.label, *target.scores)
        self.fields = tuple(dict.fromkeys(name for name in names if name))
        """Columns of the table, of which it needs the same rows together."""
        self._salts = {one.name: salt for one in (column, *outputs) if one.salt}
        self._bins = OwnBins(column, salt)
        self.again = Recount(column) if anew else None
        self._tally = Tally(self._task)
        self.words = np.zeros(self._tally.size, np.int64)
        self.cells = [score_cells.empty() for _ in target.scores]
        self.sizes = Grid()
        self.errors = np.zeros(len(target.errors) or 2, np.int64)
        self.parts = ErrorsByPart(segments, self._task.is_classification, target.edges)

    def add(self, cells: Mapping[str, Cells], segments: Sequence[NDArray[np.int32]] = ()) -> None:
        """Some rows, by column of the table; `segments` that each is of, by what divides the rows."""
        target = self._target
        rows = cells[target.column.name].rows
        said = np.full((rows, self._task.width), math.nan)
        for place, name in enumerate(target.scores, 1):
            said[:, place] = _finite(cells[name].aligned())
        if target.label:
            said[:, 0] = self._read(target.label, cells[target.label])
        else:
            said[:, 0] = self._task.labels(said[:, 1:])
        true = self._read(target.column.name, cells[target.column.name])
        self.words += self._tally.of(Rows(said, true, np.ones(rows)))
        self._count(said, true)
        self.parts.add(said[:, 0], true, segments)
        if self.again is not None:
            self.again.add(self._bins.place([cells[target.column.name]])[0])

    def _read(self, name: str, cells: Cells) -> NDArray[np.float64]:
        """Codes of classes, or numbers; NaN is missing."""
        if not self._task.is_classification:
            return _finite(cells.aligned())
        names, places = cells.coded()
        codes = [self._code(self._salts.get(name), one) for one in names]
        return np.array([*codes, math.nan])[places]  # the last is that of missing cells, whose code is -1

    def _code(self, salt: Salt | None, name: str) -> float:
        """As a category of the profile is spelled: `3.0` may be 3."""
        spellings = [name, number_name(name)]
        codes = [self._task.code(salt.name(one) if salt else one) for one in spellings]
        return min(codes)  # OTHER is the last

    def _count(self, said: NDArray[np.float64], true: NDArray[np.float64]) -> None:
        known = np.isfinite(said[:, 0]) & np.isfinite(true)
        if self._task.is_classification:
            right = int((said[known, 0] == true[known]).sum())
            self.errors += (right, int(known.sum()) - right)
            self._calibrate(said[:, 1:], true)
            return
        with np.errstate(over="ignore"):
            sizes = np.minimum(np.abs(said[known, 0] - true[known]), np.finfo(np.float64).max)
        if self._target.edges:
            places = np.searchsorted(self._target.edges, sizes, side="right")
            self.errors += np.bincount(places, minlength=self.errors.size)
        else:
            self.sizes.update(sizes)

    def _calibrate(self, scores: NDArray[np.float64], true: NDArray[np.float64]) -> None:
        for place in range(scores.shape[1]):
            of = scores[:, place]
            known = (of >= 0) & (of <= 1) & np.isfinite(true)
            code = 1 if len(self.cells) == 1 else place
            self.cells[place] += score_cells.cells(of[known], true[known] == code)

    def merge(self, other: "Judging") -> None:
        """Add all that another part holds."""
        self.words += other.words
        self.cells = [mine + theirs for mine, theirs in zip(self.cells, other.cells, strict=True)]
        self.sizes.merge(other.sizes)
        self.errors += other.errors
        self.parts.merge(other.parts)
        if self.again is not None and other.again is not None:
            self.again.merge(other.again)

    # the end

    def found(self) -> Target:
        """The truth with all that was counted."""
        target = self._target
        if self.again is not None:
            return target._replace(column=self.again.column(), errors=_counts(self.errors))
        if self._task.is_classification:
            return target._replace(errors=_counts(self.errors), calibrations=self._calibrations())
        edges, errors = size_bins(self.sizes)
        return target._replace(edges=edges, errors=errors)

    def errors_by_part(self, target: Target) -> list[tuple[int, ...]]:
        """Of each segment the rows by how wrong they were, as those of the whole that was found."""
        return self.parts.counts(target.edges) if target.errors else []

    def _calibrations(self) -> tuple[Calibration, ...]:
        """Of each of the scores; nothing where one of them says nothing."""
        pairs = zip(self._target.scores, self.cells, strict=True)
        made = [score_cells.calibration(name, counted) for name, counted in pairs]
        known = tuple(one for one in made if one is not None)
        return known if len(known) == len(made) else ()

    def performance(self) -> dict[str, float]:
        """How the training went, by the names of the measures; without those that are not defined."""
        wanted = _OF_CLASSES if self._task.is_classification else _OF_NUMBERS
        found = {one.name: one.value for one in measured(self._task, self.words) if not one.labels}
        return {name: found[name] for name in wanted if math.isfinite(found.get(name, math.nan))}


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, math.nan)


def _counts(counts: NDArray[np.int64]) -> tuple[int, ...]:
    """Nothing where there are no rows."""
    return tuple(counts.tolist()) if counts.any() else ()


def size_bins(sizes: Grid) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Edges on cell bounds near the quantiles, and rows below the first, between each two, and from the last on.

    Half of the sizes may be 0, as where numbers are predicted exactly: edges are above 0.
    """
    before = np.concatenate(([0], sizes.counts.cumsum()))
    total = int(before[-1])
    if not total:
        return (), ()
    low, cuts = sizes.lower_bounds(), set[int]()
    for quantile in QUANTILES:
        inner = np.arange(1, low.size)
        if inner.size:
            cuts.add(int(inner[np.abs(before[inner] - quantile * total).argmin()]))
    places = sorted(at for at in cuts if low[at] > 0)
    if not places:
        return (), ()
    rows = [int(before[end] - before[start]) for start, end in pairwise((0, *places, low.size))]
    return tuple(float(low[at]) for at in places), tuple(rows)
