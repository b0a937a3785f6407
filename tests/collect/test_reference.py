"""What is shown of a profile itself, of what is known of its columns and of what people say."""

from dataclasses import replace
from typing import Any

import pytest
from monitor_scenes import make_profile

from exporter.adoption import Adoption
from exporter.collect import reference
from exporter.collect.scene import Scene
from exporter.condition import ServerVitals
from exporter.config import Windows
from exporter.monitor import Monitor
from exporter.monitor.said import Said
from exporter.override import NO_OVERRIDES, Override, Overrides
from exporter.reference import Profile, TimeSpan

NOW = 1000.0
Shown = dict[str, dict[tuple[str, ...], Any]]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    made = make_profile(tmp_path_factory.mktemp("profile"))
    features, outputs = (
        tuple(replace(column, importance=None, reference_error=None, dependence=None, wander=None) for column in side)
        for side in (made.features, made.outputs)
    )
    return replace(made, features=features, outputs=outputs, importance="")


class Clock:
    snapshot_wall_s = NOW


def shown(
    profile: Profile, said: Overrides = NO_OVERRIDES, version: str = "7"
) -> dict[str, dict[tuple[str, ...], Any]]:
    """Values by family and by the labels behind those of model and profile."""
    snapshot = Monitor(profile, Windows(), (), Said(said)).snapshot(1.0)
    scene = Scene("m", version, profile, snapshot, ServerVitals(), Clock())  # type: ignore[arg-type]
    found: Shown = {}
    for samples in reference.collect(scene):
        fixed = 3 if "profile" in samples.family.labels else 2
        for labels, value in samples.values:
            found.setdefault(samples.family.name, {})[labels[fixed:]] = value
    return found


def test_of_a_profile_that_says_no_more_than_bins_no_more_is_shown(profile: Profile) -> None:
    assert shown(profile) == {
        "model_profile_info": {("unknown", "train.csv"): 1}, "model_profile_rows": {(): 3000},
        "model_profile_provisional": {(): 0},
    }  # fmt: skip


def test_all_that_a_profile_knows_is_shown(profile: Profile) -> None:
    amount, *others = profile.features
    known = replace(amount, importance=0.75, reference_error=0.01, dependence=2.5, wander=0.02)
    found = shown(replace(
        profile, features=(known, *others), trained_at=900.0, influenced=0.125, performance={"auc": 0.9},
        provisional=True, time=TimeSpan("at", "UTC", 500.0, 800.0),
    ))  # fmt: skip
    assert found["model_profile_timestamp_seconds"] == {(): 800.0}, "the newest row"
    assert found["model_trained_timestamp_seconds"] == {(): 900.0}
    assert found["model_profile_provisional"] == {(): 1}
    assert found["model_profile_influenced_ratio"] == {(): 0.125}
    assert found["model_training_performance"] == {("auc",): 0.9}
    assert found["model_feature_importance_ratio"] == {("amount",): 0.75}
    assert found["model_feature_reference_error_ratio"] == {("amount",): 0.01}
    assert found["model_feature_dependence_ratio"] == {("amount",): 2.5}
    assert found["model_feature_wander_ratio"] == {("amount",): 0.02}


def test_without_a_column_of_time_a_profile_is_as_old_as_the_training(profile: Profile) -> None:
    assert shown(replace(profile, trained_at=900.0))["model_profile_timestamp_seconds"] == {(): 900.0}


@pytest.mark.parametrize(("of", "served", "differs"), [
    ("7", "8", {(): 1}), ("7", "7", {(): 0}), ("unknown", "8", None), ("7", "unknown", None),
    ("7", "label:stable", None),
])  # fmt: skip
def test_versions_are_compared_where_both_are_known(profile: Profile, of: str, served: str, differs: Any) -> None:
    assert shown(replace(profile, version=of), version=served).get("model_profile_version_mismatch") == differs


@pytest.mark.parametrize(("rule", "labels"), [
    (Override(), None), (Override(tolerance=0.5), None), (Override(snooze_until=NOW), None),
    (Override(owner="risk"), ("risk", "")), (Override(owner="risk", severity="ticket"), ("risk", "ticket")),
    (Override(severity="page"), ("", "page")),
    (Override(severity="page", owner="risk", snooze_until=NOW + 1), ("risk", "ignore")),
    (Override(severity="page", owner="risk", snooze_until=NOW - 1), ("risk", "page")),
    (Override(snooze_until=NOW + 1), ("", "ignore")), (Override(severity="ignore"), ("", "ignore")),
])  # fmt: skip
def test_what_comes_of_a_column_is_shown_as_it_is_now(profile: Profile, rule: Override, labels: Any) -> None:
    found = shown(profile, Overrides({"amount": rule}, {"score": rule}))
    assert found.get("model_feature_override_info") == (labels and {("amount", *labels): 1})
    assert found.get("model_prediction_override_info") == (labels and {("score", *labels): 1})


def test_tolerances_weights_and_snoozes_are_shown_as_they_were_said(profile: Profile) -> None:
    found = shown(profile, Overrides({"a*": Override(tolerance=0.2, weight=3.0, snooze_until=5.0)}))
    assert found["model_feature_tolerance_ratio"] == {("amount",): 0.2, ("age",): 0.2}
    assert found["model_feature_weight"] == {("amount",): 3.0, ("age",): 3.0}
    assert found["model_feature_snoozed_until_timestamp_seconds"] == {("amount",): 5.0, ("age",): 5.0}


def test_what_was_adopted_is_shown_until_it_expires(profile: Profile) -> None:
    adoptions = tuple(
        Adoption(side, name, (1,), (0.0, 0.0, 0.0, 0.0), "me", "why", 100.0, expiry, "24h")
        for side, name, expiry in (
            ("features", "amount", None), ("features", "age", NOW + 1), ("features", "city", NOW),
            ("outputs", "score", None),
        )
    )  # fmt: skip
    found = shown(replace(profile, adoptions=adoptions))
    assert found["model_feature_adopted_timestamp_seconds"] == {("amount",): 100.0, ("age",): 100.0}
    assert found["model_feature_adoption_expiry_timestamp_seconds"] == {("age",): NOW + 1}
    assert found["model_prediction_adopted_timestamp_seconds"] == {("score",): 100.0}


def test_what_was_calibrated_on_traffic_is_shown_instead_of_what_the_training_data_said(profile: Profile) -> None:
    amount, age, *others = profile.features
    known = tuple(replace(one, dependence=2.5, wander=0.02) for one in (amount, age))
    said = Overrides({"amount": Override(dependence=4.0), "age": Override(wander=0.07)}, {})
    found = shown(replace(profile, features=(*known, *others)), said)
    assert found["model_feature_dependence_ratio"] == {("amount",): 4.0, ("age",): 2.5}
    assert found["model_feature_wander_ratio"] == {("amount",): 0.02, ("age",): 0.07}
