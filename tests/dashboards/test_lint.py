"""Each check of dashboards finds the fault that it is there for, and nothing where one is as it should be."""

import copy
from collections.abc import Callable
from typing import Any

import board_checks
import board_lint
import pytest
from shipped_boards import BOARDS, Json

from exporter import catalogue as c
from exporter.dashboards import grafana, links, looks
from exporter.dashboards.boards import health
from exporter.dashboards.choice import Choice
from exporter.dashboards.files import made
from exporter.dashboards.pieces import Board, Panel, Query, Row
from exporter.dashboards.queries import of, rate, recorded

CHECKS = {**board_lint.CHECKS, **board_checks.CHECKS}
JOB = 'job=~"$job"'
SCORE = f"topk(25, max by (feature) (model_feature_psi{{{JOB}}}))"
Change = Callable[[Json], object]


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_shipped_dashboards_have_no_fault(board: Json) -> None:
    assert [*board_lint.faults(board, CHECKS)] == []


def faultless() -> Json:
    """A dashboard without fault."""
    seen = looks.steps((None, "green"), (1, "red")) | looks.states((0, "fine", "green"), (1, "bad", "red"))
    to_feature = links.to(links.FEATURE, "See its bins", feature=links.OF_FIELD % "feature")
    lines = [Query(f"topk(25, max by (feature) ({of(c.FEATURES.statistics['psi'])}))", "{{feature}}"),
             Query(f"sum({rate(c.REQUESTS)})", "critical")]  # fmt: skip
    panels = [
        Panel("stat", "Up", "Whether it is up.", "none", [Query(f"max({of(c.SERVER_UP)})")], 12, 4, seen),
        Panel("timeseries", "Scores", "How high they are.", "none", lines, 12, 4, overrides=[looks.CRITICAL]),
        Panel("table", "Features", "Worst first.", "none", [Query(SCORE, "score")], 12, 4,
              overrides=[looks.by_name("score", unit="s"), looks.by_name("feature", links=[to_feature])]),
        Panel("state-timeline", "Was it up", "It was.", "none", [Query(of(c.SERVER_UP), "{{instance}}")], 12, 4, seen),
    ]  # fmt: skip
    board = Board("model-health", "Health", "Is it well?", [Row("Now", lambda: panels)], frozenset({"version"}))
    return grafana.document(board, Choice())


def panel(place: int, **changes: Any) -> Change:
    return lambda board: board["panels"][1 + place].update(changes)


def field(place: int, **changes: Any) -> Change:
    return lambda board: board["panels"][1 + place]["fieldConfig"]["defaults"].update(changes)


def option(place: int, **changes: Any) -> Change:
    return lambda board: board["panels"][1 + place]["options"].update(changes)


def override(place: int, one: Json) -> Change:
    return lambda board: board["panels"][1 + place]["fieldConfig"]["overrides"].append(one)


def by_query(place: str, **properties: object) -> Json:
    """What the fields of one query look like, by its letter: none of ours does that, copies of people may."""
    return looks.by_name(place, **properties) | {"matcher": {"id": "byFrameRefID", "options": place}}


def asks(expr: str, place: int = 0, **changes: Any) -> Change:
    return lambda board: board["panels"][1 + place]["targets"][0].update(expr=expr, **changes)


def variable(place: int, **changes: Any) -> Change:
    return lambda board: board["templating"]["list"][place].update(changes)


def leads(url: str) -> Change:
    return panel(1, links=[{"title": "there", "url": url}])


def lists(query: str) -> Change:
    return variable(3, query={"query": query})


