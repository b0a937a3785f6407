"""What a running Alertmanager silences on its own, and what it must not."""

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import PATIENCE_S, eventually, free_port, tool

STATES = Path(__file__).parents[2] / "alert_rules" / "tests" / "told_apart.test.yml"
CONFIG = Path(__file__).parents[2] / "alert_rules" / "alertmanager.yml"
A, B = {"job": "models", "instance": "a:9877"}, {"job": "models", "instance": "b:9877"}
CHURN, FRAUD = {"model": "churn", "model_version": "7"}, {"model": "fraud", "model_version": "1"}
AMOUNT, AGE = {"profile": "0a1b2c3d", "feature": "amount"}, {"profile": "0a1b2c3d", "feature": "age"}
Alert = tuple[str, dict[str, str], str]
"""Its name, its other labels, and its state."""


def ask(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    """The address of an Alertmanager with the shipped rules of inhibition and receivers that go nowhere."""
    config = tmp_path / "alertmanager.yml"
    config.write_text(CONFIG.read_text().replace("http://127.0.0.1:9099", f"http://127.0.0.1:{free_port()}"))
    address = f"127.0.0.1:{free_port()}"
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [
                tool("prometheus-alertmanager", "prometheus-alertmanager"), f"--config.file={config}",
                f"--storage.path={tmp_path}", f"--web.listen-address={address}", "--cluster.listen-address=",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            eventually(lambda: _answers(address), what="Alertmanager ready")
            yield f"http://{address}/api/v2/alerts"
        finally:
            process.kill()
            process.wait(10)


def _answers(address: str) -> bool:
    try:
        ask(f"http://{address}/api/v2/status")
    except OSError:
        return False
    return True


def come_to(url: str, alerts: Sequence[Alert]) -> list[Alert]:
    """Alerts that are there all at once, and the states they come to: as soon as they are those given."""
    labelled = [{"alertname": name, **labels} for name, labels, _ in alerts]
    ask(url, [{"labels": labels} for labels in labelled])
    deadline = time.monotonic() + PATIENCE_S
    while True:
        states = [(one["labels"], one["status"]["state"]) for one in ask(url)]
        found = [
            (name, labels, state)
            for (name, labels, _), whole in zip(alerts, labelled, strict=True)
            for other, state in states
            if other == whole
        ]
        if found == [*alerts] or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_a_server_that_is_down_silences_its_own_model_and_no_other(alertmanager: str) -> None:
    expected = [
        ("ModelServerDown", {"job": "models", **CHURN}, "active"),
        ("ModelServerReplicaDown", {**A, **CHURN}, "suppressed"),
        ("ModelErrors", {"job": "models", **CHURN}, "suppressed"),
        ("ModelErrors", {"job": "models", **FRAUD}, "active"),
        ("ModelFeatureDrift", {**A, **CHURN, **AMOUNT}, "suppressed"),
        ("ModelNoTraffic", {"job": "models", "model": "churn"}, "suppressed"),
        ("ModelDrift", {"job": "models", **CHURN, "profile": "0a1b2c3d"}, "suppressed"),
        ("ModelTrainingServingSkew", {"job": "models", **CHURN, "profile": "0a1b2c3d"}, "suppressed"),
        ("ModelDrift", {"job": "models", **FRAUD, "profile": "0a1b2c3d"}, "active"),
        ("ModelFeatureDrift", {**A, **FRAUD, **AMOUNT}, "active"),
        ("ModelFeatureDrift", {**A, **CHURN, **AMOUNT, "model_version": "8"}, "active"),
        ("InferenceExporterDropping", {**A, **CHURN}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_a_dependency_that_is_down_is_told_beside_what_may_come_of_it(alertmanager: str) -> None:
    """Which features and requests need it is not known, and a ticket must not silence a page."""
    down = {"job": "models", **CHURN, "dependency": "orders", "severity": "warning"}
    expected = [
        # Once these two are judged, so are the others.
        ("ModelServerDown", {"job": "models", **CHURN, "severity": "critical"}, "active"),
        ("ModelServerReplicaDown", {**A, **CHURN}, "suppressed"),
        ("ModelDependencyDown", down, "active"),
        ("ModelDependencyDown", {**down, **FRAUD}, "active"),
        ("ModelErrors", {"job": "models", **FRAUD, "severity": "critical"}, "active"),
        ("ModelFeatureMissingSurge", {**A, **FRAUD, **AMOUNT, "severity": "warning"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def fires(state: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """The alerts that fire at the end of a test of rules, by name and labels."""
    samples = [sample["labels"] for sample in state["promql_expr_test"][-1]["exp_samples"]]
    every = [dict(re.findall(r'(\w+)="([^"]*)"', labels)) for labels in samples]
    return [
        (one.pop("alertname"), {k: v for k, v in one.items() if k not in {"alertstate", "severity"}}) for one in every
    ]


@pytest.mark.parametrize("state", yaml.safe_load(STATES.read_text())["tests"], ids=lambda state: state["name"])
def test_of_all_that_fires_in_an_outage_exactly_one_speaks(state: dict[str, Any], alertmanager: str) -> None:
    first, *others = fires(state)
    expected = [(*first, "active"), *((*one, "suppressed") for one in others)]
    assert come_to(alertmanager, expected) == expected


def test_a_drift_wakes_the_same_people_once_and_is_still_told_to_others(alertmanager: str) -> None:
    page, profile = {"severity": "critical"}, {"profile": "0a1b2c3d"}
    expected = [
        ("ModelDrift", {"job": "models", **CHURN, **profile, **page}, "active"),
        ("ModelFeatureDrift", {**A, **CHURN, **AMOUNT, **page}, "suppressed"),
        ("ModelPredictionDrift", {**A, **CHURN, **profile, "output": "score", **page}, "suppressed"),
        ("ModelDriftSlow", {"job": "models", **CHURN, **profile, "severity": "warning"}, "suppressed"),
        ("ModelFeatureDrift", {**A, **CHURN, **AMOUNT, **page, "owner": "payments"}, "active"),
        ("ModelFeatureDrift", {**B, **CHURN, **AMOUNT, "severity": "warning"}, "active"),
        ("ModelFeatureAbsent", {**A, **CHURN, **AGE, **page}, "active"),
        ("ModelTrainingServingSkew", {"job": "models", **CHURN, **profile}, "active"),
        ("ModelFeatureDrift", {**A, **CHURN, **AMOUNT, **page, "profile": "9f8e7d6c"}, "active"),
        ("ModelFeatureDrift", {**A, **FRAUD, **AMOUNT, **page}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_the_page_of_the_fleet_is_the_only_one_about_its_drift(alertmanager: str) -> None:
    fleet = {"job": "models", **CHURN, "profile": "0a1b2c3d"}
    expected = [
        ("ModelFleetDrift", fleet, "active"),
        ("ModelFeatureDrift", {**A, **CHURN, **AMOUNT, "severity": "critical"}, "suppressed"),
        ("ModelDrift", fleet, "suppressed"),
        ("ModelFleetDriftSlow", fleet, "suppressed"),
        ("ModelDriftSlow", fleet, "suppressed"),
        ("ModelDrift", {**fleet, "profile": "9f8e7d6c"}, "active"),
        ("ModelDrift", {**fleet, "job": "canary"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_a_feature_that_collapses_is_told_once_and_one_that_is_stuck_tells_more(alertmanager: str) -> None:
    expected = [
        ("ModelFeatureCollapse", {**A, **CHURN, **AMOUNT}, "active"),
        ("ModelFeatureDrift", {**A, **CHURN, **AMOUNT}, "suppressed"),
        ("ModelFeatureStuck", {**A, **CHURN, **AGE}, "active"),
        ("ModelFeatureCollapse", {**A, **CHURN, **AGE}, "suppressed"),
        ("ModelFeatureDrift", {**B, **CHURN, **AMOUNT}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_what_is_down_in_production_silences_nothing_in_staging(alertmanager: str) -> None:
    prod, staging = ({"cluster": "eu", "namespace": name, "job": "models"} for name in ("prod", "staging"))
    elsewhere = {**prod, "cluster": "us"}
    at = {"instance": "10.0.0.1:9877"}
    expected = [
        ("ModelServerDown", {**prod, **CHURN}, "active"),
        ("ModelServerReplicaDown", {**prod, **at, **CHURN}, "suppressed"),
        ("ModelNoTraffic", {**prod, "model": "churn"}, "suppressed"),
        ("ModelServerReplicaDown", {**staging, **at, **CHURN}, "active"),
        ("ModelNoTraffic", {**staging, "model": "churn"}, "active"),
        ("ModelFeatureDrift", {**elsewhere, **at, **CHURN, **AMOUNT}, "active"),
        ("InferenceExporterAllDown", prod, "active"),
        ("InferenceExporterDown", {**prod, **at}, "suppressed"),
        ("InferenceExporterDown", {**staging, **at}, "active"),
        ("InferenceExporterDown", {**elsewhere, **at}, "active"),
        ("ModelFeatureAbsent", {**staging, **at, **CHURN, **AMOUNT}, "active"),
        ("ModelFeatureDrift", {**staging, **at, **CHURN, **AMOUNT}, "suppressed"),
        ("ModelFeatureMissingSurge", {**elsewhere, **at, **CHURN, **AMOUNT}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_an_exporter_that_is_down_silences_nothing(alertmanager: str) -> None:
    expected = [
        # Once these two are judged, so are the others.
        ("InferenceExporterAllDown", {"job": "others"}, "active"),
        ("InferenceExporterDown", {**A, "job": "others"}, "suppressed"),
        ("InferenceExporterDown", A, "active"),
        ("ModelFeatureDrift", {**A, **CHURN, **AMOUNT}, "active"),
        ("ModelFeatureDrift", {**B, **CHURN, **AMOUNT}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_all_exporters_down_is_said_once(alertmanager: str) -> None:
    expected = [
        ("InferenceExporterAllDown", {"job": "models"}, "active"),
        ("InferenceExporterDown", A, "suppressed"),
        ("InferenceExporterDown", {**B, "job": "others"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_an_absent_feature_silences_its_own_drift_only(alertmanager: str) -> None:
    expected = [
        ("ModelFeatureAbsent", {**A, **CHURN, **AMOUNT}, "active"),
        ("ModelFeatureDrift", {**A, **CHURN, **AMOUNT}, "suppressed"),
        ("ModelFeatureDrift", {**A, **CHURN, **AGE}, "active"),
        ("ModelFeatureDrift", {**B, **CHURN, **AMOUNT}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_what_has_drifted_as_a_whole_is_not_said_of_its_parts(alertmanager: str) -> None:
    part = {"profile": "0a1b2c3d", "segment": "country", "value": "DE"}
    expected = [
        ("ModelFeatureDrift", {**A, **CHURN, **AMOUNT}, "active"),
        ("ModelSegmentDrift", {**A, **CHURN, **AMOUNT, **part}, "suppressed"),
        ("ModelSegmentDrift", {**A, **CHURN, **AGE, **part}, "active"),
        ("ModelSegmentDrift", {**B, **CHURN, **AMOUNT, **part}, "active"),
        ("ModelSegmentDrift", {**A, **CHURN, **part, "output": "score"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_a_profile_mismatch_silences_what_single_columns_of_its_side_say(alertmanager: str) -> None:
    profile = {"profile": "0a1b2c3d"}
    expected = [
        ("ModelProfileMismatch", {**A, **CHURN, **profile, "side": "request"}, "active"),
        ("ModelFeatureAbsent", {**A, **CHURN, **AMOUNT}, "suppressed"),
        ("ModelFeatureDrift", {**A, **CHURN, **AGE}, "suppressed"),
        ("ModelFeatureMissingSurge", {**A, **CHURN, **AGE}, "suppressed"),
        ("ModelPayloadsUndecodable", {**A, **CHURN, "side": "request"}, "suppressed"),
        ("ModelCoverageLow", {**A, **CHURN}, "suppressed"),
        ("ModelPredictionDrift", {**A, **CHURN, **profile, "output": "score"}, "active"),
        ("ModelPayloadsUndecodable", {**A, **CHURN, "side": "response"}, "active"),
        ("ModelFeatureFailures", {**A, **CHURN, **profile, "code": "5xx"}, "active"),
        ("ModelFeatureDrift", {**B, **CHURN, **AGE}, "active"),
        ("ModelFeatureDrift", {**A, **FRAUD, **AGE}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_a_profile_mismatch_of_the_answers_leaves_what_features_say(alertmanager: str) -> None:
    profile = {"profile": "0a1b2c3d"}
    part = {**profile, "segment": "country", "value": "DE"}
    expected = [
        ("ModelProfileMismatch", {**A, **CHURN, **profile, "side": "response"}, "active"),
        ("ModelPredictionDrift", {**A, **CHURN, **profile, "output": "score"}, "suppressed"),
        ("ModelSegmentDrift", {**A, **CHURN, **part, "output": "score"}, "suppressed"),
        ("ModelPayloadsUndecodable", {**A, **CHURN, "side": "response"}, "suppressed"),
        ("ModelFeatureDrift", {**A, **CHURN, **AGE}, "active"),
        ("ModelSegmentDrift", {**A, **CHURN, **part, "feature": "amount"}, "active"),
        ("ModelCoverageLow", {**A, **CHURN}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_payloads_that_cannot_be_read_are_why_few_rows_are_seen(alertmanager: str) -> None:
    expected = [
        ("ModelPayloadsUndecodable", {**A, **CHURN, "side": "request"}, "active"),
        ("ModelCoverageLow", {**A, **CHURN}, "suppressed"),
        ("ModelCoverageLow", {**B, **CHURN}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected
