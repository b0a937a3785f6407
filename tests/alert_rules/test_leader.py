"""What is equal on all replicas may be shown by one, or by none: then rules say the same, or nothing."""

import copy
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import tool

ALERT_RULES = Path(__file__).parents[2] / "alert_rules"
BY_BIN = re.compile(r"model_(feature|prediction)_(reference_ratio|bin_info|bin_step_ratio)\{")
INSTANCE = re.compile(r'instance="(?P<instance>[^"]+)".*(?P<of>model_version="[^"]+",profile="[^"]+")')
Document = dict[str, Any]


def load(name: str) -> Document:
    document: Document = yaml.safe_load((ALERT_RULES / "tests" / name).read_text())
    document["rule_files"] = [str((ALERT_RULES / "tests" / file).resolve()) for file in document["rule_files"]]
    return document


def shown_by(document: Document, *, anybody: bool) -> Document:
    """The same scenes, where of a version and profile one instance alone shows the reference by bin, or nobody."""
    found = copy.deepcopy(document)
    for scene in found["tests"]:
        leaders = [INSTANCE.search(one["series"]) for one in scene["input_series"] if BY_BIN.match(one["series"])]
        first: dict[str, str] = {}
        for leader in filter(None, leaders):
            first.setdefault(leader["of"], leader["instance"])
        scene["input_series"] = [
            one for one in scene["input_series"]
            if not BY_BIN.match(one["series"]) or (anybody and _is_of(one["series"], first))
        ]  # fmt: skip
    return found


def _is_of(series: str, first: dict[str, str]) -> bool:
    named = INSTANCE.search(series)
    return named is not None and first[named["of"]] == named["instance"]


def check(document: Document, directory: Path) -> str:
    file = directory / "leader.test.yml"
    file.write_text(yaml.safe_dump(document))
    done = subprocess.run(
        [tool("promtool", "prometheus"), "test", "rules", str(file)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("gap", [0, 10])
def test_the_scores_of_a_fleet_are_the_same_where_the_leader_alone_shows_the_reference(
    tmp_path: Path, gap: int
) -> None:
    """Even just after it was away for `gap` minutes."""
    everywhere, document = load("fleet.test.yml"), shown_by(load("fleet.test.yml"), anybody=True)
    series = [one for scene in document["tests"] for one in scene["input_series"]]
    others = [one for scene in everywhere["tests"] for one in scene["input_series"]]
    assert sum("reference_ratio" in one["series"] for one in series) > 0
    assert sum("reference_ratio" in one["series"] for one in series) < sum(
        "reference_ratio" in one["series"] for one in others
    )
    if gap:
        times = {int(one["eval_time"].rstrip("m")) for scene in document["tests"] for one in scene["promql_expr_test"]}
        for one in series:
            if "reference_ratio" in one["series"]:
                value, count = one["values"].split("x")
                absent = min(times) - gap // 2
                one["values"] = f"{value}x{absent - 1} _x{gap - 1} {value}x{int(count) - absent - gap}"
    assert check(document, tmp_path) == ""


def test_nothing_is_said_of_a_fleet_of_which_nobody_shows_the_reference(tmp_path: Path) -> None:
    document = shown_by(load("fleet.test.yml"), anybody=False)
    for scene in document["tests"]:
        for one in scene["promql_expr_test"]:
            if (
                re.search("_(psi|total_variation|js_distance|ks|wasserstein)", one["expr"])
                and "_version_" not in one["expr"]
            ):
                one["exp_samples"] = []
    assert check(document, tmp_path) == ""


def test_runs_of_one_value_are_judged_by_the_fullest_bin_alone(tmp_path: Path) -> None:
    """The reference by bin is on no page; what a column's fullest bin holds is on every one."""
    document = load("quality.test.yml")
    scene = document["tests"][0]
    most: dict[str, float] = {}
    for one in scene["input_series"]:
        if "reference_ratio" in one["series"]:
            labels = re.sub(r',bin="\d\d"', "", one["series"].partition("{")[2])
            most[labels] = max(most.get(labels, 0.0), float(one["values"].split("x")[0]))
    document = shown_by({**document, "tests": [scene]}, anybody=False)
    document["tests"][0]["input_series"] += [
        {"series": f"model_feature_reference_largest_ratio{{{labels}", "values": f"{share}x200"}
        for labels, share in most.items()
    ]
    assert len(most) > 3
    assert check(document, tmp_path) == ""
