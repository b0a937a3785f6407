"""How many series a page may come to have, by family: of the exporter, of a model, of each of its columns.

Of what comes and goes the most there can be: all windows filled, something wrong with every column. So the number stays
as it is for as long as settings and profiles do, and no page has more.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from exporter import catalogue
from exporter.aged import MOST_NAMED, REASONS
from exporter.budget import loops, truth
from exporter.budget.columns import Cost, OfColumn, Side, of_column
from exporter.budget.shape import Shape
from exporter.findings import FAILURE_CLASSES
from exporter.override import NOTHING, Override
from exporter.records import MERGE_ERRORS, MERGE_REFUSALS
from exporter.reference import Profile
from exporter.retrained import ALERT_OUTCOMES, FAILURES, OUTCOMES, STATES, SUPPRESSIONS
from exporter.retraining import KINDS
from exporter.segmentations import Segmentation, Segmented
from exporter.witnessed import LINE_LOSSES, SPAN_LOSSES

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
    optional += (2 + len(SPAN_LOSSES)) * shape.spans + (2 + len(LINE_LOSSES)) * shape.lines
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
            place: of_column(OfColumn(shape, side, column, rule, versions, values.scored, is_alone),
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
