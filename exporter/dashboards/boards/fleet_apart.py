"""Of the fleet: what all replicas see together, and what one sees alone."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.compared import FROM_ZERO, OPEN_FEATURE, OPEN_OUTPUT, said, side_by_side
from exporter.dashboards.looks import BLANK, DASHED, GREEN, ORANGE, RED, by_name, by_pattern, judged, states
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import of, recorded
from exporter.dashboards.worst import highest

HOUR: Final = {"window": "1h"}
"""The replicas' own window that is laid beside the fleet's."""
VERSION: Final = {"model_version": "$version"}
MOVED, CRITICAL = (
    recorded(f"feature:model_feature_total_variation{part}:fleet1h", **VERSION) for part in ("", "_critical")
)
"""Share of the values that changed bin, all replicas together."""
PSI, PSI_CRITICAL = (recorded(f"feature:model_feature_psi{part}:fleet1h", **VERSION) for part in ("", "_critical"))
POOLED: Final = f"max by (feature) ({PSI} / {PSI_CRITICAL})"
APART: Final = recorded("instance_feature:model_feature_divergence:fleet1h", **VERSION)
APART_OUTPUT: Final = recorded("instance_output:model_prediction_divergence:fleet1h", **VERSION)
LARGEST: Final = recorded("feature_window:model_feature_total_variation:max", **VERSION, **HOUR)
_TEXT: Final = {"custom_cellOptions": {"type": "color-text"}}
_OF_NAME: Final = links.to(links.FEATURE, "Open the feature", feature=links.OF_SERIES % "feature")


def numbers() -> Iterator[Panel]:
    """Both questions, each in a number."""
    # Whether rules record anything of the fleet: where they are not loaded nobody knows what is apart.
    judging = f"count(count by (instance) ({of(c.FEATURES.sufficient, **HOUR)} == 1)) >= 2 and on () {PSI}"
    farthest = f"topk(1, max by (instance) ({APART} or {APART_OUTPUT}))"
    yield Panel("stat", "Replica apart", "The replica that sees other data than all of them together, beyond chance, in"
                " the last hour, and how much farther from the training data it is; if there are several, the farthest."
                " Grey where fewer than two have enough values. In what stands below.", "percentunit",
                [Query(f"{farthest} or on () 0 * ({judging})", "{{instance}}", instant=True)], 5, 4,
                judged((0.0001, ORANGE)) | states((0, "none", GREEN)) | {"decimals": 0},
                {"textMode": "value_and_name"})  # fmt: skip
    yield Panel("stat", "Worst feature / critical", "PSI of all replicas together in the last hour over"
                " its critical value, of the feature with most. Above 1 chance reaches it once in 1000 such hours: the"
                " fleet has drifted, not a replica.", "none",
                [Query(f"topk(1, {POOLED})", "{{feature}}", instant=True)], 4, 4,
                judged((1, ORANGE)) | {"decimals": 2, "links": [_OF_NAME]}, {"textMode": "value_and_name"})  # fmt: skip


def together() -> Iterator[Panel]:
    """The sum beside its parts."""
    yield _compared()
    moved = highest(f"max by (feature) ({LARGEST})", "feature", 5)
    pooled = f"max by (feature) ({MOVED}) and on (feature) {moved}"
    yield Panel("timeseries", "Worst replica and all together", "Share of the values that changed bin, of the five"
                " features that moved farthest on any replica: full lines are the worst replica, dashed ones all"
                " replicas together. Both high: the traffic has drifted. A full line alone: one replica has.",
                "percentunit", [Query(moved, "{{feature}}, worst replica"), Query(pooled, "{{feature}}, together")],
                10, 11,
                said("not enough data, or rules not loaded") | FROM_ZERO,
                overrides=[by_pattern("/, together$/", custom_lineStyle=DASHED)])  # fmt: skip
    yield _apart()
    lines = highest(f"max by (instance) ({APART} or {APART_OUTPUT})", "instance")
    yield Panel("timeseries", "Replicas apart over time", "How much farther from the training data a replica is than"
                " all of them together; its feature or output that differs most. Only what chance does not explain has"
                " a line, so an empty panel is good news; where it begins is since when.", "percentunit",
                [Query(lines, "{{instance}}")], 10, 9,
                said("no replica is apart, or fewer than two have enough data") | {"min": 0})  # fmt: skip
    yield Panel("text", "Why the sum decides", "How to read this row.", "none", [], 24, 3, options={"content": _WHY})


_WHY: Final = (
    "**All together** adds the counts of all replicas up and scores the sum: many rows, little chance, and what pages."
    " **The worst replica** is the largest of many scores of few rows each: it is high by chance alone, the more so the"
    " more replicas there are. Believe it where the replica is **apart**: farther from the sum than the largest of so"
    " many would be by chance. Then the fault is its own: routing, an old build, one client, a feature cache."
)


def _compared() -> Panel:
    """Features by where they moved."""
    f = c.FEATURES
    enough = f"{of(f.sufficient, **HOUR)} == 1"
    psi, critical, moved = (
        of(one, **HOUR) for one in (f.statistics["psi"], f.critical["psi"], f.statistics["total_variation"])
    )
    rank = f"topk(25, max by (feature) ({LARGEST}))"
    asked = (
        (_where(f"avg by (feature) ({psi} > bool {critical} and {enough})"), "where it moved"),
        (POOLED, "all: PSI / critical"),
        (f"max by (feature) ({psi} / {critical} and {enough})", "worst: PSI / critical"),
        (f"max by (feature) ({MOVED})", "all: moved"),
        (f"topk by (feature) (1, max by (feature, instance) ({moved} and {enough}))", "worst: moved"),
    )
    queries = [Query(f"{expr} and on (feature) {rank}", legend) for expr, legend in asked]
    word = states((0, "within chance", GREEN), (1, "few replicas", ORANGE), (2, "all replicas", RED),
                  (3, "all, one far ahead", RED))  # fmt: skip
    looks = [
        BLANK,
        by_name("where it moved", mappings=word["mappings"], **judged(), **_TEXT),
        by_pattern("/critical/", decimals=2, **judged((1, ORANGE)), **_TEXT),
        by_pattern("/: moved/", unit="percentunit", decimals=1),
        OPEN_FEATURE,
    ]
    return Panel("table", "Features: all together against the worst replica", "The 25 features that moved farthest on"
                 " any replica, in the last hour. `together` decides whether the traffic has drifted; a replica alone"
                 " is a fault of that replica. Click a feature to see its bins.", "none", queries, 14, 11,
                 said("not enough data, or rules not loaded"),
                 {"sortBy": [{"desc": True, "displayName": "all: PSI / critical"}]}, looks,
                 side_by_side(queries, {"feature": "feature", "instance": "worst replica"}))  # fmt: skip


def _where(beyond: str) -> str:
    """0 nowhere, 1 on few replicas alone, 2 on all, 3 on all and one is far ahead.

    `beyond` is the share of replicas whose own score is: the sum of few replicas' faults is beyond chance, too.
    """
    fleet = f"max by (feature) ({PSI} >= bool {PSI_CRITICAL})"
    alone = f"(count by (feature) ({APART}) > bool 0 or 0 * {fleet})"
    few = f"({alone} * ({beyond} <= bool 0.5))"
    return f"{few} + (1 - {few}) * clamp_max(2 * {fleet} + 3 * {alone}, 3)"


def _apart() -> Panel:
    """Which replica, and in what."""
    farther, at = f"max by (instance, feature, output) ({APART} or {APART_OUTPUT})", "instance, feature, output"
    side = (c.FEATURES.statistics, c.OUTPUTS.statistics)
    own = " or ".join(of(one["total_variation"], **HOUR) for one in side)
    queries = [
        Query(f"topk(25, {farther})", "farther by"),
        Query(f"max by ({at}) ({own}) and on ({at}) topk(25, {farther})", "its values moved"),
    ]
    looks = [
        BLANK,
        by_name("farther by", unit="percentunit", decimals=1, **judged((0.1, ORANGE)), **_TEXT),
        by_name("its values moved", unit="percentunit", decimals=1),
        OPEN_FEATURE,
        OPEN_OUTPUT,
    ]
    labels = {"instance": "replica", "feature": "feature", "output": "output"}
    return Panel("table", "Replicas apart, and in what", "Replicas that are farther from the training data than all"
                 " together, beyond what chance makes of the largest of so many, and by how much. From 10 points on for"
                 " ten minutes it becomes a ticket (ModelReplicaDiverges). Click the feature to see it replica by"
                 " replica.", "none", queries, 14, 9,
                 said("no replica is apart, or fewer than two have enough data"),
                 {"sortBy": [{"desc": True, "displayName": "farther by"}]}, looks,
                 side_by_side(queries, labels))  # fmt: skip
