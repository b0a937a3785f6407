"""What is added up of predictions with their truths, as whole numbers: order and batches make no difference.

Words of any two sets of rows can be added, by windows, by replicas and by restarts. What they say is exact to 1e-9:
absolutely for means of bounded losses, and relative to the task's `unit` for numbers; that holds for up to 2^30 rows
with weights of a millionth to a thousand.
"""

from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from exporter.performance.curves import MOST_CURVED, Curves, CurveTally
from exporter.performance.outcomes import Outcomes, OutcomeTally
from exporter.performance.ranked import Ranked, RankTally
from exporter.performance.residuals import Residuals, ResidualTally
from exporter.performance.rivals import MOST as MOST_RIVALS
from exporter.performance.rivals import Rivals, RivalTally
from exporter.performance.scoring import Scored, ScoreTally
from exporter.performance.task import BINARY, MULTICLASS, RANKING, REGRESSION, Rows, Task
from exporter.performance.weighing import Batch, Weighed, batch

LAYOUT: Final = 1
"""Changes with what words mean: those of another one are not to be added to."""
_AT_ONCE: Final = 1 << 20


class Sums(NamedTuple):
    """What words say; None is what there is nothing of in this task."""

    outcomes: Outcomes | None = None
    scored: Scored | None = None
    curves: Curves | None = None
    rivals: Rivals | None = None
    residuals: Residuals | None = None
    ranked: Ranked | None = None

    @property
    def all(self) -> Weighed:
        """Rows that measures are of."""
        return self._judged.all

    @property
    def left_out(self) -> int:
        """Rows without a prediction or a truth that can be used."""
        return self._judged.left_out

    @property
    def _judged(self) -> Outcomes | Residuals | Ranked:
        return next(part for part in (self.outcomes, self.residuals, self.ranked) if part is not None)


class _Part(Protocol):
    """Words of one kind."""

    size: int

    def of(self, batch: Batch) -> NDArray[np.int64]:
        """Words of some rows, shape (size,)."""

    def read(self, words: NDArray[np.int64]) -> Outcomes | Scored | Curves | Rivals | Residuals | Ranked:
        """What the words say."""


class Tally:
    """Adds up the rows of one task."""

    def __init__(self, task: Task) -> None:
        self._parts = _parts(task)
        self._ends = np.cumsum([part.size for part in self._parts.values()])
        self.size = int(self._ends[-1])
        """Words, each of 64 bits."""

    def of(self, rows: Rows) -> NDArray[np.int64]:
        """Words of some rows, shape (size,)."""
        found = np.zeros(self.size, np.int64)
        for start in range(0, rows.rows, _AT_ONCE):
            some = batch(Rows(*(part[start : start + _AT_ONCE] for part in rows)))
            found += np.concatenate([part.of(some) for part in self._parts.values()])
        return found

    def view(self, words: NDArray[np.int64]) -> Sums:
        """What sums of words say."""
        pieces = np.split(words, self._ends[:-1])
        read = {name: part.read(piece) for (name, part), piece in zip(self._parts.items(), pieces, strict=True)}
        return Sums(**read)  # type: ignore[arg-type]  # each under its own name


def _parts(task: Task) -> dict[str, _Part]:
    """By the name in Sums."""
    if task.kind == REGRESSION:
        return {"residuals": ResidualTally(task)}
    if task.kind == RANKING:
        return {"ranked": RankTally(task)}
    found: dict[str, _Part] = {"outcomes": OutcomeTally(task)}
    if len(task.scores) != (1 if task.kind == BINARY else len(task.classes)):  # none, or not of each class
        return found
    found["scored"] = ScoreTally(task)
    if len(task.classes) <= MOST_CURVED:
        found["curves"] = CurveTally(task)
    if task.kind == MULTICLASS and len(task.classes) <= MOST_RIVALS:
        found["rivals"] = RivalTally(task)
    return found
