"""The families of feedback loops: signs that a model works on its own future inputs and truths. They prove nothing.

`catalogue` holds all of them.
"""

from typing import Final, NamedTuple

from exporter.families import GAUGE, PROFILED, Family

_OUTPUT: Final = ("output",)
_WINDOW: Final = ("window",)


class Spreads(NamedTuple):
    """How widely predictions lie; fields are called as those of `looped.Spread`."""

    entropy: Family
    entropy_critical: Family
    effective: Family
    largest: Family
    largest_critical: Family


class Selections(NamedTuple):
    """Predictions with truth against those without; fields are called as those of `looped.Selected`."""

    total_variation: Family
    critical: Family
    sufficient: Family


class Returns(NamedTuple):
    """Inputs against predictions of a pane before; fields are called as those of `looped.Returned`."""

    size: Family
    critical: Family
    panes: Family


class Gaps(NamedTuple):
    """Exposed against holdout; fields are called as those of `looped.Gap`."""

    value: Family
    lower: Family
    upper: Family
    sufficient: Family


class LoopFamilies(NamedTuple):
    """What is beside these."""

    reference_entropy: Family
    coverage: Family
    predictions: Family
    info: Family
    exposed_truths: Family
    exposed_mean: Family


def _gauge(name: str, text: str, *labels: str) -> Family:
    return Family(f"model_{name}", GAUGE, (*PROFILED, *labels), text)


# fmt: off
def of_spread() -> Spreads:
    """The families of how widely predictions lie."""
    labels = (*_OUTPUT, *_WINDOW)
    return Spreads(
        entropy=_gauge("prediction_entropy_ratio", "How evenly the window's predictions lie over their bins: entropy of the shares over that of as many even ones. 0 where all lie in one bin. Below its _critical they have become more alike than the reference's, as where a model is trained on what it decided.", *labels),
        entropy_critical=_gauge("prediction_entropy_ratio_critical", "What the entropy ratio falls below by chance at most once in 1000 windows of this very size, if predictions lie as those of the reference.", *labels),
        effective=_gauge("prediction_effective_bins", "In how many bins the window's predictions lie, counting each by its share: exp(entropy), 1 where all lie in one.", *labels),
        largest=_gauge("prediction_largest_ratio", "Share of the window's predictions in their fullest bin. Beyond its _critical one answer has taken over; in the reference it is model_prediction_reference_largest_ratio.", *labels),
        largest_critical=_gauge("prediction_largest_ratio_critical", "What the share of the fullest bin exceeds by chance at most once in 1000 windows of this very size, if predictions lie as those of the reference.", *labels),
    )


def of_selection() -> Selections:
    """The families of predictions whose truth is told, against the others."""
    return Selections(
        total_variation=_gauge("truth_selection_total_variation", "How much the predictions made in the window whose truth is known by now differ from those whose truth is not, by bin of the score, class or range: half the sum of |p-r|. Beyond its _critical truths are told of some alone, or of some later: measures are of these.", *_WINDOW),
        critical=_gauge("truth_selection_total_variation_critical", "What the total variation between predictions with truth and without exceeds by chance at most once in 1000 windows of these very sizes, if truths come by lot.", *_WINDOW),
        sufficient=_gauge("truth_selection_sufficient", "Whether enough of the window's predictions have their truth, and enough have none, to compare them (performance.minimum_samples).", *_WINDOW),
    )


def of_return() -> Returns:
    """The families of inputs that follow predictions."""
    return Returns(
        size=_gauge("loop_dependence_ratio", "How closely what is asked follows what was answered a pane before: the largest correlation, its sign left out, of the mean of an output with that of a feature of the next pane, when the time of day, the feature's own past and what all features do together are taken out. Beyond its _critical answers may come back as inputs; or something in common moves both."),
        critical=_gauge("loop_dependence_ratio_critical", "What the dependence exceeds about once in 300 windows where no answer comes back: by turning signs at random, over all pairs of an output and a feature."),
        panes=_gauge("loop_dependence_panes", "Pairs of panes that the dependence is of, of the window that has most; absent, as the dependence is, below 30."),
    )


def of_gap() -> Gaps:
    """The families of exposed predictions against the holdout."""
    return Gaps(
        value=_gauge("exposure_gap", "What turned out where the model's decision was followed minus what turned out in the holdout that settings name, of predictions made in the window: mean truth, of two classes the share of the positive one. Far from 0 the model makes its own truths; that may be what it is for.", *_WINDOW),
        lower=_gauge("exposure_gap_lower", "Where the interval of model_exposure_gap begins: it holds what very many truths would give 95 times of 100.", *_WINDOW),
        upper=_gauge("exposure_gap_upper", "Where the interval of model_exposure_gap ends: it holds what very many truths would give 95 times of 100.", *_WINDOW),
        sufficient=_gauge("exposure_gap_sufficient", "Whether exposed and holdout have enough truths each for their gap to be judged (performance.minimum_samples).", *_WINDOW),
    )


def of_loops() -> LoopFamilies:
    """The families beside these."""
    return LoopFamilies(
        reference_entropy=_gauge("prediction_reference_entropy_ratio", "How evenly the reference's predictions lie over their bins: entropy of the shares over that of as many even ones.", *_OUTPUT),
        coverage=_gauge("truth_coverage_ratio", "Share of the predictions made in the window, with an id, whose truth is known by now, by what was predicted (`score_bin`): a bin of the score, a class, or a range of numbers.", "score_bin", *_WINDOW),
        predictions=_gauge("truth_coverage_predictions", "Predictions made in the window, with an id, by what was predicted: the n of model_truth_coverage_ratio. Where truths reach another replica than the one that predicted, there are as many as truths at least.", "score_bin", *_WINDOW),
        info=_gauge("loop_dependence_info", "1; the output and the feature of the next pane that go together most closely, beyond chance or within it.", *_OUTPUT, "feature"),
        exposed_truths=_gauge("exposure_truths", "Truths of predictions made in the window by whether the model's decision was followed, `exposed`, or not, `holdout`: the n of the gap.", "group", *_WINDOW),
        exposed_mean=_gauge("exposure_outcome_mean", "What turned out of predictions made in the window, `exposed` and `holdout`: mean truth, of two classes the share of the positive one.", "group", *_WINDOW),
    )
# fmt: on
