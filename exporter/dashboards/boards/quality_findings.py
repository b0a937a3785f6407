"""What is wrong with the values of all features: worst first, kind by kind, and as time goes by."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import faults, links
from exporter.dashboards.looks import BLANK, DASHED, GREEN, GREY, LIMIT, ORANGE, RED, by_name, by_pattern, states, steps
from exporter.dashboards.pieces import Json, Panel, Query
from exporter.dashboards.queries import MODEL, WINDOW, here, of, rate, recorded
from exporter.dashboards.worst import worst_or_found

_ROWS: Final = 25
_WRONG: Final = {"mode": "absolute", "steps": [
    {"value": None, "color": GREY}, {"value": 0, "color": "text"}, {"value": 1, "color": ORANGE},
    {"value": 5, "color": RED}]}  # fmt: skip
_DRILL: Final = by_name(
    "feature", links=[links.to(links.FEATURE, "What happened to it", feature=links.OF_FIELD % "feature")]
)
_DOWN: Final = [links.to(links.FEATURE, "What happened to it", feature=links.OF_SERIES % "feature")]
_LISTED: Final[Json] = {"id": "filterByValue", "options": {"type": "include", "match": "all", "filters": [
    {"fieldName": "times the limit", "config": {"id": "isNotNull", "options": {}}}]}}  # fmt: skip
"""Rows that are among the worst: counting replicas for these alone would ask for all kinds once more."""
_NO_FAULT: Final = "no fault found in what was judged: no kind is beyond its limit"


def now() -> Iterator[Panel]:
    """In numbers and words."""
    enough, found = of(c.FEATURES.sufficient, **WINDOW), faults.times_limit()
    none = states((0, "none", GREEN))
    yield Panel("stat", "Features with wrong values", "How many have more values of a kind than chance makes of the"
                " training data and the rules let pass, on any replica; begin with the worst one, beside.", "short",
                [Query(f"count(count by (feature) ({found} > 1)) or 0 * count({enough} == 1)", instant=True)], 5, 4,
                steps((None, GREY), (0, GREEN), (1, ORANGE)) | none)  # fmt: skip
    worst_one = f"topk(1, {found} > 1)"
    fine = f'label_replace(label_replace(0 * max({enough} == 1), "feature", "none", "", ""), "kind", "wrong", "", "")'
    yield Panel("stat", "Worst, times the limit", "The feature and the kind that are most beyond their limit. Above"
                " 1 it is a fault; choose it to see what happened, and since when.", "none",
                [Query(f"{worst_one} or on () {fine}", "{{feature}} {{kind}}", instant=True)], 7, 4,
                steps((None, GREY), (0, GREEN), (1, ORANGE), (5, RED)) | {"decimals": 1, "links": _DOWN},
                {"textMode": "value_and_name"})  # fmt: skip
    judged = recorded("instance:model_rows_observed:ratio1h", model_version=MODEL["model_version"])
    shared = steps((None, GREY), (0, RED), (0.5, ORANGE), (0.95, GREEN)) | {"decimals": 1}
    yield Panel("stat", "Rows judged", "Share of the rows served in the last hour that were decoded and counted, on the"
                " worst replica. All on this page is about these alone; below 95 % see what is not decoded.",
                "percentunit", [Query(f"min({judged})")], 4, 4, shared)  # fmt: skip
    fields = f"min(sum by (side) ({rate(c.PROFILE_MATCHED_FIELDS)}) / (sum by (side) ({rate(c.PROFILE_FIELDS)}) > 0))"
    yield Panel("stat", "Columns found", "Share of the profile's columns that payloads have, of the worse side. Less"
                " than all: a client has dropped or renamed some; less than half: nothing is scored.", "percentunit",
                [Query(fields)], 4, 4, shared)  # fmt: skip
    undecoded = "error_status|shed|sampled"
    failed, offered = here(rate(c.PAYLOADS_UNDECODED, reason=f"!~{undecoded}")), here(rate(c.PAYLOADS_OFFERED))
    yield Panel("stat", "Payloads not understood", "Share of the payloads that could not be read though they should be"
                " input or output of the model; those of errors and those let go on purpose are left out.",
                "percentunit", [Query(f"(sum({failed}) or vector(0)) / (sum({offered}) > 0)")], 4, 4,
                steps((None, GREY), (0, GREEN), (0.01, ORANGE), (0.05, RED)) | {"decimals": 1})  # fmt: skip


def findings() -> Iterator[Panel]:
    """One table of what is wrong, and one of everything."""
    yield _worst_first()
    yield _told()
    yield _checklist()


def _worst_first() -> Panel:
    beyond, by = f"({faults.times_limit('feature, instance')} > 1)", "feature, kind"
    wrong = f"topk({_ROWS}, topk by ({by}) (1, {beyond}))"
    asked = {"times the limit": wrong, "share": f"{faults.of_shares()} and on ({by}) {wrong}",
             "replicas": f"topk({_ROWS}, count by ({by}) ({beyond}))"}  # fmt: skip
    names = {f"Value #{chr(65 + place)}": name for place, name in enumerate(asked)} | {
        "kind": "what is wrong", "instance": "worst replica",
    }  # fmt: skip
    order = {"feature": 0, "kind": 1, "Value #B": 2, "Value #A": 3, "Value #C": 4, "instance": 5}
    return Panel("table", "What is wrong now, worst first", "Kinds beyond what chance makes of the training data and"
                 " the rules let pass, with the share on the worst replica and how many have it; what is stuck has no"
                 " share. Choose a feature to see what happened, since when and where.", "none",
                 [Query(expr, name) for name, expr in asked.items()], 14, 8, {"noValue": _NO_FAULT},
                 {"sortBy": [{"displayName": "times the limit", "desc": True}]},
                 [BLANK, _DRILL, by_name("replicas", custom_width=80), by_name("share", unit="percentunit", decimals=1),
                  by_name("times the limit", decimals=1, thresholds=_WRONG, custom_cellOptions={"type": "color-text"})],
                 [{"id": "merge", "options": {}},
                  {"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": order,
                                                 "renameByName": names}}, _LISTED])  # fmt: skip


def _told() -> Panel:
    """What tickets say."""
    by, version = "feature, output, kind, owner, severity", MODEL["model_version"]
    told = " or ".join(
        f"count by ({by}) ({recorded(f'instance_column:{name}:told', model_version=version)})"
        for name in ("model_missing_ratio", "model_wrong_values", "model_distinct_values")
    )
    order = {"feature": 0, "output": 1, "kind": 2, "replicas": 3, "owner": 4, "severity": 5}
    return Panel("table", "What tickets are about", "Findings of the rules: of how many replicas, whose they are and"
                 " what may come of them. They are those beside, in the freshest window that holds enough, less what"
                 " people tolerate.", "short", [Query(f"topk({_ROWS}, {told})", "replicas")], 10, 8,
                 {"noValue": "the rules found nothing wrong in what was judged"}, {}, [BLANK, _DRILL],
                 [{"id": "merge", "options": {}},
                  {"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": order,
                                                 "renameByName": {"Value": "replicas"}}}])  # fmt: skip


def _checklist() -> Panel:
    found = faults.times_limit()
    highest = f"max by (feature) ({found})"
    kinds = [
        faults.named(kind) for kind in (*faults.SHARES, faults.TYPE, faults.ABSENT, faults.STUCK, faults.COLLAPSED)
    ]
    order = {name: place for place, name in enumerate(["feature\\kind", "worst of all", *kinds])}
    numbers = by_pattern("/^(?!feature)/", decimals=1, thresholds=_WRONG, custom_cellOptions={"type": "color-text"})
    matrix = {"columnField": "kind", "rowField": "feature", "valueField": "Value", "emptyValue": "null"}
    return Panel("table", "Every kind of fault, feature by feature", "Each share over its limit, what chance makes of"
                 " it and the rules let pass: above 1 it is a fault, at 0 there is none of it, and nothing where it"
                 " cannot be. The 25 worst features first; choose one to see what happened.", "none",
                 [Query(f"{found} and on (feature) topk({_ROWS}, {highest})")], 24, 10,
                 {"noValue": "not enough data"},
                 {"sortBy": [{"displayName": "worst of all", "desc": True}]}, [BLANK, _DRILL, numbers],
                 [{"id": "groupingToMatrix", "options": matrix},
                  {"id": "calculateField", "options": {"mode": "reduceRow", "reduce": {"reducer": "max"},
                                                       "alias": "worst of all", "replaceFields": False}},
                  {"id": "organize", "options": {"excludeByName": {}, "indexByName": order,
                                                 "renameByName": {"feature\\kind": "feature"}}}])  # fmt: skip


def lines() -> Iterator[Panel]:
    """Since when."""
    for kind, (title, text) in faults.SHARES.items():
        yield _line(kind, f"{title.capitalize()} values", f"that are {text}")
    for kind, title, text in (
        (
            faults.TYPE,
            "Values of a wrong type",
            "of another type than the profile says, such as text where numbers were",
        ),
        (faults.ABSENT, "Fields that are absent", "whose payload did not have the field in any of its rows"),
    ):
        yield _line(kind, title, text)
    yield _one_by_one()


def _one_by_one() -> Panel:
    """Rates of counters that lead to requests."""
    families = {**c.FEATURES.quality_values, "type_error": c.FEATURES.type_errors}
    queries = [
        Query(f"sum({rate(family)})", word.replace("_", " "), exemplar=True) for word, family in families.items()
    ]
    return Panel("timeseries", "Wrong values, one by one", "Per second, all features together. Dots are requests that"
                 " had such a value where the training data hardly had any: choose one, and it leads to its trace. They"
                 " are there where metrics.exemplars is set and Prometheus keeps exemplars.", "ops", queries, 24, 6,
                 {"min": 0, "noValue": "no profile: nothing is judged"})  # fmt: skip


def _line(kind: str, title: str, text: str) -> Panel:
    shown = worst_or_found(f"{faults.share(kind)} > 0", "feature", faults.found(kind))
    return Panel("timeseries", title, f"Share of the window's values {text}, on the worst replica; the 20 worst"
                 " features, and none that has none. A step is a change upstream: compare its time with deploys.",
                 "percentunit", [Query(shown, "{{feature}}")], 8, 6,
                 {"min": 0, "noValue": "none seen in the chosen time", "links": _DOWN,
                  "custom": {"axisSoftMax": 0.05}})  # fmt: skip


def alike() -> Iterator[Panel]:
    """Values that are all alike, and rows."""
    chosen = {"model_version": MODEL["model_version"], **WINDOW}
    repeated, different = (
        f"max by (feature) ({recorded(f'feature_window:model_feature_{name}:worst', **chosen)})"
        for name in ("longest_run_values", "distinct_values")
    )
    stuck, collapsed = faults.found(faults.STUCK), faults.found(faults.COLLAPSED)
    limit: Json = LIMIT | {"min": 0, "links": _DOWN, "noValue": "not enough data"}
    yield Panel("timeseries", "Runs of one value", "Longest run in the window over what chance makes of it; the 20"
                " worst features. Above 1 the value is stuck, or one row comes again and again; the worst replica.",
                "none", [Query(worst_or_found(repeated, "feature", stuck), "{{feature}}")], 12, 8, limit)  # fmt: skip
    yield Panel("timeseries", "Too few different values", "How few different values chance leaves at the least, over"
                " those that came; the 20 worst features. Above 1 values have collapsed: rounded, cut off, repeated;"
                " the worst replica.", "none",
                [Query(worst_or_found(different, "feature", collapsed), "{{feature}}")], 12, 8, limit)  # fmt: skip
    yield from _rows()


def _rows() -> Iterator[Panel]:
    """What single features do not show."""
    of_values = c.FEATURES.aspects
    pairs = ((of_values["unusual_rows_ratio"], "unusual"), (of_values["unusual_rows_ratio_critical"], "critical"))
    yield Panel("timeseries", "Unusual rows", "Share of rows that are as unusual, all features together, as one in a"
                " hundred of the training data's; on the worst replica. Above the critical line rows are odd though"
                " each value may look as ever.", "percentunit",
                [Query(f"max({of(family, **WINDOW)})", legend) for family, legend in pairs], 8, 8,
                {"min": 0, "noValue": "not enough data"},
                overrides=[by_name("critical", custom_lineStyle=DASHED)])  # fmt: skip
    again = of(of_values["duplicate_rows_ratio"], **WINDOW)
    yield Panel("timeseries", "Identical rows", "Share of the window's rows that are identical to one of the 10,000"
                " rows before them, on the worst replica: retries, a replayed batch, a test client. What is normal"
                " depends on the traffic: look for steps.", "percentunit", [Query(f"max({again})", "identical")], 8, 8,
                {"min": 0, "max": 1, "noValue": "not enough data"})  # fmt: skip
    by = "feature, output"
    drifted = recorded("instance_feature_output:model_feature_association_shift:drifted",
                       model_version=MODEL["model_version"])  # fmt: skip
    answers = recorded("feature_output_window:model_feature_association_shift:worst",
                       model_version=MODEL["model_version"])  # fmt: skip
    yield Panel("timeseries", "Answers to the same value", "How far mean answers by bin have moved, over the critical"
                " value; the 20 worst. Above 1 features were swapped or belong to other rows, what they mean has"
                " changed, or another model answers.", "none",
                [Query(worst_or_found(f"max by ({by}) ({answers})", by, drifted), "{{feature}}: {{output}}")], 8, 8,
                LIMIT | {"min": 0, "links": _DOWN, "noValue": "not in the profile, or not enough data"})  # fmt: skip
