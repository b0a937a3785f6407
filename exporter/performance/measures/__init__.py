"""Measures: from sums to how good a model was, each with an interval.

To add one: a function in the file of its kind, and a line in the table; `tests/performance/test_measures.py` asks every
one of them the same questions, and `exporter.families` tells what it is.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.costing import Cost
from exporter.performance.measures import (
    areas,
    averages,
    calibration,
    cost,
    determination,
    errors,
    losses,
    outcomes,
    quantiles,
    ranking,
)
from exporter.performance.measures.case import Case
from exporter.performance.tally import Tally
from exporter.performance.task import Task
from exporter.performed import Measure


class Kind(NamedTuple):
    """One entry of the table."""

    of: Callable[[Case], Iterable[Measure]]
    """Yields nothing where the task has no such measure, and NaN where it has and rows do not tell."""
    labels: tuple[str, ...] = ()
    interval: bool = True
    bound: bool = False
    """Whether it says how far it may be from what the raw rows would give."""


_CLASS: Final = ("class",)
_BIN: Final = ("bin",)

MEASURES: Final[Mapping[str, Kind]] = {
    "accuracy": Kind(outcomes.accuracy),
    "balanced_accuracy": Kind(averages.balanced_accuracy),
    "precision": Kind(outcomes.precision, _CLASS),
    "recall": Kind(outcomes.recall, _CLASS),
    "f1": Kind(outcomes.f1, _CLASS),
    "precision_macro": Kind(averages.precision_macro),
    "recall_macro": Kind(averages.recall_macro),
    "f1_macro": Kind(averages.f1_macro),
    "precision_weighted": Kind(averages.precision_weighted),
    "recall_weighted": Kind(averages.recall_weighted),
    "f1_weighted": Kind(averages.f1_weighted),
    "roc_auc": Kind(areas.roc_auc, bound=True),
    "roc_auc_of_class": Kind(areas.roc_auc_of_class, _CLASS, bound=True),
    "pr_auc": Kind(areas.pr_auc, bound=True),
    "pr_auc_of_class": Kind(areas.pr_auc_of_class, _CLASS, bound=True),
    "log_loss": Kind(losses.log_loss),
    "brier": Kind(losses.brier),
    "calibration_error": Kind(calibration.calibration_error),
    "calibration_in_the_large": Kind(calibration.calibration_in_the_large),
    "confusion_rows": Kind(outcomes.confusion_rows, ("actual", "predicted"), interval=False),
    "reliability_rows": Kind(calibration.reliability_rows, _BIN, interval=False),
    "reliability_score": Kind(calibration.reliability_score, _BIN, interval=False),
    "reliability_true_ratio": Kind(calibration.reliability_true_ratio, _BIN, interval=False),
    "mae": Kind(errors.mae),
    "rmse": Kind(errors.rmse),
    "mape": Kind(errors.mape),
    "r2": Kind(determination.r2),
    "bias": Kind(errors.bias),
    "residual_quantile": Kind(quantiles.residual_quantile, ("rank",), bound=True),
    "hit_rate": Kind(ranking.hit_rate),
    "ndcg": Kind(ranking.ndcg),
    "cost_per_thousand": Kind(cost.cost_per_thousand),
}


def measured(
    task: Task, words: NDArray[np.int64], costs: tuple[Cost, ...] = (), dependence: float = 1.0
) -> tuple[Measure, ...]:
    """Every measure of the task, from the sums of `Tally(task)`, in the order of the table.

    A `dependence` above 1 says that so many rows are worth one independent row: intervals get wider by its root.
    """
    case = Case(task, _tally(task).view(words), costs, dependence)
    return tuple(one for kind in MEASURES.values() for one in kind.of(case))


@lru_cache(maxsize=64)
def _tally(task: Task) -> Tally:
    return Tally(task)
