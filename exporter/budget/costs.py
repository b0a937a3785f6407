"""How many series a page may come to have, by family: of the exporter, of a model, of each of its columns.

Of what comes and goes the most there can be: all windows filled, something wrong with every column. So the number stays
as it is for as long as settings and profiles do, and no page has more.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exporter import catalogue
from exporter.age_families import SinceDeploy
from exporter.aged import MOST_NAMED, REASONS
from exporter.budget import loops, truth
from exporter.budget.shape import Shape
from exporter.calibration.ranks import RANKS, of_reference
from exporter.drift import Needs, chosen
from exporter.families import Columns, Segments
from exporter.findings import FAILURE_CLASSES
from exporter.override import NOTHING, Override
from exporter.records import MERGE_ERRORS, MERGE_REFUSALS
from exporter.reference import OUT_OF_RANGE, Column, Profile
from exporter.retrained import ALERT_OUTCOMES, FAILURES, OUTCOMES, STATES, SUPPRESSIONS
from exporter.retraining import KINDS
from exporter.segmentations import Segmentation, Segmented
from exporter.snapshots import IMPACT

Cost = Mapping[str, int]
"""Series by the family's name."""
_MOST_MOVED: Final = 3
_NAMED_VALUES: Final = 3
"""Values that the reference does not list, of a column and window."""
_SIGNS: Final = 2
_REST: Final = 2
"""Segments beside those that have a value."""
_QUARTERS: Final = 4
_OWN: Final = 320
"""Series about the exporter itself and its relay, payloads of three protocols among them."""
_PER_PROCESS: Final = 24
_PER_MODEL: Final = 150
"""Traffic, server, profile and evidence of a model, with twenty status codes."""
_PER_DEPENDENCY: Final = 14
_OF_RETRAINING: Final = len(OUTCOMES) + 2 + len(FAILURES) + len(SUPPRESSIONS) + len(ALERT_OUTCOMES)
_PER_RETRAINED: Final = len(STATES) + len(KINDS) + 3


_GOLDEN: Final = 440
"""About golden requests: a hundred cases, and of eight versions how they answer."""


class Side(NamedTuple):
    """Columns of a model, features or outputs."""

    families: Columns
    segments: Segments
    columns: Sequence[Column]
    said: Sequence[Override]
    is_features: bool

    @property
    def since(self) -> SinceDeploy:
        """What came of it since the deployment."""
        return catalogue.FEATURES_SINCE_DEPLOY if self.is_features else catalogue.OUTPUTS_SINCE_DEPLOY


class Costs(NamedTuple):
    """Of one model."""

    alone: Counter[str]
    """What is of no column."""
    columns: tuple[Mapping[int, Cost], ...]
    """Of features and outputs, by place; without those that are to be ignored."""


_OF_MERGING: Final = {
    catalogue.UPSTREAM_METRICS_UP.name: 1, catalogue.UPSTREAM_METRICS_DURATION.name: 1,
    catalogue.UPSTREAM_METRICS_SERIES.name: 1, catalogue.UPSTREAM_METRICS_ERRORS.name: len(MERGE_ERRORS),
    catalogue.UPSTREAM_METRICS_REFUSED.name: len(MERGE_REFUSALS),
}  # fmt: skip


def own(shape: Shape) -> int:
    """Series about the exporter itself."""
    optional = _GOLDEN * shape.golden + _OF_RETRAINING * shape.retrain
    return _OWN + _PER_PROCESS * (shape.processes + 2) + of_merging(shape) + truth.own(shape) + optional


def of_merging(shape: Shape, off: Collection[str] = ()) -> int:
    """Those that a page gets when it is asked for, about the model server's own beside it; `off` are not shown."""
    return sum(series for name, series in _OF_MERGING.items() if name not in off) if shape.beside else 0


def sides(profile: Profile, said: Sequence[Sequence[Override]]) -> tuple[Side, Side]:
    """Features and outputs of a profile, with what people say of them; of neither where nobody does."""
    features, outputs = (of or (NOTHING,) * len(columns)
                         for of, columns in zip(said, (profile.features, profile.outputs), strict=True))  # fmt: skip
    return (
        Side(catalogue.FEATURES, catalogue.SEGMENT_FEATURES, profile.features, features, True),
        Side(catalogue.OUTPUTS, catalogue.SEGMENT_OUTPUTS, profile.outputs, outputs, False),
    )


def _of_model(shape: Shape) -> int:
    return _PER_MODEL + _PER_DEPENDENCY * shape.dependencies + _PER_RETRAINED * shape.retrain


