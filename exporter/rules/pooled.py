"""Rules that score a whole fleet from the counts of all its replicas, for features and outputs and for each window.

They are the same for every side and window, so they are written once (`scores`, `beside`) and made for each. Groups
are whole: each records what its scores ask for, since what another group recorded may be of another moment.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from string import Template
from typing import Final

from exporter.errors import ConfigError
from exporter.reference import MOST_BINS
from exporter.rules import beside, scores
from exporter.rules.scores import Group, Rule
from exporter.rules.values import Value

NAME: Final = "fleet.rules.yml"
_SIDES: Final = (("feature", "feature"), ("output", "prediction"))
"""What a column is called in labels, and in names of series."""
_UNORDERED: Final = 2
"""Missing and non-finite values have bins of their own behind the ordered ones."""
_UNITS_S: Final = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_WINDOW: Final = re.compile(r"([1-9][0-9]*)([mhdw])")
_SHORTEST_S: Final = 300
_LONG_S: Final = 3 * 3600
"""From this length on increase() of every series costs too much."""
_SHORT_INTERVAL, _LONG_INTERVAL = "1m", "3m"
"""What is recorded must not be older than five minutes when the next comes, or queries find nothing between them."""
_HEAD: Final = """\
# Made by `make docs` of exporter/rules/pooled.py; with windows and bins of your own: inference-exporter rules --set.
"""
_PREFACE: Final = """\
# Drift of the whole fleet as one: bins are counters, so replicas add up, and the score of the sum is the score of the
# fleet. The mean of the replicas' own scores is not: it rises with their number, without any drift.
#
# Scores are those of the exporter, of the same counts equal to 1e-9: p = c/n and r = m_b/m are the shares of the live
# values and of the reference in a bin, n and m how many there are. `profile` is part of every sum and every match, so
# that bins of two references are never mixed. Replicas are told apart by `instance`, fleets by `cluster`, `namespace`
# and `job`: what carries one model under two jobs is two fleets. See docs/fleet-rules.md.
groups:
"""


def rules(values: Mapping[str, Value]) -> str:
    """The file of rules with these thresholds. ConfigError where no rules can be made of them."""
    ordered, windows = _ordered(values), _windows(values)
    groups = (group for side in _SIDES for group in _groups(side, windows, ordered, values))
    return _HEAD + _PREFACE + "\n".join(map(_text, groups))


def _groups(
    side: tuple[str, str], windows: Mapping[str, int], ordered: int, values: Mapping[str, Value]
) -> Iterator[Group]:
    level, word = side
    words = {"level": level, "of": f"model_{word}", "by": f"{scores.MODEL}, {level}", "share": values["fleet.reach"]}
    for window, length_s in windows.items():
        told = {**words, "w": window, **_cumulation(ordered, words, window)}
        yield Group(f"fleet-{word}-{window}", *_of_window(length_s >= _LONG_S, told))
    yield Group(f"fleet-{word}-replicas", _SHORT_INTERVAL, _filled(beside.worst(), words))


def _of_window(is_long: bool, words: Mapping[str, object]) -> tuple[str, tuple[Rule, ...]]:
    """How often the rules are evaluated, and what they are."""
    if is_long:
        return _LONG_INTERVAL, _filled((*scores.of_history(words), *scores.SCORES, *beside.REPLICAS), words)
    return _SHORT_INTERVAL, _filled((*scores.COUNTED, *scores.SCORES, *beside.VERSIONS, *beside.REPLICAS), words)


def _filled(templates: Iterable[Rule], words: Mapping[str, object]) -> tuple[Rule, ...]:
    def said(text: str) -> str:
        return Template(text).substitute(words)

    return tuple(Rule(said(one.record), said(one.expr), said(one.why)) for one in templates)


def _cumulation(ordered: int, words: Mapping[str, object], window: str) -> dict[str, str]:
    """PromQL has no running sums: one term for each bin but the last, in one expression."""
    bins = [f"{place:02d}" for place in range(ordered)]
    terms = (
        scores.TERM.substitute(words, w=window, bins="|".join(bins[: place + 1]), bin=bins[place])
        for place in range(ordered - 1)
    )
    return {"ordered": "|".join(bins), "cumulation": "\nor\n".join(terms)}


def _text(group: Group) -> str:
    """YAML, with what the rules say of themselves."""
    lines = [
        f"  - name: inference-exporter-{group.name}",
        f"    interval: {group.interval}",
        "    limit: 50000",
        "    rules:",
    ]
    for rule in group.rules:
        lines += [f"      # {line}" for line in rule.why.splitlines()]
        lines += [f"      - record: {rule.record}", "        expr: |2"]
        lines += [f"          {line}" for line in rule.expr.strip("\n").splitlines()]
    return "\n".join(lines) + "\n"


def _ordered(values: Mapping[str, Value]) -> int:
    found, most = int(values["fleet.ordered_bins"]), MOST_BINS - _UNORDERED
    if not 2 <= found <= most:  # one bin has no order
        raise ConfigError(f"fleet.ordered_bins: from 2 to {most} are possible, not {found}")
    return found


def _windows(values: Mapping[str, Value]) -> dict[str, int]:
    """How long each is, in seconds."""
    return {text: _length_s(text) for text in str(values["fleet.windows"]).split(",")}


def _length_s(text: str) -> int:
    found = _WINDOW.fullmatch(text)
    length_s = int(found[1]) * _UNITS_S[found[2]] if found else 0
    if length_s < _SHORTEST_S:
        raise ConfigError(f"fleet.windows: windows such as 1h,24h are needed, of 5m at least, not {text!r}")
    return length_s
