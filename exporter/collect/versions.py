"""Versions of one model that are there together, and what is shown of those that answer nobody."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from exporter import catalogue
from exporter.budget.plan import Shows
from exporter.collect.exposition import Distributions, Labels, Samples
from exporter.collect.scene import OUTPUTS, Scene
from exporter.families import MODEL, Family
from exporter.records import DURATION_BOUNDS
from exporter.versioned import SHADOW, Averaged, Difference, Versioned

_FAMILIES: Final = catalogue.VERSIONS


def collect(scene: Scene) -> Iterator[Samples | Distributions]:
    """Families of one version; of a shadow what it was asked, too."""
    found = scene.snapshot.versioned
    if found is None or scene.is_other:
        return
    if scene.visible:
        yield Samples(_FAMILIES.info, [((*scene.labels, found.role, found.by), 1)])
    outputs = scene.profile.outputs if scene.profile else ()
    shown = frozenset(outputs[place].name for place in scene.places(OUTPUTS))
    yield from _averaged(scene.profiled, [one for one in found.averaged if one.name in shown])
    yield from _compared(scene, found, shown)
    if found.role == SHADOW:
        yield from _shadow(scene)


def _some(family: Family, values: Iterable[tuple[Labels, float]]) -> Iterator[Samples]:
    """A family with what there is of it; without anything it is not on the page."""
    if found := list(values):
        yield Samples(family, found)


def _averaged(labels: Labels, outputs: Sequence[Averaged]) -> Iterator[Samples]:
    shown = [((*labels, one.name, one.window), one) for one in outputs]
    yield from _some(_FAMILIES.mean, ((of, one.mean) for of, one in shown))
    yield from _some(_FAMILIES.deviation, ((of, one.deviation) for of, one in shown if one.samples > 1))
    yield from _some(_FAMILIES.samples, ((of, one.samples) for of, one in shown))


def _compared(scene: Scene, found: Versioned, outputs: frozenset[str]) -> Iterator[Samples]:
    of = _FAMILIES
    for families, differences in (
        ((of.mean_difference, of.mean_critical), found.means), ((of.share_difference, of.share_critical), found.shares),
    ):  # fmt: skip
        shown = _labelled(scene.profiled, found, [one for one in differences if one.name in outputs])
        yield from _some(families[0], ((names, one.value) for names, one in shown))
        yield from _some(families[1], ((names, one.critical) for names, one in shown))
    measured = _labelled(scene.labels, found, found.performance)
    yield from _some(of.performance, ((names, one.value) for names, one in measured))
    yield from _some(of.performance_lower, ((names, one.lower) for names, one in measured))
    yield from _some(of.performance_upper, ((names, one.upper) for names, one in measured))


def _labelled(labels: Labels, found: Versioned, differences: Sequence[Difference]) -> list[tuple[Labels, Difference]]:
    return [
        ((*labels, one.name, *([one.of_class] if one.of_class else []), found.against, one.window), one)
        for one in differences
    ]


def _shadow(scene: Scene) -> Iterator[Samples | Distributions]:
    traffic, rows = scene.snapshot.traffic, scene.snapshot.rows
    codes = [((*scene.labels, code), count) for code, count in sorted(traffic.codes.items())]
    yield Samples(_FAMILIES.shadow_requests, codes)
    yield Samples(_FAMILIES.shadow_rows, [(scene.labels, rows.observed)])
    yield Distributions(_FAMILIES.shadow_duration, DURATION_BOUNDS, [(scene.labels, traffic.duration)])


_OF_SHADOWS: Final = frozenset(
    family.name for family in (
        *catalogue.VERSIONS, catalogue.OUTPUTS.bins, catalogue.OUTPUTS.bin_info, catalogue.OUTPUTS.known["dependence"],
        *catalogue.OUTPUTS.live.values(), *catalogue.OUTPUTS.live_critical.values(),
        catalogue.PERFORMANCE.info, catalogue.PERFORMANCE.samples, catalogue.PERFORMANCE.sufficient,
        catalogue.PERFORMANCE.coverage, *catalogue.PERFORMANCE.values.values(),
        *catalogue.PERFORMANCE.lower.values(), *catalogue.PERFORMANCE.upper.values(),
    )
)  # fmt: skip
"""What there is of a copy that answers nobody: what it predicts, and how good that is."""
_OF_SERVED: Final = frozenset(
    family.name for family in catalogue.families() if family.labels[:2] == MODEL and family.name not in _OF_SHADOWS
)
"""All else about a model is of what it serves: its requests, errors, features, drift and worth."""


def shown(scene: Scene) -> Shows:
    """What the page has of one version: of a shadow nothing that would count as served."""
    found = scene.snapshot.versioned
    if found is None or found.role != SHADOW:
        return scene.shows
    return scene.shows._replace(hidden=scene.shows.hidden | _OF_SERVED)
