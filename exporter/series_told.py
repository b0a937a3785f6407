"""What `check` says of the series that /metrics may come to have: on one replica, and on all of them."""

import re
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from typing import Any, Final, NamedTuple

from exporter import catalogue
from exporter.allowance import ALWAYS, LEADER, NEVER
from exporter.budget import costs
from exporter.budget.order import REFERENCE
from exporter.budget.plan import Plan, Watched, plan, ranked
from exporter.budget.shape import Shape
from exporter.budget.shape import of as shape_of
from exporter.budget.switches import switched_off
from exporter.config import Settings
from exporter.dashboards.boards import BOARDS
from exporter.dashboards.pieces import Panel
from exporter.families import Family
from exporter.override import NO_OVERRIDES, Overrides
from exporter.profile import overrides, strict_yaml
from exporter.profile.in_force import in_force
from exporter.reference import DEFAULT, Profile
from exporter.sections import Windows

_SCRAPE_S: Final = 15
_PACKED: Final = 15
"""A page is so many times smaller packed."""
_VALUE: Final = 12
"""Bytes of a number with what stands around it, on average."""
_FAMILIES: Final = {family.name: family for family in catalogue.families()}
_METRIC: Final = re.compile(r"[a-z_][a-z0-9_]*(?::[a-z0-9_]+)*")
_TEXT: Final = re.compile(r"""(["']).*?\1""")
"""A label's value, which may be what a family is called: nothing of that is read."""


class _Case(NamedTuple):
    """A replica, by whether it shows the reference."""

    shape: Shape
    plan: Plan
    bytes: int


def told(
    settings: Settings, profiles: Sequence[Profile], said: Overrides, given: tuple[int | None, int | None]
) -> Iterator[str]:
    """Lines for people; `given` are replicas and sample_limit, where somebody says them."""
    replicas, sample_limit = given
    cases = {who: _case(settings, profiles, said, who) for who in (ALWAYS, NEVER)}
    shape = shape_of(settings)
    own = cases[ALWAYS if _shows_reference(shape) else NEVER]
    limit = shape.limit
    yield f"up to {own.plan.expected:,} on a page, of {limit:,} that it may have"
    yield from _left_out(own.plan, shape)
    if sample_limit and min(own.plan.expected, limit) + shape.beside > sample_limit:
        yield (
            f"WARNING: the scrape's sample_limit of {sample_limit:,} is less: all of it would fail. Raise it, or"
            f" say --metrics.sample-limit {sample_limit}"
        )
    hidden = {*switched_off(shape.metrics, socket.gethostname())} | (own.plan.lost.keys() - own.plan.by_family.keys())
    yield from _blind(hidden)
    if replicas:
        yield from _table(own, cases, replicas)


def _shows_reference(shape: Shape) -> bool:
    return not switched_off(shape.metrics, socket.gethostname()) >= REFERENCE


def _left_out(found: Plan, shape: Shape) -> Iterator[str]:
    if found.lost:
        gone = sorted(found.lost.keys() - found.by_family.keys())
        yield f"WARNING: {found.wanted:,} were wanted. Left out are {len(gone)} families: {', '.join(gone)}"
        if found.columns[0] < found.columns[1]:
            yield f"WARNING: only {found.columns[0]} of {found.columns[1]} columns have series of their own"
        yield f"all would be shown with {shape.allowing(found.wanted)}"


def _case(settings: Settings, profiles: Sequence[Profile], said: Overrides, who: str) -> _Case:
    metrics = replace(settings.metrics, expose_reference=who)
    shape = replace(shape_of(settings), metrics=metrics)
    found = plan(shape, models(shape, profiles, said), switched_off(metrics, ""))
    return _Case(shape, found, _bytes(found, costs.own(shape), [*profiles]))


def models(shape: Shape, profiles: Sequence[Profile], said: Overrides = NO_OVERRIDES) -> list[Watched]:
    """Of these profiles, or one that has none; behind them, all that are not watched as if they were one."""
    bare = Watched(costs.bare(shape))
    return [*([_watched(shape, profile, said) for profile in profiles] or [bare]), bare]


def of_profile(profile: Profile, windows: int, said: Overrides = NO_OVERRIDES) -> int:
    """Series that a model of this profile may come to have, with so many windows of time and all else by default."""
    known = Windows().lengths
    lengths = (*known[:windows], *(known[-1] * at for at in range(2, windows - len(known) + 2)))
    found = _watched(Shape(windows=Windows(lengths=lengths)), profile, said).costs
    return found.alone.total() + sum(sum(cost.values()) for side in found.columns for cost in side.values())


def _watched(shape: Shape, profile: Profile, said: Overrides) -> Watched:
    """A model of a profile as it is in force now, as the plan sees it."""
    profile = in_force(profile, time.time())
    rules = overrides.on(said, profile)
    names = ([one.name for one in profile.features], [one.name for one in profile.outputs])
    return Watched(costs.costs(shape, profile, rules), ranked(profile, rules), names)


