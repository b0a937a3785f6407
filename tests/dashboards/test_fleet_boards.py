"""Fleet and versions, and Exporter internals: what their words say of series that are known, asked by promtool."""

import math
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from shipped_boards import BOARDS, Json, every_panel, substituted
from support import tool

from exporter.dashboards.compared import side_by_side
from exporter.dashboards.pieces import Query
from exporter.dashboards.worst import highest, lowest

FLEET, INTERNALS, FEATURE = BOARDS["model-fleet"], BOARDS["inference-exporter"], BOARDS["model-feature"]
OURS = [pytest.param(panel, id=panel["title"]) for board in (FLEET, INTERNALS) for panel in every_panel(board)]
MODEL = 'job="models",model="churn",model_version="7"'
PROFILED = f'{MODEL},profile="0a1b2c3d"'


def query(board: Json, title: str, place: int = 0) -> str:
    """As Prometheus is asked, of what is one panel's query in this place."""
    (panel,) = (one for one in every_panel(board) if one["title"] == title)
    return substituted(panel["targets"][place]["expr"])


def answered(directory: Path, expr: str, series: Mapping[str, str], expected: Mapping[str, float]) -> None:
    """What Prometheus says of it after an hour, by series: just this."""
    test = {
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [{
                "expr": expr, "eval_time": "1h",
                "exp_samples": [{"labels": labels, "value": value} for labels, value in expected.items()],
            }],
        }],
    }  # fmt: skip
    path = directory / "board.test.yml"
    path.write_text(yaml.safe_dump(test))
    command = [tool("promtool", "prometheus"), "test", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def steady(value: float) -> str:
    return f"{value}x60"


def replicas(feature: str, *ratios: float) -> dict[str, str]:
    """PSI over its critical value of 1, of a feature by replica."""
    found = {}
    for at, ratio in enumerate(ratios):
        of = f'{{{PROFILED},feature="{feature}",window="1h",instance="pod-{at}"}}'
        found |= {
            f"model_feature_psi{of}": steady(ratio),
            f"model_feature_psi_critical{of}": steady(1),
            f"model_feature_window_sufficient{of}": steady(1),
        }
    return found


def pooled(feature: str, ratio: float) -> dict[str, str]:
    """Of all replicas together, and how far the worst of them moved."""
    of = f'{{{PROFILED},feature="{feature}"}}'
    largest = f'feature_window:model_feature_total_variation:max{{{PROFILED},feature="{feature}",window="1h"}}'
    return {
        f"feature:model_feature_psi:fleet1h{of}": steady(ratio),
        f"feature:model_feature_psi_critical:fleet1h{of}": steady(1),
        largest: steady(0.2),
    }


def apart(feature: str, instance: str) -> dict[str, str]:
    series = (
        f'instance_feature:model_feature_divergence:fleet1h{{{PROFILED},feature="{feature}",instance="{instance}"}}'
    )
    return {series: steady(0.4)}


def test_a_feature_is_said_to_have_moved_nowhere_on_few_replicas_on_all_or_on_one_most_of_all(tmp_path: Path) -> None:
    series = {
        **pooled("same", 0.5), **replicas("same", 0.4, 0.5, 1.5, 0.6),
        # One replica's fault moves the sum, too: it is still that replica's.
        **pooled("alone", 4), **replicas("alone", 0.5, 0.5, 0.5, 90), **apart("alone", "pod-3"),
        **pooled("drifted", 9), **replicas("drifted", 4, 4, 4, 4),
        **pooled("farther", 9), **replicas("farther", 4, 4, 4, 40), **apart("farther", "pod-3"),
    }  # fmt: skip
    words = {"same": 0, "alone": 1, "drifted": 2, "farther": 3}
    expected = {f'{{feature="{name}"}}': float(value) for name, value in words.items()}
    answered(tmp_path, query(FLEET, "Features: all together against the worst replica"), series, expected)


@pytest.mark.parametrize(("fed", "answers", "said"), [(0.5, 0.5, 0), (3, 0.5, 1), (0.5, 3, 2), (3, 3, 3)])
def test_versions_are_alike_fed_otherwise_or_answer_otherwise(
    tmp_path: Path, fed: float, answers: float, said: int
) -> None:
    series = {}
    for side, name, ratio in (("feature", "feature", fed), ("output", "prediction", answers)):
        of = f'{{{PROFILED},{side}="x"}}'
        series[f"{side}:model_{name}_version_total_variation:fleet1h{of}"] = steady(ratio)
        series[f"{side}:model_{name}_version_total_variation_critical:fleet1h{of}"] = steady(1)
    answered(tmp_path, query(FLEET, "Canary against stable"), series, {'{model_version="7"}': float(said)})


def test_one_version_alone_is_compared_with_nothing(tmp_path: Path) -> None:
    answered(tmp_path, query(FLEET, "Canary against stable"), pooled("x", 3), {})


def test_the_replica_that_is_apart_is_named_and_none_is_said_where_two_have_enough_data(tmp_path: Path) -> None:
    asked, two = query(FLEET, "Replica apart"), replicas("amount", 1, 2) | pooled("amount", 1)
    answered(tmp_path, asked, {**two, **apart("amount", "pod-1")}, {'{instance="pod-1"}': 0.4})
    answered(tmp_path, asked, two, {"{}": 0.0})
    answered(tmp_path, asked, replicas("amount", 1) | pooled("amount", 1), {})


@pytest.mark.parametrize(("title", "place"), [("Replica apart", 0), ("Replicas, one row each", 8)])
def test_without_rules_nobody_says_that_no_replica_is_apart(tmp_path: Path, title: str, place: int) -> None:
    answered(tmp_path, query(FLEET, title, place), replicas("amount", 1, 2), {})


def test_the_line_where_a_feature_pages_alone_is_there_for_a_model_without_outputs(tmp_path: Path) -> None:
    columns = {f'model_feature_drift_evidence_nats{{{PROFILED},feature="{name}"}}': steady(1) for name in ("a", "b")}
    series = {f"model_drift_evidence_threshold_nats{{{PROFILED}}}": steady(8), **columns}
    answered(tmp_path, query(FEATURE, "Evidence of its drift", 2), series, {"{}": 8 + math.log(2)})


def test_alerts_are_about_a_model_by_its_very_name(tmp_path: Path) -> None:
    """Signs of patterns in it are signs, and what names no model is about all."""
    series = {}
    for alert, model in (("Own", "c++ (new)"), ("Shared", ""), ("Strange", "c")):
        of = f'job="models",instance="a",alertname="{alert}",severity="warning"' + (f',model="{model}"' * bool(model))
        series |= {f'ALERTS{{{of},alertstate="firing"}}': steady(1), f"ALERTS_FOR_STATE{{{of}}}": steady(60)}
    asked = query(BOARDS["model-health"], "Alerts").replace('model="churn"', 'model="c++ (new)"')
    expected = {f'{{alertname="{name}",severity="warning",instance="a"}}': 60_000.0 for name in ("Own", "Shared")}
    answered(tmp_path, asked, series, expected)


def test_replicas_that_are_away_are_counted_and_those_of_other_models_are_not(tmp_path: Path) -> None:
    info = f'model_info{{{MODEL},exporter_version="1",instance="%s"}}'
    series = {
        'instance:inference_exporter_up:last{job="models",instance="pod-0"}': steady(1),
        'instance:inference_exporter_up:last{job="models",instance="pod-1"}': steady(0),
        'instance:inference_exporter_up:last{job="models",instance="of-another"}': steady(0),
        info % "pod-0": steady(1),
        info % "pod-1": "1x30 stale",
    }
    answered(tmp_path, query(FLEET, "Replicas up and away"), series, {"{}": 1.0})
    answered(tmp_path, query(FLEET, "Replicas up and away", 1), series, {"{}": 1.0})


def test_what_is_dropped_is_a_share_of_what_the_model_s_own_exporters_were_offered(tmp_path: Path) -> None:
    series = {f'model_info{{{MODEL},exporter_version="1",instance="pod-0"}}': steady(1)}
    for instance, dropped in (("pod-0", 1), ("of-another", 50)):
        of = f'job="models",instance="{instance}"'
        series[f'inference_exporter_exchanges_dropped_total{{{of},reason="ring_full"}}'] = f"0+{dropped}x60"
        series[f"inference_exporter_exchanges_offered_total{{{of}}}"] = "0+100x60"
    answered(tmp_path, query(INTERNALS, "Not counted"), series, {"{}": 0.01})


def test_alerts_about_exporters_say_since_when_they_are_true_and_not_what_is_only_pending(tmp_path: Path) -> None:
    series = {}
    for name, state in (("InferenceExporterDown", "firing"), ("InferenceExporterStale", "pending")):
        of = f'job="models",instance="pod-0",alertname="{name}",severity="warning"'
        series[f'ALERTS{{{of},alertstate="{state}"}}'] = steady(1)
        series[f"ALERTS_FOR_STATE{{{of}}}"] = steady(1200)
    expected = {'{alertname="InferenceExporterDown",severity="warning",instance="pod-0"}': 1_200_000.0}
    answered(tmp_path, query(INTERNALS, "Alerts about exporters that fire"), series, expected)


@pytest.mark.parametrize(("function", "kept"), [(highest, "b"), (lowest, "a")])
def test_the_lines_that_are_kept_are_those_of_the_whole_time(tmp_path: Path, function: Any, kept: str) -> None:
    """Not those of each moment, of which there may be any number: here they are the other way round at the end."""
    series = {'x{name="a"}': "0x30 5x30", 'x{name="b"}': "9x30 4x30"}
    expr = function("max by (name) (x)", "name", 1)
    at_the_end = {"a": 5.0, "b": 4.0}[kept]
    answered(tmp_path, substituted(expr), series, {f'{{name="{kept}"}}': at_the_end})


def test_labels_come_first_in_a_table_and_what_is_hidden_not_at_all() -> None:
    queries = [Query("a", "first"), Query("b", "second"), Query("c", "third")]
    _, organized = side_by_side(queries, {"instance": "replica"}, hidden=["B"])
    assert organized["options"] == {
        "excludeByName": {"Time": True, "Value #B": True},
        "indexByName": {"instance": 0, "Value #A": 1, "Value #C": 2},
        "renameByName": {"instance": "replica", "Value #A": "first", "Value #C": "third"},
    }
    assert side_by_side(queries[:1], {})[1]["options"]["renameByName"] == {"Value": "first"}


@pytest.mark.parametrize("panel", OURS)
def test_what_is_not_there_is_never_green(panel: Json) -> None:
    """Of no value Grafana takes the lowest threshold's colour."""
    fields = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
    properties = [one for override in fields["overrides"] for one in override["properties"]]
    found = [fields["defaults"].get("thresholds"), *(one["value"] for one in properties if one["id"] == "thresholds")]
    assert not [one for one in found if one and one["steps"][0]["color"] == "green"]


@pytest.mark.parametrize("panel", OURS)
def test_every_column_that_has_looks_is_in_its_table(panel: Json) -> None:
    """A column that was renamed would lose its unit without a word."""
    if panel["type"] != "table":
        return
    organized = panel["transformations"][-1]["options"]
    there = {*organized["indexByName"], *organized["renameByName"].values()}
    for override in panel["fieldConfig"]["overrides"]:
        pattern = override["matcher"]["options"]
        named = pattern if override["matcher"]["id"] == "byRegexp" else f"/^{re.escape(pattern)}$/"
        assert any(re.search(named.strip("/"), name) for name in there), pattern
