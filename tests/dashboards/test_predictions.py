"""What the boards of predictions and of serving ask: answered by promtool, and held against the rules."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import tool

from exporter.dashboards import objectives, outputs, tables
from exporter.dashboards.boards import serving
from exporter.dashboards.boards.serving_latency import of_buckets
from exporter.dashboards.boards.serving_replicas import replicas
from exporter.dashboards.choice import Choice
from exporter.dashboards.pieces import Panel, Query
from exporter.rules import files

LABELS = 'job="models",instance="a",model="churn",model_version="7",profile="0",window="1h"'


def asked(expr: str) -> str:
    """A query with what is chosen at the top."""
    text = Choice().filled(expr)
    for name, value in {"$model": "churn", "$version": "7", "$window": "1h", "$job": ".+", "$__range": "6h"}.items():
        text = text.replace(name, value)
    return text


def check(directory: Path, series: dict[str, str], expr: str, expected: dict[str, float]) -> None:
    """Held against what promtool says of the expression, two minutes after the series began."""
    scene: dict[str, Any] = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{
            "expr": expr, "eval_time": "2m",
            "exp_samples": [{"labels": labels, "value": value} for labels, value in expected.items()],
        }],
    }  # fmt: skip
    path = directory / "scene.yml"
    path.write_text(yaml.safe_dump({"rule_files": [], "tests": [scene]}))
    done = subprocess.run(
        [tool("promtool", "prometheus"), "test", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_panel_with_room_for_one_output_shows_the_one_furthest_beyond_chance_and_not_the_largest_score(
    tmp_path: Path,
) -> None:
    scores = {"class": ("2", "4"), "price": ("1", "0.5")}
    series = {
        f'model_prediction_psi{end}{{{LABELS},output="{output}"}}': f"{value}x2"
        for output, values in scores.items()
        for end, value in zip(("", "_critical"), (f"{one}+0" for one in values), strict=True)
    }
    series |= {f'model_rows{{output="{output}"}}': "7+0x2" for output in scores}
    check(tmp_path, series, asked(outputs.of_worst("model_rows")), {'model_rows{output="price"}': 7})


def test_a_score_is_compared_by_its_size_and_only_where_enough_values_are_there(tmp_path: Path) -> None:
    both = {"there": ("-8", "1"), "scarce": ("-8", "0")}
    series = {}
    for output, (score, enough) in both.items():
        labels = f'{LABELS},output="{output}"'
        series |= {
            f"model_prediction_mean_shift_zscore{{{labels}}}": f"{score}+0x2",
            f"model_prediction_mean_shift_zscore_critical{{{labels}}}": "4+0x2",
            f"model_prediction_window_sufficient{{{labels}}}": f"{enough}+0x2",
        }
    expr = f"max by (output) ({asked(outputs.beyond('mean_shift_zscore'))})"
    check(tmp_path, series, expr, {'{output="there"}': 2})


def test_a_quantile_of_nothing_is_nothing_rather_than_no_number(tmp_path: Path) -> None:
    series = {f'some_bucket{{le="{bound}"}}': "0+0x2" for bound in ("1", "2", "+Inf")}
    check(tmp_path, series, of_buckets(0.5, "rate(some_bucket[2m])"), {})


def test_of_many_replicas_those_are_shown_that_were_down_longest_even_if_they_are_up_now(tmp_path: Path) -> None:
    up = {f"{number:02}": "1+0x2" for number in range(24)} | {"50": "0 0 1"}
    series = {
        f'model_server_up{{job="models",instance="{name}",model="churn",model_version="7"}}': values
        for name, values in up.items()
    }
    panel = next(one for one in replicas() if one.kind == "state-timeline")
    check(tmp_path, series, f"count({asked(panel.queries[0].expr)})", {"{}": 20})
    check(tmp_path, series, f'{asked(panel.queries[0].expr)} and on (instance) model_server_up{{instance="50"}}',
          {'{instance="50"}': 1})  # fmt: skip


def _of(title: str) -> Panel:
    return next(panel for row in serving.BOARD.rows for panel in row.panels() if panel.title == title)


def test_lines_of_objectives_are_where_the_rules_have_theirs() -> None:
    rules = "".join(text for _, text in files.made(files.defaults()))
    assert f"vector({objectives.value('slo.failed'):g})" in [query.expr for query in _of("Failed requests").queries]
    for query, factor in zip(
        _of("How fast the error budget burns").queries, ("14.4", "6.0", "3.0", "1.0"), strict=True
    ):
        recorded = query.expr.removeprefix("max(").partition("{")[0]
        divisor = float(query.expr.rpartition("/ ")[2].removesuffix(")"))
        assert f"{recorded} > {factor} * 0.001" in rules
        assert divisor == pytest.approx(float(factor) * 0.001)


@pytest.mark.parametrize("title", ["CPU over its limit", "Memory over its limit"])
def test_the_line_of_a_resource_is_the_one_that_its_ticket_has(title: str) -> None:
    panel = _of(title)
    line = panel.field["thresholds"]["steps"][1]["value"]
    recorded = panel.queries[0].expr.rpartition("(")[2].partition("{")[0]
    rules = "".join(text for _, text in files.made(files.defaults()))
    assert f"{recorded} > {line}" in rules


def test_an_objective_that_nobody_has_set_is_no_line() -> None:
    with pytest.raises(KeyError):
        objectives.value("slo.nonsense")


def test_columns_are_those_with_a_heading_in_their_order() -> None:
    queries = [Query("a", "score"), Query("b"), Query("c", "share")]
    _, only, placed = tables.columns(queries, {"feature": "column"})
    assert only["options"]["include"]["names"] == ["feature", "Value #A", "Value #C"]
    assert placed["options"]["indexByName"] == {"feature": 0, "Value #A": 1, "Value #C": 2}
    assert placed["options"]["renameByName"] == {"feature": "column", "Value #A": "score", "Value #C": "share"}


def test_the_answer_of_a_single_query_has_no_letter() -> None:
    assert "Value" in tables.columns([Query("a", "score")], {})[1]["options"]["include"]["names"]
