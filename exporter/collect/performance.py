"""How good a model turned out to be; what scores alone say of that; what its predictions are worth."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exporter import catalogue
from exporter.collect.exposition import Distributions, Labels, Samples
from exporter.collect.scene import Scene
from exporter.families import Family
from exporter.performance.task import OTHER
from exporter.performed import LAG_BOUNDS, MOST_CLASSES, Concept, Counted, Judged, Measure, Performed, TargetMoved
from exporter.snapshots import Histogram

_CLASS: Final = "class"
_CONFUSION: Final = "confusion_rows"
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
    yield from _some(families.outcomes, _outcomes(of, counted, named(found)))


def _outcomes(of: Labels, counted: Counted, classes: Collection[str]) -> Iterator[tuple[Labels, float]]:
    rows = defaultdict[Labels, float](float)
    for actual, predicted, count in counted.confusion:
        rows[_folded((actual, predicted), classes)] += count
    return (((*of, *labels), count) for labels, count in rows.items())


# --- classes


def named(found: Performed) -> Collection[str]:
    """Classes that have series of their own: the first ones, where there are more than MOST_CLASSES."""
    of_measures = (one.labels for judged in found.judged for one in judged.measures if _is_by_class(one))
    known = dict.fromkeys(found.classes) or dict.fromkeys(
        name for names in (*of_measures, *(row[:2] for row in found.counted.confusion)) for name in names
    )
    return [name for name in known if name != OTHER][:MOST_CLASSES]


def _is_by_class(one: Measure) -> bool:
    family = catalogue.PERFORMANCE.values.get(one.name)
    return family is not None and _CLASS in family.labels


def _folded(labels: Labels, classes: Collection[str]) -> Labels:
    """Names of classes, as far as they have series of their own."""
    return tuple(name if name in classes else OTHER for name in labels)


def _without_rare(measures: Iterable[Measure], classes: Collection[str]) -> Iterator[Measure]:
    """Measures of classes that have series of their own; rows of the others are added up."""
    rows = defaultdict[Labels, float](float)
    for one in measures:
        if one.name == _CONFUSION:
            rows[_folded(one.labels, classes)] += one.value
        elif not _is_by_class(one) or one.labels[0] in classes:
            yield one
    for labels, count in rows.items():
        yield Measure(_CONFUSION, count, labels=labels)


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
    classes, families = named(found), catalogue.PERFORMANCE
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
    classes = list(
        dict.fromkeys(one.labels[0] for window in found for one in window.measures if _is_by_class(one))
    )[:MOST_CLASSES]  # fmt: skip
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
