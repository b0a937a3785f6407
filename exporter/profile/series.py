"""How many series a profile makes on /metrics, once every window has values."""

from collections.abc import Iterator

from exporter import catalogue
from exporter.catalogue import Columns, Family
from exporter.drift import STATISTICS
from exporter.reference import Column, Profile


def count(profile: Profile, windows: int) -> int:
    """Series of features and outputs of one replica that has so many windows; those of traffic come on top."""
    sides = ((catalogue.FEATURES, profile.features), (catalogue.OUTPUTS, profile.outputs))
    return sum(
        _of_family(family, column, windows)
        for families, columns in sides for column in columns for family in _families(families, column)
    )  # fmt: skip


def _families(families: Columns, column: Column) -> Iterator[Family]:
    """Those that apply to a column."""
    yield from (families.bins, families.reference_ratio, families.reference_samples, families.bin_info)
    yield from (families.values, families.type_errors, families.samples, families.sufficient)
    yield families.bin_step
    for name in column.quality_bins():
        yield families.quality_values[name]
        yield families.quality_ratios[name]
    for name, statistic in STATISTICS.items():
        if not statistic.numbers_only or (column.ordered and (column.sd or name != "mean_shift_zscore")):
            yield families.statistics[name]
            yield from (families.critical[name],) if statistic.critical else ()


def _of_family(family: Family, column: Column, windows: int) -> int:
    if family.name.endswith("_bin_step_ratio"):
        return max(0, len(column.centres()) - 1) if column.sd else 0
    bins = len(column.bins()) if "bin" in family.labels else 1
    return bins * (windows if "window" in family.labels else 1)
