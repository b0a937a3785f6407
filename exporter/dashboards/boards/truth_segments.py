"""Of the board of truth: how good the model is in each part of the traffic, once truths come."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import tables
from exporter.dashboards.looks import BLANK, NAMES, PLAIN, by_name, by_pattern
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import of
from exporter.dashboards.truths import SPAN

_P: Final = c.SEGMENT_PERFORMANCE
_BY: Final = "segment, value"
_LABELS: Final = {"segment": "segment", "value": "value"}
_WINDOW: Final = {"window": SPAN}
_NONE: Final = {"noValue": "no segments are set (segments.by), or not enough truths came"}


def panels() -> Iterator[Panel]:
    """Parts that are served worse than others, and worse than in training."""
    enough = f"{of(_P.sufficient, **_WINDOW)} == 1"
    wrong = f"{of(_P.error, **_WINDOW)} and {enough}"
    worst = f"topk(25, max by ({_BY}) ({wrong}))"
    beside = f"and on ({_BY}) {worst}"
    queries = [
        Query(worst, "wrong"),
        Query(f"max by ({_BY}) ({of(_P.error_training, **_WINDOW)}) {beside}", "in training"),
        Query(f"max by ({_BY}) ({of(_P.error_critical, **_WINDOW)}) {beside}", "chance reaches"),
        Query(f"sum by ({_BY}) ({of(_P.samples, **_WINDOW)}) {beside}", "truths"),
    ]
    numbers = [by_name(query.legend, unit="percentunit", decimals=1) for query in queries[:-1]]
    yield Panel(
        "table", "Parts by wrong answers, worst first",
        f"Of the truths that came within {SPAN}, the share that shows the model wrong in each part; of numbers, farther"
        " off than nine in ten were in training. A part differs from the whole by its nature: it is worse than it was"
        " where this is beyond what chance reaches. The worst replica.", "none", queries, 12, 8, PLAIN | _NONE,
        tables.worst_first("wrong"),
        [BLANK, by_pattern("/^(segment|value)$/", **NAMES), *numbers, by_name("truths", decimals=0)],
        [*tables.columns(queries, _LABELS), tables.only_with("wrong")],
    )  # fmt: skip
    beyond = f"max by ({_BY}) ({of(_P.error)} / {of(_P.error_critical)} and {of(_P.sufficient)} == 1)"
    yield Panel(
        "timeseries", "Wrong answers by part, over critical",
        "Share of wrong answers in a part over what chance and performance.tolerance explain beside its own training"
        " data, in any window that suffices. Above 1 this part is served worse than in training, whatever the whole"
        " looks like.", "none", [Query(f"topk(12, {beyond})", "{{segment}} {{value}}")], 12, 8,
        PLAIN | _NONE | {"min": 0},
    )  # fmt: skip
