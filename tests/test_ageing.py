"""Settings about age: times, durations, and mappings of them by model."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from exporter import ageing, config
from exporter.errors import ConfigError
from exporter.profile import strict_yaml


@pytest.mark.parametrize(("said", "seconds"), [
    ("2026-03-01T12:00:00Z", 1772366400.0), ("2026-03-01T12:00:00+01:00", 1772362800.0), ("2026-03-01", 1772323200.0),
    (datetime(2026, 3, 1, 12, tzinfo=UTC), 1772366400.0), (date(2026, 3, 1), 1772323200.0),
    ("1772366400", 1772366400.0), (1772366400.5, 1772366400.5), ("2026-03-01 12:00", 1772366400.0),
])  # fmt: skip
def test_a_moment_is_read_as_people_and_templates_write_it(said: object, seconds: float) -> None:
    assert ageing.moment(said) == seconds


@pytest.mark.parametrize("said", ["", "yesterday", "0", -5, True, None, "1e300", 10**400, "nan", "2026-13-01", "12:00"])
def test_what_is_no_moment_is_refused_in_words(said: object) -> None:
    with pytest.raises(ValueError, match="must be a time such as 2026-03-01T12:00:00Z, or a Unix time in seconds"):
        ageing.moment(said)


def settings(**given: object) -> config.Settings:
    return config.resolve(("test", {f"staleness.{key}": value for key, value in given.items()}))


@pytest.mark.parametrize("said", [
    {"churn": "90d", "*": "180d"}, '{"churn": "90d", "*": "180d"}', [["churn", "90d"], ["*", "180d"]],
])  # fmt: skip
def test_models_are_named_and_a_star_is_for_the_others(said: object) -> None:
    found = settings(retrain_every=said).staleness.retrain_every
    assert (ageing.of(found, "churn"), ageing.of(found, "fraud")) == (90 * 86400.0, 180 * 86400.0)
    assert ageing.of(settings(retrain_every="90d").staleness.retrain_every, "any") == 90 * 86400.0
    assert ageing.of(settings(retrain_every={"churn": "90d"}).staleness.retrain_every, "fraud") is None
    assert ageing.of((), "churn") is None


def test_it_comes_from_the_environment_and_travels_to_child_processes() -> None:
    told = config.from_environment({"INFERENCE_EXPORTER_STALENESS_DEPLOYED_AT": "2026-03-01T12:00:00Z"})
    found = config.resolve(("environment", told))
    assert found.staleness.deployed_at == (("*", 1772366400.0),)
    assert config.from_document(json.loads(json.dumps(config.to_document(found)))) == found


@pytest.mark.parametrize(("given", "words"), [
    ({"retrain_every": "soon"}, "retrain_every: must be a duration"),
    ({"retrain_every": {"churn": "soon"}}, "retrain_every.churn: must be a duration"),
    ({"retrain_every": {"": "90d"}}, "must have names of models as its keys"),
    ({"retrain_every": "{"}, "must be one value, or JSON such as"),
    ({"retrain_every": [1]}, "must be one value, or a mapping by model"),
    ({"deployed_at": {"churn": "now"}}, "deployed_at.churn: must be a time"),
])  # fmt: skip
def test_faults_name_the_model(given: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        settings(**given)


def test_a_file_may_have_a_time_with_and_without_quotes(tmp_path: Path) -> None:
    path = tmp_path / "exporter.yml"
    for said in ("2026-03-01T12:00:00Z", '"2026-03-01T12:00:00Z"', "2026-03-01T13:00:00+01:00"):
        path.write_text(f"staleness: {{deployed_at: {{churn: {said}}}}}")
        assert config.resolve(
            ("file", config.flatten(strict_yaml.of_file(str(path)), "file"))
        ).staleness.deployed_at == (("churn", 1772366400.0),)


def test_a_trend_is_not_shorter_than_a_pane() -> None:
    with pytest.raises(ConfigError, match=r"staleness.trend: 30s is shorter than windows.pane \(1m\)"):
        config.resolve(("test", {"staleness.trend": "30s", "feedback.enable": True}))
