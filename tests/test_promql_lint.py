"""Each check of rules finds the fault that it is there for, and nothing where a rule is as it should be."""

from collections.abc import Mapping
from typing import Any

import promql_lint
import pytest

Given = dict[str, Any]
ANCHORS = frozenset({"modelbad"})
SHARE = "model_feature_missing_ratio"
ROWS = "model_rows_total"
TOLERANCE = "model_feature_tolerance_ratio"
BUCKETS = "model_request_duration_seconds_bucket"


def alert(expr: str = f"{SHARE} > 0.5", **changes: Any) -> Given:
    """One without fault, with changes."""
    annotations = {
        "summary": "It is bad.",
        "description": "Feature {{ $labels.feature }} is bad.",
        "runbook_url": "https://rules.example/runbooks.md#modelbad",
        "dashboard_url": "http://grafana.example/d/model-health",
    }
    given = {"alert": "ModelBad", "expr": expr, "labels": {"severity": "warning", "owner": "nobody"}}
    return {**given, "annotations": annotations, **changes}


def noted(**changes: str | None) -> Mapping[str, str]:
    found = {**alert()["annotations"], **changes}
    return {name: text for name, text in found.items() if text is not None}


def labelled(**changes: str) -> Given:
    return {"severity": "warning", "owner": "nobody", **changes}


def recorded(expr: str, name: str = "instance:model_rows:rate5m", **changes: Any) -> Given:
    return {"record": name, "expr": expr, **changes}


BAD: Given = {"annotations": noted(description="Bad.")}
"""Names no label, where an expression has not those of a feature."""


def asking(query: str, then: str = "") -> Given:
    """One whose description asks that."""
    return alert(annotations=noted(description=f"{{{{ range {query} }}}}{then}{{{{ end }}}}"))


def told(*rules: Given, **of_group: Any) -> list[tuple[str, str]]:
    group = {"name": "one", "rules": list(rules), **of_group}
    return [(one.check, one.text) for one in promql_lint.faults([group], ANCHORS)]


