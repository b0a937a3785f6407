"""Whether what a model is asked follows what it answered a pane before: means by pane, out of the windows there are.

Nothing is counted beside them. Taken are the panes of that window of time which has most; looked at are features that
are numbers, the first ones of many, and the first outputs. A minute's work of a processor a day: once for each pane.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.drift.recursion import Recursion, recursion
from exporter.looped import Returned
from exporter.monitor.block import Block
from exporter.monitor.paned import Paned

_FEATURES: Final = 200
_OUTPUTS: Final = 4
_LEAST_ROWS: Final = 10
"""Values of a pane, fewer of which make no mean."""
_LEAST_THERE: Final = 0.9
"""Of the panes with traffic those in which a feature must have a mean: else it is left out."""


class Returning:
    """Of one model."""

    def __init__(self, features: Block, outputs: Block) -> None:
        self._features, self._outputs = features, outputs
        self._asked = _watched(features, _FEATURES, ordered=True)
        self._answered = _watched(outputs, _OUTPUTS, ordered=False)
        self._pane = -1
        self._told: Returned | None = None
        """What was found when the last pane ended."""

    def snapshot(self, now: float) -> Returned | None:
        """What there is to say at `now`; None while there are too few panes."""
        if not self._asked or not self._answered:
            return None
        pane = int(now // self._features.widest_s)
        if pane != self._pane:
            self._pane, self._told = pane, self._look(now)
        return self._told

    def _look(self, now: float) -> Returned | None:
        answers = _means(self._outputs.paned(now), self._answered)
        features = _means(self._features.paned(now), self._asked)
        traffic = np.isfinite(answers).all(axis=1)
        if not traffic.any():
            return None
        there = np.flatnonzero(np.isfinite(features[traffic]).mean(axis=0) >= _LEAST_THERE)
        found = recursion(answers, features[:, there]) if there.size else None
        return self._named(found, there) if found else None

    def _named(self, found: Recursion, there: NDArray[np.intp]) -> Returned:
        feature = self._asked[int(there[found.feature])]
        return Returned(
            found.size, found.critical, self._outputs.scope.columns[self._answered[found.output]].name,
            self._features.scope.columns[feature].name, found.panes, self._features.widest_s,
        )  # fmt: skip


def _watched(block: Block, most: int, *, ordered: bool) -> list[int]:
    """Places of columns that have a mean: numbers that differ, and, unless `ordered`, the others."""
    scope = block.scope
    found = (
        place
        for place, (column, readable, said) in enumerate(zip(scope.columns, scope.readable, scope.said, strict=True))
        if readable and not said.ignore and (column.sd > 0 if column.ordered else not ordered)
    )
    return list(found)[:most]


def _means(paned: Paned, places: list[int]) -> NDArray[np.float64]:
    """Of some columns, shape (panes, columns); NaN where a pane has too few values."""
    rows, sums = paned.rows[:, places], paned.sums[:, places]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(rows >= _LEAST_ROWS, sums / rows, np.nan))


def returning(features: Block | None, outputs: Block | None) -> Returning | None:
    """None where one side is not watched, or there are no windows of time."""
    if features is None or outputs is None or not features.scope.windows.lengths:
        return None
    return Returning(features, outputs)
