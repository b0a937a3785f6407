"""What a running Alertmanager silences on its own, and what it must not."""

import json
import re
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from monitoring import _running
from support import PATIENCE_S, free_port, tool

STATES = Path(__file__).parents[2] / "alert_rules" / "tests" / "told_apart.test.yml"
CONFIG = Path(__file__).parents[2] / "alert_rules" / "alertmanager.yml"
PAGE, TICKET, INFO = ({"severity": severity} for severity in ("critical", "warning", "info"))
RISK = {"owner": "risk"}
CHURN = {"model": "churn", "model_version": "7", "profile": "0a1b2c3d", "owner": "nobody"}
FRAUD = {"model": "fraud", "model_version": "1", "profile": "9f8e7d6c", "owner": "nobody"}
A, B = {"instance": "a:9877"}, {"instance": "b:9877"}
COLUMNS = ("ModelFeatureAbsent", "ModelFeatureMissingSurge", "ModelFeatureDrift")
"""Alerts that list columns, each its own: which are the same is not to be seen by their labels."""
JOBS = (f"models-{number}" for number in count())
Labels = Mapping[str, str]
Alert = tuple[str, Labels, str]
"""Its name, its other labels, and its state."""


def version(labels: Labels) -> Labels:
    """Of alerts about a server and its requests: no profile."""
    return {name: value for name, value in labels.items() if name != "profile"}


def model(labels: Labels) -> Labels:
    """Of alerts about a model, whatever its version."""
    return {name: value for name, value in version(labels).items() if name != "model_version"}


