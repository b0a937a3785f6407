"""Of the life board: which version is stable, and how canaries and shadows compare with it."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.compared import said, side_by_side
from exporter.dashboards.looks import BLANK, BLUE, GREY, LIMIT, ORANGE, PLAIN, by_name, by_pattern, judged, states
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import of, rate, recorded
from exporter.dashboards.worst import highest
from exporter.rules import files

_BY: Final = "model_version"
_ANY: Final = {_BY: "*"}
_ALONE: Final = said("one version, or too few rows: nothing to compare")
_TEXT: Final = {"custom_cellOptions": {"type": "color-text"}}
_V: Final = c.VERSIONS
_OF_PERFORMANCE: Final = (
    "By how much a measure is worse than the stable version's, over what chance reaches once in 1000 times, by "
    "truths that came. Above 1: worse, beyond chance; below 0: better."
)
_OF_TABLE: Final = (
    "One row for each version. Stable is the one that the settings name (versions.stable), else the one with most "
    "rows in the last day. Of the last hour, all replicas together, over what chance reaches once in 1000 such "
    "hours: the mean of the output that differs most; the share of answers in other bins than those of that "
    "version (of one profile); the measure that is most worse; failures. Above 1 is no chance. A shadow's "
    "answers go to nobody."
)
_OF_INSIDE: Final = (
    "Where one exporter sees both, in the chosen window: by how much the mean of an output differs and what "
    "chance makes of it; of classes the one whose share differs most."
)
_OF_SHADOWS: Final = (
    "Answers of shadow versions per second, by code (versions.shadow_header). Nobody gets them: they are in no "
    "other panel about requests."
)


def panels() -> Iterator[Panel]:
    """Over all replicas; then what one exporter says that sees several versions."""
    yield _table()
    yield _means()
    yield _over("Mean predictions against the stable version", "Difference of an output's mean over what chance reaches"
                " once in 1000 such hours, by all replicas. Above 1 the version answers otherwise, beyond chance.",
                _differing(f"{_BY}, output"), "{{output}}, version {{model_version}}")  # fmt: skip
    yield _over("Performance against the stable version", _OF_PERFORMANCE, _worse(f"{_BY}, measure"),
                "{{measure}}, version {{model_version}}")  # fmt: skip
    yield _inside()
    yield _shadows()


def _differing(by: str) -> str:
    difference, critical = (recorded(f"output:model_version_prediction_mean_difference{part}:fleet1h")
                            for part in ("", "_critical"))  # fmt: skip
    return f"max by ({by}) (abs({difference}) / {critical})"


def _moved() -> str:
    varied, critical = (recorded(f"output:model_version_prediction_total_variation{part}:fleet1h")
                        for part in ("", "_critical"))  # fmt: skip
    return f"max by ({_BY}) ({varied} / {critical})"


def _worse(by: str) -> str:
    difference, critical = (recorded(f"measure:model_version_performance_worse:{part}")
                            for part in ("difference", "critical"))  # fmt: skip
    return f"max by ({by}) ({difference} / {critical})"


def _failing() -> str:
    z = files.defaults()["versions.z"]
    return f"max by ({_BY}) ({recorded('version:model_version_failures:zscore1h')} / {z})"


def _role() -> str:
    stable = f"max by ({_BY}) ({recorded('version:model_is_stable:bool')})"
    shadow = f"2 * group by ({_BY}) ({of(_V.info, role='shadow', **_ANY)})"
    return f"{stable} or {shadow} or 0 * group by ({_BY}) ({of(_V.info, **_ANY)})"


def _table() -> Panel:
    asked = f"sum by ({_BY}) ({rate(c.ROWS, **_ANY)} or {rate(_V.shadow_rows, **_ANY)})"
    queries = [
        Query(_role(), "role"),
        Query(asked, "rows/s"),
        Query(_differing(_BY), "mean / critical"),
        Query(_moved(), "bins / critical"),
        Query(_worse(_BY), "worse / critical"),
        Query(_failing(), "failures / critical"),
        Query(f"max by ({_BY}) ({of(c.PROFILE_OTHER_VERSION, **_ANY)})", "profile"),
    ]
    role = states((0, "canary", BLUE), (1, "stable", GREY), (2, "shadow", BLUE))
    profile = states((0, "its own", GREY), (1, "another version's", ORANGE))
    looks = [
        BLANK,
        by_name("role", mappings=role["mappings"], **_TEXT),
        by_name("rows/s", decimals=2),
        by_pattern("/ critical$/", decimals=2, **judged((1, ORANGE)), **_TEXT),
        by_name("profile", mappings=profile["mappings"], **_TEXT),
        by_name("version", links=[links.to(links.HEALTH, "Health of this version",
                                           version=links.OF_FIELD % "version")]),
    ]  # fmt: skip
    return Panel("table", "Versions beside the stable one", _OF_TABLE, "none", queries, 24,
                 6, said("no version is known"), {"sortBy": [{"desc": True, "displayName": "rows/s"}]}, looks,
                 side_by_side(queries, {_BY: "version"}))  # fmt: skip


def _means() -> Panel:
    mean = f"max by ({_BY}, output) ({recorded('output:model_prediction_mean:fleet1h')})"
    return Panel("timeseries", "Mean predictions by version", "Of all replicas of a version in the last hour, in the"
                 " output's own unit; at most 20. A step at a roll-out: the new version answers otherwise.", "short",
                 [Query(highest(mean, f"{_BY}, output", 20), "{{output}}, version {{model_version}}")], 8, 8,
                 PLAIN | said("no output is a number, or no rows"))  # fmt: skip


def _over(title: str, text: str, expr: str, legend: str) -> Panel:
    by = "model_version, output" if "output" in legend else "model_version, measure"
    return Panel("timeseries", title, text, "none", [Query(highest(expr, by, 20), legend)], 8, 8, LIMIT | _ALONE)


def _inside() -> Panel:
    by = "output, against"
    worst = {"window": "$window"}
    queries = [
        Query(
            f"max by ({by}) (abs({of(_V.mean_difference, **worst)}) / {of(_V.mean_critical, **worst)})", "over critical"
        ),
        Query(f"avg by ({by}) ({of(_V.mean_difference, **worst)})", "difference"),
        Query(f"max by ({by}) ({of(_V.mean_critical, **worst)})", "critical"),
        Query(f"avg by ({by}, class) ({of(_V.share_difference, **worst)})", "share of class"),
        Query(f"max by ({by}, class) ({of(_V.share_critical, **worst)})", "critical share"),
    ]
    looks = [
        BLANK, by_name("over critical", decimals=2, **judged((1, ORANGE)), **_TEXT),
        by_pattern("/share/", unit="percentunit", decimals=1),
    ]  # fmt: skip
    return Panel("table", "One exporter: chosen version against stable", _OF_INSIDE, "none", queries, 12, 8,
                 said("no exporter sees this version and the stable one, or it is that"),
                 {"sortBy": [{"desc": True, "displayName": "over critical"}]}, looks,
                 side_by_side(queries, {"output": "output", "against": "stable", "class": "class"}))  # fmt: skip


def _shadows() -> Panel:
    by = f"{_BY}, code"
    return Panel("timeseries", "Copies of requests", _OF_SHADOWS, "reqps",
                 [Query(f"sum by ({by}) ({rate(_V.shadow_requests, **_ANY)})", "{{model_version}}, {{code}}")], 12, 8,
                 PLAIN | {"min": 0} | said("no copies of requests"))  # fmt: skip
