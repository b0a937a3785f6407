"""What the board of a model's life asks about golden requests, answered by promtool."""

import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from support import tool

from exporter.dashboards.boards import life_golden
from exporter.dashboards.choice import Choice

REPLICAS: Final = ("a", "b")
OLD, CANARY = ('model="churn",model_version="7"', 'model="churn",model_version="8"')


def _series() -> dict[str, str]:
    """Version 7 is right on both replicas; of version 8, one case of two fails on one of them."""
    found: dict[str, str] = {}
    for place, instance in enumerate(REPLICAS):
        here = f'job="models",instance="{instance}"'
        found[f'model_info{{{here},{OLD},exporter_version="1"}}'] = "1+0x60"
        found[f"inference_exporter_golden_last_round_timestamp_seconds{{{here}}}"] = f"{600 + place}+0x60"
        for version in (OLD, CANARY):
            wrong = int(version == CANARY and instance == "b")
            of = f"{here},{version}"
            found[f"model_golden_cases{{{of}}}"] = "2+0x60"
            found[f'model_golden_failing_cases{{{of},times="1"}}'] = f"{wrong}+0x60"
            found[f'model_golden_case_failed_times{{{of},case="no age"}}'] = f"{7 * wrong}+0x60"
            found[f'model_golden_case_failed_times{{{of},case="old"}}'] = "0+0x60"
            found[f"model_golden_right_timestamp_seconds{{{of}}}"] = f"{300 + place}+0x60"
            found[f'model_golden_failures_total{{{of},reason="value"}}'] = "0+2x60"
            for bound, rate in (("0.01", 0), ("0.025", 6), ("+Inf", 6)):
                found[f'model_golden_duration_seconds_bucket{{{of},le="{bound}"}}'] = f"0+{rate}x60"
    return found


def _asked(title: str, place: int) -> str:
    (panel,) = (one for one in life_golden.panels() if one.title == title)
    text = Choice().filled(panel.queries[place].expr)
    for name, value in {"$model": "churn", "$version": "7", "$job": ".+", "$__rate_interval": "5m"}.items():
        text = text.replace(name, value)
    return text


@pytest.mark.parametrize(("title", "place", "expected"), [
    ("Known requests answered as expected", 0, {'{model_version="7"}': 1, '{model_version="8"}': 0.75}),
    ("Known requests that fail", 0, {'{case="no age",model_version="8"}': 7}),
    ("Known requests that fail", 1, {'{case="no age",model_version="8"}': 0.5}),
    ("All right", 0, {"{}": 300_000}),
    ("Last round", 0, {"{}": 600_000}),
    ("Why known requests fail", 0, {'{reason="value"}': 4}),
    ("How long known requests take, and those of clients", 0, {"{}": 0.0175}),
])  # fmt: skip
def test_each_panel_says_what_is_so(tmp_path: Path, title: str, place: int, expected: dict[str, float]) -> None:
    scene: dict[str, Any] = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in _series().items()],
        "promql_expr_test": [{
            "expr": _asked(title, place), "eval_time": "30m",
            "exp_samples": [{"labels": labels, "value": value} for labels, value in expected.items()],
        }],
    }  # fmt: skip
    path = tmp_path / "scene.yml"
    path.write_text(yaml.safe_dump({"rule_files": [], "tests": [scene]}))
    done = subprocess.run(
        [tool("promtool", "prometheus"), "test", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
