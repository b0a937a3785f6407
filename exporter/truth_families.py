"""The families of late truth: how good a model turned out to be, what it is worth, and how its truth comes.

One table of measures gives each its families: the value, its interval, how far off binning may put it, and what it was
in training. `catalogue` holds all of them.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from exporter.families import COUNTER, GAUGE, HISTOGRAM, MODEL, PROFILED, Family


class Performance(NamedTuple):
    """How good one model turned out to be; of measures by the word of the measure."""

    values: Mapping[str, Family]
    lower: Mapping[str, Family]
    upper: Mapping[str, Family]
    bound: Mapping[str, Family]
    training: Mapping[str, Family]
    samples: Family
    sufficient: Family
    coverage: Family
    info: Family
    lag: Family
    opened: Family
    joined: Family
    unusable: Family
    outcomes: Family


class Estimates(NamedTuple):
    """What scores alone say about measures, by the word of the measure."""

    values: Mapping[str, Family]
    lower: Mapping[str, Family]
    upper: Mapping[str, Family]
    samples: Family


class TargetDrift(NamedTuple):
    """What turned out against the truth of the training data; fields are called as those of `performed.TargetMoved`."""

    total_variation: Family
    total_variation_critical: Family
    psi: Family
    psi_critical: Family
    samples: Family
    sufficient: Family


class ConceptDrift(NamedTuple):
    """Whether the model is wrong more often than in training; fields are called as those of `performed.Concept`."""

    nats: Family
    threshold: Family
    reference: Family
    tolerance: Family
    began_s: Family
    recent: Family
    recent_rows: Family
    changes: Family
    dependence: Family


class Business(NamedTuple):
    """Business values; fields are called as those of `performed.Valued`."""

    mean: Family
    lower: Family
    upper: Family
    total: Family
    rows: Family


class _Measure(NamedTuple):
    """One line of the table."""

    help: str
    labels: tuple[str, ...] = ()
    has_interval: bool = True
    has_bound: bool = False
    is_trained: bool = True
    """Whether a training may have said it, too."""


OF_CLASSES: Final = (
    "accuracy", "balanced_accuracy", "precision", "recall", "f1", "precision_macro", "recall_macro", "f1_macro",
    "precision_weighted", "recall_weighted", "f1_weighted", "confusion_rows", "cost_per_thousand",
)  # fmt: skip
"""Measures of classes; of their scores; of numbers; of rankings."""
OF_SCORES: Final = (
    "roc_auc", "pr_auc", "roc_auc_of_class", "pr_auc_of_class", "log_loss", "brier", "calibration_error",
    "calibration_in_the_large", "reliability_rows", "reliability_score", "reliability_true_ratio",
)  # fmt: skip
OF_EACH: Final = ("roc_auc_of_class", "pr_auc_of_class")
"""Of these what there is of several classes alone."""
OF_NUMBERS: Final = ("mae", "rmse", "mape", "r2", "bias", "residual_quantile")
OF_RANKINGS: Final = ("hit_rate", "ndcg")


_CLASS: Final = ("class",)
_BIN: Final = ("bin",)
# fmt: off
_MEASURES: Final[dict[str, _Measure]] = {
    "accuracy": _Measure("Share of predictions whose class was right (scikit-learn's accuracy_score)."),
    "balanced_accuracy": _Measure("Mean over classes of the share of each that was found (balanced_accuracy_score): rare classes count as much as frequent ones."),
    "precision": _Measure("Of predictions of the class the share that was right (precision_score); 0 where nothing was predicted to be of it.", _CLASS),
    "recall": _Measure("Of what turned out to be of the class the share that was predicted so (recall_score).", _CLASS),
    "f1": _Measure("Harmonic mean of precision and recall of the class (f1_score): 2 TP / (2 TP + FP + FN).", _CLASS),
    "precision_macro": _Measure("Mean of the classes' precision, each counting alike (precision_score, average macro)."),
    "recall_macro": _Measure("Mean of the classes' recall, each counting alike (recall_score, average macro)."),
    "f1_macro": _Measure("Mean of the classes' F1, each counting alike (f1_score, average macro)."),
    "precision_weighted": _Measure("Mean of the classes' precision, each counting as often as it turned out (precision_score, average weighted)."),
    "recall_weighted": _Measure("Mean of the classes' recall, each counting as often as it turned out (recall_score, average weighted)."),
    "f1_weighted": _Measure("Mean of the classes' F1, each counting as often as it turned out (f1_score, average weighted)."),
    "roc_auc": _Measure("How well scores put the positive ones above the others: area under the ROC curve (roc_auc_score), from counts by bin of the score; of several classes the mean of one against the rest. 0.5 is chance.", has_bound=True),
    "pr_auc": _Measure("Area under the curve of precision and recall (average_precision_score), from counts by bin of the score; of several classes the mean of one against the rest. The share of positive ones is chance.", has_bound=True),
    "roc_auc_of_class": _Measure("Area under the ROC curve of one class against the rest, of several, from counts by bin of its score.", _CLASS, has_bound=True, is_trained=False),
    "pr_auc_of_class": _Measure("Area under the curve of precision and recall of one class against the rest, of several, from counts by bin of its score.", _CLASS, has_bound=True, is_trained=False),
    "log_loss": _Measure("Mean of -ln of the score of what turned out to be true (log_loss): dear where the model was sure and wrong. Smaller is better."),
    "brier": _Measure("Mean squared distance of scores from what turned out to be true, 0 or 1 (brier_score_loss). Smaller is better."),
    "calibration_error": _Measure("How far scores typically are from the share that turns out to be true: root of the mean squared gap over 14 bins of the score, less what chance adds to it; of several classes of the one with the highest score. Smaller is better."),
    "calibration_in_the_large": _Measure("Mean score minus the share that turned out to be true, of several classes of the one with the highest score: above 0 the model promises too much. Near 0 is good."),
    "confusion_rows": _Measure("Predictions by the class that turned out (`actual`) and the one that was said (`predicted`).", ("actual", "predicted"), has_interval=False, is_trained=False),
    "reliability_rows": _Measure("Predictions by bin of the score, for the diagram of reliability.", _BIN, has_interval=False, is_trained=False),
    "reliability_score": _Measure("Mean score of the bin's predictions, to be laid beside the share of them that turned out to be true.", _BIN, has_interval=False, is_trained=False),
    "reliability_true_ratio": _Measure("Share of the bin's predictions that turned out to be true: of good scores it is their mean.", _BIN, has_interval=False, is_trained=False),
    "mae": _Measure("Mean of the sizes of errors, in the unit of what is predicted (mean_absolute_error). Smaller is better."),
    "rmse": _Measure("Root of the mean squared error, in the unit of what is predicted (root_mean_squared_error): large errors count more. Smaller is better."),
    "mape": _Measure("Mean of the sizes of errors as shares of what turned out (mean_absolute_percentage_error; 1 is as large as the truth itself). Huge where truths are near 0. Smaller is better."),
    "r2": _Measure("Share of the truth's variance that the model explains (r2_score): 1 is all, 0 is what the mean alone would do, below 0 is worse than that."),
    "bias": _Measure("Mean of prediction minus truth, in the unit of what is predicted: above 0 the model says too much. Near 0 is good."),
    "residual_quantile": _Measure("Quantile of prediction minus truth, by `rank`, the share of them that is not above it (0.5 is the median), from counts on a fixed grid.", ("rank",), has_bound=True, is_trained=False),
    "hit_rate": _Measure("Share of rankings with something relevant among the first performance.ranks."),
    "ndcg": _Measure("Mean gain of the first performance.ranks of a ranking, those further down counting less, as a share of the best order's (ndcg_score)."),
    "cost_per_thousand": _Measure("What 1,000 predictions cost by performance.costs: its matrix times the shares of the confusion matrix. Absent where nobody set costs.", is_trained=False),
}
_ESTIMATED: Final = {
    "accuracy": (), "precision": _CLASS, "recall": _CLASS, "f1": _CLASS, "precision_macro": (), "recall_macro": (),
    "f1_macro": (), "roc_auc": (), "log_loss": (), "brier": (),
}
"""Measures that scores alone say something about, with their labels."""

_OF_TRUTH: Final = " Of the window's predictions with truth, those made in it (`by` prediction) or those whose truth came in it (arrival)."
_LOWER: Final = "Where the interval of {} begins: it holds what very many truths would give 95 times of 100."
_UPPER: Final = "Where the interval of {} ends: it holds what very many truths would give 95 times of 100."
_BOUND: Final = "How far {} may be from what the raw rows would give, since they are counted in bins."
_TRAINING: Final = "What {} was in training, as the profile has it: `name` is the training's own name for it. Of one class: of the positive one."
_ESTIMATE: Final = "What {} would be if scores are still as right as in training, nobody knowing the truth (CBPE): scores calibrated on the training data, and what they lead to on average. True only while the calibration holds and what is asked alike turns out alike (no concept drift); an estimate is never paged on. Of all the window's predictions."
_CHANCE: Final = "Where the interval of {} {}: chance of sampling alone, 95 times of 100; that calibration still holds is assumed."
# fmt: on


def _model(name: str, kind: str, text: str, *labels: str) -> Family:
    return Family(f"model_{name}", kind, (*MODEL, *labels), text)


def _profiled(name: str, kind: str, text: str, *labels: str) -> Family:
    return Family(f"model_{name}", kind, (*PROFILED, *labels), text)


def _beside(suffix: str, text: str, among: Mapping[str, _Measure]) -> dict[str, Family]:
    """Families that say more of measures."""
    found = {}
    for word, one in among.items():
        name = f"performance_{word}"
        found[word] = _model(
            f"{name}_{suffix}", GAUGE, text.format(f"model_{name}"), *one.labels, "by", "window"
        )  # fmt: skip
    return found


def of_performance() -> Performance:
    """The families of performance."""
    with_interval = {word: one for word, one in _MEASURES.items() if one.has_interval}
    # fmt: off
    return Performance(
        values={word: _model(f"performance_{word}", GAUGE, one.help + _OF_TRUTH, *one.labels, "by", "window")
                for word, one in _MEASURES.items()},
        lower=_beside("lower", _LOWER, with_interval), upper=_beside("upper", _UPPER, with_interval),
        bound=_beside("bound", _BOUND, {word: one for word, one in _MEASURES.items() if one.has_bound}),
        training={word: _profiled(f"performance_{word}_training", GAUGE, _TRAINING.format(f"model_performance_{word}"), "name")
                  for word, one in _MEASURES.items() if one.is_trained},
        samples=_model("performance_samples", GAUGE, "Predictions of the window whose truth is known: the n of its measures.", "by", "window"),
        sufficient=_model("performance_sufficient", GAUGE, "Whether enough predictions of the window have their truth for its measures to be judged (performance.minimum_samples).", "by", "window"),
        coverage=_model("performance_coverage_ratio", GAUGE, "Share of the predictions made in the window, with an id, whose truth is known by now. Two windows with different shares are not to be compared: some truths come sooner than others.", "window"),
        info=_model("performance_info", GAUGE, "1; what is taken to be predicted, by the profile, the outputs or performance.task.", "task"),
        lag=_model("truth_lag_seconds", HISTOGRAM, "How long truth took, from the answer to when it was told, of all that was joined."),
        opened=_model("predictions_opened_total", COUNTER, "Predictions with an id that were handed over to wait for their truth, to be added over replicas."),
        joined=_model("truths_joined_total", COUNTER, "Truths that were joined to their prediction and are in measures; to be added over replicas."),
        unusable=_model("truths_unusable_total", COUNTER, "Truths that were joined to their prediction and are in no measure, because they cannot be one of this model's, such as a word where numbers are predicted."),
        outcomes=_model("performance_outcomes_total", COUNTER, "Joined predictions since start by the class that turned out and the one that was said: to be added over replicas, of which every share of classes of a whole fleet follows.", "actual", "predicted"),
    )
    # fmt: on


def of_estimates() -> Estimates:
    """The families of estimates without truth."""

    def of(suffix: str, text: str, *words: str) -> dict[str, Family]:
        return {
            word: _profiled(
                f"performance_estimated_{word}{suffix}", GAUGE,
                text.format(f"model_performance_{'estimated_' * bool(suffix)}{word}", *words), *labels, "window",
            )
            for word, labels in _ESTIMATED.items()
        }  # fmt: skip

    return Estimates(
        values=of("", _ESTIMATE), lower=of("_lower", _CHANCE, "begins"), upper=of("_upper", _CHANCE, "ends"),
        samples=_profiled("performance_estimated_samples", GAUGE, "Predictions of the window that estimates of performance without truth are made of, with an id or without.", "window"),
    )  # fmt: skip


# fmt: off
def of_target() -> TargetDrift:
    """The families of what turned out against the training data."""
    return TargetDrift(
        total_variation=_profiled("target_total_variation", GAUGE, "Share of the truths that changed bin, those that came in the window against those of the training data: half the sum of |p-r|. Beyond its _critical what happens has changed, whatever the model says of it.", "window"),
        total_variation_critical=_profiled("target_total_variation_critical", GAUGE, "What the total variation of truths exceeds at most about once in 1000 windows of this very size without drift.", "window"),
        psi=_profiled("target_psi", GAUGE, "Population stability index of the truths in nats, those that came in the window against those of the training data, as of features.", "window"),
        psi_critical=_profiled("target_psi_critical", GAUGE, "What the PSI of truths exceeds once in 1000 windows of this very size without drift.", "window"),
        samples=_profiled("target_window_samples", GAUGE, "Truths that came in the window: the n of its target drift.", "window"),
        sufficient=_profiled("target_window_sufficient", GAUGE, "Whether enough truths came in the window for target drift to be judged (performance.minimum_samples).", "window"),
    )


def of_concept() -> ConceptDrift:
    """The families of whether the model is wrong more often than in training."""
    return ConceptDrift(
        nats=_profiled("concept_drift_evidence_nats", GAUGE, "Evidence that the model is wrong more often than in training and than performance.tolerance allows, over truths in the order in which they came: page where it reaches model_concept_drift_evidence_threshold_nats. Logarithm of what bets on that have won; 0 where none has. Absent where the profile has no truth (`profile build --target`)."),
        threshold=_profiled("concept_drift_evidence_threshold_nats", GAUGE, "What model_concept_drift_evidence_nats must reach to page: by how rare false pages are to be."),
        reference=_profiled("concept_drift_reference_error_ratio", GAUGE, "Share of the training data's predictions that were wrong; of numbers, that were farther off than nine in ten: a tenth."),
        tolerance=_profiled("concept_drift_tolerance_ratio", GAUGE, "By how much more may be wrong without a page: performance.tolerance, and what the training data may be off since they are a sample."),
        began_s=_profiled("concept_drift_onset_timestamp_seconds", GAUGE, "Unix time at which the present growth of the evidence began: since about then truths have come that say so, whenever was predicted. Absent where there is none."),
        recent=_profiled("concept_drift_recent_error_ratio", GAUGE, "Share of wrong predictions among the last truths, as many of them as look alike (ADWIN); of numbers, of those farther off than nine in ten were in training. For the eye: nothing pages on it."),
        recent_rows=_profiled("concept_drift_recent_truths", GAUGE, "How many of the last truths look alike (ADWIN): the n of model_concept_drift_recent_error_ratio."),
        changes=_profiled("concept_drift_changes_total", COUNTER, "Times that the share of wrong predictions changed so that older truths were let go (ADWIN), for better or worse."),
        dependence=_profiled("concept_drift_dependence_factor", GAUGE, "How many truths are taken to come as one by the evidence of concept drift: errors of one time are alike. Measured on the truths; before that evidence.default_dependence."),
    )


_VALUE: Final = ("name", "segment", "segment_value", "window")


def of_business() -> Business:
    """The families of what predictions are worth."""
    return Business(
        mean=_model("business_value_mean", GAUGE, "Mean of a business value over the window's rows that have one (`values` in the settings: from feedback, or from requests and answers); `segment` and `segment_value` are empty for all of the traffic.", *_VALUE),
        lower=_model("business_value_mean_lower", GAUGE, "Where the interval of model_business_value_mean begins: it holds what very many rows would give 95 times of 100.", *_VALUE),
        upper=_model("business_value_mean_upper", GAUGE, "Where the interval of model_business_value_mean ends: it holds what very many rows would give 95 times of 100.", *_VALUE),
        total=_model("business_value_summed", GAUGE, "Sum of a business value over the window's rows; of replicas to be added.", *_VALUE),
        rows=_model("business_value_rows", GAUGE, "Rows of the window that have the business value: the n of its mean.", *_VALUE),
    )
# fmt: on
