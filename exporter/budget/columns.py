"""How many series a column of a model may come to have, by family; as in `costs`, the most there can be."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exporter import catalogue
from exporter.age_families import SinceDeploy
from exporter.budget import loops
from exporter.budget.shape import Shape
from exporter.calibration.ranks import RANKS, of_reference
from exporter.drift import Needs, chosen
from exporter.families import Columns, Segments
from exporter.findings import FAILURE_CLASSES
from exporter.override import NOTHING, Override
from exporter.reference import OUT_OF_RANGE, Column
from exporter.snapshots import IMPACT

Cost = Mapping[str, int]
"""Series by the family's name."""
_MOST_MOVED: Final = 3
_NAMED_VALUES: Final = 3
"""Values that the reference does not list, of a column and window."""
_SIGNS: Final = 2


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


class OfColumn(NamedTuple):
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


def of_column(of: OfColumn, is_adopted: bool, is_replaced: bool) -> Cost:
    """Of one column, whatever may be wrong with it."""
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


def _reference(of: OfColumn) -> Iterator[tuple[str, int]]:
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


def _counters(of: OfColumn) -> Iterator[tuple[str, int]]:
    families = of.side.families
    yield families.bins.name, len(of.column.bins())
    yield families.values.name, 1
    yield families.type_errors.name, 1
    for word in of.quality:
        yield families.quality_values[word].name, 1


def _scores(of: OfColumn) -> Iterator[tuple[str, int]]:
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


def _live(of: OfColumn) -> Iterator[tuple[str, int]]:
    families, times = of.side.families, of.shape.against(of.versions)
    for family in (*families.live.values(), *families.live_critical.values()):
        yield family.name, times


def _aspects(of: OfColumn) -> Iterator[tuple[str, int]]:
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


def _said(of: OfColumn) -> Iterator[tuple[str, int]]:
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


def _evidence(of: OfColumn) -> Iterator[tuple[str, int]]:
    for family in of.side.families.evidence.values():
        yield family.name, int(of.shape.evidence.enable)


def _failed(of: OfColumn) -> Iterator[tuple[str, int]]:
    if of.side.is_features:
        classes, windows = len(FAILURE_CLASSES), of.shape.times
        yield catalogue.FAILED_BINS.name, len(of.column.bins()) * classes
        for family in (catalogue.FAILED_VARIATION, catalogue.FAILED_CRITICAL, catalogue.FAILED_EXCESS):
            yield family.name, windows * classes


def _segmented(of: OfColumn) -> Iterator[tuple[str, int]]:
    for family in (of.side.segments.variation, of.side.segments.critical):
        yield family.name, of.values * of.shape.segment_windows


def _versioned(of: OfColumn) -> Iterator[tuple[str, int]]:
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
