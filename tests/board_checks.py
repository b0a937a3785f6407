"""What is wrong with dashboards in our own eyes: variables, links, colours, and names that nothing has."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

import promql
import promql_parser as tree
from board_lint import Found, Target, asking, known, parsed, targets, trees, unreadable, variables
from shipped_boards import Json, every_panel

from exporter.dashboards import links

VARIABLES: Final = ("datasource", "job", "model", "version", "feature", "window")
UIDS: Final = {
    "model-health", "model-feature", "model-quality", "model-predictions", "model-truth", "model-life",
    "model-serving", "model-fleet", "inference-exporter",
}  # fmt: skip
"""Alerts and bookmarks lead to them: they stay what they are."""
_ALWAYS_SHOWN: Final = ("datasource", "job", "model")
_MOST_LINES: Final = 25
_VALUES: Final = {"stat", "gauge", "bargauge"}
_STRIPS: Final = {"state-timeline", "status-history"}
_NAMED: Final = re.compile(
    r"(?:(?:super-light|light|semi-dark|dark)-)?(?:red|orange|yellow|green|blue|purple)|text|transparent|#8e8e8e"
)
"""Grafana has them in light and in dark; but for a grey, which its palette lacks."""
_USED: Final = re.compile(r"\$\{?(\w+)")
_IN_LEGEND: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_OF_LINE: Final = re.compile(r"\$\{__field\.labels\.(\w+)\}")
_OF_ROW: Final = re.compile(r"\$\{__data\.fields\.(\w+)\}")
_TO_BOARD: Final = re.compile(r"/d/([^?/]+)\?(.*)")


def _variables(board: Json) -> Found:
    names = tuple(one["name"] for one in variables(board))
    if names != VARIABLES:
        yield board["title"], f"variables are {names}"
    for name in sorted({*_USED.findall(str(board))} - {*names}):
        if not name.startswith("__"):
            yield board["title"], f"nobody knows ${name}"


def _shown(board: Json) -> Found:
    """What is chosen at the top changes something below; the others are kept, out of sight."""
    used = {*_USED.findall(str([*every_panel(board)]))}
    for one in variables(board):
        is_shown, is_used = one["hide"] == 0, one["name"] in used or one["name"] in _ALWAYS_SHOWN
        if is_shown and not is_used:
            yield one["name"], "it is shown, and changes nothing"
        if one["hide"] not in {0, 2}:
            yield one["name"], "it is neither shown nor hidden"
        if one["name"] in _ALWAYS_SHOWN and not is_shown:
            yield one["name"], "it is not shown"


def _links(board: Json) -> Found:
    for place, link in _every_link(board):
        found = _TO_BOARD.fullmatch(link["url"])
        if found is None:
            if not link["url"].startswith("https://"):
                yield place, f"{link['url']} leads nowhere"
            continue
        words = found[2].split("&")
        for uid in _led_to(found[1], board):
            if uid not in UIDS:
                yield place, f"there is no dashboard {uid}"
        if "${__url_time_range}" not in words:
            yield place, "the time is lost on the way"
        for name in VARIABLES:
            kept = [one for one in words if one == f"${{{name}:queryparam}}" or one.startswith(f"var-{name}=")]
            if len(kept) != 1:
                yield place, f"{name} is lost on the way" if not kept else f"{name} is there twice"


def _led_to(uid: str, board: Json) -> set[str]:
    """The dashboards that a link may mean: one, or those that queries write into a column."""
    by_row = _OF_ROW.fullmatch(uid)
    if uid == links.OF_CELL:  # of a column that shows titles instead
        mappings = [change["value"] for panel in every_panel(board) for change in _changes(panel)
                    if change["id"] == "mappings"]  # fmt: skip
        shown = chain.from_iterable(one[0]["options"].items() for one in mappings)
        return {uid for uid, cell in shown if cell.get("text") in links.TITLES.values()} or {uid}
    if by_row is None:
        return {uid}
    asked = "".join(target.given["expr"] for target in targets(board))
    changes = [change["options"] for panel in every_panel(board) for change in panel.get("transformations", ())]
    before = [old for one in changes for old, new in one.get("renameByName", {}).items() if new == by_row[1]]
    return {uid for label in before or [by_row[1]] for uid in re.findall(rf'"{label}", "([^"]+)"', asked)} or {uid}


def _every_link(board: Json) -> Iterator[tuple[str, Json]]:
    for panel in every_panel(board):
        config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
        listed = [*panel.get("links", ()), *config["defaults"].get("links", ())]
        for change in _changes(panel):
            listed += change["value"] if change["id"] == "links" else []
        yield from ((panel["title"], link) for link in listed)


def _ways(board: Json) -> Found:
    for one in board["links"]:
        keeps = one["includeVars"] and one["keepTime"] and one["tags"] == board["tags"]
        if one["type"] == "dashboards" and not keeps:
            yield one["title"], "what is chosen is lost on the way"


def _few(board: Json) -> Found:
    """Models may have a thousand features. Of a table one query may say which rows stay."""
    for target, node in trees(board):
        if target.panel and "feature" in target.labels().may and not (_of_one_feature(node) or _is_few(node)):
            beside = [parsed(one["expr"]) for one in target.panel["targets"] if not unreadable(one["expr"])]
            if not (is_filtered(target.panel) and any(_is_few(one) for one in beside)):
                yield target.place, f"by feature, and not of the {_MOST_LINES} that matter most"


def is_filtered(panel: Json) -> bool:
    """Whether rows go that lack something."""
    return any(change["id"] == "filterByValue" for change in panel.get("transformations", ()))


def _is_few(node: Any) -> bool:
    most = [int(one.param.val) for one, _ in promql.walk(node)
            if isinstance(one, tree.AggregateExpr) and str(one.op) in {"topk", "bottomk"}]  # fmt: skip
    return bool(most) and min(most) <= _MOST_LINES


def _of_one_feature(node: Any) -> bool:
    matchers = (str(one) for selector, _ in promql.selectors(node) for one in selector.matchers.matchers)
    return any(one in {'feature="$feature"', 'feature=~"$feature"'} for one in matchers)


_JUDGING: Final = {"green", "yellow", "orange", "red"}


def _no_value(board: Json) -> Found:
    for panel in asking(board):
        said = panel["fieldConfig"]["defaults"]
        if panel["type"] in _VALUES and not said.get("noValue"):
            yield panel["title"], "it says nothing where there is nothing"
        limits = said.get("thresholds", {}).get("steps")
        if panel["type"] in _VALUES and not limits:
            yield panel["title"], "it has no thresholds"
        if limits and limits[0]["color"] in _JUDGING and panel["type"] != "status-history":  # paints no gaps
            yield panel["title"], f"what is not known is {limits[0]['color']}"


def _colours(board: Json) -> Found:
    for panel in every_panel(board):
        for colour in chain(_said(panel, "color"), _said(panel, "fixedColor")):
            if isinstance(colour, str) and not _NAMED.fullmatch(colour):
                yield panel["title"], f"{colour} is not of the palette, and wrong in light or in dark"
        for mapping in chain.from_iterable(_said(panel, "mappings")):
            named = mapping["options"].values() if mapping["type"] == "value" else [mapping["options"]["result"]]
            if any(not one.get("text", "").strip() for one in named):
                yield panel["title"], "a mapping is a colour alone"
        options = panel.get("options", {})
        if panel["type"] == "stat" and options.get("textMode") == "none":
            yield panel["title"], "it is a colour alone"
        if panel["type"] in _STRIPS and options.get("showValue") == "never" and not options["legend"]["showLegend"]:
            yield panel["title"], "it is colours alone"


def _said(node: Any, key: str) -> Iterator[Any]:
    """What stands anywhere under a key; of the scheme of a heat map, nothing."""
    if isinstance(node, list):
        for one in node:
            yield from _said(one, key)
    elif isinstance(node, dict):
        if node.get("id") == key and "value" in node:
            yield node["value"]
        for name, value in node.items():
            if name == key:
                yield value
            if name != "exemplars":
                yield from _said(value, key)


# --- names of fields


def _changes(panel: Json) -> Iterator[Json]:
    config = panel.get("fieldConfig", {"overrides": []})
    return (change for one in config["overrides"] for change in one["properties"])


def _fields(board: Json) -> Found:
    for panel in asking(board):
        there = _fields_of(panel)
        for one in panel["fieldConfig"]["overrides"]:
            matcher, wanted = one["matcher"]["id"], one["matcher"]["options"]
            if matcher == "byFrameRefID" and wanted not in {target["refId"] for target in panel["targets"]}:
                yield panel["title"], f"an override of the query {wanted}, which is not there"
            if matcher == "byName" and not any(_may_be(name, wanted) for name in there):
                yield panel["title"], f"an override of {wanted}, which no field is called: {sorted(there)}"
        for name in sorted({*_OF_ROW.findall(str(panel))} - there):
            yield panel["title"], f"a link by {name}, which is no column"


def _may_be(template: str, name: str) -> bool:
    """Whether a legend with labels in it may come out so."""
    pattern = ".*".join(re.escape(part) for part in re.split(r"\{\{.*?\}\}", template))
    return re.fullmatch(pattern, name) is not None


def _fields_of(panel: Json) -> set[str]:
    """Names of a panel's fields; legends as they are written."""
    if all(target["format"] != "table" for target in panel["targets"]):
        return {target["legendFormat"] for target in panel["targets"]} | {"Time"}
    several = len(panel["targets"]) > 1
    there = {"Time"} | {f"Value #{target['refId']}" if several else "Value" for target in panel["targets"]}
    there |= {label for target in panel["targets"] for label in Target("", panel, target).labels().may}
    for change in panel.get("transformations", ()):
        options = change.get("options", {})
        if change["id"] == "organize":
            hidden = {name for name, is_hidden in options.get("excludeByName", {}).items() if is_hidden}
            there = {options.get("renameByName", {}).get(name) or name for name in there - hidden}
        elif change["id"] == "calculateField":
            there.add(options.get("alias", ""))
    return there


def _legends(board: Json) -> Found:
    for target in targets(board):
        legend = target.given.get("legendFormat", "") + target.given.get("textFormat", "")
        if not target.readable:
            continue
        lines = set() if target.panel.get("type") == "table" else {*_OF_LINE.findall(str(target.panel))}
        for label in sorted(({*_IN_LEGEND.findall(legend)} | lines) - target.labels().may):
            yield target.place, f"no label {label}, which its legend or a link says"


def _names(board: Json) -> Found:
    for target, node in trees(board):
        inference = promql.Inference(known())
        inference.labels(node)
        yield from ((target.place, text) for text in inference.faults)


CHECKS: Final[Mapping[str, Callable[[Json], Found]]] = {
    "variables": _variables,
    "variables-shown": _shown,
    "links": _links,
    "links-between": _ways,
    "few-lines": _few,
    "no-value": _no_value,
    "colours": _colours,
    "fields": _fields,
    "legends": _legends,
    "names": _names,
}
