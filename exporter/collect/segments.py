"""Segments of the traffic: their rows, and what of them has changed since the training."""

from collections.abc import Iterator, Sequence

import numpy as np

from exporter import catalogue
from exporter.collect.exposition import Labels, Samples
from exporter.collect.scene import Scene
from exporter.families import Segments
from exporter.findings import SegmentScores
from exporter.reference import Column
from exporter.snapshots import BlockSnapshot


def collect(scene: Scene) -> Iterator[Samples]:
    """Families of models whose traffic is divided."""
    found, profile = scene.snapshot.segments, scene.profile
    if profile is None or found is None:
        return
    of = [((*scene.profiled, one.segment, one.value), one) for one in found.rows]
    yield Samples(catalogue.SEGMENT_ROWS, [(labels, one.rows) for labels, one in of])
    yield Samples(
        catalogue.SEGMENT_REFERENCE_ROWS, [(labels, one.reference) for labels, one in of if one.reference is not None]
    )
    for families, columns, block, windows in (
        (catalogue.SEGMENT_FEATURES, profile.features, scene.snapshot.features, found.features),
        (catalogue.SEGMENT_OUTPUTS, profile.outputs, scene.snapshot.outputs, found.outputs),
    ):
        if block is not None:
            yield from _side(families, _names(columns, block), scene.profiled, windows)


def _names(columns: Sequence[Column], block: BlockSnapshot) -> list[str | None]:
    """None of those that somebody has said to ignore."""
    return [None if rule.ignore else column.name for column, rule in zip(columns, block.said, strict=True)]


def _side(
    families: Segments, names: Sequence[str | None], profiled: Labels, windows: Sequence[SegmentScores]
) -> Iterator[Samples]:
    of = [
        (one, at, (*profiled, one.segment, value))
        for one in windows
        for at, value in enumerate(one.values)
        if value is not None
    ]
    yield Samples(families.samples, [((*labels, one.window), int(one.samples[at])) for one, at, labels in of])
    yield Samples(families.sufficient, [((*labels, one.window), int(one.sufficient[at])) for one, at, labels in of])
    known = [
        (one, at, column, (*labels, name, one.window))
        for one, at, labels in of
        for column in np.flatnonzero(~np.isnan(one.total_variation[at])).tolist()
        if (name := names[column]) is not None
    ]
    yield Samples(
        families.variation, [(labels, float(one.total_variation[at, column])) for one, at, column, labels in known]
    )
    yield Samples(families.critical, [(labels, float(one.critical[at, column])) for one, at, column, labels in known])