def bare(shape: Shape) -> Costs:
    """Of a model that has no profile."""
    found = Counter({catalogue.REQUESTS.name: _of_model(shape)})
    found.update(truth.business(shape, _segments(shape, ()).counted))
    return Costs(found, ({}, {}))


def costs(
    shape: Shape, profile: Profile, said: Sequence[Sequence[Override]], versions: int = 0, *, is_alone: bool = True
) -> Costs:
    """Of a model that has one; `versions` are others of one profile that it is compared with.

    `is_alone` says that there is no other version at all.
    """
    found = Counter({catalogue.REQUESTS.name: _of_model(shape) + len(profile.performance) * (1 + shape.feedback)})
    values = _segments(shape, profile.segments)
    found.update(truth.costs(shape, profile, values.counted))
    found.update({catalogue.AGE.deployed.name: 1, catalogue.AGE.since.name: 1, catalogue.AGE.due.name: len(REASONS)})
    found.update(loops.costs(shape, profile))
    found.update(truth.of_versions(shape, profile) if not is_alone else {})
    found[catalogue.SEGMENT_ROWS.name] = values.counted
    found[catalogue.SEGMENT_REFERENCE_ROWS.name] = values.scored
    adopted = {(one.side, one.name) for one in profile.adoptions}
    replaced = {(side, column.name) for side, column in profile.replaced}
    by_side = []
    for side, word in zip(sides(profile, said), ("features", "outputs"), strict=True):
        if side.columns:
            found.update(_of_side(shape, side, values.scored))
        by_side.append({
            place: _of_column(_Of(shape, side, column, rule, versions, values.scored, is_alone),
                              (word, column.name) in adopted, (word, column.name) in replaced)
            for place, (column, rule) in enumerate(zip(side.columns, side.said, strict=True)) if not rule.ignore
        })  # fmt: skip
    return Costs(found, tuple(by_side))


class Values(NamedTuple):
    """Values of all the ways in which traffic is divided, those that are none of them included."""

    counted: int
    scored: int
    """Of ways in which the training data are divided, too."""


def _segments(shape: Shape, divided: Sequence[Segmented]) -> Values:
    counted = scored = 0
    for way in shape.segments.by:
        own = [one for one in divided if one.name in {way.name, way.field}]
        values = _values_of(way, own, shape.segments.limit) + _REST
        counted += values
        scored += values * bool(own)
    return Values(counted, scored)


def _values_of(way: Segmentation, own: Sequence[Segmented], limit: int) -> int:
    """Most values that one of the ways has; `own` is what the training data have of it."""
    if way.values or way.edges:
        return len(way.values) or len(way.edges) + 1
    found = (len(one.values) if one.edges else min(len(one.values), limit) for one in own)
    return max(found, default=max(limit, _QUARTERS))


def _of_side(shape: Shape, side: Side, values: int) -> Cost:
    found = {
        side.segments.samples.name: values * shape.segment_windows,
        side.segments.sufficient.name: values * shape.segment_windows,
        side.since.most.name: min(MOST_NAMED, len(side.columns)), side.since.excess.name: 1,
        side.since.moved.name: 1, side.since.rows.name: 1,
    }  # fmt: skip
    if side.is_features:
        rows = ("duplicate_rows_ratio", "unusual_rows_ratio", "unusual_rows_ratio_critical")
        found |= {side.families.aspects[word].name: shape.times for word in rows}
        found[catalogue.FAILED_SAMPLES.name] = shape.times * len(FAILURE_CLASSES)
    return found


class _Of(NamedTuple):
    """A column, and what the number of its series depends on."""

    shape: Shape
    side: Side
    column: Column
    rule: Override
    versions: int
    values: int
    """Segments."""
    is_alone: bool
    """Whether there is no other version."""

    @property
    def quality(self) -> frozenset[str]:
        """Ways of its values not to be as they should be."""
        judged = {OUT_OF_RANGE} if self.rule.range or self.rule.allowed else set()
        return frozenset({*self.column.quality_bins()} | judged)


def _of_column(of: _Of, is_adopted: bool, is_replaced: bool) -> Cost:
    parts = (_reference, _counters, _scores, _live, _aspects, _said, _evidence, _failed, _segmented, _versioned)
    found = {name: series for part in parts for name, series in part(of) if series}
    families, bins = of.side.families, len(of.column.bins())
    if not of.side.is_features:
        found |= loops.of_output(of.shape)
    if is_replaced:
        found[families.training_ratio.name] = bins
    if is_adopted:
        found[families.adopted.name] = found[families.adoption_expiry.name] = 1
    return found


