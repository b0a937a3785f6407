"""Ways between dashboards. What is chosen and the time go along."""

from typing import Final

from exporter.dashboards.pieces import Json

RUNBOOKS: Final = "https://github.com/inference-exporter/inference-exporter/blob/main/alert_rules/runbooks.md"
TAG: Final = "inference-exporter"
HEALTH, FEATURE, QUALITY, PREDICTIONS = "model-health", "model-feature", "model-quality", "model-predictions"
TRUTH, LIFE = "model-truth", "model-life"
SERVING, FLEET, INTERNALS = "model-serving", "model-fleet", "inference-exporter"
"""The dashboards' uids, which alerts and bookmarks lead to."""
KEPT: Final = ("datasource", "job", "model", "version", "feature", "window")
TITLES: Final = {
    HEALTH: "Model health at a glance", FEATURE: "Feature drill-down", QUALITY: "Data quality",
    PREDICTIONS: "Predictions and performance", TRUTH: "Truth and value", LIFE: "A model's life",
    SERVING: "Serving", FLEET: "Fleet and versions", INTERNALS: "Exporter internals",
}  # fmt: skip
"""What the dashboards are called."""
OF_CELL: Final = "${__value.raw}"
"""What a cell holds, whatever it shows."""
OF_FIELD: Final = "${__data.fields.%s}"
"""A value of the same row of a table."""
OF_SERIES: Final = "${__field.labels.%s}"
"""A label of the same line."""


def to(uid: str, title: str, **chosen: str) -> Json:
    """A link to another dashboard with what is chosen, but for what is chosen by the link."""
    kept = [f"${{{name}:queryparam}}" for name in KEPT if name not in chosen]
    words = [*kept, *(f"var-{name}={value}" for name, value in chosen.items()), "${__url_time_range}"]
    return {"title": title, "url": f"/d/{uid}?{'&'.join(words)}"}


def everywhere() -> list[Json]:
    """What stands at the top of each: the other dashboards, and the runbooks."""
    others = {
        "asDropdown": False, "icon": "external link", "includeVars": True, "keepTime": True, "tags": [TAG],
        "targetBlank": False, "title": "Dashboards", "tooltip": "", "type": "dashboards", "url": "",
    }  # fmt: skip
    runbooks = {
        "asDropdown": False, "icon": "doc", "includeVars": False, "keepTime": False, "tags": [], "targetBlank": True,
        "title": "Runbooks", "tooltip": "What to do when an alert comes", "type": "link", "url": RUNBOOKS,
    }  # fmt: skip
    return [others, runbooks]