OUTPUT = links.OF_FIELD % "output"
KEPT = links.to(links.FLEET, "There")["url"]
STEPS = {"mode": "absolute", "steps": [{"value": None, "color": "#ff0000"}]}
ALONE = {"type": "value", "options": {"1": {"color": "red", "index": 0, "text": ""}}}
PLANTED: list[tuple[str, Change, str]] = [
    ("template-datasource", variable(0, name="source"), "it is to be"),
    ("template-datasource", variable(0, label="Source"), "it is to be"),
    ("template-job", variable(1, name="jobs"), "there is none"),
    ("template-job", variable(1, multi=False), "multi is False"),
    ("template-job", variable(1, allValue=".*"), "allValue is .*"),
    ("template-job", variable(1, label="job"), "label is job"),
    ("template-label-promql", lists("query_result(up)"), "asks for no label's values"),
    ("template-label-promql", lists("label_values(up{, job)"), "asks for no label's values"),
    ("template-on-time-change-reload", variable(2, refresh=1), "not asked for anew"),
    ("panel-datasource", panel(0, datasource={"type": "prometheus", "uid": "abc"}), "abc"),
    ("panel-datasource", asks("up", datasource={"type": "prometheus", "uid": "${DS_PROMETHEUS}"}), "DS_PROMETHEUS"),
    ("panel-title-description", panel(0, title=" "), "no title"),
    ("panel-title-description", panel(0, description="Up"), "no sentence"),
    ("panel-units", field(0, unit="seconds"), "seconds is no unit"),
    ("panel-units", override(0, looks.by_name("A", unit="sec")), "sec is no unit"),
    ("panel-no-targets", panel(0, targets=[]), "it asks nothing"),
    ("target-promql", asks(f"max(model_server_up{{{JOB}}}"), "unclosed left parenthesis"),
    ("target-rate-interval", asks(f"sum(rate(model_requests_total{{{JOB}}}[5m]))"), "rate over 5m"),
    ("target-rate-interval", asks(f"sum(rate(model_requests_total{{{JOB}}}[$__interval]))"), "rate over 1m11s"),
    ("target-rate-interval", asks(f"max_over_time(model_server_up{{{JOB}}}[$__rate_interval])"), "is for rates"),
    ("target-job", asks("max(model_server_up)"), "model_server_up{} is of any job"),
    ("target-job", asks('max(model_server_up{job="$job"})'), "is of any job"),
    ("target-job", asks(f"max(model_server_up{{{JOB}}} and model_info)"), "model_info{} is of any job"),
    ("target-counter-agg", asks(f"sum(model_requests_total{{{JOB}}})"), "model_requests_total is a counter"),
    ("target-counter-agg", asks(f"max(model_request_duration_seconds_bucket{{{JOB}}})"), "_bucket is a counter"),
    ("uneditable-dashboard", lambda board: board.update(editable=True), "is lost"),
    ("variables", lambda board: board["templating"]["list"].pop(), "variables are"),
    ("variables", asks(f'max(model_server_up{{{JOB},instance="$instance"}})'), "nobody knows $instance"),
    ("variables-shown", variable(4, hide=0), "changes nothing"),
    ("variables-shown", variable(2, hide=2), "it is not shown"),
    ("variables-shown", variable(4, hide=1), "neither shown nor hidden"),
    ("links", leads("/dashboards"), "leads nowhere"),
    ("links", leads(KEPT.replace("model-fleet", "fleet")), "no dashboard fleet"),
    ("links", leads(KEPT.replace("model-fleet", OUTPUT)), "no dashboard ${__data.fields.output}"),
    ("links", leads(KEPT.replace("&${__url_time_range}", "")), "the time is lost"),
    ("links", leads(KEPT.replace("&${window:queryparam}", "")), "window is lost"),
    ("links", leads(f"{KEPT}&var-model=m"), "model is there twice"),
    ("links", field(1, links=[{"title": "there", "url": "/d/other?"}]), "no dashboard other"),
    ("links", override(1, by_query("A", links=[{"title": "there", "url": "/d/more?"}])), "no dashboard more"),
    ("links-between", lambda board: board["links"][0].update(includeVars=False), "is lost on the way"),
    ("few-lines", asks(f"max by (feature) (model_feature_psi{{{JOB}}})", 1), "not of the 25"),
    ("few-lines", asks(f"topk(50, max by (feature) (model_feature_psi{{{JOB}}}))", 1), "not of the 25"),
    ("no-value", field(0, noValue=""), "says nothing where"),
    ("no-value", field(0, thresholds={"steps": []}), "no thresholds"),
    ("no-value", field(0, thresholds={"steps": [{"value": None, "color": "green"}]}), "what is not known is green"),
    ("colours", field(0, thresholds=STEPS), "#ff0000 is not of the palette"),
    ("colours", override(1, by_query("A", color={"mode": "fixed", "fixedColor": "pink"})), "pink is not"),
    ("colours", field(0, mappings=[ALONE]), "a colour alone"),
    ("colours", override(2, looks.by_name("score", mappings=[ALONE])), "a colour alone"),
    ("colours", option(0, textMode="none"), "a colour alone"),
    ("colours", option(3, showValue="never", legend={"showLegend": False}), "colours alone"),
    ("fields", override(1, by_query("C", unit="s")), "the query C"),
    ("fields", override(0, looks.by_name("crit", unit="s")), "no field is called"),
    ("fields", override(2, looks.by_name("Value", unit="s")), "no field is called"),
    ("fields", override(2, looks.by_name("score", links=[links.to("model-feature", "", feature=OUTPUT)])), "by output"),
    ("legends", asks(f"max(model_server_up{{{JOB}}})", 3), "no label instance"),
    ("legends", override(1, by_query("A", links=[{"url": "${__field.labels.output}"}])), "no label output"),
    ("names", asks(f"max(model_server_upp{{{JOB}}})"), "model_server_upp{"),
    ("names", asks(f'max(model_server_up{{{JOB},window="1h"}})'), "model_server_up{window} is no label"),
    ("names", asks(f"max by (feature) (model_server_up{{{JOB}}})"), "groups by feature"),
    ("names", asks(f"model_feature_psi{{{JOB}}} / model_server_up{{{JOB}}}"), "never matches"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "change", "text"), PLANTED)
