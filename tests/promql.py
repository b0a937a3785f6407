"""PromQL as tokens: which metrics and labels an expression names, and whether they exist. No evaluation."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final, NamedTuple

from exporter import catalogue

_TOKEN: Final = re.compile(
    r"""\s+|\#[^\n]*
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<range>\[[^\]]*\])
    |(?P<number>(?:0x[0-9a-f]+|\d+(?:\.\d*)?(?:e[+-]?\d+)?(?:[smhdwy]\w*)?|\.\d+))
    |(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<mark>[=!]=|[=!]~|[<>]=|[-+*/%^=<>(){},@])""",
    re.VERBOSE,
)
_LISTING: Final = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS: Final = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
TARGET_LABELS: Final = {"job", "instance", "namespace", "cluster", "pod"}
"""What a scrape adds: the first two always, the others on Kubernetes."""
FOREIGN_SERIES: Final[Mapping[str, set[str]]] = {
    "scrape_duration_seconds": set(),
    "container_cpu_usage_seconds_total": {"container"},
    "container_memory_working_set_bytes": {"container"},
    "container_spec_cpu_quota": {"container"},
    "container_spec_cpu_period": {"container"},
    "container_spec_memory_limit_bytes": {"container"},
    "kube_pod_container_resource_limits": {"container", "resource"},
}
"""What others make and rules ask for, and the labels besides a target's: Prometheus, cAdvisor, kube-state-metrics."""


class Named(NamedTuple):
    """What an expression names."""

    metrics: set[str]
    matched: set[tuple[str, str]]
    """Metric and label, of each matcher."""
    listed: set[str]
    """Labels to group by or to match on."""


def series() -> Mapping[str, set[str]]:
    """The labels of every series that is there without our recording it, by its name; a histogram has three."""
    known: dict[str, set[str]] = {"up": set(TARGET_LABELS)}
    known |= {name: labels | TARGET_LABELS for name, labels in FOREIGN_SERIES.items()}
    for family in catalogue.families():
        labels = {*family.labels, *TARGET_LABELS}
        if family.type == catalogue.HISTOGRAM:
            known |= {f"{family.name}_{part}": labels for part in ("sum", "count")}
            known[f"{family.name}_bucket"] = labels | {"le"}
        else:
            known[family.name] = labels
    return known | {"ALERTS": {"alertname", "alertstate", "severity"}.union(*known.values())}


def tokens(expression: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each token; what is none raises ValueError."""
    at = 0
    while at < len(expression):
        found = _TOKEN.match(expression, at)
        if not found:
            raise ValueError(f"no token at {expression[at : at + 20]!r}")
        at = found.end()
        if found.lastgroup:
            yield found.lastgroup, found[0]


def read(expression: str) -> Named:
    """What an expression names."""
    named = Named(set(), set(), set())
    found = [*tokens(expression), ("end", "")]
    metric, braces, listing = "", False, False
    for (kind, text), (_, following) in pairwise(found):
        if text in {"{", "}"}:
            braces = text == "{"
        elif text == ")":
            listing = False
        elif kind == "name" and braces:
            named.matched.add((metric, text))
        elif kind == "name" and listing:
            named.listed.add(text)
        elif kind == "name" and text.lower() in _LISTING:
            listing = following == "("
        elif kind == "name" and following != "(" and text.lower() not in _WORDS:
            # A function or an aggregation is followed by its parenthesis or by its labels.
            metric = text
            if following not in _LISTING:
                named.metrics.add(text)
    return named


def unknown(expression: str, recorded: set[str] | None = None) -> set[str]:
    """The metrics and labels that an expression names and nobody makes."""
    known, named = series(), read(expression)
    recorded = recorded or set()
    labels = set().union(*known.values())
    strange = {metric for metric in named.metrics if metric not in known and metric not in recorded}
    strange |= {f"{metric}{{{label}}}" for metric, label in named.matched if label not in known.get(metric, labels)}
    return strange | (named.listed - labels)
