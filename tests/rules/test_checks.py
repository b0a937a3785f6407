"""Each alert about a model is of one check, and each check of alerts that there are."""

import re

import yaml

from exporter.rules import checks, files

ALERTS = {
    rule["alert"]
    for _, text in files.made(files.defaults())
    for group in yaml.load(text, yaml.CSafeLoader)["groups"]
    for rule in group["rules"]
    if "alert" in rule
}
ALWAYS = "InferenceExporterHeartbeat"
"""It fires while all is well."""


def test_every_alert_is_of_one_check() -> None:
    for alert in ALERTS - {ALWAYS}:
        found = [one.name for one in checks.CHECKS for name in one.alerts if re.fullmatch(name, alert)]
        assert len(found) == 1, alert


def test_every_check_is_of_alerts_that_there_are() -> None:
    for check in checks.CHECKS:
        for name in check.alerts:
            assert any(re.fullmatch(name, alert) for alert in ALERTS), name


def test_checks_are_named_once_and_say_what_is_so_where_they_pass() -> None:
    names = [check.name for check in checks.CHECKS]
    assert len(set(names)) == len(names)
    assert all(check.passed.endswith(".") for check in checks.CHECKS)


def test_what_needs_features_needs_rows() -> None:
    assert all(check.needs_rows for check in checks.CHECKS if check.needs_features)