def ask(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Alertmanager with the shipped rules of inhibition and receivers that go nowhere."""
    directory, address = tmp_path_factory.mktemp("alertmanager"), f"127.0.0.1:{free_port()}"
    config = directory / "alertmanager.yml"
    config.write_text(CONFIG.read_text().replace("http://127.0.0.1:9099", f"http://127.0.0.1:{free_port()}"))
    command = [
        tool("prometheus-alertmanager", "prometheus-alertmanager"), f"--config.file={config}",
        f"--storage.path={directory}", f"--web.listen-address={address}", "--cluster.listen-address=",
    ]  # fmt: skip
    with _running(command, directory / "log", f"http://{address}/-/ready"):
        yield f"http://{address}/api/v2/alerts"


def come_to(url: str, alerts: Sequence[Alert]) -> list[Alert]:
    """Alerts that are there all at once, and the states they come to: as soon as they are those given.

    They are of a job that no other test has, for one Alertmanager serves all of them; label job is added to its name.
    """
    job = next(JOBS)
    labelled = [{**labels, "alertname": name, "job": job + labels.get("job", "")} for name, labels, _ in alerts]
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


def fires(state: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """The alerts that fire at the end of a test of rules, by name and labels."""
    samples = [sample["labels"] for sample in state["promql_expr_test"][-1]["exp_samples"]]
    every = [dict(re.findall(r'(\w+)="([^"]*)"', labels)) for labels in samples]
    return [(one.pop("alertname"), {k: v for k, v in one.items() if k not in {"alertstate", "job"}}) for one in every]


@pytest.mark.parametrize(
    "state", yaml.load(STATES.read_text(), yaml.CSafeLoader)["tests"], ids=lambda state: state["name"]
)
def test_of_all_that_fires_in_an_outage_exactly_one_speaks(state: dict[str, Any], alertmanager: str) -> None:
    """And beside it tickets that list columns: they may be others."""
    first, *others = fires(state)
    listing = {name for name, labels in others if name in COLUMNS and labels["severity"] == "warning"}
    expected = [(*first, "active"), *((*one, "active" if one[0] in listing else "suppressed") for one in others)]
    assert come_to(alertmanager, expected) == expected
    assert not listing or first[0] in COLUMNS


# --- outages


def test_a_server_that_is_down_silences_its_own_model_and_no_other(alertmanager: str) -> None:
    expected = [
        ("ModelServerDown", {**version(CHURN), **PAGE}, "active"),
        ("ModelServerReplicaDown", {**A, **version(CHURN), **TICKET}, "suppressed"),
        ("ModelErrors", {**version(CHURN), **PAGE}, "suppressed"),
        ("ModelErrorsSlow", {**version(CHURN), **TICKET}, "suppressed"),
        ("ModelLatency", {**version(CHURN), **PAGE}, "suppressed"),
        ("ModelServerCpuSaturated", {**A, **version(CHURN), **TICKET}, "suppressed"),
        ("ModelServerMemorySaturated", {**A, **version(CHURN), **TICKET}, "suppressed"),
        ("ModelServerMemorySaturated", {**A, **version(FRAUD), **TICKET}, "active"),
        ("ModelTrafficStopped", {**model(CHURN), **PAGE}, "suppressed"),
        ("ModelTrafficStopped", {**model(CHURN), **TICKET}, "suppressed"),
        ("ModelDrift", {**CHURN, **PAGE}, "suppressed"),
        ("ModelFleetDriftSlow", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureDrift", {**CHURN, **TICKET}, "suppressed"),
        ("ModelManyFeaturesAbsent", {**CHURN, **PAGE}, "suppressed"),
        ("ModelFeatureTypeErrors", {**CHURN, **TICKET}, "suppressed"),
        ("ModelTrainingServingSkew", {**CHURN, **TICKET}, "suppressed"),
        ("ModelInputsUnusual", {**CHURN, **INFO}, "suppressed"),
        ("ModelCoverageLow", {**version(CHURN), **TICKET}, "suppressed"),
        ("ModelGoldenFailing", {**version(CHURN), **PAGE}, "suppressed"),
        ("ModelGoldenCaseFailing", {**version(CHURN), **TICKET}, "suppressed"),
        ("ModelGoldenFailing", {**version(CHURN), **PAGE, **RISK}, "active"),
        ("ModelGoldenCaseFailing", {**version(FRAUD), **TICKET}, "active"),
        ("ModelDependencyDown", {**version(CHURN), **TICKET, "dependency": "orders"}, "active"),
        ("ModelProfileProvisional", {**CHURN, **INFO}, "active"),
        ("ModelErrors", {**version(FRAUD), **PAGE}, "active"),
        ("ModelDrift", {**FRAUD, **PAGE}, "active"),
        ("ModelFeatureDrift", {**CHURN, **TICKET, "model_version": "8"}, "active"),
        ("InferenceExporterDropping", {**A, **TICKET, "owner": "nobody"}, "active"),
        ("ModelFeatureDriftsAcrossModels", {**TICKET, "feature": "amount", "owner": "nobody"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_an_outage_that_wakes_one_owner_leaves_the_pages_of_another(alertmanager: str) -> None:
    expected = [
        ("ModelServerDown", {**version(CHURN), **PAGE}, "active"),
        ("ModelFeatureDrift", {**CHURN, **PAGE}, "suppressed"),
        ("ModelFeatureDrift", {**CHURN, **PAGE, **RISK}, "active"),
        ("ModelFeatureDrift", {**CHURN, **TICKET, **RISK}, "suppressed"),
        ("ModelTrafficStopped", {**model(CHURN), **PAGE, **RISK}, "active"),
        ("ModelErrors", {**version(CHURN), **PAGE, **RISK}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_a_dependency_that_is_down_silences_tickets_about_its_models_data_and_no_page(alertmanager: str) -> None:
    down = {**version(FRAUD), **TICKET, "dependency": "orders"}
    expected = [
        ("ModelDependencyDown", down, "active"),
        ("ModelFeatureMissingSurge", {**FRAUD, **TICKET}, "suppressed"),
        ("ModelFeatureDrift", {**FRAUD, **TICKET}, "suppressed"),
        ("ModelTrainingServingSkew", {**FRAUD, **TICKET}, "suppressed"),
        ("ModelSchemaChange", {**FRAUD, **TICKET}, "suppressed"),
        ("ModelAssociationDrift", {**FRAUD, **INFO}, "suppressed"),
        ("ModelDrift", {**FRAUD, **PAGE}, "active"),
        ("ModelFeatureAbsent", {**FRAUD, **PAGE}, "active"),
        ("ModelErrors", {**version(FRAUD), **PAGE}, "active"),
        ("ModelLatencySlow", {**version(FRAUD), **TICKET}, "active"),
        ("ModelTrafficStopped", {**model(FRAUD), **TICKET}, "active"),
        ("ModelFeatureMissingSurge", {**FRAUD, **TICKET, **RISK}, "active"),
        ("ModelFeatureMissingSurge", {**CHURN, **TICKET}, "active"),
        # Others that are down are news, each of them.
        ("ModelDependencyDown", {**down, "dependency": "users"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_what_is_down_in_production_silences_nothing_in_staging(alertmanager: str) -> None:
    prod, staging = ({"cluster": "eu", "namespace": name} for name in ("prod", "staging"))
    elsewhere = {**prod, "cluster": "us"}
    exporter = {"owner": "nobody"}
    expected = [
        ("ModelServerDown", {**prod, **version(CHURN), **PAGE}, "active"),
        ("ModelServerReplicaDown", {**prod, **A, **version(CHURN), **TICKET}, "suppressed"),
        ("ModelTrafficStopped", {**prod, **model(CHURN), **PAGE}, "suppressed"),
        ("ModelServerReplicaDown", {**staging, **A, **version(CHURN), **TICKET}, "active"),
        ("ModelTrafficStopped", {**staging, **model(CHURN), **PAGE}, "active"),
        ("ModelFeatureDrift", {**elsewhere, **CHURN, **TICKET}, "active"),
        ("InferenceExporterAllDown", {**prod, **exporter, **PAGE}, "active"),
        ("InferenceExporterDown", {**prod, **A, **exporter, **TICKET}, "suppressed"),
        ("InferenceExporterDown", {**staging, **A, **exporter, **TICKET}, "active"),
        ("InferenceExporterDown", {**elsewhere, **A, **exporter, **TICKET}, "active"),
        ("ModelManyFeaturesAbsent", {**staging, **CHURN, **PAGE}, "active"),
        ("ModelFeatureDrift", {**staging, **CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureMissingSurge", {**elsewhere, **CHURN, **TICKET}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_one_exporter_that_is_down_silences_nothing(alertmanager: str) -> None:
    expected = [
        # Once these two are judged, so are the others.
        ("InferenceExporterAllDown", {**PAGE, "job": "-others"}, "active"),
        ("InferenceExporterDown", {**A, **TICKET, "job": "-others"}, "suppressed"),
        ("InferenceExporterDown", {**A, **TICKET}, "active"),
        ("InferenceExporterDown", {**B, **TICKET}, "active"),
        ("ModelFeatureDrift", {**CHURN, **TICKET}, "active"),
        ("ModelDrift", {**CHURN, **PAGE}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_all_exporters_down_is_said_once_and_silences_what_they_saw(alertmanager: str) -> None:
    down = {**PAGE, "owner": "nobody"}
    expected = [
        ("InferenceExporterAllDown", down, "active"),
        ("InferenceExporterDown", {**A, **TICKET, "owner": "nobody"}, "suppressed"),
        ("ModelFeatureDrift", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureDrift", {**CHURN, **TICKET, **RISK}, "suppressed"),
        ("ModelDrift", {**CHURN, **PAGE}, "suppressed"),
        ("ModelDrift", {**CHURN, **PAGE, **RISK}, "active"),
        ("ModelServerDown", {**version(CHURN), **PAGE}, "active"),
        ("InferenceExporterDown", {**B, **TICKET, "owner": "nobody", "job": "-others"}, "active"),
        ("ModelFeatureDrift", {**CHURN, **TICKET, "job": "-others"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_exporters_that_are_gone_are_a_ticket_which_silences_tickets_and_no_page(alertmanager: str) -> None:
    expected = [
        ("InferenceExporterAbsent", {**TICKET, "owner": "nobody"}, "active"),
        ("InferenceExporterDown", {**A, **TICKET, "owner": "nobody"}, "suppressed"),
        ("ModelFeatureDrift", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureDrift", {**CHURN, **PAGE, **RISK}, "active"),
        ("ModelDrift", {**CHURN, **PAGE}, "active"),
        ("ModelFeatureDrift", {**CHURN, **TICKET, "job": "-others"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


# --- a page and the ticket about the same thing


def test_a_drift_wakes_the_same_people_once_and_is_still_told_to_others(alertmanager: str) -> None:
    expected = [
        ("ModelDrift", {**CHURN, **PAGE}, "active"),
        ("ModelFeatureDrift", {**CHURN, **PAGE}, "suppressed"),
        ("ModelManyFeaturesDrift", {**CHURN, **PAGE}, "suppressed"),
        ("ModelPredictionDrift", {**CHURN, **PAGE}, "suppressed"),
        ("ModelDriftSlow", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureDrift", {**CHURN, **PAGE, **RISK}, "active"),
        ("ModelDriftSlow", {**CHURN, **TICKET, **RISK}, "active"),
        # It is about columns that may not page.
        ("ModelDriftTicket", {**CHURN, **TICKET}, "active"),
        ("ModelPredictionDrift", {**CHURN, **TICKET}, "active"),
        ("ModelTrainingServingSkew", {**CHURN, **TICKET}, "active"),
        ("ModelManyFeaturesAbsent", {**CHURN, **PAGE, "profile": "11111111"}, "active"),
        ("ModelFeatureDrift", {**FRAUD, **PAGE}, "active"),
        ("ModelDriftSlow", {**CHURN, **TICKET, "profile": "11111111"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_a_ticket_of_evidence_silences_nothing(alertmanager: str) -> None:
    expected = [
        # Once these two are judged, so are the others.
        ("ModelDrift", {**FRAUD, **PAGE}, "active"),
        ("ModelDriftSlow", {**FRAUD, **TICKET}, "suppressed"),
        ("ModelDriftTicket", {**CHURN, **TICKET}, "active"),
        ("ModelDriftSlow", {**CHURN, **TICKET}, "active"),
        ("ModelFeatureDrift", {**CHURN, **PAGE}, "active"),
        ("ModelFeatureDrift", {**CHURN, **TICKET}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_the_page_of_the_fleet_is_the_only_one_about_its_drift(alertmanager: str) -> None:
    expected = [
        ("ModelFleetDrift", {**CHURN, **PAGE}, "active"),
        ("ModelFeatureDrift", {**CHURN, **PAGE}, "suppressed"),
        ("ModelDrift", {**CHURN, **PAGE}, "suppressed"),
        ("ModelFleetDriftSlow", {**CHURN, **TICKET}, "suppressed"),
        ("ModelDriftSlow", {**CHURN, **TICKET}, "suppressed"),
        ("ModelDrift", {**CHURN, **PAGE, "profile": "9f8e7d6c"}, "active"),
        ("ModelDrift", {**CHURN, **PAGE, "job": "-canary"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_slow_drift_is_told_of_the_fleet_and_not_of_its_replicas_too(alertmanager: str) -> None:
    expected = [
        ("ModelFleetDriftSlow", {**FRAUD, **TICKET}, "active"),
        ("ModelDriftSlow", {**FRAUD, **TICKET}, "suppressed"),
        ("ModelDriftSlow", {**CHURN, **TICKET}, "active"),
        ("ModelDriftSlow", {**FRAUD, **TICKET, "job": "-canary"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_a_model_to_be_trained_again_is_not_said_to_drift_slowly(alertmanager: str) -> None:
    expected = [
        ("ModelStale", {**CHURN, **TICKET}, "active"),
        ("ModelDriftSlow", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFleetDriftSlow", {**CHURN, **TICKET}, "suppressed"),
        ("ModelDrift", {**CHURN, **PAGE, **RISK}, "active"),
        ("ModelDriftSlow", {**CHURN, **TICKET, "model_version": "8"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


@pytest.mark.parametrize(("page", "ticket", "of"), [
    ("ModelErrors", "ModelErrorsSlow", version), ("ModelLatency", "ModelLatencySlow", version),
    ("ModelTrafficStopped", "ModelTrafficStopped", model),
])  # fmt: skip
def test_a_page_silences_the_ticket_about_the_same_thing(page: str, ticket: str, of: Any, alertmanager: str) -> None:
    others = {"ModelErrorsSlow", "ModelLatencySlow", "ModelTrafficStopped"} - {ticket}
    expected = [
        (page, {**of(CHURN), **PAGE}, "active"),
        (ticket, {**of(CHURN), **TICKET}, "suppressed"),
        (ticket, {**of(CHURN), **TICKET, **RISK}, "active"),
        (ticket, {**of(FRAUD), **TICKET}, "active"),
        *((other, {**of(CHURN), **TICKET}, "active") for other in sorted(others)),
    ]
    assert come_to(alertmanager, expected) == expected


# --- the whole and its parts


def test_many_absent_features_silence_what_is_said_of_single_ones(alertmanager: str) -> None:
    expected = [
        ("ModelManyFeaturesAbsent", {**CHURN, **PAGE}, "active"),
        ("ModelManyFeaturesDrift", {**CHURN, **PAGE}, "suppressed"),
        ("ModelFeatureAbsent", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureAbsent", {**CHURN, **PAGE}, "suppressed"),
        ("ModelFeatureMissingSurge", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureDrift", {**CHURN, **TICKET}, "suppressed"),
        ("ModelSegmentDrift", {**CHURN, **TICKET}, "suppressed"),
        ("ModelSchemaChange", {**version(CHURN), **TICKET}, "suppressed"),
        ("ModelFeatureOutOfRange", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureUnseen", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureTypeErrors", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureNonFinite", {**CHURN, **TICKET}, "active"),
        ("ModelFeatureAbsent", {**CHURN, **TICKET, **RISK}, "active"),
        ("ModelFeatureOutOfRange", {**CHURN, **TICKET, **RISK}, "active"),
        ("ModelPredictionDrift", {**CHURN, **TICKET}, "active"),
        # What is promised of evidence is a matter of its own: outputs may have drifted, too.
        ("ModelDrift", {**CHURN, **PAGE}, "active"),
        ("ModelFeatureAbsent", {**FRAUD, **TICKET}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_many_drifting_features_silence_what_is_said_of_single_ones(alertmanager: str) -> None:
    expected = [
        ("ModelManyFeaturesDrift", {**CHURN, **PAGE}, "active"),
        ("ModelFeatureDrift", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureDrift", {**CHURN, **PAGE}, "suppressed"),
        ("ModelSegmentDrift", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureDrift", {**CHURN, **PAGE, **RISK}, "active"),
        ("ModelFeatureAbsent", {**CHURN, **TICKET}, "active"),
        ("ModelFeatureDrift", {**CHURN, **TICKET, "model_version": "8"}, "active"),
        ("ModelFeatureDriftsAcrossModels", {**TICKET, "feature": "amount", "owner": "nobody"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_what_lists_columns_silences_nothing_that_lists_others(alertmanager: str) -> None:
    """One alert per model: which columns two of them have in common is not to be seen by their labels."""
    expected = [
        # Once these two are judged, so are the others.
        ("ModelManyFeaturesDrift", {**FRAUD, **PAGE}, "active"),
        ("ModelFeatureDrift", {**FRAUD, **TICKET}, "suppressed"),
        ("ModelFeatureAbsent", {**CHURN, **TICKET}, "active"),
        ("ModelFeatureStuck", {**CHURN, **TICKET}, "active"),
        ("ModelFeatureDrift", {**CHURN, **PAGE}, "active"),
        ("ModelFeatureDrift", {**CHURN, **TICKET}, "active"),
        ("ModelSegmentDrift", {**CHURN, **TICKET}, "active"),
        ("ModelFeatureDriftsAcrossModels", {**TICKET, "feature": "amount", "owner": "nobody"}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


# --- payloads


def test_a_profile_mismatch_silences_tickets_about_single_columns_of_its_side(alertmanager: str) -> None:
    expected = [
        ("ModelProfileMismatch", {**CHURN, **TICKET, "side": "request"}, "active"),
        ("ModelFeatureAbsent", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureDrift", {**CHURN, **TICKET}, "suppressed"),
        ("ModelFeatureTypeErrors", {**CHURN, **TICKET}, "suppressed"),
        ("ModelSegmentDrift", {**CHURN, **TICKET}, "suppressed"),
        ("ModelSchemaChange", {**version(CHURN), **TICKET}, "suppressed"),
        ("ModelPayloadsUndecodable", {**version(CHURN), **TICKET, "side": "request"}, "suppressed"),
        ("ModelCoverageLow", {**version(CHURN), **TICKET}, "suppressed"),
        ("ModelFeatureAbsent", {**CHURN, **PAGE}, "active"),
        ("ModelManyFeaturesAbsent", {**CHURN, **PAGE, **RISK}, "active"),
        ("ModelPredictionDrift", {**CHURN, **TICKET}, "active"),
        ("ModelPayloadsUndecodable", {**version(CHURN), **TICKET, "side": "response"}, "active"),
        ("ModelFeatureFailures", {**CHURN, **TICKET, "code": "5xx"}, "active"),
        ("ModelFeatureDrift", {**FRAUD, **TICKET}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_a_profile_mismatch_of_the_answers_leaves_what_features_say(alertmanager: str) -> None:
    expected = [
        ("ModelProfileMismatch", {**CHURN, **TICKET, "side": "response"}, "active"),
        ("ModelPredictionDrift", {**CHURN, **TICKET}, "suppressed"),
        ("ModelPayloadsUndecodable", {**version(CHURN), **TICKET, "side": "response"}, "suppressed"),
        ("ModelPredictionDrift", {**CHURN, **PAGE}, "active"),
        ("ModelFeatureDrift", {**CHURN, **TICKET}, "active"),
        ("ModelCoverageLow", {**version(CHURN), **TICKET}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_payloads_that_cannot_be_read_are_why_few_rows_are_seen(alertmanager: str) -> None:
    expected = [
        ("ModelPayloadsUndecodable", {**version(CHURN), **TICKET, "side": "request"}, "active"),
        ("ModelCoverageLow", {**version(CHURN), **TICKET}, "suppressed"),
        ("ModelCoverageLow", {**version(FRAUD), **TICKET}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected


# --- performance


def test_a_page_about_wrong_answers_silences_the_tickets_that_say_the_same_with_less_certainty(
    alertmanager: str,
) -> None:
    expected = [
        ("ModelConceptDrift", {**CHURN, **PAGE}, "active"),
        ("ModelPerformanceBelowTraining", {**CHURN, **TICKET}, "suppressed"),
        ("ModelPerformanceEstimatedBelowTraining", {**CHURN, **TICKET}, "suppressed"),
        ("ModelTargetDrift", {**CHURN, **TICKET}, "active"),
        ("ModelDrift", {**CHURN, **PAGE}, "active"),
        ("ModelPerformanceBelowTraining", {**CHURN, **TICKET, **RISK}, "active"),
        ("ModelPerformanceBelowTraining", {**FRAUD, **TICKET}, "active"),
        ("ModelPerformanceEstimatedBelowTraining", {**FRAUD, **TICKET}, "suppressed"),
    ]
    assert come_to(alertmanager, expected) == expected


def test_a_store_that_is_down_silences_what_is_lost_for_want_of_it(alertmanager: str) -> None:
    exporter = {"owner": "nobody", **TICKET}
    expected = [
        ("InferenceExporterFeedbackStoreDown", exporter, "active"),
        ("InferenceExporterFeedbackLost", exporter, "suppressed"),
        ("InferenceExporterTruthsUnjoined", exporter, "suppressed"),
        ("InferenceExporterFeedbackLost", {**exporter, "namespace": "other"}, "active"),
        ("ModelTruthStopped", {**model(CHURN), **TICKET}, "active"),
    ]
    assert come_to(alertmanager, expected) == expected
