"""The reference profile: what it is, what is known of its columns, and what people say of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exporter import catalogue
from exporter.adoption import Adoption
from exporter.collect.exposition import Labels, Samples
from exporter.collect.scene import FEATURES, OUTPUTS, Scene
from exporter.families import Columns, Family
from exporter.override import Override
from exporter.reference import UNKNOWN, Column, Profile

_SERVER_LABEL: Final = "label:"
"""What a version begins with that is a server's name for whichever version it likes."""


class _Shown(NamedTuple):
    """A column that is not to be ignored."""

    labels: Labels
    column: Column
    rule: Override


def collect(scene: Scene) -> Iterator[Samples]:
    """Families of a model that has a profile. What it does not say is left out."""
    profile, now = scene.profile, scene.health.snapshot_wall_s
    if profile is None:
        return
    yield from _profile(scene, profile)
    for families, word, columns, side in (
        (catalogue.FEATURES, "features", profile.features, FEATURES),
        (catalogue.OUTPUTS, "outputs", profile.outputs, OUTPUTS),
    ):
        if (block := scene.block(side)) is not None:
            shown = [
                _Shown((*scene.profiled, columns[place].name), columns[place], block.said[place])
                for place in scene.places(side)
            ]
            yield from _known(families, shown)
            yield from _said(families, shown, now)
            yield _trained(families, shown, {column.name: column for at, column in profile.replaced if at == word})
            yield from _adopted(families, shown, [one for one in profile.adoptions if one.side == word], now)


def _profile(scene: Scene, profile: Profile) -> Iterator[Samples]:
    yield Samples(catalogue.PROFILE_INFO, [((*scene.profiled, profile.version, profile.source), 1)])
    yield Samples(catalogue.PROFILE_ROWS, [(scene.profiled, profile.rows)])
    yield Samples(catalogue.PROFILE_PROVISIONAL, [(scene.profiled, int(profile.provisional))])
    newest = profile.time.last if profile.time else profile.trained_at
    yield _where_known(catalogue.PROFILE_TIME, [(scene.profiled, newest)])
    yield _where_known(catalogue.TRAINED, [(scene.labels, profile.trained_at)])
    yield _where_known(catalogue.PROFILE_INFLUENCED, [(scene.profiled, profile.influenced)])
    yield _where_known(catalogue.PROFILE_OTHER_VERSION, [(scene.profiled, _is_other(profile.version, scene.version))])
    yield Samples(
        catalogue.TRAINING_PERFORMANCE,
        [((*scene.profiled, measure), value) for measure, value in profile.performance.items()],
    )


def _is_other(version: str, served: str) -> int | None:
    """Whether a profile is of another version than the one that is served; None where one of them is not known."""
    if UNKNOWN in {version, served} or served.startswith(_SERVER_LABEL):
        return None
    return int(version != served)


def _where_known(family: Family, values: Sequence[tuple[Labels, float | None]]) -> Samples:
    return Samples(family, [(labels, value) for labels, value in values if value is not None])


def _known(families: Columns, shown: Sequence[_Shown]) -> Iterator[Samples]:
    """What the build of the profile found out beside the bins, or the overrides say instead."""
    for word, family in families.known.items():
        yield _where_known(family, [(one.labels, _in_force(one, word)) for one in shown])


def _in_force(one: _Shown, word: str) -> float | None:
    said: float | None = getattr(one.rule, word, None)
    found: float | None = getattr(one.column, word)
    return found if said is None else said


def _said(families: Columns, shown: Sequence[_Shown], now: float) -> Iterator[Samples]:
    """What people say, as it is in force at `now`."""
    about = [(one.labels, one.rule) for one in shown]
    yield Samples(families.override_info, [
        ((*of, rule.owner or "", rule.severity_at(now)), 1) for of, rule in about if rule.routes_at(now)
    ])  # fmt: skip
    yield _where_known(families.tolerance, [(of, rule.tolerance) for of, rule in about])
    yield _where_known(families.weight, [(of, rule.weight) for of, rule in about])
    yield _where_known(families.snoozed_until, [(of, rule.snooze_until) for of, rule in about])


def _trained(families: Columns, shown: Sequence[_Shown], replaced: Mapping[str, Column]) -> Samples:
    """What the training data had where something else was adopted."""
    columns = [(one.labels, replaced[one.column.name]) for one in shown if one.column.name in replaced]
    return Samples(families.training_ratio, [
        ((*of, f"{place:02d}"), column.counts[place] / column.rows)
        for of, column in columns for place, _ in column.bins()
    ])  # fmt: skip


def _adopted(
    families: Columns, shown: Sequence[_Shown], adoptions: Sequence[Adoption], now: float
) -> Iterator[Samples]:
    """What somebody took as the new normal and is in force at `now`."""
    labels = {one.column.name: one.labels for one in shown}
    found = [(labels[one.name], one) for one in adoptions if one.name in labels and not _has_expired(one, now)]
    yield Samples(families.adopted, [(of, one.adopted_at) for of, one in found])
    yield _where_known(families.adoption_expiry, [(of, one.expires_at) for of, one in found])


def _has_expired(adoption: Adoption, now: float) -> bool:
    return adoption.expires_at is not None and adoption.expires_at <= now
