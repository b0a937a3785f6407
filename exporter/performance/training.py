"""What the training said of its performance, beside the measures of now: who wrote it down called it as they liked."""

import re
from collections.abc import Mapping
from typing import Final

from exporter.performance.task import BINARY, RANKING, REGRESSION, Task

_WHERE: Final = "train|training|val|valid|validation|test|testing|eval|evaluation|dev|holdout|hold_out|oof|cv|mean|avg"
_BEFORE: Final = re.compile(rf"(?:{_WHERE})_(?=.)")
_BEHIND: Final = re.compile(rf"(?<=.)_(?:{_WHERE}|score|metric|loss_value)$")
_ALIASES: Final[Mapping[str, str]] = {
    "accuracy": "accuracy", "acc": "accuracy",
    "balanced_accuracy": "balanced_accuracy", "balanced_acc": "balanced_accuracy",
    "auc": "roc_auc", "roc_auc": "roc_auc", "auroc": "roc_auc", "auc_roc": "roc_auc", "rocauc": "roc_auc",
    "roc_auc_ovr": "roc_auc", "area_under_roc": "roc_auc",
    "average_precision": "pr_auc", "pr_auc": "pr_auc", "auc_pr": "pr_auc", "auprc": "pr_auc", "aucpr": "pr_auc",
    "ap": "pr_auc", "area_under_pr": "pr_auc",
    "log_loss": "log_loss", "logloss": "log_loss", "cross_entropy": "log_loss", "binary_logloss": "log_loss",
    "multi_logloss": "log_loss", "mlogloss": "log_loss", "neg_log_loss": "log_loss",
    "brier": "brier", "brier_loss": "brier", "neg_brier": "brier",
    "ece": "calibration_error", "expected_calibration_error": "calibration_error",
    "precision_macro": "precision_macro", "macro_precision": "precision_macro",
    "recall_macro": "recall_macro", "macro_recall": "recall_macro",
    "f1_macro": "f1_macro", "macro_f1": "f1_macro",
    "precision_weighted": "precision_weighted", "weighted_precision": "precision_weighted",
    "recall_weighted": "recall_weighted", "weighted_recall": "recall_weighted",
    "f1_weighted": "f1_weighted", "weighted_f1": "f1_weighted",
    "precision": "precision", "recall": "recall", "sensitivity": "recall", "tpr": "recall", "f1": "f1",
    "mae": "mae", "mean_absolute_error": "mae", "neg_mean_absolute_error": "mae", "l1": "mae",
    "rmse": "rmse", "root_mean_squared_error": "rmse", "neg_root_mean_squared_error": "rmse",
    "mape": "mape", "mean_absolute_percentage_error": "mape", "neg_mean_absolute_percentage_error": "mape",
    "r2": "r2", "r_squared": "r2", "r_2": "r2", "rsquared": "r2", "bias": "bias",
    "hit_rate": "hit_rate", "ndcg": "ndcg",
}  # fmt: skip
_OF_NUMBERS: Final = frozenset({"mae", "rmse", "mape", "r2", "bias"})
_OF_RANKS: Final = frozenset({"hit_rate", "ndcg"})
_OF_POSITIVES: Final = frozenset({"precision", "recall", "f1"})
"""Without a word of which class: of the positive one of two; of more it is not said how they were averaged."""


def in_training(task: Task, performance: Mapping[str, float]) -> tuple[tuple[str, str, float], ...]:
    """Measure, what the training called it, and value, of all that there is a measure of; errors are not negative."""
    found = ((measure_of(task, name), name, value) for name, value in sorted(performance.items()))
    return tuple((measure, name, -value if _is_turned(name) else value) for measure, name, value in found if measure)


def measure_of(task: Task, name: str) -> str:
    """The measure that is called so; empty where there is none of this task."""
    spelled = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    before = ""
    while spelled not in _ALIASES and spelled != before:
        before = spelled
        spelled = _BEHIND.sub("", _BEFORE.sub("", spelled, count=1))
    measure = _ALIASES.get(spelled, "")
    return measure if measure and _is_of(task, measure) else ""


def _is_of(task: Task, measure: str) -> bool:
    if measure in _OF_NUMBERS:
        return task.kind == REGRESSION
    if measure in _OF_RANKS:
        return task.kind == RANKING
    return task.is_classification and (measure not in _OF_POSITIVES or task.kind == BINARY)


def _is_turned(name: str) -> bool:
    """Whether it is an error with a minus, so that more is better, as scikit-learn has its scorers."""
    return "neg_" in name.lower()
