"""A model as it may be at some moment: a real monitor's snapshot, with the numbers that a test is about."""

import math
from dataclasses import replace
from functools import cache
from typing import Any

from made_profiles import profile_of
from monitor_scenes import exchange, watch

from exporter.performed import Concept, Counted, Judged, Measure, Performed
from exporter.records import Label
from exporter.reference import Profile
from exporter.retrain.deciding import Deciding, Watched
from exporter.retraining import Retrain
from exporter.snapshots import DIAGNOSIS, Listed, Snapshot

PROFILE = profile_of(3)
START = 1_800_000_000.0
THRESHOLD = 10.0
DAY = 86400.0
SAID = Retrain(url="http://receiver/", hold=0.0)


@cache
def _bare() -> Snapshot:
    row = {column.name: 1.0 for column in PROFILE.features}
    return watch(PROFILE, [exchange([row], [1.0], at) for at in (1.0, 100.0)]).snapshot(200.0)


def snapshot(
    nats: float = 0.0, rows: int = 5000, performed: Performed | None = None, diagnoses: tuple[tuple[str, str], ...] = ()
) -> Snapshot:  # fmt: skip
    """`diagnoses` are of the first feature."""
    bare = _bare()
    assert bare.evidence is not None
    assert bare.features is not None
    streams = bare.evidence.streams.copy()
    streams[0] = nats
    told = bare.evidence._replace(nats=nats, threshold=THRESHOLD, streams=streams, began_s=START - DAY)
    listed = tuple(Listed(DIAGNOSIS, 0, one, 1) for one in diagnoses)
    features = bare.features._replace(aspects=(*bare.features.aspects, *listed))
    return replace(
        bare, rows=bare.rows._replace(observed=rows), evidence=told, performed=performed, features=features
    )  # fmt: skip


def performed(accuracy: float = math.nan, nats: float = 0.0, truths: int = 1000, training: float = 0.9) -> Performed:
    """Of a day; without a measure where there is no accuracy."""
    measures = () if math.isnan(accuracy) else (Measure("accuracy", accuracy, accuracy - 0.01, accuracy + 0.01),)
    concept = Concept(nats, THRESHOLD, START, 0.1, 0.02, 0.2, truths, 0)
    return Performed(
        "multiclass", Counted(truths, truths, 0, (), 0.0),
        (Judged("arrival", "24h", truths, truths, True, measures),), (("accuracy", "acc", training),), (), concept,
    )  # fmt: skip


def watched(found: Snapshot, version: str = "1", profile: Profile = PROFILE, model: str = "m") -> Watched:
    return Watched(Label(model, version), profile, found)


def deciding(said: Retrain = SAID, **more: Any) -> Deciding:
    return Deciding(said, (3600.0, DAY), 32, **{"lasts": True} | more)
