"""One feature's values by range or category: training data against live ones, and which ranges make the score."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards.bins import Bins
from exporter.dashboards.looks import BLANK, SHARE, by_name
from exporter.dashboards.pieces import Json, Panel, Query
from exporter.dashboards.queries import WINDOW, of, words
from exporter.dashboards.worst import worst

_CHOSEN: Final = {"feature": "$feature"}
_NONE: Final = "no values in the window"
_TURNED: Final = {"xTickLabelRotation": -30, "xTickLabelMaxLength": 24, "fullHighlight": True}
_RANGE: Final = "range or category"


def _of_feature(offset: str = "") -> Bins:
    return Bins(c.FEATURES, f"$window{offset}", **_CHOSEN)


def by_bin(*named: str) -> list[Json]:
    """Answers side by side in the order of the bins, each under its name."""
    hidden = {"Time": True, "bin": True, "feature": True, "profile": True}
    names = {"Value": named[0]} if len(named) == 1 else {f"Value #{chr(65 + n)}": one for n, one in enumerate(named)}
    return [
        {"id": "merge", "options": {}},
        {"id": "sortBy", "options": {"sort": [{"field": "bin"}]}},
        {"id": "organize", "options": {"excludeByName": hidden, "indexByName": {}, "renameByName": names}},
    ]


def bins() -> Iterator[Panel]:
    """Reference against live."""
    yield _shares()
    yield _contributions()
    yield _listed()
    yield _changes()


def _shares() -> Panel:
    f, found = c.FEATURES, _of_feature()
    asked = {"reference (training data)": found.share(f.reference_ratio), "live, now": found.live(),
             "live, a day before": found.live(" offset 1d"),
             "training, before adoption": found.share(f.training_ratio)}  # fmt: skip
    return Panel("barchart", "Where the values of $feature are", "Share of the values in each range or category, in"
                 " their order: the reference, all replicas over the window that ends where the chosen time ends, and"
                 " the same window a day before. Move the end of the time to see another moment. Bars that stand apart"
                 " moved.", "percentunit", [Query(expr, name) for name, expr in asked.items()], 24, 10,
                 {"min": 0, "noValue": _NONE}, _TURNED, transformations=by_bin(*asked))  # fmt: skip


def _contributions() -> Panel:
    name = "adds to the PSI"
    return Panel("barchart", "What each range adds to the PSI", "Of all replicas together; the bars add up to the PSI"
                 " of the fleet. The tallest ones are what moved: read in the table whether they gained or lost.",
                 "none",
                 [Query(_of_feature().contributions(), name)], 12, 9, {"min": 0, "noValue": _NONE}, _TURNED,
                 transformations=by_bin(name))  # fmt: skip


def _listed() -> Panel:
    """In words and numbers."""
    found, f = _of_feature(), c.FEATURES
    asked = {"reference": found.share(f.reference_ratio), "live": found.live(),
             "change": found.change(), "adds to the PSI": found.contributions()}  # fmt: skip
    names = {f"Value #{chr(65 + place)}": name for place, name in enumerate(asked)} | {"text": _RANGE}
    hidden = {"Time": True, "bin": True, "feature": True, "profile": True}
    shares = [
        by_name(name, unit="percentunit", decimals=1, custom_width=90) for name in ("reference", "live", "change")
    ]
    gauge = by_name(
        "adds to the PSI",
        custom_cellOptions={"type": "gauge", "mode": "basic"},
        min=0,
        decimals=3,
        color={"mode": "fixed", "fixedColor": "blue"},
    )
    return Panel("table", "Ranges in words, what moved most first", "Share of the reference and of the live values,"
                 " what it gained or lost, and what that adds to the PSI. A range above or below all others that gains"
                 " is often another unit; missing ones are a field that is gone.", "none",
                 [Query(expr, name) for name, expr in asked.items()], 12, 9, {"noValue": _NONE},
                 {"sortBy": [{"displayName": "adds to the PSI", "desc": True}]}, [BLANK, *shares, gauge],
                 [{"id": "merge", "options": {}},
                  {"id": "organize", "options": {"excludeByName": hidden, "indexByName": {"text": 0},
                                                 "renameByName": names}}])  # fmt: skip


def _changes() -> Panel:
    f, by = c.FEATURES, "bin, text"
    change = f"avg by ({by}) ({of(f.bin_change, **_CHOSEN, **WINDOW)} * {words(f, **_CHOSEN)})"
    return Panel("timeseries", "Ranges that gained and lost", "Of each replica the three that changed most, while the"
                 " feature is beyond chance; averaged over replicas. Above 0 it gained, below it lost. When a line"
                 " begins is when it moved.", "percentunit", [Query(worst(change, by, 12, "abs"), "{{text}}")], 24, 7,
                 {"noValue": "no range was seen beyond chance in the chosen time",
                  "custom": {"axisCenteredZero": True, "fillOpacity": 8}})  # fmt: skip


def failed() -> Iterator[Panel]:
    """Values of requests that failed, beside those of the others."""
    found = _of_feature()
    asked = {"successful": found.live(), "failed (4xx)": found.of(c.FAILED_BINS, code="4xx"),
             "failed (5xx)": found.of(c.FAILED_BINS, code="5xx")}  # fmt: skip
    yield Panel("barchart", "Values of failed and of successful requests", "Share of the values in each range or"
                " category, by what became of the request. A range that failed requests have far more often is likely"
                " what breaks the server.", "percentunit", [Query(expr, name) for name, expr in asked.items()], 16, 9,
                SHARE | {"noValue": _NONE}, _TURNED, transformations=by_bin(*asked))  # fmt: skip
    beyond = (f"max by (code) ({of(c.FAILED_VARIATION, **_CHOSEN, **WINDOW)}"
              f" / {of(c.FAILED_CRITICAL, **_CHOSEN, **WINDOW)})")  # fmt: skip
    yield Panel("timeseries", "How much failed requests differ", "Total variation between failed and successful"
                " requests over its critical value. Above 1, where the line is, failing has to do with this feature;"
                " the worst replica.", "none", [Query(beyond, "{{code}}")], 8, 9,
                {"noValue": "no request failed whose values could be read", "min": 0,
                 "thresholds": {"mode": "absolute", "steps": [{"value": None, "color": "transparent"},
                                                              {"value": 1, "color": "red"}]},
                 "custom": {"thresholdsStyle": {"mode": "line"}}})  # fmt: skip
