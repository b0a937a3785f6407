"""Of the health board: the verdict, the checks that make it, what fires, and what happened meanwhile."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.looks import AT, BLUE, GREEN, GREY, ORANGE, PLAIN, RED, by_name, by_pattern, states, steps
from exporter.dashboards.pieces import Json, Panel, Query
from exporter.dashboards.queries import alerts, of, recorded

HEALTHY, LEARNING, BLIND, WATCH, ACT = range(5)
"""As rules record them: the largest of several is right for all."""
NOT_LOADED: Final = "rules not loaded"
VERDICTS: Final = states((HEALTHY, "Healthy", GREEN), (LEARNING, "Learning", GREY), (BLIND, "Blind", GREY),
                         (WATCH, "Watch", ORANGE), (ACT, "Act", RED))  # fmt: skip
_RESULTS: Final = states((HEALTHY, "passed", GREEN), (LEARNING, "learning", GREY), (BLIND, "blind", GREY),
                         (WATCH, "failed: ticket", ORANGE), (ACT, "failed: page", RED))  # fmt: skip
_SHOWN_BY: Final = {
    links.SERVING: ("server", "resources", "dependencies", "traffic", "errors", "latency"),
    links.QUALITY: ("coverage", "payloads", "profile", "missing values", "wrong values", "stuck values"),
    links.FEATURE: ("features", "drift"),
    links.PREDICTIONS: ("predictions", "segments", "performance"),
    links.TRUTH: ("truth", "business values"),
    links.LIFE: ("versions", "golden requests", "age", "retraining", "feedback loops"),
    links.FLEET: ("replicas",),
    links.INTERNALS: ("exporter",),
}
"""The board that shows more of each check."""
_EVENTS: Final = (
    (10, "served", BLUE), (11, "in force", BLUE), (20, "down", RED), (21, "reached", GREEN), (32, "to be read", BLUE),
    (33, "ticket", ORANGE), (34, "page", RED),
)  # fmt: skip
"""What the timeline says beside verdicts: numbers that are no verdict's."""


def verdict() -> Iterator[Panel]:
    """In one word, and since when."""
    state, since = recorded("model:model_health:state"), recorded("model:model_health:timestamp")
    checks = recorded("model_check:model_health:state")
    worst = f"topk(1, max by (check) ({checks}) > 0)"
    worst += f' or on () label_replace(max({state}), "check", "all checks", "", "")'
    yield Panel("stat", "Verdict", "Act: a page fires. Watch: a ticket does. Blind: nobody sees what it is asked."
                " Learning: there is not enough yet to judge by. Healthy: every check that is due passes. The first of"
                " these that holds, with the check that is worst; the checks below say more.", "none",
                [Query(worst, "{{check}}", instant=True)], 5, 5,
                {**VERDICTS, **steps((None, GREY)), "noValue": NOT_LOADED}, {"textMode": "value_and_name"})  # fmt: skip
    begun = f"min({since} and {state} == on () group_left () max({state}))"
    yield Panel("stat", "Since", "When the verdict became what it is, as far back as rules have recorded it. Look for"
                " the same time below, in what happened.", "dateTimeFromNow",
                [Query(f"1000 * {begun}", "ago", instant=True), Query(f"1000 * {begun}", "at", instant=True)], 3, 5,
                PLAIN | {"noValue": NOT_LOADED},
                {"colorMode": "none", "textMode": "value", "orientation": "horizontal"},
                [by_name("at", unit=AT)])  # fmt: skip


def checklist() -> Panel:
    """Each check with its result."""
    asked = (
        (_with_board(f"max by (check) ({recorded('model_check:model_health:state')})"), "result"),
        (_with_board(f"1000 * min by (check) ({recorded('model_check:model_health:timestamp')})"), "since"),
    )
    board = links.to(links.OF_CELL, "Look there")
    background: Json = {"type": "color-background", "mode": "basic"}
    return Panel(
        "table", "Checks", "Failed ones first: what is well and what is not, since when, and the dashboard that shows"
        " more. A check fails while an alert about it fires; it is blind or learning where it has nothing to say. What"
        " a model does not have, such as segments, is not checked.", "none",
        [Query(*one) for one in asked], 9, 20, {"noValue": NOT_LOADED}, {},
        [
            by_name("check", custom_width=112),
            by_name("result", custom_cellOptions=background, custom_width=98, **VERDICT_OF_CHECK),
            by_name("since", unit="dateTimeFromNow", custom_width=145, custom_align="left"),
            by_name("details", links=[board], mappings=_TITLES),
        ],
        [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {
                "excludeByName": {"Time": True},
                "indexByName": {"check": 0, "Value #A": 1, "Value #B": 2, "board": 3},
                "renameByName": {"Value #A": "result", "Value #B": "since", "board": "details"},
            }},
            {"id": "sortBy", "options": {"sort": [{"desc": True, "field": "result"}]}},
        ],
    )  # fmt: skip


