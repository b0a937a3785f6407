"""Versions of one model against each other: the newest that has come against those that are watched beside it.

And which of them is stable, with which each other is compared (`rollout`), profiles alike or not.

Both have the same profile, so their bins are the same. Where they answer the same clients, what differs between them is
not the clients; and that one differs from the other is seen even where both have long left the training data.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from exporter.config import Settings
from exporter.monitor import rollout
from exporter.monitor.live import VERSIONS, Live
from exporter.monitor.watched import Shown
from exporter.records import Label
from exporter.reference import Column
from exporter.sections import Windows
from exporter.snapshots import BlockSnapshot, Snapshot
from exporter.versioned import CANARY, FIRST, PROFILE, SETTINGS, SHADOW, STABLE, Versioned

_MOST: Final = 4
"""Others that a version is compared with, those that came last: each is a table of series."""


def compared(models: Sequence[Shown], settings: Settings, is_shadow: Callable[[Label], bool]) -> list[Shown]:
    """The same models, each with what it is among the versions; with the newest goes how it differs from the others."""
    found, windows = list(models), settings.windows
    for places in _of_one_model(models) if VERSIONS in windows.compare else ():
        *others, newest = sorted(places, key=lambda place: (_first(models[place]), models[place].label))
        found[newest] = _against(models[newest], [models[place] for place in reversed(others[-_MOST:])], windows)
    return [
        one._replace(snapshot=replace(one.snapshot, versioned=versioned))
        for one, versioned in zip(found, _versioned(models, settings, is_shadow), strict=True)
    ]


def _versioned(models: Sequence[Shown], settings: Settings, is_shadow: Callable[[Label], bool]) -> Iterator[Versioned]:
    stables: dict[str, tuple[Shown | None, str]] = {}
    for one in models:
        name = one.label.model
        if name not in stables:
            served = [other for other in models if other.label.model == name and not is_shadow(other.label)]
            stables[name] = _stable([other for other in served if other.visible], settings.versions.stable)
        yield _among(one, *stables[name], settings, is_shadow=is_shadow(one.label))


def _stable(served: Sequence[Shown], said: str | None) -> tuple[Shown | None, str]:
    """The stable one of the versions that are served, and by whom that is known; None where it is not here."""
    if said is not None:
        return next((one for one in served if one.label.version == said), None), SETTINGS
    named = {one.profile.version for one in served if one.profile}
    profiled = [one for one in served if one.label.version in named]
    if len(profiled) == 1:
        return profiled[0], PROFILE
    asked = [one for one in served if _first(one)]
    return min(asked or served, key=lambda one: (_first(one), one.label), default=None), FIRST


def _among(one: Shown, stable: Shown | None, by: str, settings: Settings, *, is_shadow: bool) -> Versioned:
    role = SHADOW if is_shadow else STABLE if stable and one.label == stable.label else CANARY
    if one.profile is None:
        return Versioned(role, by)
    own, enough = (one.profile.outputs, one.snapshot.outputs), settings.windows.minimum_samples
    averaged = tuple(rollout.averaged(own))
    if stable is None or role == STABLE or stable.profile is None:
        return Versioned(role, by, averaged=averaged)
    beside = stable.profile.outputs, stable.snapshot.outputs
    return Versioned(
        role, by, stable.label.version, averaged, tuple(rollout.means(own, beside, enough)),
        tuple(rollout.shares(own, beside, enough)),
        tuple(rollout.performance(one.snapshot.performed, stable.snapshot.performed)),
    )  # fmt: skip


def _of_one_model(models: Sequence[Shown]) -> Iterator[Sequence[int]]:
    """Places of versions that have one profile, and any rows, where there are several."""
    alike: dict[tuple[str, str], list[int]] = {}
    for place, one in enumerate(models):
        if one.profile and one.visible and _first(one):
            alike.setdefault((one.label.model, one.profile.digest), []).append(place)
    return (places for places in alike.values() if len(places) > 1)


def _first(one: Shown) -> float:
    return first_s(one.snapshot)


def first_s(snapshot: Snapshot) -> float:
    """When its first row came, in this run or in one whose windows go on; 0 where there was none."""
    blocks = (snapshot.features, snapshot.outputs)
    return min((block.first_s for block in blocks if block and block.first_s), default=0.0)


def _against(one: Shown, others: Sequence[Shown], windows: Windows) -> Shown:
    own, profile = one.snapshot, one.profile
    if profile is None:
        return one
    features = _block(own.features, profile.features, windows, [(o.label.version, o.snapshot.features) for o in others])
    outputs = _block(own.outputs, profile.outputs, windows, [(o.label.version, o.snapshot.outputs) for o in others])
    return one._replace(snapshot=replace(own, features=features, outputs=outputs))


def _block(
    own: BlockSnapshot | None, columns: Sequence[Column], windows: Windows,
    others: Sequence[tuple[str, BlockSnapshot | None]],
) -> BlockSnapshot | None:  # fmt: skip
    if own is None:
        return None
    live = Live(columns, windows)
    found = (
        one for version, other in others if other for one in live.with_version(version, own.scores, other.scores)
    )  # fmt: skip
    return own._replace(live=(*own.live, *found))
