"""Feature drill-down: what happened to one feature."""

from collections.abc import Iterator

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.looks import LIMIT
from exporter.dashboards.pieces import Board, Panel, Query, Row
from exporter.dashboards.queries import WINDOW, of, over, reference, shares


def scores() -> Iterator[Panel]:
    """The feature against the training data."""
    f, chosen = c.FEATURES, {"feature": "$feature"}
    psi, critical = of(f.statistics["psi"], **chosen, **WINDOW), of(f.critical["psi"], **chosen, **WINDOW)
    yield Panel("timeseries", "PSI of $feature, by replica", "The score and the critical value of each replica for the"
                " number of values it has.", "none",
                [Query(psi, "{{instance}}"), Query(critical, "critical, {{instance}}")], 12, 9)  # fmt: skip
    bars = [Query(reference(f, **chosen), "reference"), Query(shares(f, "$window", "increase", **chosen), "live")]
    yield Panel("barchart", "Bins of $feature", "Share of the values in each bin: training data, and all replicas"
                " together over the chosen window.", "percentunit", bars, 12, 10)  # fmt: skip
    live = over(f.live["total_variation"], f.live_critical["total_variation"], "feature, against", **WINDOW)
    yield Panel("timeseries", "Live against live", "Total variation over its critical value, against the window before"
                " (previous), the same hour a week ago (last_week) or another version. Above 1 it is new since then, or"
                " the versions differ; the worst replica.", "none",
                [Query(live, "{{feature}}, {{against}}")], 12, 8, LIMIT)  # fmt: skip


BOARD = Board(
    links.FEATURE,
    "Feature drill-down",
    "What happened to this feature, since when, and where?",
    [Row("Scores", scores)],
    frozenset({"version", "feature", "window"}),
)
