"""Predictions and performance: what the model answers."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links, tables
from exporter.dashboards.boards import predictions_language, predictions_parts, predictions_truth
from exporter.dashboards.looks import (
    ABOVE_ONE,
    BLANK,
    CRITICAL,
    DASHED,
    GREEN,
    GREY,
    LOSSES,
    MOVED,
    NAMED,
    PLAIN,
    STACKED,
    UNJUDGED,
    by_name,
    by_pattern,
    states,
    steps,
)
from exporter.dashboards.outputs import SCORES, beyond, of_worst, wrong
from exporter.dashboards.pieces import Board, Panel, Query, Row
from exporter.dashboards.queries import (
    WINDOW,
    drifted,
    of,
    over,
    over_critical,
    rate,
    recorded,
    reference,
    shares,
    words,
)

_OUT: Final = c.OUTPUTS
_WORST: Final = "Of the output that has moved most by the end of the chosen time."
_WIDTHS: Final = {
    "output": 120, "PSI / critical": 110, "moved": 80, "fewest predictions": 140, "to judge": 100, "since": 130,
}  # fmt: skip
_MANY_TIMES: Final = {"custom": ABOVE_ONE["custom"] | {
    "scaleDistribution": {"linearThreshold": 1, "log": 10, "type": "symlog"},
}}  # fmt: skip
"""Some scores rise by the square of what has moved."""
_NOBODY: Final = {"noValue": "no drift that pages"}


def now() -> Iterator[Panel]:
    """Whether the model answers as it did."""
    moved = f"topk(1, max by (output) ({of(_OUT.statistics['total_variation'], **WINDOW)}))"
    onset = f"min({of(_OUT.evidence['drift_onset_timestamp_seconds'])}) * 1000"
    judged = states((1, "enough", GREEN), (0, "not enough yet", GREY))
    yield Panel("stat", "Outputs drifted", "Outputs beyond chance and beyond 10 % of predictions moved, on any replica,"
                " in windows that suffice. From 1 on, see below which answers became more or fewer.", "short",
                [Query(drifted(_OUT), instant=True)], 4, 4, MOVED | states((0, "none", GREEN)),
                links=[links.to(links.HEALTH, "Which features moved")])  # fmt: skip
    yield Panel("stat", "Predictions moved", "Share of the window's predictions that lie in another bin than those on"
                " the training data, on the worst replica, of the output that moved most. Some is chance: worry where"
                " the output counts as drifted.", "percentunit",
                [Query(moved, "of {{output}} moved", instant=True)], 4, 4, PLAIN,
                UNJUDGED | {"textMode": "value_and_name"})  # fmt: skip
    yield Panel("stat", "Drifting since", "Since when the first output has drifted, of those that evidence names once"
                " it pages.", "dateTimeFromNow", [Query(onset, instant=True)], 4, 4, PLAIN | _NOBODY,
                UNJUDGED)  # fmt: skip
    yield Panel("stat", "Enough predictions to judge", "Whether the window of every replica holds enough predictions"
                " for its scores. Where it does not, choose a longer window, or wait.", "short",
                [Query(f"min({of(_OUT.sufficient, **WINDOW)})", instant=True)], 4, 4, PLAIN | judged)  # fmt: skip
    yield Panel("stat", "Predictions missing", "Share of the window's predictions that are null, NaN or absent, of the"
                " worst output and replica. Above what the training data had, look at the model server's log.",
                "percentunit", [Query(f"max({wrong('missing')[0]})", instant=True)], 4, 4, LOSSES)  # fmt: skip
    yield Panel("stat", "Rows answered", "Rows of model input per second that were answered and could be decoded; what"
                " this board says is about them.", "rowsps", [Query(f"sum({rate(c.ROWS)})", instant=True)], 4, 4,
                PLAIN, UNJUDGED)  # fmt: skip


def drift() -> Iterator[Panel]:
    """Against the model's own predictions on the training data."""
    yield _outputs()
    yield _bins()
    yield Panel("timeseries", "PSI over its critical value, by output", "As for features: above 1 is more than chance"
                " reaches once in 1000 windows of that size. Against the model's own predictions on the training data;"
                " the worst replica, windows that suffice.", "none",
                [Query(f"topk(25, {over_critical(_OUT)})", "{{output}}")], 7, 9, ABOVE_ONE)  # fmt: skip
    bars = [Query(of_worst(reference(_OUT)), "training"),
            Query(of_worst(shares(_OUT, "$window", "increase")), "live")]  # fmt: skip
    yield Panel("barchart", "Predictions against training", f"{_WORST} Share of its predictions in each bin: on the"
                " training data, and of all replicas over the window that ends with the chosen time. Bars that differ"
                " say which answers became more or fewer.", "percentunit", bars, 10, 9, PLAIN)  # fmt: skip
    live = f"topk(20, {of_worst(shares(_OUT, '$__rate_interval', 'rate'))})"
    yield Panel("timeseries", "Predictions over time", f"{_WORST} Share of its predictions in each bin, all replicas"
                " together. A band that widens at a deploy is the new version's doing; look at the features else.",
                "percentunit", [Query(live, "{{output}}: {{text}}")], 7, 9, STACKED | PLAIN)  # fmt: skip


