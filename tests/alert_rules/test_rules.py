"""The rules are those that promtool accepts, name what exists, and have a test and a runbook each."""

import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import promql
import promql_closure
import promql_lint
import promql_rules
import pytest
import shipped_boards
import yaml
from promql_rules import Rule
from shipped_boards import BOARDS
from support import tool

from exporter.budget.order import UNITS

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "alert_rules").glob("*.rules.yml"))
TESTS = sorted((ROOT / "alert_rules" / "tests").glob("*.test.yml"))
RUNBOOKS = "https://github.com/inference-exporter/inference-exporter/blob/main/alert_rules/runbooks.md#"
SAID = '{{ if eq $labels.severity "page" }}critical{{ else }}warning{{ end }}'
"""Of alerts about columns: as their overrides have it."""
HEARTBEAT = "InferenceExporterHeartbeat"
"""Fires always, so it is never silent."""


@cache
def of(path: Path) -> list[dict[str, Any]]:
    return list(yaml.load(path.read_text(), yaml.CSafeLoader)["groups"])


def groups() -> list[dict[str, Any]]:
    return [group for path in RULES for group in of(path)]


def rules(kind: str) -> list[dict[str, Any]]:
    return [rule for group in groups() for rule in group["rules"] if kind in rule]


def alerts() -> list[Any]:
    return [pytest.param(rule, id=rule["alert"]) for rule in rules("alert")]


@cache
def documents() -> dict[str, dict[str, Any]]:
    return {path.name: yaml.load(path.read_text(), yaml.CSafeLoader) for path in TESTS}


def run(*words: str | Path) -> str:
    """What promtool says; it may take memory for garbage before it takes the time to collect it."""
    roomy = os.environ | {"GOGC": "400"}
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=120, check=False, env=roomy)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_the_rules() -> None:
    run(tool("promtool", "prometheus"), "check", "rules", "--lint=all", "--lint-fatal", *RULES)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_the_rules_do_what_their_tests_say(path: Path, tmp_path: Path) -> None:
    """Of the files that it names, each of its tests has only what its answers depend on: the rest would be worked out
    each minute, too."""
    document = documents()[path.name]
    named = [(path.parent / name).resolve() for name in document["rule_files"]]
    tests = []
    for place, test in enumerate(document["tests"]):
        part = document | {"tests": [test], "rule_files": [f"{place}.rules.yml"]}
        needed = promql_closure.closure((group for one in named for group in of(one)), part)
        (tmp_path / f"{place}.rules.yml").write_text(dumped({"groups": needed}))
        tests.append(tmp_path / f"{place}.{path.name}")
        tests[-1].write_text(dumped(part))
    run(tool("promtool", "prometheus"), "test", "rules", *tests)


def dumped(document: dict[str, Any]) -> str:
    return str(yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False))


@pytest.mark.slow
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_no_rule_fails_in_the_worlds_of_others(path: Path) -> None:
    run(tool("promtool", "prometheus"), "test", "rules", path)


@cache
def read() -> dict[str, Rule]:
    """The rules by name, with the labels of what they give."""
    text = (ROOT / "alert_rules" / "runbooks.md").read_text()
    anchors = frozenset(name.lower() for name in re.findall(r"^## (\w+)$", text, flags=re.MULTILINE))
    return {rule.name: rule for rule in promql_rules.read(groups(), anchors)}


def test_nothing_is_wrong_with_the_rules() -> None:
    """Nor with what their templates ask: see promql_lint, and test_promql_lint for what each check finds."""
    anchors = next(iter(read().values())).anchors
    assert promql_lint.faults(groups(), anchors) == []


def test_every_recorded_series_is_used_or_shown_or_a_score() -> None:
    everything = "\n".join(rule["expr"] for rule in rules("expr")) + "\n".join(
        text for rule in rules("alert") for text in rule["annotations"].values()
    )
    everything += "\n".join(expr for _, expr in shipped_boards.queries())
    for rule in rules("record"):
        uses = len(re.findall(rf"(?<![\w:]){rule['record']}(?![\w:])", everything))
        is_score = re.search(r":fleet\d+[mhdw]$|^(feature|output)_window:\w+:max$", rule["record"])
        assert uses or is_score, rule["record"]


