# ruff: noqa: INP001 (scripts side by side, not a package)
"""Writes model-health.json, the dashboard "Model health at a glance". `--check` only says whether it is up to date.

What is shown stands in panels.py, the words of its queries in queries.py; this file gives it a place and Grafana's form
(classic model, schema 39). Panels flow from left to right and from top to bottom, 24 columns wide.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from panels import ROWS
from pieces import Panel
from queries import of

from exporter import catalogue as c

TARGET: Final = Path(__file__).with_name("model-health.json")
RUNBOOKS: Final = "https://github.com/inference-exporter/inference-exporter/blob/main/alert_rules/runbooks.md"
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS: Final = 24
ONE_SHOT: Final = {"table", "barchart"}
Json = dict[str, Any]


def render(panel: Panel) -> Json:
    """A panel in Grafana's words, without id and place."""
    options: dict[str, Json] = {
        "stat": {"colorMode": "background", "graphMode": "area", "reduceOptions": {"calcs": ["lastNotNull"]}},
        "timeseries": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "table": {"cellHeight": "sm", "sortBy": [{"desc": True, "displayName": panel.queries[0].legend}]},
        "barchart": {"legend": {"showLegend": True}, "xField": "text", "xTickLabelRotation": -45},
    }
    rendered: Json = {
        "datasource": SOURCE,
        "description": panel.description,
        "fieldConfig": {"defaults": {"unit": panel.unit} | panel.field, "overrides": overrides(panel)},
        "options": options[panel.kind],
        "targets": targets(panel),
        "title": panel.title,
        "type": panel.kind,
    }
    if panel.kind in ONE_SHOT:
        rendered["transformations"] = transformations(panel)
    return rendered


def targets(panel: Panel) -> list[Json]:
    """The queries; those of tables and bar charts are asked for one moment only."""
    found = []
    for place, query in enumerate(panel.queries):
        target: Json = {"datasource": SOURCE, "expr": query.expr, "refId": chr(ord("A") + place)}
        if panel.kind in ONE_SHOT:
            target |= {"format": "table", "instant": True, "range": False}
        else:
            target |= {"legendFormat": query.legend or "__auto"}
        found.append(target)
    return found


def transformations(panel: Panel) -> list[Json]:
    """The answers side by side, one column each, headed by the queries' legends."""
    names = {f"Value #{chr(ord('A') + place)}": query.legend for place, query in enumerate(panel.queries)}
    by_bin = {"id": "sortBy", "options": {"sort": [{"field": "bin"}]}}
    hidden = {"Time": True, "bin": True} | ({"feature": True, "output": True} if panel.kind == "barchart" else {})
    return [
        {"id": "merge", "options": {}},
        *([by_bin] if panel.kind == "barchart" else []),
        {"id": "organize", "options": {"excludeByName": hidden, "renameByName": names}},
    ]


def overrides(panel: Panel) -> list[Json]:
    """What single fields look like."""

    def by(matcher: str, name: str, **properties: object) -> Json:
        listed = [{"id": key, "value": value} for key, value in properties.items()]
        return {"matcher": {"id": matcher, "options": name}, "properties": listed}

    if panel.kind == "table":
        link = {"title": "Bins of this feature", "url": "?${__all_variables}&var-feature=${__value.text}"}
        percent = ("values moved", "missing", "more than others", "of these failed")
        shares = [by("byName", name, unit="percentunit") for name in percent]
        return [by("byName", "feature", links=[link]), *shares]
    dashed = {"custom.lineStyle": {"dash": [8, 6], "fill": "dash"}}
    return [by("byRegexp", "/^critical/", **dashed)] if any("critical" in one.legend for one in panel.queries) else []


def layout() -> list[Json]:
    """All rows with their panels in place; ids in reading order."""
    placed: list[Json] = []
    y = 0

    def put(what: Json, x: int, width: int, height: int) -> None:
        placed.append({"gridPos": {"h": height, "w": width, "x": x, "y": y}, "id": len(placed) + 1} | what)

    for title, panels in ROWS:
        put({"collapsed": False, "panels": [], "title": title, "type": "row"}, 0, COLUMNS, 1)
        y += 1
        x = highest = 0
        for panel in panels():
            if x + panel.width > COLUMNS:
                y, x, highest = y + highest, 0, 0
            put(render(panel), x, panel.width, panel.height)
            x, highest = x + panel.width, max(highest, panel.height)
        y += highest
    return placed


_OF_TIME = "~[0-9]+(ms|s|m|h|d)"
"""Windows of rows, such as 200rows, are no ranges of time that a panel could ask for."""


def variables() -> list[Json]:
    """What is chosen at the top."""
    chosen = {"model": "$model", "model_version": "$version"}
    queries = (
        ("model", "Model", f"label_values({c.MODEL_INFO.name}, model)"),
        ("version", "Version", f'label_values({c.MODEL_INFO.name}{{model="$model"}}, model_version)'),
        ("feature", "Feature", f"label_values({of(c.FEATURES.reference_samples, **chosen)}, feature)"),
        ("window", "Window", f"label_values({of(c.FEATURES.samples, **chosen, window=_OF_TIME)}, window)"),
    )
    source = {"label": "Data source", "name": "datasource", "query": "prometheus", "type": "datasource"}
    return [source] + [
        {
            "datasource": SOURCE, "definition": query, "includeAll": False, "label": label, "multi": False,
            "name": name, "query": {"query": query, "refId": f"variable-{name}"}, "refresh": 2, "sort": 1,
            "type": "query",
        }
        for name, label, query in queries
    ]  # fmt: skip


def annotations() -> list[Json]:
    """What happened meanwhile."""
    by_profile, info = "max by (model, model_version, profile)", of(c.PROFILE_INFO)
    events = (
        ("Server started", f"changes({of(c.SERVER_START)}[$__rate_interval]) > 0", "orange"),
        # By profile, not by replica: a new pod is no new profile.
        ("New profile", f"{by_profile} ({info}) unless {by_profile} ({info} offset 5m)", "blue"),
    )
    return [
        {
            "datasource": SOURCE, "enable": True, "expr": expr, "iconColor": colour, "name": name,
            "textFormat": "{{instance}}", "titleFormat": name,
        }
        for name, expr, colour in events
    ]  # fmt: skip


def dashboard() -> str:
    """The file's text."""
    document = {
        "annotations": {"list": annotations()},
        "description": "Is the model served, is it fed what it was trained on, and can these numbers be trusted?",
        "editable": False,
        "graphTooltip": 1,
        "links": [{"icon": "doc", "targetBlank": True, "title": "Runbooks", "type": "link", "url": RUNBOOKS}],
        "panels": layout(),
        "refresh": "30s",
        "schemaVersion": 39,
        "tags": ["inference-exporter"],
        "templating": {"list": variables()},
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "title": "Model health at a glance",
        "uid": "model-health",
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the file is not up to date")
    if not parser.parse_args().check:
        TARGET.write_text(dashboard())
    elif not TARGET.exists() or TARGET.read_text() != dashboard():
        print(f"{TARGET.name} is not up to date; run: python dashboards/build.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
