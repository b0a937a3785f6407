"""How good a model turned out to be; what scores alone say of that; what its predictions are worth."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exporter import catalogue
from exporter.collect.exposition import Distributions, Labels, Samples
from exporter.collect.scene import Scene
from exporter.families import Family
from exporter.performed import LAG_BOUNDS, MOST_CLASSES, Concept, Estimated, Judged, Measure, Performed, TargetMoved
from exporter.snapshots import Histogram

_CLASS: Final = "class"
_NUMBERS: Final = ("value", "lower", "upper", "bound")
"""Of a measure, each of which has its families."""


class _Shown(NamedTuple):
    """A measure on the page."""

    labels: Labels
    measure: Measure


def collect(scene: Scene) -> Iterator[Samples | Distributions]:
    """Families of a model of which there is something to say; what is NaN is left out."""
    found = scene.snapshot.performed
    if found is not None:
        yield from _counted(scene.labels, found)
        yield from _windows(scene.labels, found.judged)
        yield from _measured(scene.labels, found)
        yield from _trained(scene.profiled, found)
        yield from _target(scene.profiled, found.target)
        if found.concept is not None:
            yield from _concept(scene.profiled, found.concept)
    yield from _estimated(scene)
    yield from _valued(scene)


def _some(family: Family, values: Iterable[tuple[Labels, float]]) -> Iterator[Samples]:
    """A family with what there is of it; without anything it is not on the page."""
    if known := [(labels, value) for labels, value in values if not math.isnan(value)]:
        yield Samples(family, known)


# --- counted since start


def _counted(of: Labels, found: Performed) -> Iterator[Samples | Distributions]:
    counted, families = found.counted, catalogue.PERFORMANCE
    yield Samples(families.info, [((*of, found.task), 1)])
    yield Samples(families.opened, [(of, counted.opened)])
    yield Samples(families.joined, [(of, counted.joined)])
    yield Samples(families.unusable, [(of, counted.unusable)])
    yield Distributions(families.lag, LAG_BOUNDS, [(of, Histogram(counted.lag, counted.lag_total_s))])
    outcomes = (((*of, actual, predicted), rows) for actual, predicted, rows in counted.confusion)
    yield from _some(families.outcomes, outcomes)


# --- classes


def named(windows: Iterable[Judged | Estimated]) -> Collection[str]:
    """Classes that have series of their own: the first ones, where there are more than MOST_CLASSES.

    Every window that has any names all there are, in one order.
    """
    labels = (one.labels[0] for window in windows for one in window.measures if _is_by_class(one))
    return list(dict.fromkeys(labels))[:MOST_CLASSES]


def _is_by_class(one: Measure) -> bool:
    family = catalogue.PERFORMANCE.values.get(one.name)
    return family is not None and _CLASS in family.labels


def _without_rare(measures: Iterable[Measure], classes: Collection[str]) -> Iterator[Measure]:
    """Measures of all classes together, and of those that have series of their own."""
    return (one for one in measures if not _is_by_class(one) or one.labels[0] in classes)


# --- windows


def _windows(of: Labels, judged: Sequence[Judged]) -> Iterator[Samples]:
    families = catalogue.PERFORMANCE
    labelled = [((*of, one.by, one.window), one) for one in judged]
    yield from _some(families.samples, ((labels, one.samples) for labels, one in labelled))
    yield from _some(families.sufficient, ((labels, int(one.sufficient)) for labels, one in labelled))
    coverage = (
        ((*of, one.window), one.samples / one.predicted) for one in judged if one.by == "prediction" and one.predicted
    )
    yield from _some(families.coverage, coverage)


def _measured(of: Labels, found: Performed) -> Iterator[Samples]:
    classes, families = named(found.judged), catalogue.PERFORMANCE
    shown = (
        _Shown((*of, *one.labels, judged.by, judged.window), one)
        for judged in found.judged
        for one in _without_rare(judged.measures, classes)
    )
    yield from _numbers((families.values, families.lower, families.upper, families.bound), shown)


def _numbers(families: Sequence[Mapping[str, Family]], shown: Iterable[_Shown]) -> Iterator[Samples]:
    """Measures, and what stands beside them: `families` are by word, as many as there are numbers."""
    by_word = defaultdict[str, list[_Shown]](list)
    for one in shown:
        by_word[one.measure.name].append(one)
    for word in families[0]:
        for number, of_number in zip(_NUMBERS, families, strict=False):
            if word in of_number:
                values = ((one.labels, getattr(one.measure, number)) for one in by_word[word])
                yield from _some(of_number[word], values)


def _trained(of: Labels, found: Performed) -> Iterator[Samples]:
    for word, family in catalogue.PERFORMANCE.training.items():
        yield from _some(
            family, (((*of, name), value) for measure, name, value in found.training if measure == word)
        )  # fmt: skip


def _target(of: Labels, windows: Sequence[TargetMoved]) -> Iterator[Samples]:
    for word, family in catalogue.TARGET._asdict().items():
        yield from _some(family, (((*of, one.window), float(getattr(one, word))) for one in windows))


def _concept(of: Labels, told: Concept) -> Iterator[Samples]:
    for word, family in catalogue.CONCEPT._asdict().items():
        yield from _some(family, [(of, getattr(told, word))])


# --- without truth


def _estimated(scene: Scene) -> Iterator[Samples]:
    found, families = scene.snapshot.estimated, catalogue.ESTIMATED
    classes = named(found)
    yield from _some(families.samples, (((*scene.profiled, one.window), one.samples) for one in found))
    shown = (
        _Shown((*scene.profiled, *one.labels, window.window), one)
        for window in found
        for one in _without_rare(window.measures, classes)
    )
    yield from _numbers((families.values, families.lower, families.upper), shown)


def _valued(scene: Scene) -> Iterator[Samples]:
    labelled = [
        ((*scene.labels, one.name, one.segment, one.segment_value, one.window), one) for one in scene.snapshot.valued
    ]
    for word, family in catalogue.BUSINESS._asdict().items():
        yield from _some(family, ((labels, getattr(one, word)) for labels, one in labelled))
