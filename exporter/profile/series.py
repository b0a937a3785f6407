"""How many series a profile makes on /metrics, once windows have values, warm-ups are over and nothing fails or drifts.

Windows are those of time, each compared with the one before it. Of a quiet model those of rows come on top, and while
several versions are served, what compares them.
"""

from collections.abc import Iterator
from itertools import chain

from exporter import catalogue
from exporter.adoption import Adoption
from exporter.calibration.largest import largest_share
from exporter.calibration.ranks import RANKS, of_reference
from exporter.drift import Needs, chosen
from exporter.drift.association import LEAST_ROWS
from exporter.families import Columns, Family
from exporter.override import NO_OVERRIDES, Override, Overrides
from exporter.profile import overrides
from exporter.profile.in_force import in_force
from exporter.reference import OUT_OF_RANGE, UNKNOWN, Association, Column, Profile
from exporter.snapshots import IMPACT

_OF_PROFILE = 4
"""Its source, its rows, whether it is provisional, and how many of its columns cannot be read."""
_OF_SHORTEST = 1
"""The window that suffices."""
_OF_UNUSUAL = 2
"""The share of unusual rows, and what it is held against."""
_OF_ASSOCIATION = 2
"""Of a feature and an output: the shift, and what it is held against."""
_OF_MATCHES = 4
"""How payloads of a side fit."""
_OF_EVIDENCE = 10
"""Of the model: nats and thresholds, of pages and of tickets, what they rest on, and how soon two shifts would page."""
_ONLY_NAMED = ("drift_info", "drift_onset_timestamp_seconds", "slow_drift_evidence_nats")
"""What there is of columns that drift alone."""


def count(profile: Profile, windows: int, said: Overrides = NO_OVERRIDES, now: float = 0.0) -> int:
    """Series with the label `profile` of one replica that has so many windows; those of traffic come on top.

    `now` is the Unix time at which is in force what people say and have adopted.
    """
    profile = in_force(profile, now)
    of_features, of_outputs = overrides.on(said, profile)
    sides = (
        (catalogue.FEATURES, "features", profile.features, of_features),
        (catalogue.OUTPUTS, "outputs", profile.outputs, of_outputs),
    )
    total = _of_profile(profile) + windows + _OF_UNUSUAL * windows * (profile.unusual is not None)
    for families, side, columns, rules in sides:
        adopted = {one.name: one for one in profile.adoptions if one.side == side}
        total += _OF_MATCHES * bool(columns)
        total += windows * ("duplicate_rows_ratio" in families.aspects and not all(rule.ignore for rule in rules))
        for column, rule in zip(columns, rules, strict=True):
            if not rule.ignore:
                total += _of_column(families, column, rule, windows)
                total += _of_people(rule, column, adopted.get(column.name), now)
    return total + of_evidence(sum(not rule.ignore for rule in (*of_features, *of_outputs)))


def of_evidence(columns: int) -> int:
    """What of them is evidence of drift, of so many columns that nobody ignores."""
    return _OF_EVIDENCE + columns * (len(catalogue.FEATURES.evidence) - len(_ONLY_NAMED))


def _of_profile(profile: Profile) -> int:
    has_time = profile.time is not None or profile.trained_at is not None
    named = profile.version != UNKNOWN
    return _OF_PROFILE + has_time + named + (profile.influenced is not None) + len(profile.performance)


def _of_people(rule: Override, column: Column, adopted: Adoption | None, now: float) -> int:
    """Of what people say of a column, and have adopted for it: the training data stay in sight."""
    gauges = sum(value is not None for value in (rule.tolerance, rule.weight, rule.snooze_until))
    if adopted is not None:
        gauges += 1 + (adopted.expires_at is not None) + len(column.bins())
    return gauges + rule.routes_at(now)


def _of_column(families: Columns, column: Column, rule: Override, windows: int) -> int:
    of_kind = chain(_families(families, column), _of_quality(families, column, rule))
    known = sum(getattr(column, word) is not None for word in families.known)
    long = max(1, windows - 1)  # all but the shortest window, where there are several
    known += _OF_ASSOCIATION * sum(map(_tells, column.association)) * long
    return known + _OF_SHORTEST + _of_quantiles(column) + sum(_of_family(family, column, windows) for family in of_kind)


def _of_quantiles(column: Column) -> int:
    """Live ones, of one window, and those of the reference."""
    return len(RANKS) + sum(1 for _ in of_reference(column)) if column.ordered else 0


def _tells(association: Association) -> bool:
    """Whether it has bins that can be compared."""
    return sum(rows >= LEAST_ROWS for rows in association.counts) > 1


def _families(families: Columns, column: Column) -> Iterator[Family]:
    """Those that apply to a column."""
    yield from (families.bins, families.reference_ratio, families.reference_samples, families.bin_info)
    yield from (families.reference_missing, families.reference_largest)
    yield from (families.values, families.type_errors, families.samples, families.sufficient)
    yield from (families.bin_step, families.aspects["type_error_ratio"])
    yield from _of_values(families, column)
    yield from (*families.live.values(), *families.live_critical.values())
    applies = {Needs.BINS: True, Needs.ORDER: column.ordered, Needs.SPREAD: column.ordered and column.sd > 0}
    for name, statistic in chosen(()).items():
        if applies[statistic.needs]:
            yield families.statistics[name]
            yield from (families.critical[name],) if statistic.critical else ()
    if column.importance is not None:
        yield families.statistics[IMPACT]


def _of_values(families: Columns, column: Column) -> Iterator[Family]:
    """How often the same comes again, and how many there are; what is critical where there is more than one value."""
    of = families.aspects
    yield from (of["longest_run_values"], of["current_run_values"], of["distinct_values"])
    if largest_share(column) < 1:
        yield from (of["longest_run_values_critical"], of["distinct_values_critical"])
    if column.different is not None:
        yield of["reference_distinct_values"]


def _of_quality(families: Columns, column: Column, rule: Override) -> Iterator[Family]:
    """What may be wrong with its values; a list of what is allowed gives categories a range."""
    for name in {*column.quality_bins()} | ({OUT_OF_RANGE} if rule.allowed else set()):
        yield families.quality_values[name]
        yield families.quality_ratios[name]
        if name != OUT_OF_RANGE or not (rule.allowed or rule.range):
            yield families.critical[f"{name}_ratio"]


def _of_family(family: Family, column: Column, windows: int) -> int:
    if family.name.endswith("_bin_step_ratio"):
        return max(0, len(column.centres()) - 1) if column.sd else 0
    bins = len(column.bins()) if "bin" in family.labels else 1
    return bins * (windows if "window" in family.labels else 1)
