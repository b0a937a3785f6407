# ruff: noqa: INP001 (scripts side by side, not a package)
"""What a panel is before it has a place, and the colours of its numbers."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

Json = dict[str, Any]


class Query(NamedTuple):
    """One query of a panel; in tables and bar charts the legend heads the column."""

    expr: str
    legend: str = ""


class Panel(NamedTuple):
    """A panel before it has a place."""

    kind: str
    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    width: int
    height: int = 8
    field: Json = {}  # noqa: RUF012 (never written to)
    """More defaults of its fields."""


def steps(*colours: tuple[float | None, str]) -> Json:
    """Thresholds: each colour from its value on."""
    listed = [{"value": value, "color": colour} for value, colour in colours]
    return {"thresholds": {"mode": "absolute", "steps": listed}, "noValue": "not enough data"}


PLAIN: Final = steps((None, "text"))
LOSSES: Final = steps((None, "green"), (0.01, "orange"), (0.05, "red"))
LIMIT: Final = steps((None, "transparent"), (1, "red")) | {"custom": {"thresholdsStyle": {"mode": "line"}}}
STACKED: Final = {"custom": {"stacking": {"mode": "normal"}, "fillOpacity": 60, "lineWidth": 0}, "max": 1, "min": 0}
