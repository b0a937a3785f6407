"""PromQL as a tree: which metrics and labels an expression names, which labels its result has, and what cannot be.

No evaluation: series have the labels that their families have in the catalogue, recorded ones those of their rules.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import promql_parser as tree

from exporter import catalogue

TARGET_LABELS: Final = {"job", "instance", "namespace", "cluster", "pod"}
"""What a scrape adds: the first two always, the others on Kubernetes."""
_ALWAYS: Final = frozenset({"job", "instance"})
_OF_ALERTS: Final = {"alertname", "alertstate", "severity", "owner"}
OF_RULES: Final = {"check"}
"""Labels that recorded series alone have."""
_SCRAPED: Final = ("up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling")
_OF_CONTAINERS: Final = {"namespace", "pod", "container", "cluster", "node", "id", "image", "name", "cpu"}
_CONTAINERS: Final = (
    "container_cpu_usage_seconds_total",
    "container_cpu_cfs_periods_total",
    "container_cpu_cfs_throttled_periods_total",
    "container_cpu_cfs_throttled_seconds_total",
    "container_memory_working_set_bytes",
    "container_spec_cpu_quota",
    "container_spec_cpu_period",
    "container_spec_memory_limit_bytes",
    "kube_pod_container_resource_limits",
    "kube_pod_container_resource_requests",
    "kube_pod_container_status_restarts_total",
)
"""Of cAdvisor and kube-state-metrics: not ours, and there on Kubernetes alone."""
_NO_VECTOR: Final = {"time", "pi", "scalar"}
_SETS: Final = {"and", "or", "unless"}
_PICKS: Final = {"topk", "bottomk", "limitk"}


class Labels(NamedTuple):
    """The labels of an expression's result."""

    may: frozenset[str]
    must: frozenset[str]
    """Those that each of its series has."""


class Named(NamedTuple):
    """What an expression names."""

    metrics: set[str]
    matched: set[tuple[str, str]]
    """Metric and label, of each matcher."""
    listed: set[str]
    """Labels to group by or to match on."""


@cache
def series() -> Mapping[str, set[str]]:
    """The labels of every series that is there without our recording it, by its name; a histogram has three."""
    known: dict[str, set[str]] = {name: set(TARGET_LABELS) for name in _SCRAPED}
    known |= {name: {*_OF_CONTAINERS, *TARGET_LABELS, "resource", "unit"} for name in _CONTAINERS}
    for family in catalogue.families():
        labels = {*family.labels, *TARGET_LABELS}
        if family.type == catalogue.HISTOGRAM:
            known |= {f"{family.name}_{part}": labels for part in ("sum", "count")}
            known[f"{family.name}_bucket"] = labels | {"le"}
        else:
            known[family.name] = labels
    of_any = _OF_ALERTS.union(*known.values())
    return known | {"ALERTS": of_any, "ALERTS_FOR_STATE": of_any - {"alertstate"}}


@cache
def counters() -> frozenset[str]:
    """Names of the series that only rise."""
    return frozenset(name for name in series() if name.endswith(("_total", "_bucket", "_count", "_sum")))


def known() -> dict[str, Labels]:
    """The labels of every series as an inference takes them."""
    made = {
        name: Labels(frozenset(labels), frozenset(labels - TARGET_LABELS) | _ALWAYS)
        for name, labels in series().items()
    }
    for name in _CONTAINERS:
        made[name] = made[name]._replace(must=frozenset({"namespace", "pod", "container"}))
    for name in ("ALERTS", "ALERTS_FOR_STATE"):
        made[name] = made[name]._replace(must=frozenset({"alertname"}))
    return made


# --- reading


def parse(expression: str) -> Any:
    """The tree of an expression; ValueError where it is none."""
    return tree.parse(expression)


