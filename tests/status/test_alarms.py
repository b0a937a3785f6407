"""Every alert of the shipped rules is told of, or said why not; with the severity that it has there."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.rules import files, measures
from exporter.status import alarms
from exporter.status.facts import ACT, BLIND, HEALTHY, WATCH
from exporter.status.reasons import truthful

VERDICTS = {"critical": {ACT}, "warning": {WATCH, BLIND}, "info": {HEALTHY}}
BLINDNESS = {"ModelTrafficStopped"}
"""Pages that are blindness: whether anybody usually asks is not known here."""


@cache
def alerts() -> dict[str, str]:
    """Severities by name."""
    rules: list[dict[str, Any]] = [
        rule for _, text in files.made(files.defaults()) for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
    ]  # fmt: skip
    return {rule["alert"]: rule["labels"]["severity"] for rule in rules if "alert" in rule}


def test_no_alert_is_forgotten_and_none_is_told_that_there_is_not() -> None:
    assert alarms.SEEN.keys() | alarms.UNSEEN.keys() == alerts().keys()
    assert not alarms.SEEN.keys() & alarms.UNSEEN.keys()


@pytest.mark.parametrize("name", sorted(alarms.SEEN))
def test_an_alert_makes_of_a_model_what_its_severity_says(name: str) -> None:
    severity = alerts()[name]
    if "{{" in severity:  # as the overrides say
        assert alarms.SEEN[name] == WATCH
    elif name in BLINDNESS:
        assert alarms.SEEN[name] == BLIND
    else:
        assert alarms.SEEN[name] in VERDICTS[severity]


def test_every_alert_that_is_told_has_a_reason_and_a_runbook() -> None:
    here = Path(alarms.__file__).parent
    told = "".join(one.read_text() for one in here.rglob("*.py") if one.name != "alarms.py")
    runbooks = Path("alert_rules/runbooks.md").read_text().lower()
    for name in alarms.SEEN:
        assert f'"{name}"' in told, name
        assert f"# {name}\n".lower() in runbooks, name


def test_measures_are_better_in_the_direction_that_the_alerts_have() -> None:
    assert set(truthful.HIGHER_IS_BETTER) == set(measures.HIGHER_IS_BETTER)
    assert set(truthful.LOWER_IS_BETTER) == set(measures.LOWER_IS_BETTER)
