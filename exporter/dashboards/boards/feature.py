"""Feature drill-down: what happened to one feature."""

from exporter.dashboards import links
from exporter.dashboards.boards.feature_bins import bins, failed
from exporter.dashboards.boards.feature_scores import parts, replicas, scores
from exporter.dashboards.boards.feature_values import values
from exporter.dashboards.boards.feature_words import words
from exporter.dashboards.pieces import Board, Row

BOARD = Board(
    links.FEATURE,
    "Feature drill-down",
    "What happened to this feature, since when, and where?",
    [
        Row("In words", words),
        Row("Training data against live values", bins),
        Row("Scores, findings and alerts as time goes by", scores),
        Row("Which replica", replicas),
        Row("Values", values),
        Row("Other comparisons", parts, folded=True),
        Row("Failed requests", failed, folded=True),
    ],
    frozenset({"version", "feature", "window"}),
)
