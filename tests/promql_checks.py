"""What is wrong with the expressions of rules, those that their templates ask among them."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import promql
import promql_parser as tree
from promql_rules import Rule, calls

SCRAPE: Final = timedelta(seconds=30)
"""The scrape interval that the documents recommend."""
_OF_COUNTERS: Final = {
    "increase", "irate", "rate", "resets", "changes", "absent", "absent_over_time", "count_over_time", "last_over_time",
    "present_over_time", "timestamp",
}  # fmt: skip
_OF_COUNTERS_ALONE: Final = {"increase", "irate", "rate", "resets"}
_COUNTING: Final = {"count", "group"}
_ACROSS_JOBS: Final = {"feature:model_feature_psi:shared", "ModelFeatureDriftsAcrossModels"}
"""What is said of several models together."""
_SUMMED: Final = ("model_feature_cumulative_gap:", "model_prediction_cumulative_gap:")
"""Generated, bin after bin: the first sum is of one bin, and is written as the others are."""
_COLUMN: Final = frozenset({"feature", "output"})
"""A template asks for either side in one query: the other's label is empty."""


def _trees(rule: Rule) -> Iterator[Any]:
    yield rule.node
    for _, node, _ in rule.queries():
        yield node


def _syntax(rule: Rule) -> Iterator[str]:
    for name, template in rule.templates():
        for asked in template.asked():
            try:
                promql.parse(asked.query)
            except ValueError as error:
                yield f"{name}: {error} ({asked.query})"


def _series(rule: Rule) -> Iterator[str]:
    yield from (text for text in rule.impossible if _is_name(text))
    for name, node, used in rule.queries():
        inference = promql.Inference(rule.known, _COLUMN)
        labels = inference.labels(node)
        yield from (f"{name}: {text} ({node})" for text in inference.faults)
        for label in sorted(used - (labels.may if labels else frozenset())):
            yield f"{name}: .Labels.{label}, which {node} has not"


def _vector_matching(rule: Rule) -> Iterator[str]:
    yield from (text for text in rule.impossible if not _is_name(text))


def _is_name(text: str) -> bool:
    return text.endswith(("is no series", "is no label"))


def _counter(rule: Rule) -> Iterator[str]:
    for node in _trees(rule):
        for selector, above in promql.selectors(node):
            for name in sorted(promql.names(selector, promql.series()) & promql.counters()):
                if not any(_takes_counters(one) for one in above):
                    yield f"{name} is a counter, and what it is worth depends on the last restart"


def _takes_counters(node: Any) -> bool:
    if isinstance(node, tree.AggregateExpr):
        return str(node.op) in _COUNTING
    return isinstance(node, tree.Call) and node.func.name in _OF_COUNTERS


def _gauge(rule: Rule) -> Iterator[str]:
    for node in _trees(rule):
        for selector, above in promql.selectors(node):
            called = {one.func.name for one in above if isinstance(one, tree.Call)} & _OF_COUNTERS_ALONE
            if called and not promql.names(selector, rule.known) <= promql.counters():
                yield f"{min(called)} of {selector.name or selector}, which is no counter"


def _rate(rule: Rule) -> Iterator[str]:
    for node in _trees(rule):
        for one, above in promql.walk(node):
            is_short = isinstance(one, tree.MatrixSelector) and one.range < 4 * SCRAPE
            if is_short and calls(above[-1], *_OF_COUNTERS_ALONE):
                yield f"{above[-1].func.name} over {tree.display_duration(one.range)}: less than four scrapes"


def _regexp(rule: Rule) -> Iterator[str]:
    if rule.name.partition(":")[2].startswith(_SUMMED):
        return
    for node in _trees(rule):
        for selector, _ in promql.selectors(node):
            for one in selector.matchers.matchers:
                is_one = one.op in (tree.MatchOp.Re, tree.MatchOp.NotRe)
                if is_one and (fault := _regexp_fault(one.value)):
                    yield f"{one}: {fault}"


def _regexp_fault(text: str) -> str | None:
    if text.startswith("^") or (text.endswith("$") and not text.endswith(r"\$")):
        return "it is anchored anyway"
    if text == ".*":
        return "everything fits"
    return None if re.search(r"[.*+?|()\[\]\\]", text) else "a text says the same"


def _fragile(rule: Rule) -> Iterator[str]:
    for node, _ in promql.walk(rule.node if rule.is_alert else None):
        if isinstance(node, tree.AggregateExpr) and str(node.op) in {"topk", "bottomk", "limitk"}:
            yield f"{node.op}: which series are in it changes from one evaluation to the next"


def _aggregate(rule: Rule) -> Iterator[str]:
    named = {
        name for selector, above in promql.selectors(rule.node) if not any(calls(one, "absent") for one in above)
        for name in promql.names(selector, rule.known)
    }  # fmt: skip
    told = {name for name in named if name in rule.known and "job" in rule.known[name].must}
    if told and "job" not in rule.labels.may and rule.name not in _ACROSS_JOBS:
        yield "its series have no label job: fleets that have nothing to do with each other are one"


def _histogram(rule: Rule) -> Iterator[str]:
    for node in _trees(rule):
        for one, _ in promql.walk(node):
            if calls(one, "histogram_quantile") and not _is_rate_by_le(one.args[1]):
                yield f"{one.func.name} of what is no rate of buckets added up by le"


def _is_rate_by_le(node: Any) -> bool:
    while isinstance(node, tree.ParenExpr):
        node = node.expr
    if isinstance(node, tree.VectorSelector):
        return ":" in (node.name or "")  # recorded so, which its own rule is asked for
    if calls(node, "rate", "increase"):
        return True  # of each series by itself: le is there, as all other labels are
    if not isinstance(node, tree.AggregateExpr) or str(node.op) != "sum" or not node.modifier:
        return False
    is_by, keeps = node.modifier.type == tree.AggModifierType.By, "le" in node.modifier.labels
    return is_by == keeps and any(calls(one, "rate", "increase") for one, _ in promql.walk(node))


def _dependency(rule: Rule) -> Iterator[str]:
    for node in _trees(rule):
        for selector, _ in promql.selectors(node):
            if selector.name in rule.elsewhere:
                yield f"{selector.name} is not recorded before it in its own group"


CHECKS: Final[Mapping[str, Callable[[Rule], Iterator[str]]]] = {
    "promql/aggregate": _aggregate,
    "promql/counter": _counter,
    "promql/fragile": _fragile,
    "promql/gauge": _gauge,
    "promql/histogram": _histogram,
    "promql/rate": _rate,
    "promql/regexp": _regexp,
    "promql/series": _series,
    "promql/syntax": _syntax,
    "promql/vector_matching": _vector_matching,
    "rule/dependency": _dependency,
}
