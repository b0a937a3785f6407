"""Which answers were wrong, once their truth is known, whatever is predicted."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from exporter.performance.concept import Reference, is_alike, reference_of
from exporter.performance.task import RANKING, REGRESSION, Rows, Task
from exporter.target import Target

Bits = NDArray[np.bool_]
Wrong = Callable[[Rows], tuple[Bits, Bits]]
"""Of rows those that can be judged, and of each of those whether it is wrong."""


def wrong_of(task: Task, target: Target | None) -> Wrong | None:
    """Another class; a number farther off than nine in ten in training; a ranking without anything relevant.

    None of numbers where the training data do not say how far off they were.
    """
    if task.kind == RANKING:
        return lambda rows: _missed(rows, task.ranks)
    if task.kind != REGRESSION:
        return Reference(math.nan, math.nan).wrong
    reference = reference_of(target) if target and is_alike(target, task) else None
    return reference.wrong if reference else None


def expected_of(task: Task, target: Target | None) -> float | None:
    """The share of wrong ones in training; None where nobody knows."""
    reference = reference_of(target) if target and is_alike(target, task) else None
    return reference.share if reference else None


def _missed(rows: Rows, ranks: int) -> tuple[Bits, Bits]:
    shown = rows.true[:, :ranks]
    known = np.asarray(np.isfinite(rows.true).any(axis=1))
    return known, ~np.asarray((np.nan_to_num(shown[known], nan=0.0) > 0).any(axis=1))
