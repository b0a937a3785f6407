"""How good a model turned out to be in each segment of the traffic."""

import math
from collections.abc import Iterable, Iterator

from exporter import catalogue
from exporter.collect.exposition import Labels, Samples
from exporter.collect.scene import Scene
from exporter.families import Family
from exporter.performed import SegmentJudged

_Labelled = list[tuple[Labels, SegmentJudged]]


def collect(scene: Scene) -> Iterator[Samples]:
    """Families of models whose traffic is divided and whose truth is told; what is NaN is left out."""
    found, families = scene.snapshot.performed, catalogue.SEGMENT_PERFORMANCE
    if found is None:
        return
    of: _Labelled = [((*scene.profiled, one.segment, one.value, one.window), one) for one in found.segments]
    yield from _some(families.samples, ((labels, one.samples) for labels, one in of))
    yield from _some(families.sufficient, ((labels, int(one.sufficient)) for labels, one in of))
    for word, number in (("values", "value"), ("lower", "lower"), ("upper", "upper")):
        for name, family in getattr(families, word).items():
            measured = ((labels, measure) for labels, one in of for measure in one.measures if measure.name == name)
            yield from _some(family, ((labels, getattr(measure, number)) for labels, measure in measured))
    for word in ("error", "error_critical", "error_training"):
        yield from _some(getattr(families, word), ((labels, getattr(one, word)) for labels, one in of))


def _some(family: Family, values: Iterable[tuple[Labels, float]]) -> Iterator[Samples]:
    """A family with what there is of it; without anything it is not on the page."""
    if known := [(labels, value) for labels, value in values if not math.isnan(value)]:
        yield Samples(family, known)
