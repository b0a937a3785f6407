"""Data quality: values that are not as they should be."""

from exporter.dashboards import links
from exporter.dashboards.boards.quality_coverage import coverage, schema
from exporter.dashboards.boards.quality_failures import failures
from exporter.dashboards.boards.quality_findings import alike, findings, lines, now
from exporter.dashboards.pieces import Board, Row

BOARD = Board(
    links.QUALITY,
    "Data quality",
    "Are values missing, wrong, stuck or unknown, and how much of the traffic is looked at?",
    [
        Row("Now", now),
        Row("What is wrong", findings),
        Row("Since when", lines),
        Row("Values and rows that are all alike, or odd", alike),
        Row("Does the traffic fit the profile", schema),
        Row("Coverage: how much of the traffic is judged", coverage),
        Row("Failed requests", failures, folded=True),
    ],
    frozenset({"version", "window"}),
)
