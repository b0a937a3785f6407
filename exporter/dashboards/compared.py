"""Numbers beside each other: tables of several answers, and where their names lead."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from exporter.dashboards import links
from exporter.dashboards.kinds import letter
from exporter.dashboards.looks import by_name
from exporter.dashboards.pieces import Json, Query

OPEN_FEATURE: Final = by_name(
    "feature", links=[links.to(links.FEATURE, "Open the feature", feature=links.OF_FIELD % "feature")]
)
OPEN_OUTPUT: Final = by_name("output", links=[links.to(links.PREDICTIONS, "Open the predictions")])
"""Columns of names that lead on."""
FROM_ZERO: Final = {"min": 0, "custom": {"axisSoftMax": 0.01}}
"""For shares that should be none: small ones are seen, and nothing is a line at the bottom."""


def said(nothing: str) -> Json:
    """What stands where nothing is found, in words."""
    return {"noValue": nothing}


def side_by_side(queries: Sequence[Query], labels: Mapping[str, str], *, hidden: Iterable[str] = ()) -> list[Json]:
    """Answers of the same labels as columns of one table: the labels first, by their names here, then the legends.

    What is `hidden` is left out: labels, or the column of a query by its letter.
    """
    only = len(queries) == 1
    values = {"Value" if only else f"Value #{letter(at)}": query.legend for at, query in enumerate(queries)}
    away = {"Time", *(one if len(one) > 1 else f"Value #{one}" for one in hidden)}
    named = {**labels, **values}
    order = {name: place for place, name in enumerate(name for name in named if name not in away)}
    renamed = {name: text for name, text in named.items() if name in order and name != text}
    organized = {"excludeByName": dict.fromkeys(sorted(away), True), "indexByName": order, "renameByName": renamed}
    return [{"id": "merge", "options": {}}, {"id": "organize", "options": organized}]
