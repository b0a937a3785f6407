"""The families of how good a model turned out to be in each segment of the traffic. `catalogue` holds them."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from exporter.families import GAUGE, PROFILED, Family


class SegmentPerformance(NamedTuple):
    """Of measures by the word of the measure."""

    values: Mapping[str, Family]
    lower: Mapping[str, Family]
    upper: Mapping[str, Family]
    samples: Family
    sufficient: Family
    error: Family
    error_critical: Family
    error_training: Family


OF_CLASSES: Final = ("accuracy",)
"""Measures of classes; of two alone; of scores; of numbers; of rankings."""
OF_TWO: Final = ("precision", "recall")
OF_SCORES: Final = ("brier",)
OF_NUMBERS: Final = ("mae", "rmse", "bias")
OF_RANKINGS: Final = ("hit_rate", "ndcg")
# fmt: off
_MEASURES: Final = {
    "accuracy": "Share of the segment's predictions whose class was right.",
    "precision": "Of the segment's predictions of the positive class, of two, the share that was right; 0 where nothing was predicted to be of it.",
    "recall": "Of what turned out to be of the positive class in the segment, of two, the share that was predicted so.",
    "brier": "Mean squared distance of the segment's scores from what turned out to be true, 0 or 1. Smaller is better.",
    "mae": "Mean of the sizes of the segment's errors, in the unit of what is predicted. Smaller is better.",
    "rmse": "Root of the segment's mean squared error, in the unit of what is predicted. Smaller is better.",
    "bias": "Mean of prediction minus truth in the segment, in the unit of what is predicted: above 0 the model says too much there. Near 0 is good.",
    "hit_rate": "Share of the segment's rankings with something relevant among the first performance.ranks.",
    "ndcg": "Mean gain of the first performance.ranks of the segment's rankings, as a share of the best order's.",
}
# fmt: on
_OF_TRUTH: Final = " Of the predictions whose truth came in the window, as model_performance_{} of the whole traffic."
_LABELS: Final = (*PROFILED, "segment", "value", "window")


def _family(word: str, text: str) -> Family:
    return Family(f"model_segment_performance_{word}", GAUGE, _LABELS, text)


def _ends(suffix: str, text: str) -> dict[str, Family]:
    return {word: _family(f"{word}_{suffix}", text.format(f"model_segment_performance_{word}")) for word in _MEASURES}


# fmt: off
def of_segment_performance() -> SegmentPerformance:
    """The families of performance by segment."""
    return SegmentPerformance(
        values={word: _family(word, text + _OF_TRUTH.format(word)) for word, text in _MEASURES.items()},
        lower=_ends("lower", "Where the interval of {} begins: it holds what very many truths would give 95 times of 100."),
        upper=_ends("upper", "Where the interval of {} ends: it holds what very many truths would give 95 times of 100."),
        samples=_family("samples", "Predictions of the segment whose truth came in the window and can be judged: the n of its measures."),
        sufficient=_family("sufficient", "Whether enough truths of the segment came in the window for its measures to be judged (performance.minimum_samples)."),
        error=_family("error_ratio", "Share of the segment's predictions that were wrong; of numbers, that were farther off than nine in ten were in training. Beyond its _critical the model serves this part of the traffic worse than in training, whatever the whole looks like."),
        error_critical=_family("error_ratio_critical", "What the share of wrong predictions of any segment exceeds at most once in 1000 windows of these very sizes while none is served worse than in its own training data and than performance.tolerance allows: the more segments, the higher. Absent where the training data do not say it (`profile build --segment ... --target ...`)."),
        error_training=_family("error_ratio_training", "Share of the segment's predictions that were wrong in the training data; what a model is judged by there may have been better than what comes."),
    )
# fmt: on
