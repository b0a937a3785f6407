"""Tables whose columns are chosen and stand in order."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from exporter.dashboards import kinds
from exporter.dashboards.pieces import Json, Query

_VALUE: Final = "Value"


def columns(
    queries: Sequence[Query], labels: Mapping[str, str], behind: Mapping[str, str] = MappingProxyType({})
) -> list[Json]:
    """The answers side by side: labels by the heading of each, values each under its query's legend, labels behind.

    What has no heading is not shown: other labels, and values whose query has no legend (those that only say a label).
    """
    values = [_VALUE if len(queries) == 1 else f"{_VALUE} #{kinds.letter(place)}" for place in range(len(queries))]
    said = {value: query.legend for value, query in zip(values, queries, strict=True) if query.legend}
    shown = dict(labels) | said | dict(behind)
    return [
        {"id": "merge", "options": {}},
        {"id": "filterFieldsByName", "options": {"include": {"names": list(shown)}}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {},
                "indexByName": {name: place for place, name in enumerate(shown)},
                "renameByName": shown,
            },
        },
    ]


def worst_first(column: str) -> Json:
    """Options of a table that is sorted by a column, the largest value at the top."""
    return {"sortBy": [{"desc": True, "displayName": column}]}


def only_with(column: str) -> Json:
    """A transformation: without rows of which one of the columns says nothing."""
    is_said = {"fieldName": column, "config": {"id": "isNotNull", "options": {}}}
    return {"id": "filterByValue", "options": {"filters": [is_said], "match": "all", "type": "include"}}
