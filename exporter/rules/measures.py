"""How performance is held against the training's: which measures, and which way is worse. Phrases for the rules.

`alert_rules/sources/performance.yml` records of each how far its whole interval lies beyond the training value, so that
nobody is told of what chance explains.
"""

from typing import Final

HIGHER_IS_BETTER: Final = (
    "accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc", "pr_auc", "r2",
    "hit_rate", "ndcg",
)  # fmt: skip
"""Shares: worse is fewer points."""
LOWER_IS_BETTER: Final = ("log_loss", "brier", "mae", "rmse", "mape")
"""Losses of any unit: worse is more of them, as a share of the training's."""
ESTIMATED: Final = ("accuracy", "f1_macro", "roc_auc")
"""Of which there are estimates without truth."""
_REPLICA: Final = "cluster, namespace, job, instance, model, model_version"
_ARRIVED: Final = f'and on ({_REPLICA}, window) model_performance_sufficient{{by="arrival"}} == 1'
_UNKNOWN: Final = f'unless on ({_REPLICA}, window) model_performance_sufficient{{by="arrival"}} == 1'


def _labelled(expression: str, measure: str) -> str:
    return f'label_replace({expression}, "measure", "{measure}", "", "")'


def least(measure: str) -> str:
    """Which of several values of the training counts: the worst. Of its own rows it promises more than it can keep."""
    return "min" if measure in HIGHER_IS_BETTER else "max"


def _training(measure: str) -> str:
    """One value, though the training may have several names for it."""
    return f"{least(measure)} by ({_REPLICA}, profile) (model_performance_{measure}_training)"


def _fall(measure: str) -> str:
    live = f'(model_performance_{measure}_upper{{by="arrival"}} {_ARRIVED})'
    return _labelled(f"{_training(measure)} - on ({_REPLICA}) group_right (profile) {live}", measure)


def _rise(measure: str) -> str:
    live = f'(model_performance_{measure}_lower{{by="arrival"}} {_ARRIVED})'
    return _labelled(f"{live} / on ({_REPLICA}) group_left (profile) ({_training(measure)} > 0) - 1", measure)


def _estimated(measure: str) -> str:
    """Nothing is estimated where truths say it."""
    live = f"(model_performance_estimated_{measure}_upper {_UNKNOWN})"
    return _labelled(f"{_training(measure)} - on ({_REPLICA}, profile) group_right () {live}", measure)


PHRASES: Final = {
    "performance_falls": "\nor\n".join(map(_fall, HIGHER_IS_BETTER)),
    "performance_rises": "\nor\n".join(map(_rise, LOWER_IS_BETTER)),
    "performance_estimated": "\nor\n".join(map(_estimated, ESTIMATED)),
}
"""For the rules that ask for them."""
