"""Features of failed requests, held against those of successful ones."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from exporter import catalogue
from exporter.collect.exposition import Labels, Samples, Unmade
from exporter.collect.scene import FEATURES, Scene
from exporter.families import Family
from exporter.findings import FailedScores, FailedSnapshot


def collect(scene: Scene) -> Iterator[Samples | Unmade]:
    """Families of models whose profile has features. Bins stay empty until something fails, and so do scores."""
    failed = scene.snapshot.failed
    if scene.profile is None or failed is None or scene.snapshot.features is None:
        return
    shown = {*scene.places(FEATURES)}
    labels = [
        (*scene.profiled, column.name) if place in shown else None
        for place, column in enumerate(scene.profile.features)
    ]
    yield _bins(labels, failed)
    scores = failed.scores
    yield Samples(catalogue.FAILED_SAMPLES, [((*scene.profiled, one.window, one.code), one.samples) for one in scores])
    yield _by_feature(catalogue.FAILED_VARIATION, labels, [(one, one.total_variation) for one in scores])
    yield _by_feature(catalogue.FAILED_CRITICAL, labels, [(one, one.critical) for one in scores])
    yield Samples(catalogue.FAILED_EXCESS, [
        ((*of, f"{one.worst_bin[place]:02d}", one.window, one.code), float(one.excess[place]))
        for one in scores for place in np.flatnonzero(~np.isnan(one.excess)).tolist() if (of := labels[place])
    ])  # fmt: skip


def _bins(labels: Sequence[Labels | None], failed: FailedSnapshot) -> Unmade:
    return Unmade(catalogue.FAILED_BINS, (
        ((*of, f"{at:02d}", code), int(totals[place, at]))
        for code, totals in failed.totals.items() for place, at in np.argwhere(totals).tolist() if (of := labels[place])
    ))  # fmt: skip


def _by_feature(
    family: Family, labels: Sequence[Labels | None], scores: Sequence[tuple[FailedScores, NDArray[np.float64]]]
) -> Unmade:
    """What cannot be said is NaN there and left out here, as is what is not to be shown."""
    return Unmade(family, (
        ((*of, one.window, one.code), value)
        for one, values in scores
        for of, value in zip(labels, values.tolist(), strict=True)
        if of and value == value  # noqa: PLR0124 (not NaN)
    ))  # fmt: skip
