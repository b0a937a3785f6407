"""What people ask once the truth is known, and the families that answer it; see `questions`."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.asked import Question, Section, asked, every
from exporter.families import Family


def _measured(*words: str) -> tuple[Family, ...]:
    """Measures, each with its interval, how far off it may be, and what it was in training."""
    of = c.PERFORMANCE
    beside = (of.values, of.lower, of.upper, of.bound, of.training)
    return tuple(families[word] for word in words for families in beside if word in families)


def _estimated() -> Iterator[Family]:
    of = c.ESTIMATED
    return (family for word in of.values for family in (of.values[word], of.lower[word], of.upper[word]))


_CLASSES: Final = Section("How good the model is: classes", (
    Question("How often is the model right?", _measured("accuracy", "balanced_accuracy")),
    Question("Which class does it get wrong?", _measured("precision", "recall", "f1", "confusion_rows")),
    asked("How often is a whole fleet right, since when you like?", c.PERFORMANCE.outcomes),
    Question("How good is it over all classes?", _measured(*(
        f"{word}_{mean}" for mean in ("macro", "weighted") for word in ("f1", "precision", "recall")
    ))),
    Question("Does it put the right ones above the others?", _measured(
        "roc_auc", "pr_auc", "roc_auc_of_class", "pr_auc_of_class"
    )),
    Question("Can its scores be taken at their word?", _measured(
        "calibration_error", "calibration_in_the_large", "log_loss", "brier", "reliability_rows", "reliability_score",
        "reliability_true_ratio",
    )),
    Question("What do its errors cost?", _measured("cost_per_thousand")),
))  # fmt: skip
_NUMBERS: Final = Section("How good the model is: numbers and rankings", (
    Question("How far off is the model?", _measured("mae", "rmse", "mape", "residual_quantile")),
    Question("Does it say too much or too little?", _measured("bias")),
    Question("How much does it explain?", _measured("r2")),
    Question("Is what is right among the first of a ranking?", _measured("hit_rate", "ndcg")),
))  # fmt: skip
_TRUTH: Final = Section("How good the model is: what it rests on", (
    asked("Is enough of the truth known to judge?", c.PERFORMANCE.samples, c.PERFORMANCE.sufficient,
           c.PERFORMANCE.coverage),
    asked("How late does the truth come?", c.PERFORMANCE.lag),
    asked("What is taken to be predicted?", c.PERFORMANCE.info),
    asked("Is all the truth used?", c.PERFORMANCE.opened, c.PERFORMANCE.joined, c.PERFORMANCE.unusable),
    Question("How good is the model probably, while no truth is known?", every(_estimated(), c.ESTIMATED.samples)),
))  # fmt: skip
_CHANGED: Final = Section("How good the model is: whether it became worse", (
    asked("Has the model become worse, so that somebody should get up?", c.CONCEPT.nats, c.CONCEPT.threshold),
    asked("Since when is it wrong more often, and how often?", c.CONCEPT.began_s, c.CONCEPT.recent,
           c.CONCEPT.recent_rows, c.CONCEPT.changes),
    asked("What would it take to page?", c.CONCEPT.reference, c.CONCEPT.tolerance,
          c.CONCEPT.dependence),
    Question("Does something else happen than in training?", (*c.TARGET,)),
))  # fmt: skip
_PARTS: Final = Section("How good the model is: for whom it is worse", (
    asked("Whom does the model serve worse than all others, and since when?", *c.WORST),
    asked("How much is searched for such parts, and what does it take to be named?", *c.SEARCH),
))  # fmt: skip
_WORTH: Final = Section("What predictions are worth", (
    asked("What is a prediction worth, and all of them?", *c.BUSINESS),
))  # fmt: skip
_VERSIONS: Final = Section("Versions that are there together", (
    asked("Which version is stable, which a canary, which a shadow?", c.VERSIONS.info),
    asked(
        "Does a version answer otherwise than the stable one?",
        c.VERSIONS.mean_difference, c.VERSIONS.mean_critical, c.VERSIONS.share_difference, c.VERSIONS.share_critical,
    ),
    asked(
        "Is a version as good as the stable one?",
        c.VERSIONS.performance, c.VERSIONS.performance_lower, c.VERSIONS.performance_upper,
    ),
    asked("What does each version answer on average?", c.VERSIONS.mean, c.VERSIONS.deviation, c.VERSIONS.samples),
    asked(
        "What becomes of copies of requests?",
        c.VERSIONS.shadow_requests, c.VERSIONS.shadow_rows, c.VERSIONS.shadow_duration,
    ),
))  # fmt: skip
FEEDBACK: Final = Section("The exporter: how truth comes", (
    asked(
        "What became of the truths that were posted?",
        c.FEEDBACK.truths, c.FEEDBACK.received, c.FEEDBACK.waiting, c.FEEDBACK.unawaited, c.FEEDBACK.lost,
        c.FEEDBACK.refused, c.FEEDBACK.early, c.FEEDBACK.found_early,
    ),
    asked(
        "Is every prediction kept for its truth, and does it come?",
        c.FEEDBACK.dropped, c.FEEDBACK.predictions, c.FEEDBACK.offered, c.FEEDBACK.predictions_waiting,
        c.FEEDBACK.joined, c.FEEDBACK.strangers, c.FEEDBACK.gone, c.FEEDBACK.found,
    ),
    asked(
        "Does the store answer, and how full is it?",
        c.FEEDBACK.store_up, c.FEEDBACK.store, c.FEEDBACK.store_predictions, c.FEEDBACK.store_early,
        c.FEEDBACK.store_bytes, c.FEEDBACK.store_errors, c.FEEDBACK.store_set_aside, c.FEEDBACK.buffered,
        c.FEEDBACK.buffer_limit,
    ),
))  # fmt: skip
"""Stands among what is asked of the exporter itself."""

SECTIONS: Final = (_CHANGED, _PARTS, _CLASSES, _NUMBERS, _TRUTH, _WORTH, _VERSIONS)
"""Of models, in the order in which people ask."""