def _outputs() -> Panel:
    def known(name: str, value: str) -> str:
        return f"max by (output{value}) ({of(_OUT.aspects[name]) if name in _OUT.aspects else of(_OUT.evidence[name])})"

    queries = [
        Query(over_critical(_OUT), "PSI / critical"),
        Query(f"max by (output) ({of(_OUT.statistics['total_variation'], **WINDOW)})", "moved"),
        Query(f"min by (output) ({of(_OUT.samples, **WINDOW)})", "fewest predictions"),
        Query(f"min by (output) ({of(_OUT.sufficient, **WINDOW)})", "to judge"),
        Query(f"{known('drift_onset_timestamp_seconds', '')} * 1000", "since"),
        Query(known("diagnosis_info", ", text")),
    ]
    return Panel(
        "table", "Outputs, worst first",
        "Each output on its worst replica: how far beyond chance, what share of its predictions moved, and what seems"
        " to have happened, once evidence pages. Where there are not enough predictions, the score says nothing.",
        "none", queries, 16, 7, PLAIN,
        tables.worst_first("PSI / critical"),
        [
            BLANK,
            *(by_name(name, custom_width=width) for name, width in _WIDTHS.items()),
            by_name("moved", unit="percentunit"), by_name("fewest predictions", unit="short"),
            by_name("since", unit="dateTimeFromNow"), by_name("PSI / critical", decimals=2),
            by_name("to judge", **states((1, "enough", GREEN), (0, "not enough", GREY))),
        ],
        tables.columns(queries, {"output": "output"}, {"text": "what seems to have happened"}),
    )  # fmt: skip


def _bins() -> Panel:
    change = f"avg by (output, text) ({of(_OUT.bin_change, **WINDOW)} * {words(_OUT)})"
    queries = [Query(f"topk(25, {change}) or bottomk(25, {change})", "change of share")]
    return Panel(
        "table", "Answers that became more or fewer",
        "The bins of predictions that changed most, as points of their share, beyond chance alone; averaged over"
        " replicas that see it. Positive: more often than on the training data.", "percentunit", queries, 8, 7,
        PLAIN | {"noValue": "no answer changed beyond chance"}, tables.worst_first("change of share"), [BLANK],
        tables.columns(queries, {"output": "output", "text": "predictions"}),
    )  # fmt: skip


