"""How many series there may come to be about late truth: of a model by family, and of the exporter itself.

As in `costs`: the most there can be, all windows filled and all classes seen.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from exporter import catalogue
from exporter import segment_families as of_segments
from exporter.budget.shape import Shape
from exporter.families import Family
from exporter.performance.deduced import deduced
from exporter.performance.estimates import estimable
from exporter.performance.measures.quantiles import RANKS
from exporter.performance.outcomes import MOST_PAIRED
from exporter.performance.scoring import BINS
from exporter.performance.task import BINARY, MULTICLASS, RANKING, REGRESSION, Task
from exporter.performance.worst import MOST
from exporter.performed import BY, LAG_BOUNDS, MOST_CLASSES
from exporter.reference import Profile
from exporter.truth_families import OF_CLASSES, OF_EACH, OF_NUMBERS, OF_RANKINGS, OF_SCORES
from exporter.truths import GONE, OUTCOMES, PREDICTION_LOSSES, WAITED

_BESIDE_BOUNDS: Final = 3
"""Lines of a histogram: the last bucket, count and sum."""
_OWN: Final = 21 + 2 * len(OUTCOMES) + len(WAITED) + len(PREDICTION_LOSSES) + len(GONE)


def own(shape: Shape) -> int:
    """Series about how truth comes."""
    return _OWN * shape.feedback


def costs(shape: Shape, profile: Profile, segments: int) -> Counter[str]:
    """Of a model that has a profile, whose traffic has so many segments."""
    found, target = Counter[str](), profile.target
    task = deduced(profile, shape.performance).task
    found.update(business(shape, segments))
    if task is None:
        return found
    sizes = _sizes(shape, task)
    if estimable(task, target):
        of = catalogue.ESTIMATED
        found.update(_of((*of.values.values(), *of.lower.values(), *of.upper.values(), of.samples), sizes))
    if shape.feedback:
        found.update(_performance(task, sizes))
        found.update(_of(catalogue.TREND, {}))
        found.update(_by_segment(shape, task, segments))
        if target is not None:
            found.update(_of((*catalogue.TARGET, *catalogue.CONCEPT), sizes))
        if is_searched(shape, profile):
            found.update(_of((*catalogue.WORST, *catalogue.SEARCH), {"segment": MOST}))
    return found


def is_searched(shape: Shape, profile: Profile) -> bool:
    """Whether any feature is searched for parts that are served worse than the rest."""
    return shape.evidence.enable and not {*shape.segments.searched}.isdisjoint(one.name for one in profile.features)


def of_versions(shape: Shape, profile: Profile) -> Mapping[str, int]:
    """How good a version is beside the stable one."""
    task, of = deduced(profile, shape.performance).task, catalogue.VERSIONS
    if task is None or not shape.feedback:
        return {}
    sizes = {"measure": len(words(task)), "window": _windows(shape)}
    return _of((of.performance, of.performance_lower, of.performance_upper), sizes)


def business(shape: Shape, segments: int) -> Mapping[str, int]:
    """Business values of a model, whose traffic has so many segments."""
    sizes = {"name": shape.values, "window": _windows(shape), "segment": 1 + segments}
    return _of(catalogue.BUSINESS, sizes) if shape.values else {}


def _windows(shape: Shape) -> int:
    return len(shape.performance.windows)


def _sizes(shape: Shape, task: Task) -> Mapping[str, int]:
    """Values that labels may have."""
    classes = min(len(task.classes) + 1, MOST_CLASSES)
    return {
        "class": classes, "actual": classes, "predicted": classes, "bin": BINS, "rank": len(RANKS), "by": len(BY),
        "window": _windows(shape),
    }  # fmt: skip


def _of(families: Iterable[Family], sizes: Mapping[str, int]) -> dict[str, int]:
    """The most series of each."""
    return {one.name: math.prod(sizes.get(label, 1) for label in one.labels) for one in families}


def _performance(task: Task, sizes: Mapping[str, int]) -> Mapping[str, int]:
    of = catalogue.PERFORMANCE
    plain = [of.samples, of.sufficient, of.coverage, of.info, of.opened, of.joined, of.unusable]
    by_word = (of.values, of.lower, of.upper, of.bound)
    found = _of((*plain, *(families[word] for word in words(task) for families in by_word if word in families)), sizes)
    if task.is_classification:
        found |= _of([of.outcomes], sizes)
    if len(task.classes) > MOST_PAIRED:
        found[of.outcomes.name] = found[of.values["confusion_rows"].name] = 0
    return found | {of.lag.name: len(LAG_BOUNDS) + _BESIDE_BOUNDS}


def _by_segment(shape: Shape, task: Task, segments: int) -> Mapping[str, int]:
    """Of the same in each of so many segments, whether training data know them or not."""
    of = catalogue.SEGMENT_PERFORMANCE
    by_word = (of.values, of.lower, of.upper)
    plain = [of.samples, of.sufficient, of.error, of.error_critical, of.error_training]
    families = [*plain, *(among[word] for word in words_of_segments(task) for among in by_word)]
    return dict.fromkeys((one.name for one in families), segments * _windows(shape)) if segments else {}


def words_of_segments(task: Task) -> tuple[str, ...]:
    """Measures that there are of each segment."""
    if task.kind == REGRESSION:
        return of_segments.OF_NUMBERS
    if task.kind == RANKING:
        return of_segments.OF_RANKINGS
    two = of_segments.OF_TWO if task.kind == BINARY else ()
    return (*of_segments.OF_CLASSES, *two, *(of_segments.OF_SCORES if task.scores else ()))


def words(task: Task) -> tuple[str, ...]:
    """Measures that there are of it."""
    if task.kind == REGRESSION:
        return OF_NUMBERS
    if task.kind == RANKING:
        return OF_RANKINGS
    if not task.scores:
        return OF_CLASSES
    return (*OF_CLASSES, *(word for word in OF_SCORES if task.kind == MULTICLASS or word not in OF_EACH))