def test_groups_are_named_once() -> None:
    names = [group["name"] for group in groups()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rule", alerts())
def test_an_alert_says_what_is_wrong_and_where_to_read_on(rule: dict[str, Any]) -> None:
    name, annotations = rule["alert"], rule["annotations"]
    assert rule["labels"].keys() == {"severity", "owner"}
    assert rule["labels"]["severity"] in {"critical", "warning", "info", SAID} or name == HEARTBEAT
    assert (rule["labels"]["severity"] == SAID) == ("severity" in read()[name].labels.may)
    linked = set() if name == HEARTBEAT else {"dashboard_url"}
    assert annotations.keys() == {"summary", "description", "runbook_url"} | linked
    assert "{{" not in annotations["summary"]
    assert annotations["summary"].endswith(".")
    assert "{{ $" in annotations["description"] or name == HEARTBEAT
    assert annotations["runbook_url"] == RUNBOOKS + name.lower()


@pytest.mark.parametrize("rule", alerts())
def test_an_alert_leads_to_a_dashboard_that_there_is_with_variables_that_it_has(rule: dict[str, Any]) -> None:
    url = rule["annotations"].get("dashboard_url")
    if url is None:
        assert rule["alert"] == HEARTBEAT
        return
    chosen = re.search(r'\$board := "([\w-]+)"', url)
    (uid,) = [chosen[1]] if chosen else re.findall(r"/d/([\w-]+)\?", url)
    variables = {one["name"] for one in BOARDS[uid]["templating"]["list"]}
    assert set(re.findall(r"[?&]var-(\w+)=", url)) <= variables
    assert {"from", "to"} <= set(re.findall(r"[?&](\w+)=", url))


GOT = re.compile(r"alertname:\s*(\w+), time.*?Annotations:\{(.*?)\}\s*\n", re.DOTALL)
AMISS = re.compile(r"<error|<no value>|%!|\{\{")
"""What a template leaves behind that was written for more than there is."""


def alone(name: str, rule: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """An alert whose expression is a series of its own, and that series: nothing else is there to be asked for."""
    there = read()[name].labels
    # Of an alert about either side: the feature.
    found = sorted(there.must - {"alertname", "alertstate"} | {"job"} | {"feature"} & there.may)
    series = f"judged_{name}{{" + ",".join(f'{label}="a"' for label in found) + "}"
    kept = {key: value for key, value in rule.items() if key not in {"for", "keep_firing_for"}}
    return kept | {"expr": f"judged_{name}"}, {"series": series, "values": "0.5x5"}


def test_every_description_holds_where_nothing_of_what_it_asks_for_is_known(tmp_path: Path) -> None:
    made = [alone(rule["alert"], rule) for rule in rules("alert")]
    (tmp_path / "alone.rules.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "alone", "rules": [rule for rule, _ in made]}]})
    )
    cases = [{"eval_time": "5m", "alertname": rule["alert"], "exp_alerts": []} for rule, _ in made]
    test = {"interval": "1m", "input_series": [series for _, series in made], "alert_rule_test": cases}
    (tmp_path / "alone.test.yml").write_text(
        yaml.safe_dump({"rule_files": ["alone.rules.yml"], "tests": [test]}, width=1000)
    )
    command = [tool("promtool", "prometheus"), "test", "rules", str(tmp_path / "alone.test.yml")]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    got = dict(GOT.findall(told.stdout + told.stderr))
    assert got.keys() == {rule["alert"] for rule, _ in made}, told.stderr
    for name, annotations in got.items():
        text = re.search(r'description="((?:[^"\\]|\\.)*)"', annotations)
        assert text, name
        assert not AMISS.search(annotations), f"{name}: {annotations}"
        assert text[1].strip() == text[1] != ""


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


def asked(name: str) -> list[tuple[str, int, float, bool]]:
    """Each time that a test asks for an alert: file, place of the test, when, and whether it fires."""
    return [
        (file, index, _minutes(case["eval_time"]), bool(case["exp_alerts"]))
        for file, document in documents().items()
        for index, test in enumerate(document["tests"])
        for case in test.get("alert_rule_test", [])
        if case["alertname"] == name
    ]


@pytest.mark.parametrize("rule", alerts())
def test_an_alert_is_tested_firing_silent_before_and_silent_after(rule: dict[str, Any]) -> None:
    cases = asked(rule["alert"])
    firing = [(file, test, at) for file, test, at, fires in cases if fires]
    silent = [(file, test, at) for file, test, at, fires in cases if not fires]
    assert firing
    assert rule["alert"] == HEARTBEAT or any(
        any(other[:2] == one[:2] and other[2] < one[2] for other in silent)
        and any(other[:2] == one[:2] and other[2] > one[2] for other in silent)
        for one in firing
    )


@pytest.mark.parametrize("rule", alerts())
def test_an_alert_is_tested_silent_where_its_series_are_there(rule: dict[str, Any]) -> None:
    """A near miss: a test in which it never fires, or a series beside those of which it does."""
    name, needed = rule["alert"], _rests_on(rule["alert"])
    firing = {(file, test) for file, test, _, fires in asked(name) if fires}
    quiet = {(file, test) for file, test, _, _ in asked(name)} - firing
    silent = (one for file, test in quiet for one in _series(file, test))
    beside = (one for file, test in firing for one in _series(file, test) if not _is_told(name, file, test, one[1]))
    assert name == HEARTBEAT or needed & {metric for metric, _ in (*silent, *beside)}, sorted(needed)


def labels(text: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', text))


def _series(file: str, test: int) -> list[tuple[str, dict[str, str]]]:
    """Metric and labels of what a test puts in."""
    given = [one["series"].strip() for one in documents()[file]["tests"][test]["input_series"]]
    return [(re.split(r"[{\s]", one)[0], labels(one)) for one in given]


def _is_told(name: str, file: str, test: int, found: dict[str, str]) -> bool:
    """Whether one of the alerts that the test expects may be of a series with these labels: it names its column."""
    told = [
        one
        for case in documents()[file]["tests"][test]["alert_rule_test"] if case["alertname"] == name
        for one in case["exp_alerts"] or ()
    ]  # fmt: skip
    own = found.keys() - {"severity", "owner"}
    column = found.get("feature") or found.get("output") or ""
    return any(
        all(str(one["exp_labels"][label]) == found[label] for label in own & one["exp_labels"].keys())
        and column in f"{one['exp_labels']} {one.get('exp_annotations')}"
        for one in told
    )


def _rests_on(name: str) -> set[str]:
    """The series that an alert begins with, through what is recorded."""
    rule, found = read()[name], set[str]()
    waiting = [rule.node]
    while waiting:
        for selector, _ in promql.selectors(waiting.pop()):
            names = promql.names(selector, rule.known) - found
            found |= names
            waiting += [tree for one in names for tree in rule.trees.get(one, ())]
    return {one for one in found if ":" not in one} - {"ALERTS"}


def _minutes(text: str) -> float:
    found = re.findall(r"(\d+)(d|h|m|s)", text)
    assert "".join(map("".join, found)) == text
    return sum(int(number) * {"d": 1440, "h": 60, "m": 1, "s": 1 / 60}[unit] for number, unit in found)


def test_whoever_has_no_room_for_what_alerts_about_truth_read_is_told() -> None:
    told = next(rule["expr"] for rule in rules("alert") if rule["alert"] == "InferenceExporterSeriesDropped")
    families = re.compile(re.search(r'family=~"([^"]+)"', told)[1])  # type: ignore[index]  # it is there
    said = next(path for path in RULES if path.name == "performance.rules.yml").read_text()
    named = {*re.findall(r"\bmodel_\w+", said)}
    read = [unit for unit in UNITS if named.intersection(unit)]
    assert read
    assert not [unit for unit in read if not any(map(families.fullmatch, unit))]