def test_a_planted_fault_is_found(check: str, change: Change, text: str) -> None:
    board = copy.deepcopy(faultless())
    change(board)
    found = [fault.text for fault in board_lint.faults(board, {check: CHECKS[check]})]
    assert any(text in one for one in found), found


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert {check for check, _, _ in PLANTED} == CHECKS.keys()


def test_what_is_as_it_should_be_is_left_alone() -> None:
    assert [*board_lint.faults(faultless(), CHECKS)] == []


def test_what_is_excused_is_a_rule_that_is_not_checked_or_a_panel_that_would_be_at_fault() -> None:
    """An excuse that nobody needs any more hides the next fault."""
    there = {f"{name}, {said}" for board in BOARDS.values() for name, check in CHECKS.items()
             for place, _ in check(board) for said in (place, place.rpartition(", ")[0])}  # fmt: skip
    for excused in board_lint.EXCUSED:
        rule, _, place = excused.partition(", ")
        assert excused in there if place else rule not in CHECKS, excused


# --- what is renamed


def test_a_metric_that_is_renamed_is_so_in_the_dashboards_and_the_files_are_no_longer_up_to_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = dict(made(Choice()))
    monkeypatch.setattr(c, "REQUESTS", c.REQUESTS._replace(name="model_calls_total"))
    after = dict(made(Choice()))
    assert "model_calls_total" not in "".join(before.values())
    assert "model_requests_total{" not in "".join(after.values())
    assert before.keys() == after.keys()
    assert before != after


def test_a_label_that_a_metric_loses_and_a_record_that_no_rule_makes_stop_the_build(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ValueError, match="no rule records"):
        recorded("feature:model_feature_psi:renamed")
    monkeypatch.setattr(c, "REQUESTS", c.REQUESTS._replace(labels=("model", "model_version")))
    with pytest.raises(ValueError, match="model_requests_total has no label"):
        grafana.text(health.BOARD, Choice())


def test_a_metric_that_is_removed_is_known_to_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    left = {name: labels for name, labels in board_lint.known().items() if name != "model_requests_total"}
    monkeypatch.setattr(board_checks, "known", lambda: left)
    found = [fault.text for board in BOARDS.values() for fault in board_lint.faults(board, board_checks.CHECKS)]
    assert any("model_requests_total{" in text for text in found)
