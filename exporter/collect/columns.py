"""Features and outputs: bins, reference, data quality, and the scores of every window."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from exporter import catalogue
from exporter.budget.plan import OTHER
from exporter.collect.exposition import Labels, Samples, Unmade
from exporter.collect.scene import FEATURES, OUTPUTS, Scene
from exporter.families import Columns, Family
from exporter.records import SIDES
from exporter.reference import Column
from exporter.snapshots import BlockSnapshot, ColumnTotals, Compared, Listed, Measured, OfSide, Scores


def collect(scene: Scene) -> Iterator[Samples | Unmade]:
    """Families of both sides that the profile has."""
    if scene.profile is None:
        return
    for families, columns, side in (
        (catalogue.FEATURES, scene.profile.features, FEATURES), (catalogue.OUTPUTS, scene.profile.outputs, OUTPUTS)
    ):  # fmt: skip
        if (block := scene.block(side)) is not None:
            shown = scene.places(side)
            of_shown = [columns[place] for place in shown]
            labels = [(*scene.profiled, column.name) for column in of_shown]
            yield from _reference(families, of_shown, labels)
            yield from _bins(families, of_shown, labels, block.totals.bins[shown])
            yield from _totals(families, labels, _only(shown, block.totals), _other(scene, side, block.totals))
            scores = [_scores_only(shown, scores) for scores in block.scores]
            yield from _scores(families, labels, scores)
            yield _shortest(families, labels, scores)
            yield from _live(families, labels, shown, block.live)
            yield from _aspects(families, scene.profiled, dict(zip(shown, labels, strict=True)), block)
    yield _starts(scene)
    yield Samples(catalogue.PROFILE_UNREADABLE, [(scene.profiled, scene.snapshot.unreadable)])
    yield from _matches(scene)


def _only(shown: Sequence[int], totals: ColumnTotals) -> ColumnTotals:
    quality = {name: values[shown] for name, values in totals.quality.items()}
    return ColumnTotals(totals.bins[shown], totals.type_errors[shown], quality)


def _scores_only(shown: Sequence[int], scores: Scores) -> Scores:
    def of_all(found: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        return {name: values[shown] for name, values in found.items()}

    at = {place: index for index, place in enumerate(shown)}
    moved = tuple(one._replace(column=at[one.column]) for one in scores.moved if one.column in at)
    return scores._replace(
        samples=scores.samples[shown], sufficient=scores.sufficient[shown], moved=moved,
        values=of_all(scores.values), critical=of_all(scores.critical), ratios=of_all(scores.ratios),
    )  # fmt: skip


def _matches(scene: Scene) -> Iterator[Samples]:
    """How payloads fit the profile."""
    blocks = zip(SIDES, (scene.snapshot.features, scene.snapshot.outputs), strict=True)
    found = [((*scene.profiled, side), block.match) for side, block in blocks if block is not None]
    yield Samples(catalogue.PROFILE_PAYLOADS, [(labels, match.payloads) for labels, match in found])
    yield Samples(catalogue.PROFILE_MISMATCHED, [(labels, match.mismatched) for labels, match in found])
    yield Samples(catalogue.PROFILE_FIELDS, [(labels, match.fields) for labels, match in found])
    yield Samples(catalogue.PROFILE_MATCHED_FIELDS, [(labels, match.matched_fields) for labels, match in found])


def _starts(scene: Scene) -> Samples:
    """Since when the windows have values, of features or outputs."""
    blocks = [block for block in (scene.snapshot.features, scene.snapshot.outputs) if block is not None]
    reaches: dict[str, float] = {}
    for scores in (scores for block in blocks for scores in block.scores if not math.isnan(scores.reach_s)):
        reaches[scores.window] = max(scores.reach_s, reaches.get(scores.window, 0.0))
    now = scene.health.snapshot_wall_s
    return Samples(
        catalogue.WINDOW_START, [((*scene.profiled, window), now - reach_s) for window, reach_s in reaches.items()]
    )


def _other(scene: Scene, side: int, totals: ColumnTotals) -> tuple[Sequence[Labels], ColumnTotals]:
    """What is counted of all columns that have no series of their own, as if they were one; of none if there are none.

    NaN stays where nothing of it applies to any of them.
    """
    others = _only(scene.others(side), totals)
    if not len(others.bins):
        return [], others
    quality = {
        name: np.array([np.nan if np.isnan(of).all() else np.nansum(of)]) for name, of in others.quality.items()
    }  # fmt: skip
    bins, type_errors = others.bins.sum(axis=0, keepdims=True), others.type_errors.sum(keepdims=True)
    return [(*scene.profiled, OTHER)], ColumnTotals(bins, type_errors, quality)


def _reference(families: Columns, columns: Sequence[Column], labels: Sequence[Labels]) -> Iterator[Samples | Unmade]:
    pairs = list(zip(columns, labels, strict=True))
    yield Unmade(families.reference_ratio, (
        ((*of, f"{place:02d}"), column.counts[place] / column.rows)
        for column, of in pairs for place, _ in column.bins()
    ))  # fmt: skip
    yield Samples(families.reference_samples, [(of, column.rows) for column, of in pairs])
    yield Samples(families.reference_missing, [(of, _missing(column) / column.rows) for column, of in pairs])
    yield Samples(families.reference_largest, [(of, max(column.counts) / column.rows) for column, of in pairs])
    yield Unmade(families.bin_step, (
        ((*of, f"{place:02d}"), (after - before) / column.sd)
        for column, of in pairs if column.sd
        for (place, before), (_, after) in pairwise(column.centres())
    ))  # fmt: skip
    yield Unmade(families.bin_info, (
        ((*of, f"{place:02d}", text), 1) for column, of in pairs for place, text in column.bins()
    ))  # fmt: skip


def _missing(column: Column) -> int:
    return sum(column.counts[place] for place in column.quality_bins()["missing"])


def _bins(
    families: Columns, columns: Sequence[Column], labels: Sequence[Labels], counts: NDArray[np.int64]
) -> Iterator[Unmade]:
    yield Unmade(families.bins, (
        ((*of, f"{place:02d}"), counted[place])
        for column, of, counted in zip(columns, labels, counts.tolist(), strict=True) for place, _ in column.bins()
    ))  # fmt: skip


def _totals(
    families: Columns, labels: Sequence[Labels], totals: ColumnTotals, other: tuple[Sequence[Labels], ColumnTotals]
) -> Iterator[Samples]:
    """Counts of columns; behind them, of the others together."""
    both = ((labels, totals), other)
    yield Samples(families.values, [pair for of, one in both for pair in _applying(of, one.bins.sum(axis=1))])
    for name, family in families.quality_values.items():
        yield Samples(family, [pair for of, one in both for pair in _applying(of, one.quality[name])])
    yield Samples(families.type_errors, [pair for of, one in both for pair in _applying(of, one.type_errors)])


def _scores(families: Columns, labels: Sequence[Labels], windows: Sequence[Scores]) -> Iterator[Unmade]:
    yield _by_window(families.samples, labels, {one.window: one.samples for one in windows})
    yield _by_window(families.sufficient, labels, {one.window: one.sufficient for one in windows})
    yield Unmade(families.bin_change, (
        ((*labels[one.column], f"{one.bin:02d}", scores.window), one.change)
        for scores in windows for one in scores.moved
    ))  # fmt: skip
    for name, family in families.statistics.items():
        yield _by_window(family, labels, {one.window: one.values[name] for one in windows if name in one.values})
    for name, family in families.critical.items():
        yield _by_window(family, labels, {one.window: one.critical[name] for one in windows if name in one.critical})
    for name, family in families.quality_ratios.items():
        yield _by_window(family, labels, {one.window: one.ratios[name] for one in windows})


def _aspects(
    families: Columns, profiled: Labels, labels: Mapping[int, Labels], block: BlockSnapshot
) -> Iterator[Unmade]:
    """What is counted beside bins and moments; `labels` are those of the columns that are shown, by place."""
    found: dict[str, list[Measured | OfSide | Listed]] = {word: [] for word in families.aspects}
    for one in block.aspects:
        found[one.word].append(one)
    for word, told in found.items():
        yield Unmade(families.aspects[word], _told(told, profiled, labels))


def _told(
    told: Sequence[Measured | OfSide | Listed], profiled: Labels, labels: Mapping[int, Labels]
) -> Iterator[tuple[Labels, float]]:
    shown = np.array(list(labels), np.int64)
    for one in told:
        if isinstance(one, Measured):
            behind = (*one.labels, one.window) if one.window else one.labels
            for of, value in _applying(list(labels.values()), one.values[shown]):
                yield (*of, *behind), value
        elif isinstance(one, OfSide):
            yield (*profiled, *((one.window,) if one.window else ())), one.value
        elif one.column in labels:
            yield (*labels[one.column], *one.labels), one.value


def shortest(windows: Sequence[Scores]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Of the windows that suffice, that one which reaches least far back, by column, and whether there is any.

    The first one is the shortest of time. All end now: the fewer values one holds, the later it begins.
    """
    sufficient = np.stack([one.sufficient for one in windows])
    samples = np.where(sufficient, [one.samples for one in windows], np.inf)
    return np.where(sufficient[0], 0, samples.argmin(axis=0)), np.any(sufficient, axis=0)