def lie() -> Iterator[Panel]:
    """Where they lie, by every score, on every replica, and against other traffic."""
    quantiles = [
        Query(of_worst(f"avg by (output, rank) ({of(_OUT.aspects[name], rank='~0[.](1|5|9)')})"), legend)
        for name, legend in (("quantile", "live {{rank}}"), ("reference_quantile", "training {{rank}}"))
    ]
    band = [by_name("training 0.9", custom_fillBelowTo="training 0.1", custom_fillOpacity=15),
            by_pattern("/^training/", custom_lineStyle=DASHED,
                       color={"fixedColor": "text", "mode": "fixed"})]  # fmt: skip
    yield Panel("timeseries", "Level of the predictions", f"{_WORST} What a tenth, half (the median) and nine tenths"
                " of its numbers do not exceed, in the second shortest window, as the average over replicas. Dashed:"
                " the training data, filled between. Lines that leave their dashed ones have moved up or down.",
                "short", quantiles, 12, 9, PLAIN, overrides=band)  # fmt: skip
    scores = [Query(of_worst(f"max by (output) ({beyond(name)})"), said) for name, said in SCORES.items()]
    yield Panel("timeseries", "Every score over its critical value", f"{_WORST} Each score on the worst replica; above"
                " 1 is beyond chance. Many together: the shape changed; the mean alone: all moved a little.", "none",
                scores, 12, 9, ABOVE_ONE | _MANY_TIMES)  # fmt: skip
    replicas = f"topk(20, max by (instance) ({beyond('psi')}))"
    score, critical = (recorded(f"output:model_prediction_{name}:fleet1h", model_version="$version")
                       for name in ("psi", "psi_critical"))  # fmt: skip
    yield Panel("timeseries", "By replica, over the critical value", "PSI of the worst output of each replica over its"
                " critical value, the 20 highest; and of all replicas together over the last hour, where the rules are"
                " loaded. One above 1 alone: look at that replica; all: look at the traffic or the version.", "none",
                [Query(replicas, "{{instance}}"), Query(f"max({score} / {critical})", "all together, the last hour")],
                12, 8, ABOVE_ONE, NAMED,
                links=[links.to(links.FLEET, "Replicas and versions")])  # fmt: skip
    live = over(_OUT.live["total_variation"], _OUT.live_critical["total_variation"], "output, against", **WINDOW)
    yield Panel("timeseries", "Against other live predictions", "Total variation over its critical value: against the"
                " window before (previous), the same hour a week ago (last_week) or another version. Above 1 it is new"
                " since then, or the versions answer differently; the worst replica.", "none",
                [Query(f"topk(20, {live})", "{{output}}, {{against}}")], 6, 8, ABOVE_ONE,
                links=[links.to(links.FLEET, "Replicas and versions")])  # fmt: skip
    nats = f"topk(20, max by (output) ({of(_OUT.evidence['drift_evidence_nats'])}))"
    yield Panel("timeseries", "Evidence of drifting predictions", "What bets on drift of each output have won, on the"
                " replica with most. One output alone pages where it has the logarithm of the number of columns more"
                " than the dashed line.", "none",
                [Query(nats, "{{output}}"), Query(f"max({of(c.EVIDENCE_THRESHOLD)})", "critical")], 6, 8,
                PLAIN | {"min": 0}, overrides=[CRITICAL])  # fmt: skip


def faults() -> Iterator[Panel]:
    """Predictions that cannot be right."""
    kinds = {"missing": "missing", "nonfinite": "not finite", "out_of_range": "out of range", "unseen": "unknown"}
    found = {said: wrong(kind) for kind, said in kinds.items()}
    yield Panel("timeseries", "Wrong predictions", "Share of the window's predictions that are missing, not finite,"
                " beyond what the training data had, or unknown categories, on the worst replica; nothing where there"
                " are none.", "percentunit",
                [Query(f"topk(10, {share} > 0)", f"{{{{output}}}}: {said}") for said, (share, _) in found.items()], 8,
                8, steps((None, "text")) | {"noValue": "no prediction is wrong", "min": 0},
                links=[links.to(links.QUALITY, "Values that the model is fed")])  # fmt: skip
    yield Panel("timeseries", "Wrong predictions over what is critical", "The same shares over what chance reaches once"
                " in 1000 windows with those of the training data. Above 1 something breaks answers: the server, a"
                " new version, or what it is fed.", "none",
                [Query(f"topk(10, {over_it} > 0)", f"{{{{output}}}}: {said}") for said, (_, over_it) in found.items()],
                8, 8, ABOVE_ONE | {"noValue": "no prediction is wrong"})  # fmt: skip
    aspects = _OUT.aspects
    runs = over(aspects["longest_run_values"], aspects["longest_run_values_critical"], "output", **WINDOW)
    few = over(aspects["distinct_values_critical"], aspects["distinct_values"], "output", **WINDOW)
    yield Panel("timeseries", "The same answer again and again", "Longest run of one prediction over what chance makes"
                " of it, and how few different ones chance leaves over those that came. Above 1 the model is stuck, a"
                " default or a cache answers; the worst replica.", "none",
                [Query(f"topk(10, {runs})", "{{output}}: one run"), Query(f"topk(10, {few})", "{{output}}: too few")],
                8, 8, ABOVE_ONE)  # fmt: skip


BOARD = Board(
    links.PREDICTIONS,
    "Predictions and performance",
    "How good is the model, and does it answer as it did on its training data, for all parts of the traffic?",
    [
        Row("Answers now", now),
        Row("How good it is, as truths say", predictions_truth.now),
        Row("Where it is good, and where not", predictions_truth.parts),
        Row("Without truth", predictions_truth.without),
        Row("Which answers moved", drift),
        Row("Where predictions lie", lie),
        Row("Predictions that cannot be right", faults),
        Row("The same question, another answer", predictions_parts.answers),
        Row("Segments of the traffic", predictions_parts.segments),
        Row("Performance at the training", predictions_parts.training),
        Row("Language model", predictions_language.generations, folded=True),
    ],
    frozenset({"version", "window"}),
)