_TITLES: Final[list[Json]] = [
    {"type": "value", "options": {uid: {"index": place, "text": links.TITLES[uid]}
                                  for place, uid in enumerate(_SHOWN_BY)}}
]  # fmt: skip
"""What boards are called where their uids would stand."""
VERDICT_OF_CHECK: Final = {"mappings": _RESULTS["mappings"]}


def _with_board(expr: str) -> str:
    """With the uid of the board that shows more, as label `board`."""
    for board, checks in _SHOWN_BY.items():
        expr = f'label_replace({expr}, "board", "{board}", "check", "{"|".join(checks)}")'
    return expr


def firing() -> Panel:
    """What fires."""
    # Two selectors rather than one pattern: the model's name may have signs in it that mean something in patterns.
    mine, began = (
        " or ".join(alerts(state=state, **model).replace("ALERTS", name, 1) for model in ({}, {"model": ""}))
        for name, state in (("ALERTS", "firing"), ("ALERTS_FOR_STATE", "*"))
    )
    by = "alertname, severity, owner, model_version, instance"
    said = {"critical": ("page", RED), "warning": ("ticket", ORANGE), "info": ("to be read", BLUE)}
    words = {value: {"color": colour, "index": place, "text": text}
             for place, (value, (text, colour)) in enumerate(said.items())}  # fmt: skip
    return Panel(
        "table", "Alerts", "What fires about this model and its exporters, with whose it is and since when; a page"
        " wakes somebody, a ticket is for today. The name leads to its section of the runbooks.", "none",
        [Query(f"1000 * min by ({by}) (({began}) and ignoring (alertstate) ({mine}) or {_shared()})", "since")], 15, 8,
        {"noValue": "nothing fires of the rules that are loaded"}, {},
        [
            by_name("severity", mappings=[{"type": "value", "options": words}], custom_width=90,
                    custom_cellOptions={"type": "color-background", "mode": "basic"}),
            by_name("since", unit=AT, custom_align="left", custom_width=170),
            by_pattern("/^(owner|version|replica)$/", unit="string", noValue="–"),
            by_name("alert", custom_width=250, links=[
                {"title": "Runbook", "url": f"{links.RUNBOOKS}#{links.OF_FIELD % 'alert'}", "targetBlank": True}]),
        ],
        [
            {"id": "organize", "options": {
                "excludeByName": {"Time": True},
                "indexByName": {name: place for place, name in
                                enumerate(by.replace("severity", "severity, Value").split(", "))},
                "renameByName": {"alertname": "alert", "Value": "since", "model_version": "version",
                                 "instance": "replica"},
            }},
            {"id": "sortBy", "options": {"sort": [{"desc": False, "field": "severity"}]}},
        ],
    )  # fmt: skip


def _shared() -> str:
    """What is told once of many models and names none of them: whom it is about is recorded, and since when."""
    about = recorded("model_alertname:model_alerts:severity", alertname="ModelFeatureDriftsAcrossModels")
    since = recorded("model_check:model_health:timestamp", check="features")
    began = f"0 * {about} + on (cluster, namespace, job, model) group_left () {since}"
    return f'label_replace({began}, "severity", "warning", "", "")'


def timeline() -> Panel:
    """What happened, in one picture."""
    every = {"model_version": "*"}
    of_severity = " or ".join(
        f"{number} * {alerts(severity=severity)}"
        for number, severity in ((34, "critical"), (33, "warning"), (32, "info"))
    )
    both: Json = {"mappings": [VERDICTS["mappings"][0], *states(*_EVENTS)["mappings"]]}
    return Panel(
        "state-timeline", "What happened", "The verdict, which versions were served and which profiles were in force,"
        " whether dependencies were reached, and which alerts fired. Look what changed shortly before the verdict did.",
        "none",
        [
            Query(f"max({recorded('model:model_health:state')})", "verdict"),
            Query(f"10 * max by (model_version) ({of(c.MODEL_INFO, **every)})", "version {{model_version}}"),
            Query(f"11 * max by (profile) ({of(c.PROFILE_INFO, **every)})", "profile {{profile}}"),
            Query(f"20 + min by (dependency) ({of(c.DEPENDENCY_UP, **every)})", "dependency {{dependency}}"),
            Query(f"max by (alertname) ({of_severity})", "{{alertname}}"),
        ],
        10, 11, {**both, **steps((None, GREY)), "noValue": NOT_LOADED, "custom": {"fillOpacity": 70, "lineWidth": 0}},
        {"legend": {"showLegend": False}},
    )  # fmt: skip
