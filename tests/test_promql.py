"""The reader of PromQL that the tests of rules and dashboards lean on finds what is there."""

import promql
import pytest


def test_metrics_labels_and_functions_are_told_apart() -> None:
    named = promql.read(
        'sum by (job, bin) (increase(a_total{x="}b{",y!~"c"}[5m] offset 1d)) / on (z) group_left (t) b:c:d > bool 1e3'
        " and e unless max without (w) (f) # g"
    )
    assert named.metrics == {"a_total", "b:c:d", "e", "f"}
    assert named.matched == {("a_total", "x"), ("a_total", "y")}
    assert named.listed == {"job", "bin", "z", "t", "w"}


def test_what_is_no_promql_is_refused() -> None:
    for text in ("sum(", "a{b}", "a and", "rate(a)", "histogram_quantil(0.9, a)"):
        with pytest.raises(ValueError, match=r"."):
            promql.parse(text)


def test_what_nobody_makes_is_found() -> None:
    assert promql.unknown('model_server_up{job="a",model="b"} == 0') == set()
    assert promql.unknown("model_server_down == 0") == {"model_server_down"}
    assert promql.unknown('model_server_up{feature="a"}') == {"model_server_up{feature}"}
    assert promql.unknown("sum by (modell) (model_server_up)") == {"modell"}
    assert promql.unknown("a:b:c", {"a:b:c"}) == set()
    assert promql.unknown("histogram_quantile(0.99, sum by (le) (model_request_duration_seconds_bucket))") == set()
    assert promql.unknown("model_request_duration_seconds") == {"model_request_duration_seconds"}
    assert promql.unknown('{__name__=~"model_.+_psi"}') == set()
    assert promql.unknown('{__name__=~"modell_.+"}') == {'{__name__=~"modell_.+"}'}
    assert promql.unknown("model_server_up / on (job) group_left (modell) up") == {"modell"}


ROW = {"job", "instance", "model", "model_version"}


@pytest.mark.parametrize(
    ("expression", "must", "may_not"),
    [
        ("model_server_up", ROW, {"feature"}),
        ("sum by (job, pod) (model_server_up)", {"job"}, {"instance", "model"}),
        ("sum without (model) (model_server_up)", ROW - {"model"}, {"model"}),
        ("topk by (job) (1, model_server_up)", ROW, set()),
        ('count_values by (job) ("n", model_server_up)', {"job", "n"}, {"model"}),
        ('label_replace(model_server_up, "side", "a", "", "")', ROW | {"side"}, set()),
        ("model_server_up > 0.5 and on (job) up", ROW, set()),
        ("model_server_up or up", {"job", "instance"}, {"feature"}),
        ("model_server_up * on (job, instance) up", {"job", "instance"}, {"model"}),
        ("model_feature_psi * ignoring (window, owner, severity) group_left (owner) model_feature_override_info",
         ROW | {"profile", "feature", "window", "owner"}, {"severity"}),
        ("up * on (job, instance) group_right () model_server_up", ROW, set()),
        ("1 - model_server_up", ROW, set()),
        ("scalar(model_server_up) * up", {"job", "instance"}, {"model"}),
        ("vector(1)", set(), {"job"}),
        ('absent(up{job="a",instance=~"b.+"})', {"job"}, {"instance"}),
        ("histogram_quantile(0.9, sum by (le, job) (rate(model_request_size_bytes_bucket[5m])))", {"job"}, {"le"}),
        ('max_over_time((model_server_up{namespace="a"} > 0)[1h:])', ROW | {"namespace"}, set()),
        ('model_segment_feature_total_variation{feature=""}', ROW | {"segment", "value"}, {"feature"}),
        ("-(model_server_up)", ROW, set()),
    ],
)  # fmt: skip
def test_the_labels_of_a_result_are_known(expression: str, must: set[str], may_not: set[str]) -> None:
    inference = promql.Inference(promql.known())
    found = inference.labels(promql.parse(expression))
    assert found is not None
    assert inference.faults == []
    assert must <= found.must <= found.may
    assert not may_not & found.may


def test_a_number_has_no_labels() -> None:
    assert promql.Inference({}).labels(promql.parse("2 * time()")) is None
