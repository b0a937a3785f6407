"""Reasons that rest on the truth, or on what scores alone say of it, and signs of feedback loops."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from exporter.performed import Measure, Performed
from exporter.status import segments
from exporter.status.facts import Reason
from exporter.status.performance import worst_of
from exporter.status.seen import Seen
from exporter.status.wording import listed, plural, share
from exporter.values import format_duration

HIGHER_IS_BETTER: Final = (
    "accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc", "pr_auc", "r2",
    "hit_rate", "ndcg",
)  # fmt: skip
LOWER_IS_BETTER: Final = ("log_loss", "brier", "mae", "rmse", "mape")


def reasons(seen: Seen) -> Iterator[Reason]:
    """Evidence first."""
    performed = seen.view.scene.snapshot.performed
    if performed is not None:
        yield from _concept(seen, performed)
        yield from _below(seen, performed)
        yield from _parts(seen, performed)
        yield from _target(seen, performed)
    yield from _estimated(seen, performed)
    feedback = seen.view.page.health.feedback
    if feedback is not None and not feedback.up:
        yield seen.reason("InferenceExporterFeedbackStoreDown", "Predictions and truths cannot be stored.")
    yield from _loops(seen)


def _concept(seen: Seen, performed: Performed) -> Iterator[Reason]:
    concept = performed.concept
    if concept is not None and concept.nats >= concept.threshold and performed.counted.joined:
        words = (
            f"It is wrong more often than in training: {share(concept.recent)} of the last"
            f" {plural(concept.recent_rows, 'truth')}, {share(concept.reference)} in training."
        )
        yield seen.reason("ModelConceptDrift", words, concept.began_s if concept.began_s > 0 else None)


def _below(seen: Seen, performed: Performed) -> Iterator[Reason]:
    trained, window = worst_of(performed.training), _window(seen)
    for one in performed.judged:
        if one.by == "arrival" and one.window == window and one.sufficient:
            found = _worse(one.measures, trained, seen.limit("performance.fall"), seen.limit("performance.rise"))
            if found:
                words = f"It is not as good as in training, by {plural(one.samples, 'truth')}: {listed(found)}."
                yield seen.reason("ModelPerformanceBelowTraining", words)


def _worse(measures: Sequence[Measure], trained: Mapping[str, float], fall: float, rise: float) -> list[str]:
    """Measures whose whole interval is worse than in training by more than that."""
    found = []
    for one in measures:
        known = None if one.labels else trained.get(one.name)
        if known is None:
            continue
        if (one.name in HIGHER_IS_BETTER and known - one.upper > fall) or (
            one.name in LOWER_IS_BETTER and known > 0 and one.lower / known - 1 > rise
        ):
            found.append(f"{one.name} {one.value:.3g}, in training {known:.3g}")
    return found


def _window(seen: Seen) -> str:
    return format_duration(seen.limit("performance.window"))


def _parts(seen: Seen, performed: Performed) -> Iterator[Reason]:
    if performed.counted.joined and (worse := segments.worse(seen.view)):
        words = f"It is wrong more often in parts of the traffic: {listed([one.text for one in worse])}."
        yield seen.reason("ModelSegmentWorse", words, min(one.since or 0.0 for one in worse) or None)
    window = _window(seen)
    if erring := [one.text for one in segments.erring(seen.view) if one.window == window]:
        words = f"Parts of the traffic have more errors than in training: {listed(erring)}."
        yield seen.reason("ModelSegmentPerformanceBelowTraining", words)


def _target(seen: Seen, performed: Performed) -> Iterator[Reason]:
    window, tolerated = _window(seen), seen.limit("performance.target_tolerance")
    for one in performed.target:
        moved = one.total_variation
        if one.window == window and one.sufficient and moved > max(tolerated, one.total_variation_critical):
            yield seen.reason(
                "ModelTargetDrift", f"{share(moved)} of what turns out is in other bins than in training."
            )


def _estimated(seen: Seen, performed: Performed | None) -> Iterator[Reason]:
    """Where too few truths are known."""
    window = _window(seen)
    judged = any(one.window == window and one.sufficient for one in (performed.judged if performed else ()))
    trained = worst_of(performed.training) if performed else {}
    for one in seen.view.scene.snapshot.estimated:
        if one.window == window and not judged:
            fall = seen.limit("performance.estimated_fall")
            higher = [each for each in one.measures if each.name in HIGHER_IS_BETTER]
            if found := _worse(higher, trained, fall, fall):
                words = f"Its own scores say that it is not as good as in training: {listed(found)}."
                yield seen.reason("ModelPerformanceEstimatedBelowTraining", words)


def _loops(seen: Seen) -> Iterator[Reason]:
    looped = seen.view.scene.snapshot.looped
    if looped is None:
        return
    window = format_duration(seen.limit("loops.truth_window"))
    for one in looped.selected:
        beyond = one.total_variation > max(one.critical, seen.limit("loops.selected"))
        if one.window == window and one.sufficient and beyond:
            yield seen.reason("ModelTruthsSelective", "The truth of some predictions is told, and of others it is not.")
    back = looped.returned
    if back is not None and back.size > back.critical:
        yield seen.reason("ModelInputsFollowPredictions", "What it is asked follows what it answered a moment before.")
