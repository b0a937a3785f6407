"""Truth and value: whether truths come, what they say against the training, and what predictions are worth."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links, tables
from exporter.dashboards.boards import truth_segments, truth_worst
from exporter.dashboards.looks import (
    BLANK,
    CRITICAL,
    DASHED,
    GREEN,
    GREY,
    NAMES,
    ORANGE,
    PLAIN,
    SHARE,
    by_pattern,
    states,
    steps,
)
from exporter.dashboards.pieces import Board, Json, Panel, Query, Row
from exporter.dashboards.queries import here, of, rate
from exporter.dashboards.truths import ARRIVED, NOT_TOLD, SPAN, known

_P: Final = c.PERFORMANCE
_F: Final = c.FEEDBACK
_NO_TRUTH: Final = {"noValue": "the profile has no truth, or none came"}
_OFF: Final = {"noValue": "no truths are taken (feedback.enable)"}


def wrong() -> Iterator[Panel]:
    """Evidence that it is wrong more often, and whether what happens has changed."""
    recent, reference = of(c.CONCEPT.recent), of(c.CONCEPT.reference)
    yield Panel("timeseries", "How often it is wrong", "Share of wrong ones among the last truths, as many as look"
                " alike (ADWIN); of numbers, of those farther off than nine in ten were in training. Dashed: in"
                " training, and with what is tolerated on top. Evidence that this is no chance is beside.",
                "percentunit", [
                    Query(f"max by (instance) ({recent})", "{{instance}}"),
                    Query(f"max({reference})", "critical: in training"),
                    Query(f"max({reference} + {of(c.CONCEPT.tolerance)})", "critical: and tolerated"),
                ], 8, 9, PLAIN | {"min": 0} | _NO_TRUTH,
                overrides=[CRITICAL])  # fmt: skip
    yield Panel("timeseries", "Evidence of wrong answers", "Evidence that the model is wrong more often than in"
                " training and what is tolerated, by replica, and the line at which it pages. It rises as truths come;"
                " it falls as good ones do.", "none", [
                    Query(f"topk(20, max by (instance) ({of(c.CONCEPT.nats)}))", "{{instance}}"),
                    Query(f"max({of(c.CONCEPT.threshold)})", "critical"),
                ], 8, 9, PLAIN | {"min": 0} | _NO_TRUTH,
                overrides=[CRITICAL])  # fmt: skip
    target = of(c.TARGET.total_variation)
    critical = of(c.TARGET.total_variation_critical)
    yield Panel("timeseries", "What turns out, against the training", "Share of truths that lie in another bin than"
                " those of the training data, over what chance reaches once in 1000 windows. Above 1 the base rate or"
                " the range of what happens has changed, whatever the model says; the worst replica.", "none",
                [Query(f"max by (window) ({target} / {critical})", "{{window}}")], 8, 9,
                PLAIN | {"min": 0} | _NO_TRUTH)  # fmt: skip


def come() -> Iterator[Panel]:
    """How truths come."""
    yield Panel("timeseries", "Predictions and their truths", "Predictions per second that wait for a truth, and truths"
                " per second that were joined. Those that never come are seen in the coverage above.", "ops", [
                    Query(f"sum({rate(_P.opened)})", "predictions"), Query(f"sum({rate(_P.joined)})", "truths"),
                    Query(f"sum({rate(_P.unusable)})", "truths that cannot be used"),
                ], 8, 8, PLAIN | {"min": 0} | NOT_TOLD,
                links=[links.to(links.INTERNALS, "What became of each truth")])  # fmt: skip
    buckets = f"sum by (le) (increase({of(_P.lag)}[$__rate_interval]))"
    yield Panel("heatmap", "How long truths take", "From the answer to its truth; the darker, the more. A band that"
                " moves up: truths come later, and what is known of today is known later.", "short",
                [Query(buckets, "{{le}}")], 8, 8, PLAIN | NOT_TOLD,
                {"yAxis": {"unit": "s"}, "cellValues": {"unit": "short"}})  # fmt: skip
    by_window = f"max by (window) ({of(_P.coverage)})"
    yield Panel("timeseries", "Predictions that have their truth", "Share of the predictions made in each window whose"
                " truth has come by now. Windows of different shares are not to be compared: some truths come sooner"
                " than others. A line that falls: truths come later, or no longer.", "percentunit",
                [Query(by_window, "{{window}}")], 8, 8, PLAIN | SHARE | NOT_TOLD)  # fmt: skip
    became = here(f"rate({of(_F.truths)}[$__rate_interval])")
    later = here(f"rate({of(_F.early)}[$__rate_interval])")
    yield Panel("timeseries", "What became of truths", "Truths per second by outcome, of all models of these exporters."
                " Orphans: there is no prediction of that id. Late: it is no longer kept. Conflicting: another truth"
                " was told before. Malformed: the answer to the post says why.", "ops", [
                    Query(f"sum by (outcome) ({became})", "{{outcome}}"),
                    Query(f"sum by (outcome) ({later})", "early, then {{outcome}}"),
                ], 8, 8, PLAIN | {"min": 0} | _OFF)  # fmt: skip
    kept = here(of(_F.store_predictions))
    yield Panel("timeseries", "Predictions in the store", "Predictions that wait for their truth (open), and those that"
                " have it (joined), until feedback.retention or feedback.max_predictions lets them go; of the exporter"
                " with most.", "short", [
                    Query(f"max by (state) ({kept})", "{{state}}"),
                    Query(f"max({here(of(_F.store_early))})", "truths that came early"),
                ], 8, 8, PLAIN | {"min": 0} | _OFF)  # fmt: skip
    lost = here(f"increase({of(_F.dropped)}[$__range])")
    up = steps((None, GREY), (0, ORANGE), (1, GREEN)) | states((0, "down", ORANGE), (1, "up", GREEN))
    yield Panel("stat", "Store", "Whether the store of predictions answers on all exporters. Down: what comes waits in"
                " memory, up to feedback.max_buffer; traffic is untouched.", "none",
                [Query(f"min({here(of(_F.store_up))})", instant=True)], 4, 8, up | _OFF)  # fmt: skip
    yield Panel("stat", "Predictions lost", "Predictions of the chosen time that are not kept for their truth: there"
                " was no room, the store was down for too long, or the analyser ended.", "short",
                [Query(f"sum({lost})", instant=True)], 4, 8,
                PLAIN | _OFF | {"decimals": 0}, {"colorMode": "none"})  # fmt: skip


def worth() -> Iterator[Panel]:
    """What predictions are worth, and what mistakes cost."""
    yield _values()
    mean = f"avg by (name, window) ({of(c.BUSINESS.mean, segment='')})"
    unset = {"noValue": "no business values are set (values)"}
    yield Panel("timeseries", "Business values over time", "Mean of each value over the rows of each window, all of the"
                " traffic, as the average over replicas. Ticket: where the mean of a day, interval and all, lies a"
                " tenth below that of the month.", "none", [Query(mean, "{{name}}, {{window}}")], 8, 9,
                PLAIN | unset)  # fmt: skip
    yield Panel("timeseries", "Cost of a thousand predictions", "By the matrix of costs in the settings"
                " (performance.costs), with its interval; truths that came.", "none", [
                    Query(known(_P.values["cost_per_thousand"], **ARRIVED), "cost"),
                    Query(known(_P.lower["cost_per_thousand"], **ARRIVED), "from"),
                    Query(known(_P.upper["cost_per_thousand"], **ARRIVED), "to"),
                ], 8, 9, PLAIN | {"noValue": "no costs are set, or not enough truths came"},
                overrides=[by_pattern("/^(from|to)$/", custom_lineStyle=DASHED)])  # fmt: skip


def _values() -> Panel:
    by = "name, segment, segment_value"
    span: Json = {"window": str(SPAN)}
    queries = [
        Query(f"topk(25, sum by ({by}) ({of(c.BUSINESS.rows, **span)}))", "rows"),
        Query(f"avg by ({by}) ({of(c.BUSINESS.mean, **span)})", "mean"),
        Query(f"avg by ({by}) ({of(c.BUSINESS.lower, **span)})", "from"),
        Query(f"avg by ({by}) ({of(c.BUSINESS.upper, **span)})", "to"),
        Query(f"sum by ({by}) ({of(c.BUSINESS.total, **span)})", "sum"),
    ]
    return Panel(
        "table", "What predictions are worth",
        f"Business values of the rows of {SPAN}: mean with its 95 % interval, and sum over the replicas, of all of the"
        " traffic (no segment) and by segment.", "none", queries, 8, 9,
        PLAIN | {"noValue": "no business values are set (values)"}, tables.worst_first("rows"),
        [BLANK, by_pattern("/^(value|segment|part)$/", **NAMES)],
        [*tables.columns(queries, {"name": "value", "segment": "segment", "segment_value": "part"}),
         tables.only_with("rows")],
    )  # fmt: skip


BOARD = Board(
    links.TRUTH,
    "Truth and value",
    "Do truths come, is the model wrong more often than in training, and what is it worth?",
    [
        Row("Is it wrong more often than in training", wrong),
        Row("In which part of the traffic it is wrong", truth_segments.panels),
        Row("For whom it is worse", truth_worst.panels),
        Row("How truths come", come),
        Row("What it is worth", worth),
    ],
    frozenset({"version"}),
    "now-7d",
)
