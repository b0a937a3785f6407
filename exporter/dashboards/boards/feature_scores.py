"""One feature's scores as time goes by: beside what chance reaches and alerts, by replica, by part of the traffic."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.looks import BLANK, DASHED, GREEN, GREY, LIMIT, ORANGE, RED, by_name, by_pattern, states
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import MODEL, WINDOW, alerts, of, over, recorded
from exporter.dashboards.worst import worst, worst_now

_CHOSEN: Final = {"feature": "$feature"}
_BAND: Final = by_pattern(
    "/^critical/", custom_lineStyle=DASHED, custom_fillOpacity=10, color={"mode": "fixed", "fixedColor": "text"}
)
"""What chance reaches: a dashed line, and the space below it."""
_OTHERS: Final = {"js_distance": "Jensen-Shannon", "ks": "Kolmogorov-Smirnov", "wasserstein_ratio": "Wasserstein",
                  "mean_shift_zscore": "mean shift"}  # fmt: skip


def scores() -> Iterator[Panel]:
    """Against the training data."""
    yield _score("psi", "PSI and what chance reaches", "The grey band is what chance reaches once in 1000 windows of"
                 " that size, of the replica with fewest values. A line above it is drift; by how much, say the values"
                 " moved beside.", "none")  # fmt: skip
    yield _score("total_variation", "Values moved and what chance reaches", "Share of the values in other bins than"
                 " those of the training data. Within the grey band it may be chance; a tenth above it is worth a"
                 " look, unless tolerated.", "percentunit")  # fmt: skip
    yield _findings()
    yield _alerts()
    yield _others()
    yield _evidence()


def _score(name: str, title: str, text: str, unit: str) -> Panel:
    f = c.FEATURES
    score, critical = of(f.statistics[name], **_CHOSEN, **WINDOW), of(f.critical[name], **_CHOSEN, **WINDOW)
    enough = f"{of(f.sufficient, **_CHOSEN, **WINDOW)} == 1"
    asked = {"worst replica": f"max({score} and {enough})", "median replica": f"quantile(0.5, {score} and {enough})",
             "critical, at most": f"max({critical} and {enough})"}  # fmt: skip
    if name == "total_variation":
        asked["tolerated by the overrides"] = f"max({of(f.tolerance, **_CHOSEN)})"
    return Panel("timeseries", title, text, unit, [Query(expr, legend) for legend, expr in asked.items()], 12, 8,
                 {"min": 0, "noValue": "not enough data in the window"}, overrides=[_BAND])  # fmt: skip


def _findings() -> Panel:
    """What the rules say of this very feature."""
    version = {"model_version": MODEL["model_version"]} | _CHOSEN
    by_kind = {
        "{{kind}}": [recorded(name, **version) for name in (
            "instance_column:model_missing_ratio:told", "instance_column:model_wrong_values:told",
            "instance_column:model_distinct_values:told")],
    }  # fmt: skip
    whole = {
        "drift": recorded("instance_feature:model_feature_psi:told", **version),
        "strays from the fleet": recorded("instance_feature:model_feature_total_variation:strays", **version),
        "answers otherwise": recorded("instance_feature_output:model_feature_association_shift:drifted", **version),
        "failed requests": recorded("instance_feature:model_failed_total_variation:found", **version),
        "named by evidence": of(c.FEATURES.evidence["drift_onset_timestamp_seconds"], **_CHOSEN),
    }
    kinds = [Query(f"count by (kind) ({expr})", legend) for legend, found in by_kind.items() for expr in found]
    return Panel("state-timeline", "What the rules find about $feature", "Each line is a finding about this feature,"
                 " with the number of replicas that have it; its beginning is when it was found. Nothing here, and an"
                 " alert below: it is about other features.", "short",
                 [Query(f"count({expr})", legend) for legend, expr in whole.items()] + kinds, 12, 7,
                 {"noValue": "no rule found anything about this feature in the chosen time",
                  "color": {"mode": "fixed", "fixedColor": ORANGE}})  # fmt: skip


def _alerts() -> Panel:
    by = "alertname"
    found = f"2 * max by ({by}) ({alerts()}) or max by ({by}) ({alerts(state='pending')})"
    return Panel("state-timeline", "Alerts about the model", "Which alerts wait and fire, all features together: one"
                 " alert names several. The runbook, at the top, says what to do about each.", "none",
                 [Query(worst(found, by, 12), "{{alertname}}")], 12, 7,
                 {"noValue": "no alert in the chosen time"} | states((1, "pending", ORANGE), (2, "firing", RED)),
                 links=[{"title": "Runbooks", "url": links.RUNBOOKS}])  # fmt: skip


def _others() -> Panel:
    f = c.FEATURES
    asked = []
    for name, legend in _OTHERS.items():
        score, critical = of(f.statistics[name], **_CHOSEN, **WINDOW), of(f.critical[name], **_CHOSEN, **WINDOW)
        asked.append(Query(f"max(abs({score}) / ({critical} > 0))", legend))
    return Panel("timeseries", "Other scores, times their critical values", "What other statistics say, each over what"
                 " chance reaches once in 1000 windows; the worst replica. Only the mean's above the line: values"
                 " shifted a little, all of them. Categories have the first alone.", "none", asked, 12, 8, LIMIT
                 | {"min": 0})  # fmt: skip


def _evidence() -> Panel:
    found = c.FEATURES.evidence
    columns = " or ".join(
        f"count by ({one.label}) ({of(one.evidence['drift_evidence_nats'], **{one.label: '*'})})"
        for one in (c.FEATURES, c.OUTPUTS)
    )
    alone = f"max({of(c.EVIDENCE_THRESHOLD)}) + ln(count({columns}))"
    asked = {"worst replica": f"max({of(found['drift_evidence_nats'], **_CHOSEN)})",
             "slow drift": f"max({of(found['slow_drift_evidence_nats'], **_CHOSEN)})",
             "critical, where it pages alone": alone,
             "whole fleet": f"max({of(c.FLEET_FEATURES.evidence, **_CHOSEN)})"}  # fmt: skip
    return Panel("timeseries", "Evidence of its drift", "Logarithm of what bets on its drift have won since the last"
                 " quiet moment. At the dashed line this feature pages even if no other has any; together features page"
                 " earlier. It falls where the drift ends.", "none",
                 [Query(expr, legend) for legend, expr in asked.items()], 12, 8, {"min": 0, "unit": "none"},
                 overrides=[_BAND])  # fmt: skip


def replicas() -> Iterator[Panel]:
    """Where."""
    f, by = c.FEATURES, "instance"
    enough = f"{of(f.sufficient, **_CHOSEN, **WINDOW)} == 1"
    moved, critical, samples = (of(one, **_CHOSEN, **WINDOW) for one in (
        f.statistics["total_variation"], f.critical["total_variation"], f.samples))  # fmt: skip
    times = f"max by ({by}) ({moved} / {critical})"
    yield Panel("timeseries", "Values moved by replica, times the critical value", "The 20 worst replicas; above 1 no"
                " chance. One line far above the others is a replica that is asked other things, or broken: see the"
                " fleet. All together: the data.", "none", [Query(worst(times, by), "{{instance}}")], 12, 9,
                LIMIT | {"min": 0}, links=[links.to(links.FLEET, "Fleet and versions")])  # fmt: skip
    chosen = f"and on ({by}) {worst_now(times)}"
    version = MODEL["model_version"]
    apart = recorded("instance_feature:model_feature_divergence:fleet1h", model_version=version, **_CHOSEN)
    table = {
        "times critical": worst_now(times),
        "moved": f"max by ({by}) ({moved}) {chosen}",
        "apart from the fleet": f"max by ({by}) ({apart}) {chosen}",
        "values": f"min by ({by}) ({samples}) {chosen}",
        "enough": f"min by ({by}) ({enough} or 0 * {samples}) {chosen}",
    }  # fmt: skip
    said = states((0, "not enough data", GREY), (1, "yes", "text"))
    yield Panel("table", "Replicas, worst first", "How much of the feature moved on each, and by how much more than all"
                " replicas together within the last hour, where that is no chance. Windows that do not hold enough"
                " say little.", "none", [Query(expr, name) for name, expr in table.items()], 12, 9,
                {"noValue": "no replica shows this feature"},
                {"sortBy": [{"displayName": "times critical", "desc": True}]},
                [BLANK, by_name("times critical", decimals=1, custom_cellOptions={"type": "color-text"},
                         thresholds={"mode": "absolute", "steps": [
                             {"value": None, "color": GREY}, {"value": 0, "color": GREEN},
                             {"value": 1, "color": ORANGE}, {"value": 5, "color": RED}]}),
                 by_name("moved", unit="percentunit", decimals=1),
                 by_name("apart from the fleet", unit="percentunit", decimals=1),
                 by_name("enough", **said)])  # fmt: skip


def parts() -> Iterator[Panel]:
    """Against other live values, and by part of the traffic."""
    f = c.FEATURES
    live = over(f.live["total_variation"], f.live_critical["total_variation"], "against", **_CHOSEN, **WINDOW)
    yield Panel("timeseries", "Against other live values", "Total variation over its critical value, against the window"
                " before (previous), the same hour a week ago (last_week) or another version. Above 1 it is new since"
                " then, or the versions are asked different things; the worst replica.", "none",
                [Query(live, "{{against}}")], 8, 8, LIMIT | {"min": 0})  # fmt: skip
    by, segments = "segment, value", c.SEGMENT_FEATURES
    part = over(segments.variation, segments.critical, by, **_CHOSEN, window="*")
    yield Panel("timeseries", "By part of the traffic", "The 12 parts that moved most (segments.by), each against the"
                " same part of the training data, over the critical value. Above 1 that part moved, whatever the whole"
                " looks like.", "none", [Query(worst(part, by, 12), "{{segment}} {{value}}")], 8, 8,
                LIMIT | {"min": 0, "noValue": "the traffic is not divided"})  # fmt: skip
    shift = over(f.aspects["association_shift"], f.aspects["association_shift_critical"], "output", **_CHOSEN)
    yield Panel("timeseries", "Answers to the same value, by output", "How far mean answers by bin have moved, over the"
                " critical value. Above 1 it was swapped with another feature, means something else now, or another"
                " model answers.", "none", [Query(worst(shift, "output", 12), "{{output}}")], 8, 8,
                LIMIT | {"min": 0})  # fmt: skip
    found = f.evidence
    skew = [Query(f"max({of(found['skew_ratio'], **_CHOSEN)})", "skew"),
            Query(f"max({of(found['skew_ratio_critical'], **_CHOSEN)})", "critical")]  # fmt: skip
    yield Panel("timeseries", "Skew since the first row", "Share of the values in other bins than those of the training"
                " data from the first row to the end of the warm-up. Above the dashed line training and serving have"
                " differed all along: no drift, a bug.", "percentunit", skew, 12, 7,
                {"min": 0, "noValue": "known once the warm-up is over"}, overrides=[_BAND])  # fmt: skip
    rest = {"tolerated by evidence": found["drift_tolerance_ratio"], "reference may be off": f.known["reference_error"],
            "hours differ by": f.known["wander"]}  # fmt: skip
    yield Panel("timeseries", "How much may move without evidence", "What the evidence lets pass, and what it is made"
                " of; less drift than that never pages. Build the profile of more rows, or over more hours, where that"
                " is too much.", "percentunit", [Query(f"max({of(one, **_CHOSEN)})", legend)
                                                 for legend, one in rest.items()], 12, 7, {"min": 0})  # fmt: skip
