"""Predictions and performance: what the model answers."""

from collections.abc import Iterator

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.looks import LIMIT, STACKED
from exporter.dashboards.pieces import Board, Panel, Query, Row
from exporter.dashboards.queries import of, over_critical, reference, shares


def predictions() -> Iterator[Panel]:
    """What the model answers."""
    live = shares(c.OUTPUTS, "$__rate_interval", "rate")
    yield Panel("timeseries", "PSI over its critical value, by output", "As for features: above 1 is more than chance."
                " Against the model's own predictions on the training data.", "none",
                [Query(over_critical(c.OUTPUTS), "{{output}}")], 8, 9, LIMIT)  # fmt: skip
    yield Panel("timeseries", "Predictions over time", "Share of the predictions in each bin, all replicas together.",
                "percentunit", [Query(live, "{{output}}: {{text}}")], 8, 9, STACKED)  # fmt: skip
    bars = [Query(reference(c.OUTPUTS), "reference"), Query(shares(c.OUTPUTS, "$window", "increase"), "live")]
    yield Panel("barchart", "Bins of the predictions", "Share of the predictions in each bin: on the training data,"
                " and over the chosen window.", "percentunit", bars, 8, 9)  # fmt: skip


def segments() -> Iterator[Panel]:
    """Parts of the traffic."""
    sides = ("features", c.SEGMENT_FEATURES, "feature"), ("predictions", c.SEGMENT_OUTPUTS, "output")
    for title, segments, word in sides:
        beyond = f"{of(segments.variation)} / {of(segments.critical)}"
        enough = f"{beyond} and ignoring ({word}) {of(segments.sufficient)} == 1"
        yield Panel("timeseries", f"Segments, {title}", "Total variation of a part of the traffic over its critical"
                    " value, against the same part of the training data. Above 1 it has drifted, in any window that"
                    f" suffices; the worst {word} and replica.", "none",
                    [Query(f"max by (segment, value) ({enough})", "{{segment}}: {{value}}")], 12, 8, LIMIT)  # fmt: skip


BOARD = Board(
    links.PREDICTIONS,
    "Predictions and performance",
    "Does the model answer as it did on its training data, for all parts of the traffic?",
    [Row("Predictions", predictions), Row("Segments", segments)],
    frozenset({"version", "window"}),
)