def _bytes(found: Plan, own: int, profiles: Sequence[Profile]) -> int:
    """About so many bytes a page has, as text."""
    named = [column.name for one in profiles for column in (*one.features, *one.outputs)] or [""]
    name = sum(map(len, named)) / len(named)
    model = sum(len(one.model or DEFAULT) + len(one.version) for one in profiles) / max(len(profiles), 1)

    def line(family: Family) -> float:
        return len(family.name) + sum(len(label) + 6 for label in family.labels) + model + name + _VALUE

    return round(sum(series * line(_FAMILIES.get(family, catalogue.REQUESTS))
                     for family, series in found.by_family.items()) + own * 70)  # fmt: skip


def _table(own: _Case, cases: Mapping[str, _Case], replicas: int) -> Iterator[str]:
    """Series by what they are about: of one replica, and of all of them by who shows the reference."""
    fleets = {
        ALWAYS: {ALWAYS: replicas}, LEADER: {ALWAYS: 1, NEVER: replicas - 1}, NEVER: {NEVER: replicas},
    }  # fmt: skip
    groups = {who: _groups(case) for who, case in cases.items()}
    yield f"{'':34}{'one':>10}" + "".join(f"{f'{replicas} {who}':>16}" for who in fleets)
    mine = _groups(own)
    for group in dict.fromkeys(name for found in groups.values() for name in found):
        yield _row(group, mine[group], ({who: found[group] for who, found in groups.items()}, fleets))
    yield _row("in all", own.plan.expected, ({who: one.plan.expected for who, one in cases.items()}, fleets))
    yield _row("samples a second, every 15 s", own.plan.expected // _SCRAPE_S,
               ({who: one.plan.expected / _SCRAPE_S for who, one in cases.items()}, fleets))  # fmt: skip
    for what, part in (("kB of a scrape, about", 1), ("kB of it packed", _PACKED)):
        yield _row(what, own.bytes // 1000 // part,
                   ({who: one.bytes / 1000 / part for who, one in cases.items()}, fleets))  # fmt: skip


def _row(
    what: str, one: int, of: tuple[Mapping[str, float], Mapping[str, Mapping[str, int]]]
) -> str:  # fmt: skip
    by_case, fleets = of
    all_of_them = (sum(times * by_case[case] for case, times in fleet.items()) for fleet in fleets.values())
    return f"  {what:32}{one:>10,}" + "".join(f"{round(total):>16,}" for total in all_of_them)


def _groups(case: _Case) -> Counter[str]:
    found = Counter({"the exporter itself": case.plan.expected - sum(case.plan.by_family.values())})
    for name, series in case.plan.by_family.items():
        found[_group(name)] += series
    return found


_GROUPS: Final = {
    "segments": re.compile("model_segment_.*"),
    "features of failed requests": re.compile(".*_failed_.*"),
    "performance, by truth": re.compile("model_(performance|truths?|predictions_opened|target|concept|business)_.*"),
    "counts by bin": re.compile(".*_bin_total"),
    "evidence of drift": re.compile(".*_(drift|skew)_.*"),
}
"""What families are about, by what is in their names."""


def _group(name: str) -> str:
    labels = _FAMILIES[name].labels if name in _FAMILIES else ()
    if name in REFERENCE:
        return "the reference, by bin"
    by_name = next((group for group, pattern in _GROUPS.items() if pattern.fullmatch(name)), None)
    if by_name or "window" in labels:
        return by_name or "scores and shares, by window"
    return "columns, else" if {"feature", "output"} & {*labels} or not labels else "models and their traffic"


# --- who reads what is not there


def _blind(hidden: Iterable[str]) -> Iterator[str]:
    """Shipped alerts and panels that read families which are not shown, in recorded series, too."""
    gone = {*hidden}
    if not gone:
        return
    rules = _rules()
    recorded = {rule["record"]: _read(rule["expr"]) for rule in rules if "record" in rule}
    for rule in rules:
        if "alert" in rule and (lost := _through(_read(rule["expr"]), recorded) & gone):
            yield f"alert {rule['alert']!r} reads what is not shown: {', '.join(sorted(lost))}"
    for board in BOARDS:
        panels = [panel for row in board.rows for panel in row.panels()]
        titles = [panel.title for panel in panels if _through(_asked(panel), recorded) & gone]
        if titles:
            few = f"{len(titles)} of {len(panels)} panels of {board.title!r}"
            yield f"{few} read what is not shown: {'; '.join(titles)}"


def _rules() -> list[dict[str, Any]]:
    """All shipped ones."""
    return [
        rule for file in sorted((resources.files("exporter") / "shipped").iterdir(), key=lambda one: one.name)
        if file.name.endswith(".rules.yml")
        for group in strict_yaml.of_file(str(file))["groups"] for rule in group["rules"]
    ]  # fmt: skip


def _asked(panel: Panel) -> set[str]:
    return {name for query in panel.queries for name in _read(query.expr)}


def _through(names: set[str], recorded: Mapping[str, set[str]]) -> set[str]:
    """What is read in the end."""
    found, waiting = set[str](), [*names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += recorded.get(name, ())
    return found


def _read(expression: str) -> set[str]:
    return set(_METRIC.findall(_TEXT.sub("", expression)))
