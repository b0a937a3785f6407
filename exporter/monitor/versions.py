"""Versions of one model against each other: the newest that has come against those that are watched beside it.

Both have the same profile, so their bins are the same. Where they answer the same clients, what differs between them is
not the clients; and that one differs from the other is seen even where both have long left the training data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from exporter.monitor.live import VERSIONS, Live
from exporter.monitor.watched import Shown
from exporter.reference import Column
from exporter.sections import Windows
from exporter.snapshots import BlockSnapshot

_MOST: Final = 4
"""Others that a version is compared with, those that came last: each is a table of series."""


def compared(models: Sequence[Shown], windows: Windows) -> list[Shown]:
    """The same models; with the newest version of each goes how it differs from the others."""
    found = list(models)
    for places in _of_one_model(models) if VERSIONS in windows.compare else ():
        *others, newest = sorted(places, key=lambda place: (_first(models[place]), models[place].label))
        found[newest] = _against(models[newest], [models[place] for place in reversed(others[-_MOST:])], windows)
    return found


def _of_one_model(models: Sequence[Shown]) -> Iterator[Sequence[int]]:
    """Places of versions that have one profile, and any rows, where there are several."""
    alike: dict[tuple[str, str], list[int]] = {}
    for place, one in enumerate(models):
        if one.profile and one.visible and _first(one):
            alike.setdefault((one.label.model, one.profile.digest), []).append(place)
    return (places for places in alike.values() if len(places) > 1)


def _first(one: Shown) -> float:
    """When its first row came; 0 where there was none."""
    blocks = (one.snapshot.features, one.snapshot.outputs)
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
