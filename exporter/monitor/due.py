"""What the settings say of each model by its name: since when it is deployed, and when it is to be trained anew."""

import math
from collections.abc import Iterable
from dataclasses import replace

from exporter.aged import CALENDAR, DECAY, Aged
from exporter.ageing import Staleness, of
from exporter.monitor.watched import Shown


def dated(models: Iterable[Shown], settings: Staleness) -> list[Shown]:
    """The same models, each with what the settings say of its deployment and training."""
    return [one._replace(snapshot=replace(one.snapshot, aged=_dated(one, settings))) for one in models]


def _dated(one: Shown, settings: Staleness) -> Aged | None:
    aged = one.snapshot.aged
    if aged is None:
        return None
    said = of(settings.deployed_at, one.label.model)
    deployed_s = aged.deployed_s if said is None else said
    trained_s = one.profile.trained_at if one.profile else None
    every_s = of(settings.retrain_every, one.label.model)
    due = {
        CALENDAR: (deployed_s if trained_s is None else trained_s) + (math.nan if every_s is None else every_s),
        DECAY: aged.trend.crossing_s if aged.trend else math.nan,
    }
    known = tuple((reason, at) for reason, at in due.items() if not math.isnan(at))
    return aged._replace(deployed_s=deployed_s, due=known)
