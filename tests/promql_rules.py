"""A rule as what is looked for faults: its expression as a tree, and what stands around it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import promql
import promql_parser as tree
from promql_templates import Template

_UNKNOWN: Final = promql.Labels(frozenset().union(promql.OF_RULES, *promql.series().values()), frozenset())


class Rule(NamedTuple):
    """A rule, its expression as a tree, and what stands around it."""

    name: str
    given: Mapping[str, Any]
    node: Any
    labels: promql.Labels
    impossible: Sequence[str]
    """What the labels of its expression forbid."""
    known: Mapping[str, promql.Labels]
    trees: Mapping[str, Sequence[Any]]
    """Of what was recorded before it in its own group."""
    elsewhere: frozenset[str]
    """Recorded in another group, or behind it."""
    anchors: frozenset[str]

    @property
    def is_alert(self) -> bool:
        return "alert" in self.given

    @property
    def annotations(self) -> Mapping[str, str]:
        return dict(self.given.get("annotations", {}))

    def templates(self) -> Iterator[tuple[str, Template]]:
        for name, text in {**self.given.get("labels", {}), **self.annotations}.items():
            yield name, Template(str(text))

    def queries(self) -> Iterator[tuple[str, Any, frozenset[str]]]:
        """Each that its templates ask, as a tree, with the labels that are used of its result."""
        for name, template in self.templates():
            for asked in template.asked():
                with suppress(ValueError):  # which is a fault of its own
                    yield name, promql.parse(asked.query), asked.labels


def read(groups: Sequence[Mapping[str, Any]], anchors: frozenset[str]) -> Iterator[Rule]:
    """Each rule of these groups, with what was recorded before it."""
    recorded = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    known = promql.known()
    for group in groups:
        trees: dict[str, list[Any]] = {}
        for given in group["rules"]:
            name, node = given.get("alert") or given["record"], promql.parse(given["expr"])
            # What a series was itself is no other rule's to record; what labels it had is not known yet.
            inference = promql.Inference({name: _UNKNOWN, **known})
            labels = inference.labels(node) or promql.Labels(frozenset(), frozenset())
            elsewhere = frozenset(recorded - set(trees) - {name})
            yield Rule(name, given, node, labels, inference.faults, dict(known), dict(trees), elsewhere, anchors)
            if "record" in given:
                trees[name] = [*trees.get(name, []), node]
                own = frozenset(given.get("labels", {}))
                made = promql.Labels(labels.may | own, labels.must | own)
                known[name] = promql.either([made, *([known[name]] if name in known else [])])


def known_with(groups: Sequence[Mapping[str, Any]]) -> dict[str, promql.Labels]:
    """The labels of every series, of those that these groups record, too."""
    known = promql.known()
    for rule in read(groups, frozenset()):
        known |= rule.known
        if "record" in rule.given:
            own = frozenset(rule.given.get("labels", {}))
            known[rule.name] = promql.Labels(rule.labels.may | own, rule.labels.must | own)
    return known


def calls(node: Any, *names: str) -> bool:
    """Whether it is a call of one of these functions."""
    return isinstance(node, tree.Call) and node.func.name in names
