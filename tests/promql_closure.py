"""The rules that a test of rules can see anything of: those it asks for, and all that these are made of."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_EVERY_ALERT = re.compile(r"ALERTS\b(?![^}]*alertname=\")")
_WORD = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")


def closure(groups: Iterable[Mapping[str, Any]], test: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The groups, without the rules that no answer to this test depends on, and without groups that would be empty.

    All of them where it asks for whatever fires.
    """
    groups = [dict(group) for group in groups]
    if any(_EVERY_ALERT.search(query["expr"]) for part in test["tests"] for query in part.get("promql_expr_test", ())):
        return groups
    uses: dict[str, set[str]] = {}
    for rule in (rule for group in groups for rule in group["rules"]):
        uses.setdefault(_name(rule), set()).update(_words(rule))
    wanted, left = set(), set(_asked(test)) & uses.keys()
    while left:
        wanted |= left
        left = {word for name in left for word in uses[name] if word in uses} - wanted
    kept = [{**group, "rules": [rule for rule in group["rules"] if _name(rule) in wanted]} for group in groups]
    return [group for group in kept if group["rules"]]


def _name(rule: Mapping[str, Any]) -> str:
    return str(rule.get("alert") or rule["record"])


def _words(rule: Mapping[str, Any]) -> Iterator[str]:
    """All that may be a name in what it says: of its expression and of what its templates ask."""
    for text in (rule["expr"], *rule.get("labels", {}).values(), *rule.get("annotations", {}).values()):
        yield from _WORD.findall(str(text))


def _asked(test: Mapping[str, Any]) -> Iterator[str]:
    for part in test["tests"]:
        for alert in part.get("alert_rule_test", ()):
            yield alert["alertname"]
        for query in part.get("promql_expr_test", ()):
            yield from _WORD.findall(query["expr"])
