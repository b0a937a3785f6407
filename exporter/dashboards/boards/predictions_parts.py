"""Of the board of predictions: answers by feature, parts of the traffic, and what the training said."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links, tables
from exporter.dashboards.looks import BLANK, NAMES, PLAIN, UNJUDGED, by_name, by_pattern
from exporter.dashboards.pieces import Json, Panel, Query
from exporter.dashboards.queries import of, rate, recorded
from exporter.families import Segments

_SMALL: Final = {"text": {"valueSize": 24}}
"""Words are not as large as there is room."""
_SAME: Final = {"noValue": "not enough data; windows of an hour or more say it"}
_PARTS: Final = by_pattern("/^(segment|value)$/", **NAMES)
_UNDIVIDED: Final = {"noValue": "no segments are set (segments.by), or they hold not enough rows"}


def answers() -> Iterator[Panel]:
    """Whether the same value still gets the same answer."""
    shift, critical = (of(c.FEATURES.aspects[f"association_shift{end}"]) for end in ("", "_critical"))
    over, by = f"max by (feature, output) ({shift} / {critical})", "feature, output"
    # All pairs of all replicas all day long are too many: the rules know those that matter.
    moved = recorded("instance_feature_output:model_feature_association_shift:drifted", model_version="$version")
    yield Panel("timeseries", "The same value is answered otherwise", "How far mean answers by bin of a feature have"
                " moved, in standard deviations of the output, where it is beyond chance and matters; the worst"
                " replica. Features were swapped or belong to other rows, what they mean has changed, or another model"
                " answers.", "none", [Query(f"topk(20, max by ({by}) ({moved}))", "{{feature}}: {{output}}")], 12, 9,
                PLAIN | {"min": 0, "noValue": "none beyond chance, or the rules are not loaded"})  # fmt: skip
    highest = f"topk(25, {over})"
    queries = [Query(highest, "over critical"), Query(f"max by ({by}) ({shift}) and on ({by}) {highest}", "shift")]
    yield Panel("table", "Features and their answers now", "How far beyond its critical value each is now, worst first;"
                " above 1 is more than chance; the shift is in standard deviations of the output. Follow a feature to"
                " see whether its own values moved, too: if not, what it means or who answers has changed.",
                "none", queries, 12, 9, PLAIN | _SAME, tables.worst_first("over critical"),
                [BLANK, _to_feature(), by_name("over critical", decimals=2), by_name("shift", decimals=2)],
                _judged_first(queries, {"feature": "feature", "output": "output"}))  # fmt: skip


def _to_feature() -> Json:
    to = links.to(links.FEATURE, "What happened to it", feature=links.OF_FIELD % "feature")
    return by_name("feature", links=[to])


def _judged_first(queries: list[Query], labels: dict[str, str]) -> list[Json]:
    """Without rows of which the first query says nothing."""
    return [*tables.columns(queries, labels), tables.only_with(queries[0].legend)]


def segments() -> Iterator[Panel]:
    """Parts of the traffic against the same parts of the training data."""
    yield _worst_parts("Parts by feature, worst first", c.SEGMENT_FEATURES, "feature")
    yield _worst_parts("Parts by output, worst first", c.SEGMENT_OUTPUTS, "output")
    told = (
        ("feature", "instance_segment_feature_window:model_segment_feature_total_variation:drifted"),
        ("output", "instance_segment_output_window:model_segment_prediction_total_variation:drifted"),
    )
    yield Panel("timeseries", "Parts that drift", "Share of a part's values that moved, where it is beyond chance and"
                " beyond what is tolerated while the whole traffic is not; the worst replica. Tickets are made of it."
                " From the recorded series of the rules.", "percentunit",
                [Query(f"topk(12, max by (segment, value, {word}) ({recorded(name, model_version='$version')}))",
                       f"{{{{segment}}}} {{{{value}}}}: {{{{{word}}}}}") for word, name in told], 12, 8,
                PLAIN | {"noValue": "no part has drifted, or no segments are set", "min": 0, "max": 1})  # fmt: skip
    yield _shares()


def _worst_parts(title: str, side: Segments, word: str) -> Panel:
    labels = {"segment": "segment", "value": "value", word: word}
    by = ", ".join(labels)
    enough = f"ignoring ({word}) {of(side.sufficient)} == 1"
    highest = f"topk(25, max by ({by}) ({of(side.variation)} / {of(side.critical)} and {enough}))"
    moved = f"max by ({by}) ({of(side.variation)} and {enough}) and on ({by}) {highest}"
    queries = [Query(highest, "over critical"), Query(moved, "moved")]
    overrides = [by_name("moved", unit="percentunit"), by_name("over critical", decimals=2)]
    return Panel(
        "table", title,
        "Total variation of a part of the traffic over its critical value, against the same part of the training data."
        " Above 1 it has drifted, in any window that suffices; the worst replica.", "none", queries, 12, 8,
        PLAIN | _UNDIVIDED, tables.worst_first("over critical"),
        [BLANK, _PARTS, *overrides, *([_to_feature()] if word == "feature" else [])], _judged_first(queries, labels),
    )  # fmt: skip


def _shares() -> Panel:
    by, rows, known = "segment, value", rate(c.SEGMENT_ROWS), of(c.SEGMENT_REFERENCE_ROWS)
    now = f"sum by ({by}) ({rows}) / on (segment) group_left () (sum by (segment) ({rows}) > 0)"
    once = f"max by ({by}) ({known}) / on (segment) group_left () sum by (segment) (max by ({by}) ({known}))"
    queries = [Query(f"topk(25, {now})", "now"), Query(once, "in training")]
    return Panel(
        "table", "How large the parts are",
        "Share of each part in the rows of now and of the training data. A part that grew moves the whole, though"
        " nothing in it may have changed.", "percentunit", queries, 12, 8, PLAIN | _UNDIVIDED,
        tables.worst_first("now"), [BLANK, _PARTS],
        _judged_first(queries, {"segment": "segment", "value": "value"}),
    )  # fmt: skip


def training() -> Iterator[Panel]:
    """What the profile says of the training; nothing of it is measured here."""
    unknown = {"noValue": "the profile does not say"}
    said = [Query(f"max by (measure) ({of(c.TRAINING_PERFORMANCE)})", "in training")]
    yield Panel("table", "Measures at the training", "The model's performance as the profile has it, by the names that"
                " it had there. Of the training alone; what truths say of today stands above, beside those of these"
                " that are the same measure.", "none", said, 9, 8, PLAIN | unknown | {"decimals": 3}, {},
                [BLANK, by_name("measure", **NAMES)], tables.columns(said, {"measure": "measure"}))  # fmt: skip
    yield Panel("stat", "Model trained", "When the model was trained, as its profile says. An old model and new"
                " drift: it is time to train again.", "dateTimeFromNow",
                [Query(f"max({of(c.TRAINED)}) * 1000", instant=True)], 4, 8, PLAIN | unknown,
                UNJUDGED | _SMALL)  # fmt: skip
    yield Panel("stat", "Newest training data", "How old the newest row of the training data is. What came into the"
                " world since then, the model has never seen.", "dateTimeFromNow",
                [Query(f"max({of(c.PROFILE_TIME)}) * 1000", instant=True)], 4, 8, PLAIN | unknown,
                UNJUDGED | _SMALL)  # fmt: skip
    yield Panel("stat", "Rows of training", "How many rows the profile was built of. Few rows make wide critical"
                " values: only large drift is seen.", "short", [Query(f"max({of(c.PROFILE_ROWS)})", instant=True)], 3,
                8, PLAIN | unknown, UNJUDGED | _SMALL)  # fmt: skip
    without = f"(sum({rate(c.WITHOUT_ID)}) or vector(0)) / (sum({rate(c.ROWS)}) > 0)"
    yield Panel("stat", "Rows without an id", "Share of the rows answered whose exchange has no request id: no"
                " truth that comes later can be joined to them. Have clients send one.", "percentunit",
                [Query(without, instant=True)], 4, 8, PLAIN, UNJUDGED | _SMALL)  # fmt: skip
