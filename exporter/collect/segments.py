"""Segments of the traffic: their rows, and what of them has changed since the training."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from exporter import catalogue
from exporter.collect.exposition import Labels, Samples, Unmade
from exporter.collect.scene import FEATURES, OUTPUTS, Scene
from exporter.families import Segments
from exporter.findings import SegmentScores
from exporter.reference import Column


def collect(scene: Scene) -> Iterator[Samples | Unmade]:
    """Families of models whose traffic is divided."""
    found, profile = scene.snapshot.segments, scene.profile
    if profile is None or found is None:
        return
    of = [((*scene.profiled, one.segment, one.value), one) for one in found.rows]
    yield Samples(catalogue.SEGMENT_ROWS, [(labels, one.rows) for labels, one in of])
    yield Samples(
        catalogue.SEGMENT_REFERENCE_ROWS, [(labels, one.reference) for labels, one in of if one.reference is not None]
    )
    for families, columns, side, windows in (
        (catalogue.SEGMENT_FEATURES, profile.features, FEATURES, found.features),
        (catalogue.SEGMENT_OUTPUTS, profile.outputs, OUTPUTS, found.outputs),
    ):
        if scene.block(side) is not None:
            yield from _side(families, _names(columns, scene.places(side)), scene.profiled, windows)


def _names(columns: Sequence[Column], shown: Collection[int]) -> list[str | None]:
    """None of those that are not shown."""
    those = {*shown}
    return [column.name if place in those else None for place, column in enumerate(columns)]


def _side(
    families: Segments, names: Sequence[str | None], profiled: Labels, windows: Sequence[SegmentScores]
) -> Iterator[Samples | Unmade]:
    of = [
        (one, at, (*profiled, one.segment, value))
        for one in windows
        for at, value in enumerate(one.values)
        if value is not None
    ]
    yield Samples(families.samples, [((*labels, one.window), int(one.samples[at])) for one, at, labels in of])
    yield Samples(families.sufficient, [((*labels, one.window), int(one.sufficient[at])) for one, at, labels in of])
    yield Unmade(families.variation, _known(of, names, "total_variation"))
    yield Unmade(families.critical, _known(of, names, "critical"))


def _known(
    of: Sequence[tuple[SegmentScores, int, Labels]], names: Sequence[str | None], word: str
) -> Iterator[tuple[Labels, float]]:
    """Of segments and columns of which anything is known."""
    for one, at, labels in of:
        values = getattr(one, word)[at].tolist()
        for column in np.flatnonzero(~np.isnan(one.total_variation[at])).tolist():
            if (name := names[column]) is not None:
                yield (*labels, name, one.window), values[column]
