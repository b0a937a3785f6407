# ruff: noqa: INP001 (scripts side by side, not a package)
"""The words of the queries: series of the catalogue's families, for what is chosen at the top of the dashboard."""

from typing import Final

from exporter import catalogue as c
from exporter.families import HISTOGRAM, Columns, Family

MODEL: Final = {"model": "$model", "model_version": "$version"}
WINDOW: Final = {"window": "$window"}


def of(family: Family, **labels: str) -> str:
    """The series of a family for the chosen model, by more labels if given; `~` before a value matches a pattern."""
    wanted = (MODEL if "model" in family.labels else {}) | labels
    if strange := wanted.keys() - set(family.labels):
        raise ValueError(f"{family.name} has no label {strange}")
    matchers = [f'{name}=~"{value[1:]}"' if value[0] == "~" else f'{name}="{value}"' for name, value in wanted.items()]
    name = f"{family.name}_bucket" if family.type == HISTOGRAM else family.name
    return f"{name}{{{','.join(matchers)}}}" if matchers else name


def rate(family: Family, **labels: str) -> str:
    """Per second."""
    return f"rate({of(family, **labels)}[$__rate_interval])"


def here(expr: str) -> str:
    """Of series without a model label, those from exporters of the chosen model."""
    return f"({expr} and on (job, instance) {of(c.MODEL_INFO)})"


def over_critical(columns: Columns) -> str:
    """PSI over its critical value on the worst replica, where the window suffices."""
    psi, critical = of(columns.statistics["psi"], **WINDOW), of(columns.critical["psi"], **WINDOW)
    return f"max by ({columns.label}) ({psi} / {critical} and {of(columns.sufficient, **WINDOW)} == 1)"


def over(score: Family, critical: Family, by: str, **labels: str) -> str:
    """A score over its critical value on the worst replica."""
    return f"max by ({by}) ({of(score, **labels)} / {of(critical, **labels)})"


def drifted() -> str:
    """How many features have drifted; nothing, rather than 0, where no window suffices."""
    scores, critical = c.FEATURES.statistics, c.FEATURES.critical
    judged = f"{of(c.FEATURES.sufficient, **WINDOW)} == 1"
    beyond = " and ".join(
        f"{of(scores[name], **WINDOW)} > {of(critical[name], **WINDOW)}" for name in ("psi", "total_variation")
    )
    floor = f"{of(scores['total_variation'], **WINDOW)} > 0.1"
    return f"count(max by (feature) ({beyond} and {floor} and {judged})) or 0 * count({judged})"


def of_fleet(evidence: Family) -> str:
    """Of all replicas together: the logarithm of the mean capital."""
    return f"ln(avg(exp({of(evidence)})))"


def shares(columns: Columns, span: str, function: str, **labels: str) -> str:
    """Share of the live values by bin, in words."""
    counts, by = f"{function}({of(columns.bins, **labels)}[{span}])", f"{columns.label}, bin, text"
    return (
        f"sum by ({by}) ({counts} * {words(columns, **labels)})"
        f" / on ({columns.label}) group_left () (sum by ({columns.label}) ({counts}) > 0)"
    )


def words(columns: Columns, **labels: str) -> str:
    """What bins hold in words, behind `*`: equal on all replicas, of which one alone may say it."""
    match = f"job, model, model_version, profile, {columns.label}, bin"
    return f"on ({match}) group_left (text) max by ({match}, text) ({of(columns.bin_info, **labels)})"


def reference(columns: Columns, **labels: str) -> str:
    """Share of the reference by bin, in words."""
    by = f"{columns.label}, bin, text"
    ratio, texts = of(columns.reference_ratio, **labels), of(columns.bin_info, **labels)
    return f"max by ({by}) ({texts} * ignoring (text) group_left () {ratio})"