def walk(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Each node with those above it, the nearest last."""
    yield node, above
    for child in below(node):
        yield from walk(child, (*above, node))


def below(node: Any) -> list[Any]:
    match node:
        case tree.BinaryExpr():
            return [node.lhs, node.rhs]
        case tree.Call():
            return list(node.args)
        case tree.MatrixSelector():
            return [node.vector_selector]
        case tree.AggregateExpr():
            return [node.expr] if node.param is None else [node.param, node.expr]
        case tree.ParenExpr() | tree.UnaryExpr() | tree.SubqueryExpr():
            return [node.expr]
    return []


def selectors(node: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The series that are asked for, with what is done with them."""
    return ((one, above) for one, above in walk(node) if isinstance(one, tree.VectorSelector))


def names(selector: Any, among: Mapping[str, Any]) -> set[str]:
    """The metrics that a selector may mean: its name, or those that fit what it says of `__name__`."""
    if selector.name:
        return {selector.name}
    said = [one for one in selector.matchers.matchers if one.name == "__name__"]
    return {name for name in among if said and all(_fits(one, name) for one in said)}


def _fits(matcher: Any, name: str) -> bool:
    if matcher.op == tree.MatchOp.Re:
        return re.fullmatch(matcher.value, name) is not None
    return bool(matcher.op == tree.MatchOp.Equal) and matcher.value == name


def read(expression: str) -> Named:
    """What an expression names."""
    named = Named(set(), set(), set())
    for node, _ in walk(parse(expression)):
        if isinstance(node, tree.VectorSelector):
            if node.name:
                named.metrics.add(node.name)
            labels = {one.name for one in node.matchers.matchers} - {"__name__"}
            named.matched.update((node.name or "", label) for label in labels)
        elif isinstance(node, tree.AggregateExpr) and node.modifier:
            named.listed.update(node.modifier.labels)
        elif isinstance(node, tree.BinaryExpr) and node.modifier:
            named.listed.update(node.modifier.matching.labels if node.modifier.matching else ())
            named.listed.update(node.modifier.group_labels or ())
    return named


def unknown(expression: str, recorded: set[str] | None = None) -> set[str]:
    """The metrics and labels that an expression names and nobody makes."""
    there, named = series(), read(expression)
    recorded = recorded or set()
    labels = set().union(OF_RULES, *there.values())
    strange = {metric for metric in named.metrics if metric not in there and metric not in recorded}
    strange |= {f"{metric}{{{label}}}" for metric, label in named.matched if label not in there.get(metric, labels)}
    for selector, _ in selectors(parse(expression)):
        strange |= set() if names(selector, {**there, **dict.fromkeys(recorded)}) else {str(selector)}
    return strange | (named.listed - labels)


# --- the labels of results


class Inference:
    """The labels of an expression's result, and what in it cannot be."""

    def __init__(self, among: Mapping[str, Labels], empty: frozenset[str] = frozenset()) -> None:
        """`empty`: labels that may be asked for as empty where a series has none."""
        self._known, self._empty = among, empty
        self.faults: list[str] = []

    def labels(self, node: Any) -> Labels | None:
        """None of what has none: numbers and texts."""
        match node:
            case tree.VectorSelector():
                return self._of_selector(node)
            case tree.AggregateExpr():
                return self._of_aggregation(node)
            case tree.BinaryExpr():
                return self._of_two(node)
            case tree.Call():
                return self._of_call(node)
            case tree.NumberLiteral() | tree.StringLiteral():
                return None
        return self.labels(*below(node))

    def _of_selector(self, node: Any) -> Labels:
        meant = names(node, self._known)
        found = [self._known[name] for name in meant if name in self._known]
        if not found:
            self.faults.append(f"{node} is no series")
            return Labels(frozenset(), frozenset())
        labels = either(found)
        for one in node.matchers.matchers:
            if one.name not in {"__name__"} | labels.may | self._empty:
                self.faults.append(f"{node.name or ''}{{{one.name}}} is no label")
        fixed = {one.name for one in node.matchers.matchers if one.op == tree.MatchOp.Equal and one.value}
        bare = {one.name for one in node.matchers.matchers if one.op == tree.MatchOp.Equal and not one.value}
        return Labels(labels.may - bare, (labels.must | (fixed & labels.may)) - bare)

    def _of_aggregation(self, node: Any) -> Labels:
        inner = self.labels(node.expr) or Labels(frozenset(), frozenset())
        listed = frozenset(node.modifier.labels if node.modifier else ())
        for label in sorted(listed - inner.may):
            self.faults.append(f"{node.op} groups by {label}, which nothing in it has")
        if str(node.op) in _PICKS:
            return inner
        if node.modifier and node.modifier.type == tree.AggModifierType.Without:
            return Labels(inner.may - listed, inner.must - listed)
        own = frozenset({node.param.val}) if str(node.op) == "count_values" else frozenset()
        return Labels(inner.may & listed | own, inner.must & listed | own)

    def _of_call(self, node: Any) -> Labels | None:
        name, found = node.func.name, [self.labels(one) for one in node.args]
        vectors = [one for one in found if one is not None]
        if name in _NO_VECTOR:
            return None
        if name.startswith("absent") or not vectors:
            return _of_absent(node)
        first = vectors[0]
        if name in {"label_replace", "label_join"}:
            made = frozenset({node.args[1].val})
            return Labels(first.may | made, first.must | made)
        if name == "histogram_quantile":
            if "le" not in first.may:
                self.faults.append("histogram_quantile of what has no le")
            return Labels(first.may - {"le"}, first.must - {"le"})
        return first

    def _of_two(self, node: Any) -> Labels | None:
        left, right = self.labels(node.lhs), self.labels(node.rhs)
        if left is None or right is None:
            return left or right
        self._check_match(node, left, right)
        if str(node.op) in _SETS:
            return either([left, right]) if str(node.op) == "or" else left
        modifier = node.modifier
        kept = _shared(modifier.matching if modifier else None, left, right)
        grouped = frozenset((modifier.group_labels if modifier else None) or ())
        if modifier and modifier.card == tree.VectorMatchCardinality.ManyToOne:
            return self._joined(left, right, grouped)
        if modifier and modifier.card == tree.VectorMatchCardinality.OneToMany:
            return self._joined(right, left, grouped)
        return kept

    def _joined(self, many: Labels, one: Labels, grouped: frozenset[str]) -> Labels:
        for label in sorted(grouped - one.may):
            self.faults.append(f"{label} is taken from a side that has none")
        return Labels(many.may | grouped, many.must | grouped & one.must)

    def _check_match(self, node: Any, left: Labels, right: Labels) -> None:
        matching = node.modifier.matching if node.modifier else None
        listed = frozenset(matching.labels if matching else ())
        if matching and matching.type == tree.LabelModifierType.Include:
            lacking = listed - (left.may & right.may)
            self.faults += [f"{node.op} on {one}, which a side lacks" for one in sorted(lacking)]
            return
        self.faults += [f"{node.op} ignores {one}, which no side has" for one in sorted(listed - left.may - right.may)]
        if str(node.op) != "or":
            alone = (left.must - right.may) | (right.must - left.may)
            self.faults += [f"{node.op} never matches: {one} is on one side only" for one in sorted(alone - listed)]


def either(found: list[Labels]) -> Labels:
    """Of series of which each is one of these."""
    may, must = zip(*found, strict=True)
    return Labels(frozenset().union(*may), frozenset.intersection(*must))


def _shared(matching: Any, left: Labels, right: Labels) -> Labels:
    """What is left of one to one: the same labels on both sides."""
    listed = frozenset(matching.labels if matching else ())
    may, must = left.may & right.may, left.must | right.must
    if matching and matching.type == tree.LabelModifierType.Include:
        return Labels(may & listed, must & listed)
    return Labels(may - listed, (must - listed) & (may - listed))


def _of_absent(node: Any) -> Labels:
    """What is absent has the labels that were asked for by their value; a number as a vector has none."""
    asked = [one for selector, _ in selectors(node) for one in selector.matchers.matchers]
    fixed = frozenset(one.name for one in asked if one.op == tree.MatchOp.Equal and one.value) - {"__name__"}
    return Labels(fixed, fixed)
