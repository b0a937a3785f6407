"""The rules are those that promtool accepts, name what exists, and have a test and a runbook each."""

import os
import re
import subprocess
from functools import cache
from itertools import starmap
from pathlib import Path
from typing import Any

import numpy as np
import promql
import pytest
import yaml
from support import tool

from exporter.drift import STATISTICS
from exporter.drift.summary import Summary, of_bins

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "alert_rules").glob("*.rules.yml"))
TESTS = sorted((ROOT / "alert_rules" / "tests").glob("*.test.yml"))
RUNBOOKS = "https://github.com/inference-exporter/inference-exporter/blob/main/alert_rules/runbooks.md#"
DASHBOARD = "http://localhost:3000/d/model-health?var-model=churn&var-version=7&from=-3600000&to=7200000"
SAID = '{{ if eq $labels.severity "page" }}critical{{ else }}warning{{ end }}'
"""Of alerts about one column: as its overrides have it."""
MOST_RULES = 20
"""In a group: what hosted rulers accept by default."""
FAMILY = re.compile(r"(?:model|inference_exporter)_[a-z_]+(?=\{)")


@cache
def groups() -> list[dict[str, Any]]:
    return [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]


def rules(kind: str) -> list[dict[str, Any]]:
    return [rule for group in groups() for rule in group["rules"] if kind in rule]


def alerts() -> list[Any]:
    return [pytest.param(rule, id=rule["alert"]) for rule in rules("alert")]


@cache
def documents() -> dict[str, dict[str, Any]]:
    return {path.name: yaml.safe_load(path.read_text()) for path in TESTS}


def run(*words: str | Path) -> str:
    """What promtool says; it may take memory for garbage before it takes the time to collect it."""
    roomy = os.environ | {"GOGC": "400"}
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=120, check=False, env=roomy)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_the_rules() -> None:
    run(tool("promtool", "prometheus"), "check", "rules", "--lint=all", "--lint-fatal", *RULES)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_the_rules_do_what_their_tests_say(path: Path) -> None:
    run(tool("promtool", "prometheus"), "test", "rules", path)


def test_expressions_name_only_series_and_labels_that_exist() -> None:
    recorded = {rule["record"] for rule in rules("record")}
    for rule in rules("expr"):
        assert promql.unknown(rule["expr"], recorded) == set(), rule.get("alert", rule.get("record"))


def test_every_recorded_series_says_its_level_and_operation_and_is_used_or_a_score() -> None:
    everything = "\n".join(rule["expr"] for rule in rules("expr"))
    for rule in rules("record"):
        name = rule["record"]
        assert re.fullmatch(r"[a-z_]+:(model|inference_exporter)_[a-z_]+:[a-z]+[0-9a-z]*", name)
        assert name in everything or name.endswith(":fleet1h")


def test_what_a_rule_asks_of_other_rules_was_recorded_before_in_its_own_group() -> None:
    """Groups run in no order, at moments of their own: what is asked of another may be of another evaluation."""
    recorded = {rule["record"] for rule in rules("record")}
    for group in groups():
        before: set[str] = set()
        for rule in group["rules"]:
            asked = rule["expr"] + rule.get("annotations", {}).get("description", "")
            named = {name for name in recorded if re.search(rf"(?<![\w:]){name}(?![\w:])", asked)}
            assert named <= before, rule.get("alert", rule.get("record"))
            before |= {rule["record"]} if "record" in rule else set()


def test_groups_are_small_and_named_once() -> None:
    names = [group["name"] for group in groups()]
    assert len(set(names)) == len(names)
    assert all(len(group["rules"]) <= MOST_RULES for group in groups())


@pytest.mark.parametrize("rule", alerts())
def test_an_alert_says_what_is_wrong_and_where_to_read_on(rule: dict[str, Any]) -> None:
    name, annotations = rule["alert"], rule["annotations"]
    assert re.fullmatch(r"(Model|InferenceExporter)([A-Z][a-z]+)+", name)
    assert rule["labels"].keys() == {"severity", "owner"}
    assert rule["labels"]["severity"] in {"critical", "warning", "info", SAID}
    by_what_is_said = "_override_info{severity!=" in rule["expr"] or re.search(r"by \([^)]*, severity\)", rule["expr"])
    assert (rule["labels"]["severity"] == SAID) == bool(by_what_is_said)
    linked = {"dashboard_url"} if name.startswith("Model") else set()
    assert annotations.keys() == {"summary", "description", "runbook_url"} | linked
    assert "{{" not in annotations["summary"]
    assert annotations["summary"].endswith(".")
    assert "{{ $" in annotations["description"]
    assert annotations["runbook_url"] == RUNBOOKS + name.lower()


