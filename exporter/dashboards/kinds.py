"""The kinds of panels, by the types that Grafana knows, with the options that ours have alike."""

from typing import Final, NamedTuple

from exporter.dashboards.pieces import Json, Panel


class Kind(NamedTuple):
    """What panels of one kind have alike."""

    options: Json
    instant: bool = False
    """Asked for the end of the chosen time only."""
    form: str = "time_series"
    asks: bool = True
    """Whether it has queries at all."""
    points: int = 0
    """How many moments it shows at most, where it can show but few; 0: as many as it is wide."""


_LEGEND: Final = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}
_TOOLTIP: Final = {"mode": "multi", "sort": "desc"}
_LAST: Final = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_ROWS: Final = {"calcs": [], "fields": "", "values": True}
KINDS: Final = {
    "stat": Kind({"colorMode": "background", "graphMode": "none", "justifyMode": "auto", "orientation": "auto",
                  "reduceOptions": _LAST, "textMode": "auto", "wideLayout": True}),
    "timeseries": Kind({"legend": _LEGEND, "tooltip": _TOOLTIP}),
    "table": Kind({"cellHeight": "sm", "showHeader": True}, instant=True, form="table"),
    "barchart": Kind({"barRadius": 0, "barWidth": 0.9, "fullHighlight": False, "groupWidth": 0.8, "legend": _LEGEND,
                      "orientation": "auto", "showValue": "never", "stacking": "none", "tooltip": _TOOLTIP,
                      "xField": "text", "xTickLabelRotation": -45, "xTickLabelSpacing": 0},
                     instant=True, form="table"),
    "bargauge": Kind({"displayMode": "basic", "orientation": "horizontal", "reduceOptions": _ROWS,
                      "showUnfilled": True, "valueMode": "text"}, instant=True),
    "state-timeline": Kind({"alignValue": "left", "legend": _LEGEND, "mergeValues": True, "rowHeight": 0.8,
                            "showValue": "auto", "tooltip": {"mode": "single", "sort": "none"}}),
    "status-history": Kind({"colWidth": 1.0, "legend": _LEGEND, "rowHeight": 0.9, "showValue": "never",
                            "tooltip": {"mode": "single", "sort": "none"}}, points=100),
    "heatmap": Kind({"calculate": False, "cellGap": 1,
                     "color": {"exponent": 0.5, "fill": "dark-orange", "mode": "scheme", "reverse": False,
                               "scale": "exponential", "scheme": "Oranges", "steps": 64},
                     "exemplars": {"color": "rgba(255,0,255,0.7)"}, "filterValues": {"le": 1e-09},
                     "legend": {"show": True}, "rowsFrame": {"layout": "auto"},
                     "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": False},
                     "yAxis": {"axisPlacement": "left", "reverse": False}}, form="heatmap"),
    "text": Kind({"content": "", "mode": "markdown"}, asks=False),
}  # fmt: skip


def options(panel: Panel) -> Json:
    """Those of its kind, and its own on top."""
    return _joined(KINDS[panel.kind].options, dict(panel.options))


def _joined(below: Json, above: Json) -> Json:
    """Mappings are joined, anything else is taken from above."""
    both = below | above
    return {
        key: _joined(below[key], value) if isinstance(value, dict) and isinstance(below.get(key), dict) else value
        for key, value in both.items()
    }


def transformations(panel: Panel) -> list[Json]:
    """The panel's own. Else tables and bar charts have the answers side by side, each under its query's legend."""
    if panel.transformations is not None:
        return list(panel.transformations)
    if KINDS[panel.kind].form != "table":
        return []
    names = {f"Value #{letter(place)}": query.legend for place, query in enumerate(panel.queries) if query.legend}
    if len(panel.queries) == 1:
        names = {"Value": panel.queries[0].legend}
    hidden = {"Time": True, "bin": True} | ({"feature": True, "output": True} if panel.kind == "barchart" else {})
    return [
        {"id": "merge", "options": {}},
        *([in_order("bin")] if panel.kind == "barchart" else []),
        {"id": "organize", "options": {"excludeByName": hidden, "indexByName": {}, "renameByName": names}},
    ]


def in_order(column: str) -> Json:
    """A transformation: rows by what a column says, ascending."""
    return {"id": "sortBy", "options": {"sort": [{"field": column}]}}


def letter(place: int) -> str:
    """What Grafana calls the query in this place, counted from 0."""
    return chr(ord("A") + place)
