"""How old a model is, how much has changed since it was deployed, and when it is due for training."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from exporter import catalogue
from exporter.age_families import SinceDeploy as Families
from exporter.aged import MOST_NAMED, Aged, SinceDeploy, Trend
from exporter.collect.exposition import Labels, Samples
from exporter.collect.scene import FEATURES, OUTPUTS, Scene
from exporter.families import Family
from exporter.reference import Column, Profile


def collect(scene: Scene) -> Iterator[Samples]:
    """Families of a model; what is not known is left out."""
    aged, of = scene.snapshot.aged, catalogue.AGE
    if aged is None:
        return
    yield from _some(of.deployed, [(scene.labels, aged.deployed_s)])
    yield from _some(of.due, [((*scene.labels, reason), at) for reason, at in aged.due])
    if aged.trend is not None:
        yield from _trend(scene.labels, aged.trend)
    if scene.profile is not None:
        yield from _some(of.since, [(scene.profiled, aged.counted_s)])
        yield from _sides(scene, scene.profile, aged)


def _some(family: Family, values: Iterable[tuple[Labels, float]]) -> Iterator[Samples]:
    """A family with what there is of it; without anything it is not on the page."""
    if known := [(labels, value) for labels, value in values if not math.isnan(value)]:
        yield Samples(family, known)


def _trend(of: Labels, trend: Trend) -> Iterator[Samples]:
    for word, family in catalogue.TREND._asdict().items():
        yield from _some(family, [((*of, trend.measure), getattr(trend, word))])


def _sides(scene: Scene, profile: Profile, aged: Aged) -> Iterator[Samples]:
    for side, families, columns, since in (
        (FEATURES, catalogue.FEATURES_SINCE_DEPLOY, profile.features, aged.features),
        (OUTPUTS, catalogue.OUTPUTS_SINCE_DEPLOY, profile.outputs, aged.outputs),
    ):
        if since is not None and since.rows:
            yield Samples(families.rows, [(scene.profiled, since.rows)])
            shown, others = scene.places(side), scene.others(side)
            yield from _columns(scene.profiled, families, columns, (since, shown))
            yield from _largest(scene.profiled, families, columns, (since, [*shown, *others]))
            yield Samples(families.excess, [(scene.profiled, _excess(scene, side, since, [*shown, *others]))])


def _columns(
    of: Labels, families: Families, columns: Sequence[Column], counted: tuple[SinceDeploy, Sequence[int]]
) -> Iterator[Samples]:  # fmt: skip
    """Of columns that have series of their own."""
    since, places = counted
    for family, values in ((families.variation, since.variation), (families.critical, since.critical)):
        yield from _some(family, (((*of, columns[place].name), float(values[place])) for place in places))


def _largest(
    of: Labels, families: Families, columns: Sequence[Column], counted: tuple[SinceDeploy, Sequence[int]]
) -> Iterator[Samples]:  # fmt: skip
    """Of all columns that nobody has said to ignore those that moved most, and how many moved."""
    since, places = counted
    beyond = np.nan_to_num(since.variation - since.critical)
    moved = sorted((place for place in places if beyond[place] > 0), key=lambda place: -beyond[place])
    yield Samples(families.moved, [(of, len(moved))])
    named = [((*of, columns[place].name), float(since.variation[place])) for place in moved[:MOST_NAMED]]
    yield from _some(families.most, named)


def _excess(scene: Scene, side: int, since: SinceDeploy, places: Sequence[int]) -> float:
    """Beyond chance and what people tolerate of it, of the column with most."""
    block = scene.block(side)
    tolerated = np.array([one.tolerance or 0.0 for one in block.said]) if block else 0.0
    beyond = np.nan_to_num(since.variation - since.critical - tolerated)
    return float(beyond[list(places)].max(initial=0.0))
