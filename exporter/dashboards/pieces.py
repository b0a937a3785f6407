"""What a dashboard is made of before it is JSON: boards, rows, panels and queries."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

Json = dict[str, Any]
_NOTHING: Final[Mapping[str, Any]] = {}


class Query(NamedTuple):
    """One query of a panel; in tables and bar charts the legend heads the column."""

    expr: str
    legend: str = ""
    instant: bool | None = None
    """Asked for the end of the chosen time only. None: as the panel's kind does."""
    form: str | None = None
    """`table`, `time_series` or `heatmap`. None: as the panel's kind does."""
    exemplar: bool = False
    """With single requests that were measured, where there are any."""


class Panel(NamedTuple):
    """A panel before it has a place, `width` of 24 columns wide and `height` times 30 pixels high."""

    kind: str
    """The type that Grafana knows, one of `kinds.KINDS`."""
    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    width: int
    height: int = 8
    field: Mapping[str, Any] = _NOTHING
    """More defaults of its fields."""
    options: Mapping[str, Any] = _NOTHING
    """More options, on top of its kind's; mappings are joined."""
    overrides: Sequence[Json] = ()
    """What single fields look like, see `looks.by_name`."""
    transformations: Sequence[Json] | None = None
    """Instead of those of its kind."""
    links: Sequence[Json] = ()
    """Where its title leads, see `links.to`."""


class Row(NamedTuple):
    """Panels under one heading. What is folded asks nothing until somebody opens it."""

    title: str
    panels: Callable[[], Iterable[Panel]]
    folded: bool = False


class Board(NamedTuple):
    """A dashboard."""

    uid: str
    title: str
    question: str
    """What it answers."""
    rows: Sequence[Row]
    shows: frozenset[str] = frozenset()
    """Variables that it lets people choose beside those of every board; the others are kept, out of sight."""
    since: str = "now-6h"
