"""One feature's values: quantiles, how many different ones, and those that are wrong."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import faults
from exporter.dashboards.looks import CRITICAL, DASHED, LIMIT, by_pattern
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import WINDOW, of

_CHOSEN: Final = {"feature": "$feature"}
_RANKS: Final = "~0.01|0.1|0.5|0.9|0.99"
_KINDS: Final = {kind: name for kind, (name, _) in faults.SHARES.items()}


def values() -> Iterator[Panel]:
    """What they look like, now and in training."""
    of_values = c.FEATURES.aspects
    live = of(of_values["quantile"], rank=_RANKS, **_CHOSEN)
    before = of(of_values["reference_quantile"], rank=_RANKS, **_CHOSEN)
    yield Panel("timeseries", "Quantiles, live and in training", "Of so many hundredths of the values none is above the"
                " line, in the second shortest window; the median replica. Dashed: the training data. All lines moved"
                " alike: another unit or a shift; the outer ones alone: outliers or clipping. Categories have none.",
                "short",
                [Query(f"quantile by (rank) (0.5, {live})", "{{rank}}"),
                 Query(f"max by (rank) ({before})", "{{rank}} in training")], 12, 9,
                {"noValue": "no numbers, or too few of them"},
                overrides=[by_pattern("/ in training$/", custom_lineStyle=DASHED)])  # fmt: skip
    yield _wrong()
    fewest, runs = (of(of_values[f"{name}_critical"], **_CHOSEN, **WINDOW)
                    for name in ("distinct_values", "longest_run_values"))  # fmt: skip
    different, longest = (
        of(of_values[name], **_CHOSEN, **WINDOW) for name in ("distinct_values", "longest_run_values")
    )
    asked = {
        "too few different, times": f"max({fewest} / ({different} > 0))",
        "run of one value, times": f"max({longest} / {runs})",
    }
    yield Panel("timeseries", "Stuck or collapsed", "Fewest different values that chance leaves over those that came,"
                " and the longest run of one value over what chance makes. Above 1 values are rounded, cut off or"
                " replayed, or a sensor is stuck; the worst replica.", "none",
                [Query(expr, legend) for legend, expr in asked.items()], 8, 8, LIMIT | {"min": 0})  # fmt: skip
    now = f"max({of(of_values['current_run_values'], **_CHOSEN)})"
    yield Panel("timeseries", "How often the newest value has come", "In a row, by now, on the worst replica. A line"
                " that climbs without end is a value that is stuck.", "short", [Query(now, "in a row")], 8, 8,
                {"min": 0})  # fmt: skip
    new = of(of_values["unseen_category_values"], **_CHOSEN, **WINDOW)
    yield Panel("table", "New categories", "Those that the training data do not list and that come most often, all"
                " replicas together. A new spelling of an old one is a bug of who asks; a truly new one needs"
                " training.", "short", [Query(f"topk(12, sum by (text) ({new}))", "values")], 8, 8,
                {"noValue": "no new category was seen"},
                {"sortBy": [{"displayName": "values", "desc": True}]})  # fmt: skip


def _wrong() -> Panel:
    f, of_values = c.FEATURES, c.FEATURES.aspects
    shares = {text: f"max({of(f.quality_ratios[kind], **_CHOSEN, **WINDOW)})" for kind, text in _KINDS.items()}
    shares["field absent"] = f"max({of(of_values['absent_ratio'], **_CHOSEN, **WINDOW)})"
    shares["wrong type"] = f"max({of(of_values['type_error_ratio'], **_CHOSEN, **WINDOW)})"
    critical = {}
    for kind, text in _KINDS.items():
        share, chance = (of(one, **_CHOSEN, **WINDOW) for one in (f.quality_ratios[kind], f.critical[f"{kind}_ratio"]))
        critical[f"critical, {text}"] = f"max({chance} and {share} > 0)"
    return Panel("timeseries", "Values that are missing or wrong", "Share of the window's values on the worst replica,"
                 " by what is wrong. The dashed lines are what chance makes of the training data's own, where there are"
                 " any; above its own a kind is a fault.", "percentunit",
                 [Query(expr, legend) for legend, expr in (shares | critical).items()], 12, 9,
                 {"min": 0, "noValue": "not enough data", "custom": {"axisSoftMax": 0.05}},
                 overrides=[CRITICAL])  # fmt: skip
