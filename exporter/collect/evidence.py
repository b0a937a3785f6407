"""Evidence of drift: of a model, and of its columns what it is and what it rests on."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter import catalogue
from exporter.collect.exposition import Labels, Samples
from exporter.collect.scene import FEATURES, OUTPUTS, Scene
from exporter.evidence.standing import SOURCES, STAGES
from exporter.evidence.verdict import Verdict
from exporter.families import Columns

_TRAINING, _WARM_UP, _HOUR = "training", "warm_up", "hour"
Found = NDArray[np.float64]


class _Side(NamedTuple):
    """The columns of one side that have series."""

    families: Columns
    at: NDArray[np.int64]
    """Their places in the verdict."""
    labels: Sequence[Labels]
    judged: NDArray[np.int64]
    """Theirs, and those of columns that have none for want of room: all that nobody has said to ignore."""


def collect(scene: Scene) -> Iterator[Samples]:
    """Families of models of which evidence is gathered."""
    told = scene.snapshot.evidence
    if told is None or scene.profile is None:
        return
    sides = list(_sides(scene))
    judged = np.concatenate([side.judged for side in sides])
    yield from _model(scene.profiled, told, judged)
    named, slowly = told.named(judged), told.named_slowly(judged)
    for side in sides:
        yield from _columns(side, told)
        yield from _happened(side, told, named)
        yield _samples(side, "slow_drift_evidence_nats", told.slow_streams, slowly)


def _sides(scene: Scene) -> Iterator[_Side]:
    first, profile = 0, scene.profile
    for families, side, columns in (
        (catalogue.FEATURES, FEATURES, profile.features if profile else ()),
        (catalogue.OUTPUTS, OUTPUTS, profile.outputs if profile else ()),
    ):
        if scene.block(side) is not None:
            places = scene.places(side)
            labels = [(*scene.profiled, columns[place].name) for place in places]
            judged = sorted(places + scene.others(side))
            yield _Side(families, first + np.array(places, np.int64), labels, first + np.array(judged, np.int64))
            first += len(columns)


def _model(of: Labels, told: Verdict, shown: NDArray[np.int64]) -> Iterator[Samples]:
    for family, value in (
        (catalogue.EVIDENCE, told.nats), (catalogue.EVIDENCE_THRESHOLD, told.threshold),
        (catalogue.SLOW_EVIDENCE, told.slow_nats), (catalogue.SLOW_EVIDENCE_THRESHOLD, told.slow_threshold),
        (catalogue.EVIDENCE_READY, int(told.is_ready(shown))), (catalogue.EVIDENCE_PAUSED, int(told.planned)),
        (catalogue.EVIDENCE_SINCE, told.began_s),
    ):  # fmt: skip
        yield Samples(family, [(of, value)])
    yield Samples(catalogue.EVIDENCE_INFO, [((*of, STAGES[told.stage]), 1)])
    yield Samples(
        catalogue.EXPECTED_DELAY,
        [((*of, f"{shift:g}"), seconds) for shift, seconds in told.delays.items() if math.isfinite(seconds)],
    )


def _columns(side: _Side, told: Verdict) -> Iterator[Samples]:
    """What there is of every column."""
    for word, values in (
        ("drift_evidence_nats", np.maximum(told.streams, 0.0)), ("drift_tolerance_ratio", told.tolerance),
        ("drift_dependence_factor", told.dependence), ("drift_monitored", told.monitored.astype(float)),
    ):  # fmt: skip
        yield _samples(side, word, values, np.isfinite(values))
    references = np.select([told.seasonal, told.recentred], [_HOUR, _WARM_UP], _TRAINING)
    yield Samples(
        side.families.evidence["drift_defaults_info"],
        [
            ((*of, SOURCES[told.source[at]], str(references[at])), 1)
            for of, at in zip(side.labels, side.at.tolist(), strict=True)
        ],
    )
    yield _samples(side, "skew_ratio", told.skew, ~np.isnan(told.skew))
    yield _samples(side, "skew_ratio_critical", told.skew_critical, ~np.isnan(told.skew))


def _happened(side: _Side, told: Verdict, named: NDArray[np.bool_]) -> Iterator[Samples]:
    """What has happened to columns that are named."""
    yield Samples(
        side.families.evidence["drift_info"],
        [((*of, *told.happened(at)), 1) for of, at in zip(side.labels, side.at.tolist(), strict=True) if named[at]],
    )
    yield _samples(side, "drift_onset_timestamp_seconds", told.onset_s, named)


def _samples(side: _Side, word: str, values: Found, among: NDArray[np.bool_]) -> Samples:
    found = zip(side.labels, values[side.at].tolist(), among[side.at].tolist(), strict=True)
    return Samples(side.families.evidence[word], [(of, value) for of, value, is_among in found if is_among])
