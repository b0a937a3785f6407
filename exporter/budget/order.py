"""In which order families are left out of a page that would be too large.

What is constant comes first: it can be had from the profile. Then what compares and explains, then what only people
look at, then what one of the shipped alerts needs; of features before those of outputs, which are few. A family that is
in no unit is never left out: what the model does and whether it has drifted, the traffic, the server, the exporter.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from exporter import catalogue
from exporter.families import Columns, Family, Segments

Unit = tuple[str, ...]
"""Names of families that go together: a score and its critical value."""
_JUDGED: Final = ("psi", "total_variation")
"""What alerts about columns begin with: never without the column."""
_EXPLAINS: Final = (
    "drift_defaults_info", "drift_dependence_factor", "drift_tolerance_ratio",
)  # fmt: skip
"""Of evidence, what it rests on."""


def reference(side: Columns) -> tuple[Family, ...]:
    """What is equal on all replicas, so that one of them may show it for all."""
    return (
        side.bin_step, side.aspects["reference_quantile"], side.training_ratio, side.bin_info, side.reference_ratio,
    )  # fmt: skip


def _optional(side: Columns, much: Iterable[Unit] = ()) -> Iterator[Unit]:
    """What no alert needs, of one side; among it `much`, of which there are many series."""
    about = side.aspects
    yield _names(about, "reference_quantile", "reference_distinct_values")
    yield (side.training_ratio.name,)
    yield tuple(one.name for one in (side.bin_step, side.bin_info, side.reference_ratio))  # a part would mislead fleets
    yield tuple(one.name for one in (*side.live.values(), *side.live_critical.values()))
    yield from much
    yield (side.bin_change.name,)
    yield _names(about, "quantile")
    yield from _since_deploy(side)
    yield _names(about, "infinite_ratio", "absent_ratio", "type_error_ratio")
    for score in reversed([one for one in side.statistics if one not in (*_JUDGED, "impact_ratio")]):
        yield _with_critical(side.statistics, side, score, score)
    for word in ("nonfinite", "unseen", "out_of_range"):
        yield _with_critical(side.quality_ratios, side, word, f"{word}_ratio")
    yield _names(about, "unseen_category_values")
    yield _names(about, "longest_run_values")
    yield tuple(one.name for name, one in side.known.items() if name != "dependence")
    yield (side.statistics["impact_ratio"].name,)
    yield _names(side.evidence, *_EXPLAINS)
    yield (side.bins.name,)


def _since_deploy(side: Columns) -> Iterator[Unit]:
    """Of all columns; which have moved most goes after that."""
    of = catalogue.FEATURES_SINCE_DEPLOY if side is catalogue.FEATURES else catalogue.OUTPUTS_SINCE_DEPLOY
    yield of.variation.name, of.critical.name
    yield (of.most.name,)


_MUCH: Final = (
    ("reliability_rows", "reliability_score", "reliability_true_ratio"), ("confusion_rows",),
    ("pr_auc_of_class", "roc_auc_of_class"),
)  # fmt: skip
_LITTLE: Final = (
    ("residual_quantile",), ("precision_weighted", "recall_weighted", "f1_weighted"),
    ("precision_macro", "recall_macro"), ("precision", "recall", "f1"),
)  # fmt: skip
"""Measures by class, by bin or by rank, and means over classes: of both, the first to go first."""


def _measured(words: Unit) -> Unit:
    """Measures with all that stands beside them in windows."""
    of = catalogue.PERFORMANCE
    by_word = (of.values, of.lower, of.upper, of.bound)
    return tuple(families[word].name for word in words for families in by_word if word in families)


def _needed(side: Columns, segments: Segments) -> Iterator[Unit]:
    """What shipped alerts need, of one side."""
    about = side.aspects
    yield _names(about, "association_shift", "association_shift_critical")
    yield _names(side.evidence, "drift_monitored")
    yield (segments.variation.name, segments.critical.name)
    yield _names(about, "distinct_values", "distinct_values_critical")
    yield _names(about, "longest_run_values_critical", "current_run_values")
    yield _with_critical(side.quality_ratios, side, "missing", "missing_ratio")


def _names(among: Mapping[str, Family], *words: str) -> Unit:
    """Those that the side has."""
    return tuple(among[word].name for word in words if word in among)


def _with_critical(scores: Mapping[str, Family], side: Columns, word: str, critical: str) -> Unit:
    found = (scores[word], side.critical.get(critical))
    return tuple(one.name for one in found if one)


def _together(*families: Family) -> Unit:
    return tuple(one.name for one in families)


def _units() -> Iterator[Unit]:
    sides = ((catalogue.FEATURES, catalogue.SEGMENT_FEATURES), (catalogue.OUTPUTS, catalogue.SEGMENT_OUTPUTS))
    failed = (catalogue.FAILED_BINS.name, catalogue.FAILED_EXCESS.name)
    parts = catalogue.SEGMENT_PERFORMANCE
    yield tuple(family.name for among in (parts.lower, parts.upper, parts.values) for family in among.values())
    yield from _optional(catalogue.FEATURES, (failed, *map(_measured, _MUCH)))
    yield from _optional(catalogue.OUTPUTS)
    yield from map(_measured, _LITTLE)
    beside = catalogue.VERSIONS
    yield _together(beside.performance, beside.performance_lower, beside.performance_upper)
    yield _together(beside.mean_difference, beside.mean_critical, beside.share_difference, beside.share_critical)
    of = catalogue.ESTIMATED
    yield tuple(one.name for one in (*of.values.values(), *of.lower.values(), *of.upper.values(), of.samples))
    yield tuple(one.name for one in catalogue.BUSINESS)
    yield tuple(one.name for one in (*catalogue.WORST, *catalogue.SEARCH))
    loops = (*catalogue.SPREAD, *catalogue.SELECTED, *catalogue.RETURNED, *catalogue.GAP, *catalogue.LOOPS)
    yield tuple(one.name for one in loops)
    yield (catalogue.FAILED_VARIATION.name, catalogue.FAILED_CRITICAL.name)
    yield _together(beside.mean, beside.deviation, beside.samples)
    for side, segments in sides:
        yield from _needed(side, segments)
    yield tuple(
        one.name for one in (parts.error_training, parts.error, parts.error_critical, parts.sufficient, parts.samples)
    )


UNITS: Final = tuple(unit for unit in _units() if unit)
"""All of them, the first to go first."""
REFERENCE: Final = frozenset(
    one.name for side in (catalogue.FEATURES, catalogue.OUTPUTS) for one in reference(side)
)  # fmt: skip


def emergency(sizes: Mapping[str, int]) -> Iterator[str]:
    """Names of families of so many series in the order in which a page that is too large loses them after all.

    Behind the units those of models, the largest first; what pages, and what is of the exporter itself, comes last.
    """
    known = [name for unit in UNITS for name in unit]
    paging = (catalogue.EVIDENCE, catalogue.EVIDENCE_THRESHOLD, catalogue.CONCEPT.nats, catalogue.CONCEPT.threshold)
    last = [one.name for one in (*paging, catalogue.REQUESTS)]
    rest = sorted(sizes.keys() - {*known}, key=lambda name: (name in last, not name.startswith("model_"), -sizes[name]))
    return (name for name in (*known, *rest) if sizes.get(name) and name not in _OWN)


_OWN: Final = frozenset(
    one.name for one in (catalogue.PAGE_SERIES, catalogue.MAX_SERIES, catalogue.DROPPED_SERIES, catalogue.BUILD_INFO)
)