def _shortest(families: Columns, labels: Sequence[Labels], windows: Sequence[Scores]) -> Samples:
    places, is_any = shortest(windows)
    return Samples(families.shortest, [
        ((*of, windows[at].window), 1)
        for of, at, suffices in zip(labels, places.tolist(), is_any.tolist(), strict=True) if suffices
    ])  # fmt: skip


def _live(
    families: Columns, labels: Sequence[Labels], shown: Sequence[int], found: Sequence[Compared]
) -> Iterator[Unmade]:
    """Windows against other live ones."""
    for name, family in families.live.items():
        yield _against(family, labels, [(one, one.values[name][shown]) for one in found])
        yield _against(families.live_critical[name], labels, [(one, one.critical[name][shown]) for one in found])


def _against(family: Family, labels: Sequence[Labels], found: Sequence[tuple[Compared, NDArray[np.float64]]]) -> Unmade:
    return Unmade(family, (
        ((*of, one.against, one.window), value) for one, values in found for of, value in _applying(labels, values)
    ))  # fmt: skip


def _by_window(family: Family, labels: Sequence[Labels], windows: Mapping[str, NDArray[np.generic]]) -> Unmade:
    """What does not apply is NaN there and left out here."""
    return Unmade(family, (
        ((*of, window), value) for window, values in windows.items() for of, value in _applying(labels, values)
    ))  # fmt: skip


def _applying(labels: Sequence[Labels], values: NDArray[np.generic]) -> Iterator[tuple[Labels, float]]:
    for of, value in zip(labels, values.tolist(), strict=True):
        if value == value:  # noqa: PLR0124 (not NaN)
            yield of, value
