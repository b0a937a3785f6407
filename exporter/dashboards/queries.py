"""The words of the queries: series of the catalogue's families and of the rules, for what is chosen at the top.

What is asked for says which fleet and which model it is of. The fleet is left open until the file is made: `TARGET`
and `FEATURES` stand for matchers that `inference-exporter dashboard` knows (see `choice`).
"""

import re
from functools import cache
from typing import Final

from exporter import catalogue as c
from exporter.families import FLEET, HISTOGRAM, Columns, Family
from exporter.rules import files

TARGET: Final = "<<target>>"
"""Matchers of the labels that tell fleets apart."""
FEATURES: Final = "<<features>>"
"""A matcher of the chosen features, behind others; nothing where all are."""
MODEL: Final = {"model": "$model", "model_version": "$version"}
WINDOW: Final = {"window": "$window"}
STEP: Final = "$__rate_interval"
_LEVEL: Final = re.compile(r"[a-z_]+(?=:)")


def of(family: Family, **labels: str) -> str:
    """The series of a family for the chosen model, by more labels if given.

    `~` before a value matches a pattern, `!` excludes it; `*` leaves a label of the model open. ValueError where the
    family has no such label.
    """
    wanted = {name: value for name, value in MODEL.items() if name in family.labels} | labels
    own = set(family.labels) | ({"le"} if family.type == HISTOGRAM else set())
    if strange := wanted.keys() - own:
        raise ValueError(f"{family.name} has no label {strange}")
    name = f"{family.name}_bucket" if family.type == HISTOGRAM else family.name
    return name + _braced(wanted, has_features="feature" in family.labels)


def recorded(name: str, **labels: str) -> str:
    """The series that a shipped rule records for the chosen model, by more labels if given, as above.

    ValueError where no rule does.
    """
    if name not in _records():
        raise ValueError(f"no rule records {name}")
    level = _LEVEL.match(name)
    of_features = level is not None and "feature" in level[0].split("_")
    return name + _braced({"model": "$model"} | labels, has_features=of_features)


def alerts(*, state: str = "firing", **labels: str) -> str:
    """Alerts about the chosen model, as Prometheus has them."""
    return "ALERTS" + _braced({"alertstate": state, "model": "$model"} | labels, has_features=False)


def _braced(wanted: dict[str, str], *, has_features: bool) -> str:
    matchers = [TARGET, *(_matcher(name, value) for name, value in wanted.items() if value != "*")]
    return f"{{{','.join(matchers)}{FEATURES if has_features and 'feature' not in wanted else ''}}}"


def _matcher(name: str, value: str) -> str:
    for sign, operator in (("~", "=~"), ("!", "!=")):
        if value.startswith(sign):
            return f'{name}{operator}"{value[1:]}"'
    return f'{name}="{value}"'


@cache
def _records() -> frozenset[str]:
    texts = (text for _, text in files.made(files.defaults()))
    return frozenset(name for text in texts for name in re.findall(r"- record: (\S+)", text))


# --- what is often asked


def rate(family: Family, **labels: str) -> str:
    """Per second."""
    return f"rate({of(family, **labels)}[{STEP}])"


def here(expr: str) -> str:
    """Of series without a model label, those from exporters of the chosen model."""
    return f"({expr} and on ({', '.join((*FLEET, 'instance'))}) {of(c.MODEL_INFO)})"


def over_critical(columns: Columns) -> str:
    """PSI over its critical value on the worst replica, where the window suffices."""
    psi, critical = of(columns.statistics["psi"], **WINDOW), of(columns.critical["psi"], **WINDOW)
    return f"max by ({columns.label}) ({psi} / {critical} and {of(columns.sufficient, **WINDOW)} == 1)"


def over(score: Family, critical: Family, by: str, **labels: str) -> str:
    """A score over its critical value on the worst replica."""
    return f"max by ({by}) ({of(score, **labels)} / {of(critical, **labels)})"


def drifted(columns: Columns = c.FEATURES) -> str:
    """How many features, or outputs, have drifted as the shipped rules have it; nothing where no window suffices."""
    scores, critical = columns.statistics, columns.critical
    judged = f"{of(columns.sufficient, **WINDOW)} == 1"
    beyond = " and ".join(
        f"{of(scores[name], **WINDOW)} > {of(critical[name], **WINDOW)}" for name in ("psi", "total_variation")
    )
    floor = f"{of(scores['total_variation'], **WINDOW)} > {files.defaults()['drift.tolerance']}"
    return f"count(max by ({columns.label}) ({beyond} and {floor} and {judged})) or 0 * count({judged})"


def shares(columns: Columns, span: str, function: str, **labels: str) -> str:
    """Share of the live values by bin, in words."""
    counts, by = f"{function}({of(columns.bins, **labels)}[{span}])", f"profile, {columns.label}, bin"
    # Added up before they are put into words: of many replicas it is the words that take long.
    texts = f"on ({by}) group_left (text) {text_of(columns, by, **labels)}"
    return (
        f"sum by ({columns.label}, bin, text) (sum by ({by}) ({counts}) * {texts})"
        f" / on ({columns.label}) group_left () (sum by ({columns.label}) ({counts}) > 0)"
    )


def words(columns: Columns, **labels: str) -> str:
    """What bins hold in words, behind `*`."""
    match = f"job, model, model_version, profile, {columns.label}, bin"
    return f"on ({match}) group_left (text) {text_of(columns, match, **labels)}"


def text_of(columns: Columns, by: str, **labels: str) -> str:
    """The words of each bin. Exporters say the same, unless two versions of them differ in words: then one is taken."""
    return f"topk by ({by}) (1, max by ({by}, text) ({of(columns.bin_info, **labels)}))"


def reference(columns: Columns, **labels: str) -> str:
    """Share of the reference by bin, in words."""
    by = f"{columns.label}, bin, text"
    return f"max by ({by}) ({of(columns.reference_ratio, **labels)} * {words(columns, **labels)})"
