"""Rules of a whole fleet: made once for features, outputs and windows, and as exact as the exporter's own scores."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import fleet_cases
import numpy as np
import pytest
import yaml
from fleet_cases import Fleet, Replica
from support import tool

from exporter.errors import ConfigError
from exporter.rules import files, pooled

ROOT = Path(__file__).parents[2]
CASES = fleet_cases.documents()


def groups(**given: Any) -> dict[str, list[dict[str, Any]]]:
    """Rules by the last words of their groups' names."""
    text = pooled.rules(files.defaults() | {f"fleet.{name}": value for name, value in given.items()})
    found = yaml.load(text, yaml.CSafeLoader)["groups"]
    return {group["name"].removeprefix("inference-exporter-fleet-"): group["rules"] for group in found}


def promtool(*words: str | Path) -> None:
    done = subprocess.run(
        [tool("promtool", "prometheus"), *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", CASES)
def test_the_cases_of_a_fleet_are_those_that_somebody_has_seen(name: str) -> None:
    """promtool runs them as it runs all others; here is what they are made of."""
    path = ROOT / "alert_rules" / "tests" / name
    if os.environ.get("GOLDEN") == "write":
        path.write_text(CASES[name], encoding="utf-8")
    assert path.read_text(encoding="utf-8") == CASES[name]


def test_outputs_are_pooled_by_the_rules_of_features() -> None:
    found = groups(windows="1h,6h,24h")
    for word, of_features in found.items():
        if word.startswith("feature"):
            of_outputs = found[word.replace("feature", "prediction")]
            for feature, output in zip(of_features, of_outputs, strict=True):
                for key in ("record", "expr"):
                    words = feature[key].replace("model_feature_", "model_prediction_")
                    assert (
                        re.sub(r"\bfeature(?=\b|_bin:|_window:)|(?<=instance_)feature", "output", words) == output[key]
                    )


def test_long_windows_are_scored_as_short_ones_of_counts_added_up_over_time() -> None:
    found = groups()
    short, long = ({rule["record"]: rule["expr"] for rule in found[f"feature-{window}"]} for window in ("1h", "24h"))
    counted = "feature_bin:model_feature_bin:increase"
    fine = f"{counted}6mfor24h"
    assert long.keys() - {fine} < {name.replace("1h", "24h") for name in short}
    assert "increase(model_feature_bin_total[6m])" in long[fine]
    assert f"{fine}[24h]" in long[f"{counted}24h"]
    for name in long.keys() - {fine, f"{counted}24h"}:
        assert long[name] == short[name.replace("24h", "1h")].replace("1h", "24h")


@pytest.mark.parametrize("ordered", [2, 20, 40, 97])
def test_any_number_of_ordered_bins_is_scored_as_the_exporter_scores_it(ordered: int, tmp_path: Path) -> None:
    rules = tmp_path / "fleet.rules.yml"
    rules.write_text(pooled.rules(files.defaults() | {"fleet.ordered_bins": ordered, "fleet.windows": "1h"}))
    promtool("check", "rules", "--lint=all", "--lint-fatal", rules)
    draw = np.random.default_rng(ordered)
    columns = (
        fleet_cases.numbers("age", max(ordered - 2, 0), draw, ordered - 2),
        fleet_cases.names("country", 5, draw),
    )  # fmt: skip
    replicas = tuple(
        Replica(f"{name}:9877", "7", "0a1b2c3d", life, fleet_cases.rates(columns, draw))
        for name, life in (("a", fleet_cases.WHOLE), ("b", fleet_cases.RESTARTED))
    )
    case = fleet_cases.case("bins", fleet_cases.SIDES[0], [Fleet("7", "0a1b2c3d", columns, replicas)])
    (tmp_path / "bins.test.yml").write_text(fleet_cases.document("fleet.rules.yml", "10m", case))
    promtool("test", "rules", tmp_path / "bins.test.yml")


def test_groups_stay_small_and_frequent_whatever_is_set() -> None:
    text = pooled.rules(files.defaults() | {"fleet.ordered_bins": 97, "fleet.windows": "30m,1h,6h,24h,7d"})
    for group in yaml.load(text, yaml.CSafeLoader)["groups"]:
        assert len(group["rules"]) <= 20
        assert group["interval"] in {"1m", "3m"}
        assert group["limit"] > 0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"windows": "1h,soon"}, "fleet.windows: windows such as 1h,24h are needed, of 5m at least, not 'soon'"),
        ({"windows": "1h,,24h"}, "not ''"),
        ({"windows": "4m"}, "not '4m'"),
        ({"ordered_bins": 1}, "fleet.ordered_bins: from 2 to 97 are possible, not 1"),
        ({"ordered_bins": 98}, "not 98"),
    ],
)
def test_what_no_rules_can_be_made_of_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        groups(**given)