PLANTED: list[tuple[str, list[Given], str]] = [
    ("alerts/absent", [alert("absent(model_info)", **BAD)], "less than two scrapes (0s)"),
    ("alerts/absent", [alert('absent(up{job="a"})', **BAD, **{"for": "30s"})], "(30s)"),
    ("alerts/annotation", [alert(annotations=noted(runbook_url=None))], "no runbook_url"),
    ("alerts/annotation", [alert(annotations=noted(summary=" "))], "no summary"),
    ("alerts/annotation", [alert(annotations=noted(dashboard_url=None))], "no dashboard_url"),
    ("alerts/comparison", [alert(SHARE)], "nothing in it ever makes it silent"),
    ("alerts/comparison", [alert(f"{SHARE} > bool 0.5")], "nothing in it"),
    ("alerts/comparison", [alert(f"{SHARE} > 0.5 or {SHARE}")], "nothing in it"),
    ("alerts/comparison", [alert(f"max without (window) ({SHARE} * 2)")], "nothing in it"),
    ("alerts/comparison",
     [recorded(f"sum without (window) ({SHARE})"), alert("instance:model_rows:rate5m")], "nothing in it"),
    ("alerts/for", [alert(**{"for": "5 m"})], "for: 5 m is no duration"),
    ("alerts/for", [alert(keep_firing_for="1m1h")], "keep_firing_for: 1m1h is no duration"),
    ("alerts/template", [alert(labels=labelled(severity="{{ if gt $value 1.0 }}critical{{ end }}warning"))],
     "severity: a label with the value in it"),
    ("alerts/template", [alert(annotations=noted(description="{{ $labels.output }}"))],
     "description: $labels.output, which its expression has not"),
    ("alerts/template", [alert(annotations=noted(description="{{ $l := $labels }}{{ $l.modell }}"))], "$labels.modell"),
    ("alerts/template", [alert(annotations=noted(description="{{ with $labels.ouner }}{{ . }}{{ end }}"))],
     "$labels.ouner is no label"),
    ("alerts/template", [alert(f"max by (job) ({SHARE}) > 0.5")], "$labels.feature, which its expression has not"),
    ("group/interval", [], "forgotten between two evaluations"),
    ("group/size", [recorded(f"rate({ROWS}[5m])", f"a:model_b:rate{at}m") for at in range(21)], "more than 20"),
    ("promql/aggregate", [recorded(f"sum by (model) (rate({ROWS}[5m]))")], "have no label job"),
    ("promql/aggregate", [alert(f"sum(rate({ROWS}[5m])) > 1", **BAD)], "no label job"),
    ("promql/counter", [alert("model_requests_total > 5", **BAD)],
     "model_requests_total is a counter"),
    ("promql/counter", [recorded(f"sum without (le) ({BUCKETS})")], "_bucket is a counter"),
    ("promql/counter", [asking('query "model_rows_total > 5"')],
     "model_rows_total is a counter"),
    ("promql/fragile", [alert(f"topk(3, {SHARE}) > 0.5")], "topk: which series are in it changes"),
    ("promql/gauge", [recorded("rate(model_requests_in_flight[5m])")], "rate of model_requests_in_flight"),
    ("promql/gauge",
     [recorded(f"rate({ROWS}[5m])"), recorded("irate(instance:model_rows:rate5m[1h])", "a:model_b:c")],
     "irate of instance:model_rows:rate5m"),
    ("promql/histogram", [recorded(f"histogram_quantile(0.9, max by (job, le) (rate({BUCKETS}[5m])))")],
     "no rate of buckets"),
    ("promql/histogram",
     [recorded(f"histogram_quantile(0.9, sum by (job) (rate({BUCKETS}[5m])))")], "no rate of"),
    ("promql/histogram", [recorded(f"histogram_quantile(0.9, sum by (job, le) ({BUCKETS}))")],
     "no rate of"),
    ("promql/rate", [recorded(f"rate({ROWS}[1m])")], "rate over 1m: less than four scrapes"),
    ("promql/rate", [asking('query "increase(model_rows_total[90s])"')],
     "increase over 1m30s"),
    ("promql/regexp", [alert(f'{SHARE}{{feature=~"a"}} > 0.5')], "a text says the same"),
    ("promql/regexp", [alert(f'{SHARE}{{feature!~"^a.+"}} > 0.5')], "anchored anyway"),
    ("promql/regexp", [alert(f'{SHARE}{{feature=~"a.+$"}} > 0.5')], "anchored anyway"),
    ("promql/regexp", [alert(f'{SHARE}{{feature=~".*"}} > 0.5')], "everything fits"),
    ("promql/series", [alert("model_feature_missing_share > 0.5")], "model_feature_missing_share{} is no series"),
    ("promql/series", [alert(f'{SHARE}{{output="a"}} > 0.5')], "model_feature_missing_ratio{output} is no label"),
    ("promql/series", [alert('{__name__=~"modell_.+"} > 0.5')], "is no series"),
    ("promql/series", [asking('query "model_oops"')],
     "description: model_oops{} is no series"),
    ("promql/series", [asking('query "x"')], "x{} is no"),
    ("promql/series",
     [asking('query "count by (job) (up)"', "{{ .Labels.instance }}")],
     ".Labels.instance, which count by (job)"),
    ("promql/syntax", [asking('printf "max(up{%s)" "x" | query')],
     "description: "),
    ("promql/vector_matching", [alert(f"{SHARE} > {TOLERANCE}")], "> never matches: window is on one side"),
    ("promql/vector_matching", [alert(f"{SHARE} > on (job, feature, output) group_left () {TOLERANCE}")],
     "> on output, which a side lacks"),
    ("promql/vector_matching", [alert(f"{SHARE} > ignoring (window, bin) group_left () {TOLERANCE}")],
     "> ignores bin, which no side has"),
    ("promql/vector_matching", [alert(f"{SHARE} * ignoring (window) group_left (owner) {TOLERANCE} > 1")],
     "owner is taken from a side that has none"),
    ("promql/vector_matching", [alert(f"max by (job, feature, output) ({SHARE}) > 0.5")], "groups by output, which"),
    ("promql/vector_matching", [alert(f"{SHARE} > 0.5 unless max by (job) (up)")], "unless never matches: feature"),
    ("promql/vector_matching",
     [recorded(f"histogram_quantile(0.9, sum by (job) (rate({BUCKETS}[5m])))")], "has no le"),
    ("rule/dependency", [alert("instance:model_rows:rate5m > 1", **BAD),
                         recorded(f"rate({ROWS}[5m])")], "is not recorded before it in its own group"),
    ("rule/duplicate", [alert(), alert(f"{SHARE} > 0.6")], "stands there twice"),
    ("rule/duplicate", [recorded(f"rate({ROWS}[5m])"), recorded(f"rate({ROWS}[6m])")], "stands there twice"),
    ("rule/label", [alert(labels={"severity": "warning"})], "no owner"),
    ("rule/label", [alert(labels=labelled(owner=""))], "no owner"),
    ("rule/label", [alert(labels={"owner": "nobody"})], "no severity that is routed"),
    ("rule/label", [alert(labels=labelled(severity="warn"))], "no severity that is routed"),
    ("rule/label", [alert(labels=labelled(severity="{{ if $labels.job }}info{{ else }}page{{ end }}"))], "no severity"),
    ("rule/link", [alert(annotations=noted(runbook_url="http://rules.example/#modelbad"))], "is no https address"),
    ("rule/link", [alert(annotations=noted(runbook_url="https://rules.example/#modelgood"))], "leads to no section"),
    ("rule/name", [alert(alert="modelBad")], "says not whose it is"),
    ("rule/name", [recorded(f"rate({ROWS}[5m])", "model_rows:rate5m")], "is not level:metric:operation"),
]  # fmt: skip
OF_GROUPS = {"group/interval": {"interval": "10m"}}