def _reference(of: _Of) -> Iterator[tuple[str, int]]:
    families, column = of.side.families, of.column
    bins = len(column.bins())
    yield families.reference_ratio.name, bins
    yield families.bin_info.name, bins
    yield families.bin_step.name, max(len(column.centres()) - 1, 0) if column.sd else 0
    since = of.side.since.variation, of.side.since.critical
    for family in (families.reference_samples, families.reference_missing, families.reference_largest, *since):
        yield family.name, 1
    yield families.aspects["reference_quantile"].name, len(list(of_reference(column))) if column.ordered else 0
    yield families.aspects["reference_distinct_values"].name, 1


def _counters(of: _Of) -> Iterator[tuple[str, int]]:
    families = of.side.families
    yield families.bins.name, len(of.column.bins())
    yield families.values.name, 1
    yield families.type_errors.name, 1
    for word in of.quality:
        yield families.quality_values[word].name, 1


def _scores(of: _Of) -> Iterator[tuple[str, int]]:
    families, column, windows = of.side.families, of.column, of.shape.all_windows
    yield families.samples.name, windows
    yield families.sufficient.name, windows
    yield families.shortest.name, 1
    yield families.bin_change.name, windows * min(_MOST_MOVED, len(column.bins()))
    applies = {Needs.BINS: True, Needs.ORDER: column.ordered, Needs.SPREAD: column.ordered and column.sd > 0}
    for word, one in chosen(of.shape.windows.scores).items():
        if applies[one.needs]:
            yield families.statistics[word].name, windows
            yield families.critical[word].name if one.critical else "", windows * bool(one.critical)
    yield families.statistics[IMPACT].name, windows * (column.importance is not None)
    for word in of.quality:
        yield families.quality_ratios[word].name, windows
        yield families.critical[f"{word}_ratio"].name, windows


def _live(of: _Of) -> Iterator[tuple[str, int]]:
    families, times = of.side.families, of.shape.against(of.versions)
    for family in (*families.live.values(), *families.live_critical.values()):
        yield family.name, times


def _aspects(of: _Of) -> Iterator[tuple[str, int]]:
    about, column, shape = of.side.families.aspects, of.column, of.shape
    times = shape.times
    for word in (
        "type_error_ratio", "absent_ratio", "longest_run_values", "longest_run_values_critical", "distinct_values",
        "distinct_values_critical",
    ):  # fmt: skip
        yield about[word].name, times
    for word in ("current_run_values", "diagnosis_info"):
        yield about[word].name, int(times > 0)
    yield about["quantile"].name, len(RANKS) * (column.ordered and times > 0)
    yield about["infinite_ratio"].name, _SIGNS * times * column.ordered
    yield (
        about["unseen_category_values"].name,
        _NAMED_VALUES * times * (not column.ordered and shape.windows.unseen_values),
    )
    if of.side.is_features:
        for word in ("association_shift", "association_shift_critical"):
            yield about[word].name, len(column.association) * shape.long


def _said(of: _Of) -> Iterator[tuple[str, int]]:
    families, rule = of.side.families, of.rule
    for word, family in families.known.items():
        known = (getattr(rule, word, None), getattr(of.column, word))
        yield family.name, int(any(one is not None for one in known))
    yield families.override_info.name, int(rule != NOTHING)
    for family, said in (
        (families.tolerance, rule.tolerance), (families.weight, rule.weight),
        (families.snoozed_until, rule.snooze_until),
    ):  # fmt: skip
        yield family.name, int(said is not None)


def _evidence(of: _Of) -> Iterator[tuple[str, int]]:
    for family in of.side.families.evidence.values():
        yield family.name, int(of.shape.evidence.enable)


def _failed(of: _Of) -> Iterator[tuple[str, int]]:
    if of.side.is_features:
        classes, windows = len(FAILURE_CLASSES), of.shape.times
        yield catalogue.FAILED_BINS.name, len(of.column.bins()) * classes
        for family in (catalogue.FAILED_VARIATION, catalogue.FAILED_CRITICAL, catalogue.FAILED_EXCESS):
            yield family.name, windows * classes


def _segmented(of: _Of) -> Iterator[tuple[str, int]]:
    for family in (of.side.segments.variation, of.side.segments.critical):
        yield family.name, of.values * of.shape.segment_windows


def _versioned(of: _Of) -> Iterator[tuple[str, int]]:
    """Of outputs: what versions are compared by."""
    if of.side.is_features:
        return
    families, windows = catalogue.VERSIONS, of.shape.all_windows
    for family in (families.mean, families.deviation, families.samples):
        yield family.name, windows * of.column.ordered
    for family in (families.mean_difference, families.mean_critical):
        yield family.name, windows * of.column.ordered * (not of.is_alone)
    for family in (families.share_difference, families.share_critical):
        yield family.name, windows * (not of.column.ordered) * (not of.is_alone)
