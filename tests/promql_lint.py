"""What is wrong with rules though Prometheus takes them: checks after the manner of pint, on trees.

Each check looks at one rule, with what is known of the series that were recorded before it. `without` is not held to be
fragile here: targets have labels that nobody here knows, such as pod, and series of one target have the same.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

import promql
import promql_checks
import promql_parser as tree
import promql_rules
from promql_checks import SCRAPE
from promql_rules import Rule, calls

_LONGEST_INTERVAL: Final = timedelta(minutes=5)
"""Prometheus forgets a series after so long."""
_MOST_RULES: Final = 20
"""In a group: what hosted rulers accept by default."""
_COMPARISONS: Final = {"==", "!=", ">", "<", ">=", "<="}
_ALWAYS: Final = {"InferenceExporterHeartbeat"}
"""What fires while all is well: whoever hears nothing of it knows that alerts do not arrive."""
_DURATION: Final = re.compile("".join(f"(?:[0-9]+{unit})?" for unit in ("y", "w", "d", "h", "m", "s", "ms")))
_SEVERITIES: Final = {"critical", "warning", "info", "none"}
_RECORD: Final = re.compile(r"[a-z_]+:(model|inference_exporter)_[a-z0-9_]+:[a-z_]+[0-9a-z]*")


class Fault(NamedTuple):
    """One thing that is wrong."""

    check: str
    rule: str
    text: str


def faults(groups: Sequence[Mapping[str, Any]], anchors: frozenset[str]) -> list[Fault]:
    """All that is wrong with the rules of these groups, of which each recorded name is known in the order of files."""
    found = [Fault(name, str(group["name"]), text) for group in groups for name, check in GROUPS.items()
             for text in check(group)]  # fmt: skip
    rules = [*promql_rules.read(groups, anchors)]
    found += [Fault("rule/duplicate", name, "stands there twice") for name in _twins(rules)]
    return found + [
        Fault(name, rule.name, text) for rule in rules for name, check in CHECKS.items() for text in check(rule)
    ]


def _twins(rules: Sequence[Rule]) -> Iterator[str]:
    seen = set()
    for rule in rules:
        key = (rule.name, tuple(sorted(rule.given.get("labels", {}).items())) * (not rule.is_alert))
        if key in seen:
            yield rule.name
        seen.add(key)


# --- groups


def _interval(group: Mapping[str, Any]) -> Iterator[str]:
    if tree.parse_duration(group.get("interval", "1m")) > _LONGEST_INTERVAL:
        yield "its series are forgotten between two evaluations"


def _size(group: Mapping[str, Any]) -> Iterator[str]:
    if len(group["rules"]) > _MOST_RULES:
        yield f"more than {_MOST_RULES} rules"


GROUPS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]]] = {
    "group/interval": _interval,
    "group/size": _size,
}


# --- alerts


def _annotation(rule: Rule) -> Iterator[str]:
    needed = {"summary", "description", "runbook_url"} | ({"dashboard_url"} if rule.name.startswith("Model") else set())
    for name in sorted(needed if rule.is_alert else ()):
        if not rule.annotations.get(name, "").strip():
            yield f"no {name}"


def _comparison(rule: Rule) -> Iterator[str]:
    if rule.is_alert and rule.name not in _ALWAYS and not _is_condition(rule.node, rule.trees):
        yield "nothing in it ever makes it silent"


def _is_condition(node: Any, trees: Mapping[str, Sequence[Any]]) -> bool:
    """Whether there is nothing of it while all is well: something is compared, absent or left out."""
    match node:
        case tree.VectorSelector():
            others = {name: one for name, one in trees.items() if name != node.name}  # one may ask what it was itself
            made = trees.get(node.name, ())
            return node.name == "ALERTS" or (bool(made) and all(_is_condition(one, others) for one in made))
        case tree.Call():
            return node.func.name.startswith("absent") or any(_is_condition(one, trees) for one in node.args)
        case tree.BinaryExpr():
            return _is_condition_of_two(node, trees)
    return any(_is_condition(one, trees) for one in promql.below(node))


def _is_condition_of_two(node: Any, trees: Mapping[str, Sequence[Any]]) -> bool:
    sides = [_is_condition(one, trees) for one in (node.lhs, node.rhs)]
    if str(node.op) in _COMPARISONS:
        return not (node.modifier and node.modifier.return_bool) or any(sides)
    return all(sides) if str(node.op) == "or" else str(node.op) == "unless" or any(sides)


def _for(rule: Rule) -> Iterator[str]:
    for key in ("for", "keep_firing_for"):
        text = str(rule.given.get(key, "1m"))
        if not (text and _DURATION.fullmatch(text)):
            yield f"{key}: {text} is no duration"


def _absent(rule: Rule) -> Iterator[str]:
    if not rule.is_alert or not any(calls(node, "absent") for node, _ in promql.walk(rule.node)):
        return
    lasting = str(rule.given.get("for", "0s"))
    if not re.search("[1-9]", lasting) or tree.parse_duration(lasting) < 2 * SCRAPE:
        yield f"absent() for less than two scrapes ({lasting}): one that is missed fires it"


def _template(rule: Rule) -> Iterator[str]:
    for name, template in rule.templates():
        if name in rule.given.get("labels", {}) and template.uses_value:
            yield f"{name}: a label with the value in it is another alert at each evaluation"
        for label in sorted(template.labels - rule.labels.may):
            yield f"{name}: $labels.{label}, which its expression has not"
        for label in sorted(template.guards - set().union(*promql.series().values())):
            yield f"{name}: $labels.{label} is no label"


def _link(rule: Rule) -> Iterator[str]:
    for name in ("runbook_url", "dashboard_url"):
        url = rule.annotations.get(name)
        # The address of a Grafana is theirs to say.
        if url and name == "runbook_url" and not url.startswith("https://"):
            yield f"{name}: {url} is no https address"
        if url and name == "runbook_url" and url.partition("#")[2] not in rule.anchors:
            yield f"{name}: {url} leads to no section"


# --- names and labels


def _name(rule: Rule) -> Iterator[str]:
    if rule.is_alert and not re.fullmatch(r"(Model|InferenceExporter)([A-Z][a-z]+)+", rule.name):
        yield "its name says not whose it is"
    if not rule.is_alert and not _RECORD.fullmatch(rule.name):
        yield "its name is not level:metric:operation"


def _label(rule: Rule) -> Iterator[str]:
    if not rule.is_alert:
        return
    labels = rule.given.get("labels", {})
    if not str(labels.get("owner", "")).strip():
        yield "no owner"
    severities = re.findall(r"(?:^|\}\})\s*(\w*)\s*(?:\{\{|$)", str(labels.get("severity", "")))
    if not severities or {one for one in severities if one} - _SEVERITIES or not any(severities):
        yield "no severity that is routed"


CHECKS: Final[Mapping[str, Callable[[Rule], Iterator[str]]]] = {
    "alerts/absent": _absent,
    "alerts/annotation": _annotation,
    "alerts/comparison": _comparison,
    "alerts/for": _for,
    "alerts/template": _template,
    "rule/label": _label,
    "rule/link": _link,
    "rule/name": _name,
    **promql_checks.CHECKS,
}
