"""What is wrong with dashboards though Grafana takes them: the rules of Grafana's dashboard-linter, on trees.

Each check looks at one board. What is left out, and what is excused, stands with its reason in `EXCUSED`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import cache
from typing import Any, Final, NamedTuple

import promql
import promql_parser as tree
import promql_rules
import yaml
from promql_rules import calls
from shipped_boards import ROOT, Json, every_panel

DURATIONS: Final = {
    "$__rate_interval": timedelta(minutes=13, seconds=13), "$__range": timedelta(hours=7, seconds=7),
    "$__interval": timedelta(seconds=71), "$window": timedelta(minutes=17, seconds=17),
}  # fmt: skip
"""What stands for them: so long is nothing else, so a tree shows which one was meant."""
LABEL_VALUES: Final = re.compile(r"label_values\((?:(.+), )?(\w+)\)")
_ASKS_NOTHING: Final = {"text", "row", "alertlist", "dashlist"}
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_OF_COUNTERS: Final = {"rate", "irate", "increase", "resets", "changes", "timestamp", "last_over_time", "count"}
UNITS: Final = {
    "none", "short", "percent", "percentunit", "s", "ms", "bytes", "decbytes", "reqps", "rowsps", "ops", "cps", "Bps",
    "binBps", "bool", "string",
    "dateTimeFromNow", "dateTimeAsIso", "dateTimeAsIsoNoDateIfToday", "dateTimeAsLocal", "dtdurations",
    "clockms", "sci", "locale",
}  # fmt: skip
"""Those of Grafana's that ours may have."""
EXCUSED: Final[Mapping[str, str]] = {
    "template-instance": "replicas come and go: what is the matter with one shows without its being chosen",
    "target-instance": "as template-instance",
    "target-job, Containers beside the exporter": "cAdvisor's jobs are others: those beside our pods are asked for",
    "few-lines, What drifts all over the fleet": "a table of what has drifted, which is to be seen in full",
}
"""Rules of the linter that are not kept, or `rule, panel`, and why."""


class Fault(NamedTuple):
    """One thing that is wrong."""

    check: str
    place: str
    text: str


class Target(NamedTuple):
    """One query: of a panel or an annotation."""

    place: str
    panel: Json
    given: Json

    @property
    def node(self) -> Any:
        """Its tree; ValueError where there is none."""
        return parsed(self.given["expr"])

    @property
    def readable(self) -> bool:
        return not unreadable(self.given["expr"])

    def labels(self) -> promql.Labels:
        """Those of its result."""
        return promql.Inference(known()).labels(self.node) or promql.Labels(frozenset(), frozenset())


def parsed(expr: str) -> Any:
    """The tree of a query in which variables are open."""
    for name, duration in DURATIONS.items():
        expr = expr.replace(name, tree.display_duration(duration))
    return promql.parse(expr)


def unreadable(expr: str) -> str:
    """What keeps it from being read; empty where nothing does."""
    try:
        parsed(expr)
    except ValueError as error:
        return str(error)
    return ""


@cache
def known() -> Mapping[str, promql.Labels]:
    """The labels of every series there is, recorded ones too."""
    paths = sorted(ROOT.glob("alert_rules/*.rules.yml"))
    return promql_rules.known_with(
        [group for path in paths for group in yaml.load(path.read_text(), yaml.CSafeLoader)["groups"]]
    )


def targets(board: Json) -> Iterator[Target]:
    """All that it asks."""
    for panel in every_panel(board):
        for given in panel.get("targets", ()):
            yield Target(f"{panel['title']}, {given['refId']}", panel, given)
    for annotation in board["annotations"]["list"]:
        yield Target(annotation["name"], {}, annotation)


def trees(board: Json) -> Iterator[tuple[Target, Any]]:
    """All that it asks and that can be read."""
    return ((target, target.node) for target in targets(board) if target.readable)


def asking(board: Json) -> Iterator[Json]:
    """Panels that have queries."""
    return (panel for panel in every_panel(board) if panel["type"] not in _ASKS_NOTHING)


def variables(board: Json) -> list[Json]:
    listed: list[Json] = board["templating"]["list"]
    return listed


# --- rules


Found = Iterator[tuple[str, str]]


def _template_datasource(board: Json) -> Found:
    sources = [one for one in variables(board) if one["type"] == "datasource"]
    expected = ("datasource", "prometheus", "Data source")
    if [(one["name"], one["query"], one["label"]) for one in sources] != [expected]:
        yield "datasource", f"it is to be {expected}"