@pytest.mark.parametrize(("check", "rules", "text"), PLANTED)
def test_a_planted_fault_is_found(check: str, rules: list[Given], text: str) -> None:
    found = [said for name, said in told(*rules, **OF_GROUPS.get(check, {})) if name == check]
    assert any(text in said for said in found), found


def test_every_check_has_a_fault_that_it_finds() -> None:
    there = {*promql_lint.CHECKS, *promql_lint.GROUPS, "rule/duplicate"}
    assert {check for check, _, _ in PLANTED} == there


SELF = f"instance:model_rows:rate5m or rate({ROWS}[5m])"


@pytest.mark.parametrize(
    "rules",
    [
        [alert()],
        [alert("up == 0 unless on (job, instance) model_server_up == 0", **BAD)],
        [alert("absent(up)", **BAD, **{"for": "1m"})],
        [alert("model_info unless on (job, instance) model_feature_psi", **BAD)],
        [recorded(f"sum without (window) ({SHARE} > 0.5)"), alert("instance:model_rows:rate5m")],
        [recorded(f"{SHARE} > 0.5", labels={"kind": "a"}), recorded(f"{SHARE} > 0.6", labels={"kind": "b"}),
         alert("instance:model_rows:rate5m", annotations=noted(description="{{ $labels.kind }}"))],
        [recorded(SELF)],
        [recorded(f"histogram_quantile(0.9, sum by (job, le) (rate({BUCKETS}[5m])))")],
        [recorded(f"histogram_quantile(0.9, rate({BUCKETS}[5m]))")],
        [recorded("count by (job) (model_rows_total)")],
        [recorded("max by (namespace, pod) (kube_pod_container_resource_limits)", "pod:model_server:limit")],
        [alert(f"{SHARE} > ignoring (window) group_left () {TOLERANCE}")],
        [alert("model_feature_ks > 1 or model_prediction_ks > 1",
               annotations=noted(description="{{ $labels.output }}"))],
        [alert('ALERTS{alertname="ModelBad",alertstate="firing"}', annotations=noted(description="{{ $labels.job }}"))],
        [alert(labels=labelled(severity='{{ if eq $labels.feature "a" }}critical{{ else }}warning{{ end }}'))],
        [alert(labels=labelled(owner="{{ with $labels.owner }}{{ . }}{{ else }}nobody{{ end }}"))],
        [alert(annotations=noted(description="{{ $value }}"))],
    ],
)  # fmt: skip
def test_what_is_as_it_should_be_is_left_alone(rules: list[Given]) -> None:
    assert told(*rules) == []


def test_a_series_of_another_group_is_not_there_yet() -> None:
    groups = [
        {"name": "one", "rules": [recorded(f"rate({ROWS}[5m])")]},
        {"name": "two", "rules": [alert("instance:model_rows:rate5m > 1", **BAD)]},
    ]
    assert [one.check for one in promql_lint.faults(groups, ANCHORS)] == ["rule/dependency"]
