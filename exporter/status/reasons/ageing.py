"""Reasons that are age: of the reference, of the model; and who was asked to train it again."""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from exporter.aged import Aged, SinceDeploy
from exporter.collect.scene import FEATURES, OUTPUTS
from exporter.reference import UNKNOWN
from exporter.status.facts import Reason
from exporter.status.seen import Seen
from exporter.status.wording import clock, text

_DAY_S: Final = 86400.0
_SERVER_LABEL: Final = "label:"
"""What a version begins with that is a server's name for whichever version it likes."""
_WHY: Final = {"calendar": "its calendar", "decay": "its errors, which grow from day to day"}


def reasons(seen: Seen) -> Iterator[Reason]:
    """Of the reference first."""
    profile, served = seen.view.scene.profile, seen.view.scene.version
    if profile is not None:
        known = UNKNOWN not in {profile.version, served} and not served.startswith(_SERVER_LABEL)
        if known and profile.version != served:
            words = f"It is compared with the training data of version {text(profile.version)}."
            yield seen.reason("ModelProfileOtherVersion", words)
        if profile.provisional:
            words = "It is compared with its own first traffic: there is no profile of its training data."
            yield seen.reason("ModelProfileProvisional", words)
    aged = seen.view.scene.snapshot.aged
    if aged is not None and not seen.is_idle:
        yield from _due(seen, aged)
        yield from _stale(seen, aged)
    yield from _asked(seen)


def due(seen: Seen) -> Iterator[str]:
    """Why it is due for training, or soon will be."""
    aged = seen.view.scene.snapshot.aged
    for why, at in _dues(seen, aged) if aged else ():
        left = at - seen.view.now
        word = "has been" if left <= 0 else "is"
        yield (
            f"It {word} due for training since {clock(at, seen.view.now)}, by {_WHY[why]}."
            if left <= 0
            else (f"It is due for training from {clock(at, seen.view.now)} on, by {_WHY[why]}.")
        )


def _dues(seen: Seen, aged: Aged) -> Iterator[tuple[str, float]]:
    return ((why, at) for why, at in aged.due if math.isfinite(at) and (why == "calendar" or _grows(seen, aged)))


def _grows(seen: Seen, aged: Aged) -> bool:
    """Whether errors grow from day to day beyond doubt."""
    trend = aged.trend
    sure = seen.limit("staleness.sure")
    return trend is not None and trend.per_day - sure * (trend.per_day - trend.lower) > 0


def _due(seen: Seen, aged: Aged) -> Iterator[Reason]:
    left = min((at - seen.view.now for _, at in _dues(seen, aged)), default=math.inf)
    if left <= 0:
        yield seen.reason("ModelRetrainDue", "It should have been trained again by now.", seen.view.now + left)
    elif left <= seen.limit("staleness.soon_seconds"):
        yield seen.reason("ModelRetrainSoon", f"It is to be trained again in {max(left / _DAY_S, 1):.0f} days.")


def _stale(seen: Seen, aged: Aged) -> Iterator[Reason]:
    told, old_s = seen.view.scene.snapshot.evidence, _old_s(seen, aged)
    if old_s is None or seen.view.now < old_s:
        return
    slowly = told is not None and told.slow_nats >= told.slow_threshold
    moved = max(_excess(seen, FEATURES, aged.features), _excess(seen, OUTPUTS, aged.outputs))
    if slowly or moved > seen.limit("staleness.moved") or _grows(seen, aged):
        yield seen.reason("ModelStale", "It is old and its world has moved on: time to train it again.", old_s)


def _old_s(seen: Seen, aged: Aged) -> float | None:
    """Unix time from which it is old."""
    calendar = [at for why, at in aged.due if why == "calendar" and math.isfinite(at)]
    if calendar:
        return min(calendar)
    profile = seen.view.scene.profile
    newest = (profile.trained_at or (profile.time.last if profile.time else None)) if profile else None
    began = newest or (aged.deployed_s if math.isfinite(aged.deployed_s) else None)
    return None if began is None else began + seen.limit("staleness.old_seconds")


def _excess(seen: Seen, at: int, since: SinceDeploy | None) -> float:
    """Beyond chance and what people tolerate of it, of the column with most."""
    block = seen.view.scene.block(at)
    if block is None or since is None or not since.rows:
        return 0.0
    tolerated = np.array([one.tolerance or 0.0 for one in block.said])
    listened = np.array([not one.ignore for one in block.said])
    return float(np.nan_to_num(since.variation - since.critical - tolerated)[listened].max(initial=0.0))


def _asked(seen: Seen) -> Iterator[Reason]:
    retrain = seen.view.page.health.retrain
    one = retrain.models.get(seen.view.key) if retrain else None
    if one is not None and one.asked_wall_s and seen.view.now - one.asked_wall_s < seen.limit("retrain.told_seconds"):
        yield seen.reason("ModelRetrainRequested", f"Somebody was asked to {one.advice or 'look'}.", one.asked_wall_s)