def _template_job(board: Json) -> Found:
    job = next((one for one in variables(board) if one["name"] == "job"), None)
    if job is None:
        yield "job", "there is none"
        return
    expected = {"type": "query", "label": "Job", "multi": True, "includeAll": True, "allValue": ".+",
                "datasource": _SOURCE}  # fmt: skip
    for name, value in expected.items():
        if job.get(name) != value:
            yield "job", f"{name} is {job.get(name)}, not {value}"


def _template_label_promql(board: Json) -> Found:
    for one in variables(board):
        if one["type"] == "query":
            found = LABEL_VALUES.fullmatch(one["query"]["query"])
            if found is None or unreadable(found[1] or "up"):
                yield one["name"], f"{one['query']['query']} asks for no label's values"


def _template_reload(board: Json) -> Found:
    for one in variables(board):
        if one["type"] == "query" and one["refresh"] != 2:
            yield one["name"], "it is not asked for anew when the time changes"


def _panel_datasource(board: Json) -> Found:
    for one in (*asking(board), *(target.given for target in targets(board))):
        if one.get("datasource") != _SOURCE:
            yield str(one.get("title") or one.get("name") or one.get("expr")), f"it asks {one.get('datasource')}"


def _panel_title_description(board: Json) -> Found:
    for panel in every_panel(board):
        if not panel.get("title", "").strip():
            yield str(panel["id"]), "no title"
        if not panel.get("description", "").strip().endswith("."):
            yield panel["title"], "its description is no sentence"


def _panel_units(board: Json) -> Found:
    for panel in asking(board):
        config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
        of_fields = [change["value"] for one in config["overrides"] for change in one["properties"]
                     if change["id"] == "unit"]  # fmt: skip
        for unit in (config["defaults"].get("unit"), *of_fields):
            if unit not in UNITS:
                yield panel["title"], f"{unit} is no unit"


def _panel_no_targets(board: Json) -> Found:
    for panel in asking(board):
        if not panel.get("targets"):
            yield panel["title"], "it asks nothing"


def _target_promql(board: Json) -> Found:
    for target in targets(board):
        if fault := unreadable(target.given["expr"]):
            yield target.place, fault


def _target_rate_interval(board: Json) -> Found:
    rates = DURATIONS["$__rate_interval"]
    for target, node in trees(board):
        for one, above in promql.walk(node):
            if not isinstance(one, tree.MatrixSelector):
                continue
            if calls(above[-1], "rate", "irate") and one.range != rates:
                yield target.place, f"{above[-1].func.name} over {tree.display_duration(one.range)}"
            if one.range == rates and not calls(above[-1], "rate", "irate", "increase", "changes", "resets"):
                yield target.place, "$__rate_interval is for rates"


def _target_job(board: Json) -> Found:
    for target, node in trees(board):
        for selector, _ in promql.selectors(node):
            matchers = [str(one) for one in selector.matchers.matchers]
            if 'job=~"$job"' not in matchers:
                yield target.place, f"{selector} is of any job"


def _target_counter_agg(board: Json) -> Found:
    for target, node in trees(board):
        for selector, above in promql.selectors(node):
            if selector.name in promql.counters() and not any(calls(one, *_OF_COUNTERS) for one in above):
                yield target.place, f"{selector.name} is a counter"


def _uneditable(board: Json) -> Found:
    if board.get("editable") is not False:
        yield board["title"], "what is edited is lost when the file is read again"


CHECKS: Final[Mapping[str, Callable[[Json], Found]]] = {
    "template-datasource": _template_datasource,
    "template-job": _template_job,
    "template-label-promql": _template_label_promql,
    "template-on-time-change-reload": _template_reload,
    "panel-datasource": _panel_datasource,
    "panel-title-description": _panel_title_description,
    "panel-units": _panel_units,
    "panel-no-targets": _panel_no_targets,
    "target-promql": _target_promql,
    "target-rate-interval": _target_rate_interval,
    "target-job": _target_job,
    "target-counter-agg": _target_counter_agg,
    "uneditable-dashboard": _uneditable,
}


def faults(board: Json, checks: Mapping[str, Callable[[Json], Found]]) -> Iterator[Fault]:
    """All that is wrong with it and not excused."""
    for name, check in checks.items():
        for place, text in check(board):
            if {f"{name}, {place}", f"{name}, {place.rpartition(', ')[0]}"}.isdisjoint(EXCUSED):
                yield Fault(name, place, text)
