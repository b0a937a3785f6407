"""Boards in Grafana's form: the classic model, schema 39, which every Grafana from 10 on reads.

Panels flow from left to right and from top to bottom, 24 columns wide. The same board and choice make the same bytes.
"""

import json
from collections.abc import Iterator
from typing import Final

from exporter.dashboards import frame, kinds, links
from exporter.dashboards.choice import OFF, Choice
from exporter.dashboards.pieces import Board, Json, Panel

SCHEMA: Final = 39
COLUMNS: Final = 24


def text(board: Board, choice: Choice) -> str:
    """The file's text."""
    return choice.led(json.dumps(document(board, choice), indent=2, ensure_ascii=False)) + "\n"


def document(board: Board, choice: Choice) -> Json:
    """What the file holds."""
    return {
        "annotations": {"list": frame.annotations(choice)},
        "description": board.question,
        "editable": False,
        "graphTooltip": 1,
        "links": links.everywhere(),
        "panels": _layout(board, choice),
        "refresh": "" if choice.refresh == OFF else choice.refresh,
        "schemaVersion": SCHEMA,
        "tags": [links.TAG],
        "templating": {"list": frame.variables(board, choice)},
        "time": {"from": board.since, "to": "now"},
        "timezone": "browser",
        "title": board.title,
        "uid": board.uid,
    }


def _layout(board: Board, choice: Choice) -> list[Json]:
    """All rows with their panels in place; ids in reading order."""
    placed: list[Json] = []
    y, number = 0, 0
    for row in board.rows:
        number += 1
        head: Json = {"collapsed": row.folded, "gridPos": _place(0, y, COLUMNS, 1), "id": number, "panels": [],
                "title": row.title, "type": "row"}  # fmt: skip
        y += 1
        panels: list[Json] = []
        for panel, place in _flow([*row.panels()], y):
            number += 1
            panels.append({"gridPos": place, "id": number} | _panel(panel, choice))
        if not row.folded:  # those of a folded row take no room until it is opened, and then push the others down
            y = max((one["gridPos"]["y"] + one["gridPos"]["h"] for one in panels), default=y)
        placed += [head | {"panels": panels}] if row.folded else [head, *panels]
    return placed


def _flow(panels: list[Panel], y: int) -> Iterator[tuple[Panel, Json]]:
    """Each panel's place: the highest where there is room, then the leftmost; several may stand beside a tall one."""
    ends = [y] * COLUMNS
    for panel in panels:
        top, x = min((max(ends[x : x + panel.width]), x) for x in range(COLUMNS - panel.width + 1))
        yield panel, _place(x, top, panel.width, panel.height)
        ends[x : x + panel.width] = [top + panel.height] * panel.width


def _place(x: int, y: int, width: int, height: int) -> Json:
    return {"h": height, "w": width, "x": x, "y": y}


def _panel(panel: Panel, choice: Choice) -> Json:
    """A panel in Grafana's words, without id and place."""
    source = {"type": "prometheus", "uid": choice.source}
    rendered: Json = {
        "description": panel.description, "options": kinds.options(panel), "title": panel.title, "type": panel.kind,
    }  # fmt: skip
    if kinds.KINDS[panel.kind].asks:
        defaults = {"unit": panel.unit} | dict(panel.field)
        rendered |= {
            "datasource": source,
            "fieldConfig": {"defaults": defaults, "overrides": list(panel.overrides)},
            "targets": _targets(panel, choice),
        }
        if points := kinds.KINDS[panel.kind].points:
            rendered["maxDataPoints"] = points
        if changed := kinds.transformations(panel):
            rendered["transformations"] = changed
    if panel.links:
        rendered["links"] = list(panel.links)
    return dict(sorted(rendered.items()))


def _targets(panel: Panel, choice: Choice) -> list[Json]:
    kind = kinds.KINDS[panel.kind]
    found = []
    for place, query in enumerate(panel.queries):
        instant = kind.instant if query.instant is None else query.instant
        form = query.form or kind.form
        target: Json = {
            "datasource": {"type": "prometheus", "uid": choice.source}, "editorMode": "code",
            "expr": choice.filled(query.expr), "format": form, "instant": instant, "range": not instant,
            "refId": kinds.letter(place),
        }  # fmt: skip
        if form != "table":
            target["legendFormat"] = query.legend or "__auto"
        if query.exemplar:
            target["exemplar"] = True
        found.append(target)
    return found
