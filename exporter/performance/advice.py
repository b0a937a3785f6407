"""What performance can be had of a model and what cannot, and why: for people, before the first truth."""

from collections.abc import Iterator
from typing import Final

from exporter.guarantees import Evidence
from exporter.hindsight import Performance
from exporter.performance.concept import is_alike, reference_of
from exporter.performance.costs import unknown
from exporter.performance.deduced import deduced, in_words
from exporter.performance.estimates import estimable
from exporter.performance.task import Task
from exporter.performance.training import in_training
from exporter.reference import Profile

_NO_TRUTH: Final = "none, the profile has no truth (profile build --target)"
_OTHERWISE: Final = (
    "none, the settings judge otherwise than the profile was built (profile build --positive, --threshold)"
)


def told(profile: Profile, settings: Performance, evidence: Evidence) -> Iterator[str]:
    """Line by line: what is predicted, what is wrong of costs, and what can be said beside the measures themselves."""
    task, reason = deduced(profile, settings)
    if task is None:
        yield f"not known: {reason}"
        return
    yield in_words(task)
    yield from unknown(settings.costs, task)
    if task.is_classification:
        yield f"estimates without truth: {_estimates(profile, task)}"
    yield f"evidence of concept drift: {_evidence(profile, task, settings, evidence)}"
    yield f"held against the training: {_trained(profile, task)}"
    if profile.segments:
        yield f"segments held against theirs: {_segments(profile, task)}"


def _estimates(profile: Profile, task: Task) -> str:
    target = profile.target
    if not task.scores:
        return "none, no probabilities are answered"
    if target is None:
        return _NO_TRUTH
    if not target.calibrations:
        return "none, the scores of the training data say nothing about its truth"
    return "yes" if estimable(task, target) else _OTHERWISE


def _evidence(profile: Profile, task: Task, settings: Performance, evidence: Evidence) -> str:
    target = profile.target
    if not evidence.enable:
        return "none, evidence.enable is false"
    if target is None:
        return _NO_TRUTH
    reference = reference_of(target)
    if reference is None:
        return "none, no row of the training data has both a prediction and its truth"
    if not is_alike(target, task):
        return _OTHERWISE
    tolerated = settings.tolerance + reference.margin
    return f"{reference.share:.2%} were wrong in training, {tolerated:.2%} more are tolerated"


def _trained(profile: Profile, task: Task) -> str:
    found = in_training(task, profile.performance)
    if not found:
        return "nothing, the profile says no measure of it (profile build --target, --metrics)"
    return ", ".join(name if name == measure else f"{name} ({measure})" for measure, name, _ in found)


def _segments(profile: Profile, task: Task) -> str:
    if profile.target is None:
        return _NO_TRUTH
    if not is_alike(profile.target, task):
        return _OTHERWISE
    known = [one.name for one in profile.segments if one.errors]
    return ", ".join(known) or "none, the profile was built before it counted wrong predictions by segment"
