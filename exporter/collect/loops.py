"""Signs of feedback loops: how alike predictions are, of which the truth is told, and what follows them."""

import math
from collections.abc import Iterable, Iterator, Sequence

from exporter import catalogue
from exporter.collect.exposition import Labels, Samples
from exporter.collect.scene import OUTPUTS, Scene
from exporter.families import Family
from exporter.looped import Covered, Gap, Looped, Returned, Selected


def collect(scene: Scene) -> Iterator[Samples]:
    """Families of a model of which there is something to say; what is NaN is left out."""
    found = scene.snapshot.looped
    if found is None or scene.profile is None:
        return
    named = [(place, (*scene.profiled, scene.profile.outputs[place].name)) for place in scene.places(OUTPUTS)]
    yield from _spread(named, found)
    if found.returned:
        yield from _returned(scene.profiled, found.returned)
    yield from _covered(scene.profiled, found.covered, found.selected)
    yield from _gaps(scene.profiled, found.gaps)


def _some(family: Family, values: Iterable[tuple[Labels, float]]) -> Iterator[Samples]:
    """A family with what there is of it; without anything it is not on the page."""
    if known := [(labels, value) for labels, value in values if not math.isnan(value)]:
        yield Samples(family, known)


def _spread(named: Sequence[tuple[int, Labels]], found: Looped) -> Iterator[Samples]:
    reference = found.reference_entropy.tolist()
    yield from _some(catalogue.LOOPS.reference_entropy, ((of, reference[place]) for place, of in named))
    for word, family in catalogue.SPREAD._asdict().items():
        by_window = [(one.window, getattr(one, word).tolist()) for one in found.spread]
        yield from _some(
            family, (((*of, window), values[place]) for place, of in named for window, values in by_window)
        )  # fmt: skip


def _returned(of: Labels, found: Returned) -> Iterator[Samples]:
    for word, family in catalogue.RETURNED._asdict().items():
        yield from _some(family, [(of, getattr(found, word))])
    yield from _some(catalogue.LOOPS.info, [((*of, found.output, found.feature), 1)])


def _covered(of: Labels, covered: Sequence[Covered], selected: Sequence[Selected]) -> Iterator[Samples]:
    labelled = [((*of, one.kind, one.window), one) for one in covered]
    shares = ((labels, one.told / one.predicted) for labels, one in labelled if one.predicted)
    yield from _some(catalogue.LOOPS.coverage, shares)
    yield from _some(catalogue.LOOPS.predictions, ((labels, one.predicted) for labels, one in labelled))
    for word, family in catalogue.SELECTED._asdict().items():
        yield from _some(family, (((*of, one.window), float(getattr(one, word))) for one in selected))


def _gaps(of: Labels, gaps: Sequence[Gap]) -> Iterator[Samples]:
    groups = [((*of, group.name, one.window), group) for one in gaps for group in one.groups]
    yield from _some(catalogue.LOOPS.exposed_truths, ((labels, group.truths) for labels, group in groups))
    yield from _some(catalogue.LOOPS.exposed_mean, ((labels, group.mean) for labels, group in groups))
    for word, family in catalogue.GAP._asdict().items():
        yield from _some(family, (((*of, one.window), float(getattr(one, word))) for one in gaps))