@pytest.mark.parametrize("rule", alerts())
def test_an_alert_asks_only_for_series_that_exist_when_it_describes_itself(rule: dict[str, Any]) -> None:
    known = promql.series()
    recorded = {recording["record"].split(":")[1] for recording in rules("record")}
    for name in FAMILY.findall(rule["annotations"]["description"]):
        assert name in known or name in recorded


@pytest.mark.parametrize(
    ("name", "of", "description"),
    [
        ("ModelFeatureMissingSurge", "feature",
         "Feature x of model churn 7 on a:9877: 50% of the values were null or absent."),
    ],
)  # fmt: skip
def test_a_description_holds_without_what_was_recorded(name: str, of: str, description: str, tmp_path: Path) -> None:
    (rule,) = [rule for rule in rules("alert") if rule["alert"] == name]
    found = {
        "job": "models",
        "instance": "a:9877",
        "model": "churn",
        "model_version": "7",
        "profile": "0a1b2c3d",
        of: "x",
    }
    series = "judged{" + ",".join(f'{label}="{value}"' for label, value in found.items()) + "}"
    assert rule["labels"]["severity"] == SAID
    told = {
        "exp_labels": found | {"severity": "warning", "owner": "nobody"},
        "exp_annotations": rule["annotations"] | {"description": description, "dashboard_url": DASHBOARD},
    }
    (tmp_path / "alone.rules.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "alone", "rules": [rule | {"expr": "judged", "for": "0s"}]}]})
    )
    (tmp_path / "alone.test.yml").write_text(yaml.safe_dump({
        "rule_files": ["alone.rules.yml"],
        "tests": [{
            "interval": "1m",
            "input_series": [{"series": series, "values": "0.5x5"}],
            "alert_rule_test": [{"eval_time": "5m", "alertname": name, "exp_alerts": [told]}],
        }],
    }))  # fmt: skip
    run(tool("promtool", "prometheus"), "test", "rules", tmp_path / "alone.test.yml")


def test_every_alert_has_its_section_in_the_runbooks_and_nothing_else_has() -> None:
    text = (ROOT / "alert_rules" / "runbooks.md").read_text()
    sections = dict(zip(*[iter(re.split(r"^## (\w+)$", text, flags=re.MULTILINE)[1:])] * 2, strict=True))
    assert sorted(sections) == sorted(rule["alert"] for rule in rules("alert"))
    for section in sections.values():
        for question in ("What it means.", "Look first at", "Likely causes.", "What to do.", "When to ignore."):
            assert f"**{question}**" in section
    for anchor in re.findall(r"\]\(#([a-z]+)\)", text):
        assert anchor in map(str.lower, sections)


def test_the_runbooks_name_only_metrics_and_labels_that_exist() -> None:
    text = (ROOT / "alert_rules" / "runbooks.md").read_text()
    for quoted in re.findall(r"`([^`]*(?:model|inference_exporter)_[^`]*)`", text):
        if "/" not in quoted:
            assert promql.unknown(quoted) == set()


@pytest.mark.parametrize("rule", alerts())
def test_an_alert_is_tested_firing_silent_before_and_silent_after(rule: dict[str, Any]) -> None:
    cases = [
        (index, _minutes(case["eval_time"]), bool(case["exp_alerts"]))
        for document in documents().values()
        for index, test in enumerate(document["tests"])
        for case in test.get("alert_rule_test", [])
        if case["alertname"] == rule["alert"]
    ]
    firing = [(test, at) for test, at, fires in cases if fires]
    silent = [(test, at) for test, at, fires in cases if not fires]
    assert any(
        any(other == test and before < at for other, before in silent)
        and any(other == test and after > at for other, after in silent)
        for test, at in firing
    )


def _minutes(text: str) -> int:
    assert text.endswith("m")
    return int(text[:-1])


