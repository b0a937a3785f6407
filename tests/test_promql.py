"""The reader of PromQL that the tests of rules and dashboards lean on finds what is there."""

import promql


def test_metrics_labels_and_functions_are_told_apart() -> None:
    named = promql.read(
        'sum by (job, bin) (increase(a_total{x="}b{",y!~"c"}[5m] offset 1d)) / on (z) group_left (t) b:c:d > bool 1e3'
        " and e unless max without (w) (f) # g"
    )
    assert named.metrics == {"a_total", "b:c:d", "e", "f"}
    assert named.matched == {("a_total", "x"), ("a_total", "y")}
    assert named.listed == {"job", "bin", "z", "t", "w"}


def test_what_nobody_makes_is_found() -> None:
    assert promql.unknown('model_server_up{job="a",model="b"} == 0') == set()
    assert promql.unknown("model_server_down == 0") == {"model_server_down"}
    assert promql.unknown('model_server_up{feature="a"}') == {"model_server_up{feature}"}
    assert promql.unknown("sum by (modell) (model_server_up)") == {"modell"}
    assert promql.unknown("a:b:c", {"a:b:c"}) == set()
    assert promql.unknown("histogram_quantile(0.99, sum by (le) (model_request_duration_seconds_bucket))") == set()
    assert promql.unknown("model_request_duration_seconds") == {"model_request_duration_seconds"}
