"""What is wrong with answers that panels get: values and labels that they cannot draw as they say."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from board_asking import Answer, Series
from board_checks import is_filtered
from shipped_boards import Json

MOST_SERIES: Final = 40
"""What a panel can show so that people see anything."""
BEYOND: Final[Mapping[str, str]] = {
    "Error budget used": "more than all of it may be used",
}
"""Panels whose values may be more or less than their unit says, and why."""
NAMELESS: Final[Mapping[str, str]] = {"Replica apart": "where none is, there is no name to show"}
"""Panels that say 0 of what has no labels."""
_AT_LEAST_ZERO: Final = {"s", "bytes", "reqps", "ops", "short", "dateTimeFromNow", "bool"}
_IN_LEGEND: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_OF_LINE: Final = re.compile(r"\$\{__field\.labels\.(\w+)\}")
_OF_ROW: Final = re.compile(r"\$\{__data\.fields\.(?:(\w+)|\[?\"([^\"]+)\"\]?)\}")


class Look(NamedTuple):
    """What the values of a line or a column may be."""

    unit: str
    low: float
    high: float


def faults(answer: Answer) -> Iterator[str]:
    """All that is wrong with one answer, each with where it is."""
    if answer.error:
        yield f"{answer}: {answer.error}"
    for one in answer.series:
        yield from (f"{answer}: {text} ({dict(one.labels)})" for text in (*_values(answer, one), *_labels(answer, one)))


def _values(answer: Answer, one: Series) -> Iterator[str]:
    wrong = {value for value in one.values if not math.isfinite(value)}
    if wrong:
        yield f"{wrong} is no number"
    elif answer.panel:
        look = _look(answer, one)
        if answer.name in BEYOND:
            return
        if beyond := [value for value in one.values if not look.low <= value <= look.high]:
            yield f"{beyond[:3]} is not within {look}"


def _labels(answer: Answer, one: Series) -> Iterator[str]:
    if answer.name in NAMELESS and not any(one.values):
        return
    legend = answer.target.get("legendFormat", "") + answer.target.get("textFormat", "")
    for label in _IN_LEGEND.findall(legend):
        if not one.labels.get(label):
            yield f"no label {label}, which its legend says"
    if answer.panel and answer.panel["type"] != "table":
        for label in set(_OF_LINE.findall(str(answer.panel))):
            if not one.labels.get(label):
                yield f"no label {label}, which a link says"


def of_rows(panel: Json, answers: Iterable[Answer]) -> Iterator[str]:
    """What links say of rows of a table and no column holds."""
    there = columns(panel, answers)
    for found in set(_OF_ROW.findall(str(panel))):
        if (name := found[0] or found[1]) not in there:
            yield f"{panel['title']}: no column {name}, which a link says; there are {sorted(there)}"


def columns(panel: Json, answers: Iterable[Answer]) -> set[str]:
    """Names of a table's columns, once it has been transformed."""
    answers = [*answers]
    several = len(panel["targets"]) > 1
    there = {label for answer in answers for one in answer.series for label in one.labels} | {"Time"}
    there |= {f"Value #{answer.place}" if several else "Value" for answer in answers}
    for change in panel.get("transformations", ()):
        if change["id"] == "organize":
            hidden = {name for name, is_hidden in change["options"].get("excludeByName", {}).items() if is_hidden}
            named = change["options"].get("renameByName", {})
            there = {named.get(name) or name for name in there - hidden}
    return there


def size(panel: Json, answers: Iterable[Answer]) -> int:
    """How many lines or rows there are to see; what a table merges into one row counts once."""
    answers = [*answers][:1] if is_filtered(panel) else answers
    lines = [tuple(sorted(one.labels.items())) for answer in answers for one in answer.series]
    return len(set(lines) if panel["type"] in {"table", "barchart"} else lines)


# --- what fields look like


def _look(answer: Answer, one: Series) -> Look:
    """The field's own, by the panel's defaults and by overrides that mean it."""
    config = answer.panel["fieldConfig"]
    said = dict(config["defaults"])
    for override in config["overrides"]:
        if _means(override["matcher"], answer, name(answer, one.labels)):
            said |= {change["id"]: change["value"] for change in override["properties"]}
    unit = said["unit"]
    low, high = (-1.0, 1.0) if unit == "percentunit" else (0.0, math.inf) if unit in _AT_LEAST_ZERO else _ANY
    return Look(unit, said.get("min", low), said.get("max", high))


_ANY: Final = (-math.inf, math.inf)


def name(answer: Answer, labels: Mapping[str, str]) -> str:
    """What the line or the column is called."""
    if answer.target["format"] != "table":
        return _IN_LEGEND.sub(lambda found: labels.get(found[1], ""), answer.target["legendFormat"])
    plain = f"Value #{answer.place}" if len(answer.panel["targets"]) > 1 else "Value"
    named: dict[str, Any] = {}
    for change in answer.panel.get("transformations", ()):
        named |= change["options"].get("renameByName", {}) if change["id"] == "organize" else {}
    return str(named.get(plain, plain))


def _means(matcher: Json, answer: Answer, called: str) -> bool:
    match matcher["id"]:
        case "byName":
            return bool(matcher["options"] == called)
        case "byRegexp":
            return re.search(matcher["options"].strip("/"), called) is not None
        case "byFrameRefID":
            return bool(matcher["options"] == answer.place)
    return False