def test_outputs_are_pooled_by_the_rules_of_features() -> None:
    features, outputs = yaml.safe_load((ROOT / "alert_rules" / "fleet.rules.yml").read_text())["groups"]
    for feature, output in zip(features["rules"], outputs["rules"], strict=True):
        for key in ("record", "expr"):
            words = feature[key].replace("model_feature_", "model_prediction_")
            assert re.sub(r"\bfeature(?=\b|_bin:)", "output", words) == output[key]


# --- the fleet's truths once more, by the exporter's own statistics

SERIES = re.compile(r"(\w+)\{(.*)\}")
TRUTH = re.compile(r"abs\(\w+:model_(\w+?)_(psi|psi_critical|total_variation):fleet1h\{(.*?)\} - (\S+)\) < bool (\S+)")


def labels(text: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', text))


def column(found: dict[str, str]) -> tuple[str, str]:
    return found.get("feature") or found["output"], found["profile"]


def counted(test: dict[str, Any]) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Counts of the last hour and of the reference, by column and profile."""
    live: dict[tuple[str, str], dict[str, int]] = {}
    shares: dict[tuple[str, str], dict[str, float]] = {}
    sizes: dict[tuple[str, str], int] = {}
    for given in test["input_series"]:
        name, found = SERIES.fullmatch(given["series"]).groups()  # type: ignore[union-attr]
        key, bin_ = column(labels(found)), labels(found).get("bin", "")
        value = float(re.split("[+x]", given["values"])[0])
        if name.endswith("bin_total"):
            step = int(given["values"].split()[-1].partition("+")[2].partition("x")[0])
            live.setdefault(key, {}).setdefault(bin_, 0)
            live[key][bin_] += 60 * step
        elif name.endswith("reference_ratio"):
            shares.setdefault(key, {})[bin_] = value
        else:
            sizes[key] = int(value)
    return {
        key: (
            np.array([[live[key][bin_] for bin_ in sorted(shares[key])]]),
            np.array([[round(shares[key][bin_] * sizes[key]) for bin_ in sorted(shares[key])]]),
        )
        for key in sizes
    }


def summary(counts: np.ndarray) -> Summary:
    return of_bins(counts)


@pytest.mark.parametrize("test", documents()["fleet.test.yml"]["tests"], ids=lambda test: test["name"])
def test_the_fleet_is_held_to_what_the_exporter_computes_of_the_same_counts(test: dict[str, Any]) -> None:
    counts = counted(test)
    checked = 0
    for case in test["promql_expr_test"]:
        if found := TRUTH.fullmatch(case["expr"]):
            _, score, of, truth, tolerance = found.groups()
            current, reference = starmap(summary, zip(counts[column(labels(of))], strict=True))
            statistic = STATISTICS[score.removesuffix("_critical")]
            function = statistic.critical if score.endswith("_critical") else statistic.score
            assert function is not None
            assert function(reference, current)[0] == pytest.approx(float(truth), rel=1e-12)
            assert float(tolerance) <= max(1e-9, 2e-6 * float(truth))
            checked += 1
    assert checked == 11


# --- Alertmanager


def routed(*given: str) -> str:
    config = ROOT / "alert_rules" / "alertmanager.yml"
    return run(tool("amtool", "prometheus-alertmanager"), "config", "routes", "test", f"--config.file={config}", *given)


def test_amtool_accepts_the_configuration() -> None:
    run(tool("amtool", "prometheus-alertmanager"), "check-config", ROOT / "alert_rules" / "alertmanager.yml")


@pytest.mark.parametrize(
    ("given", "receiver"),
    [
        (("alertname=ModelServerDown", "severity=critical"), "pager"),
        (("alertname=ModelFeatureDrift", "severity=warning"), "tickets"),
        (("alertname=ModelFeatureDrift", "severity=critical"), "pager"),
        (("alertname=ModelFeatureDrift", "severity=warning", "owner=payments"), "payments"),
        (("alertname=ModelFeatureDrift", "severity=critical", "owner=payments"), "payments-pager"),
        (("alertname=ModelFeatureDrift", "severity=warning", "owner=risk"), "tickets"),
        (("alertname=ModelFeatureDrift", "severity=critical", "owner=risk"), "pager"),
        (("alertname=SomethingElse", "severity=info"), "tickets"),
        (("alertname=WithoutSeverity",), "tickets"),
    ],
)
def test_every_alert_reaches_somebody(given: tuple[str, ...], receiver: str) -> None:
    assert routed(*given).split() == [receiver]
