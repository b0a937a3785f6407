"""Who is told of an alert: somebody, whatever it is, and by its severity and owner."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from support import tool

RULES = Path(__file__).parents[2] / "alert_rules"
CONFIG, EXAMPLE = RULES / "alertmanager.yml", RULES / "alertmanager.receivers.example.yml"
HEARTBEAT = "InferenceExporterHeartbeat"
ACROSS = "ModelFeatureDriftsAcrossModels"
RECEIVERS = {"critical": "pager", "warning": "tickets", "info": "info", "none": "heartbeat"}
OWNED = {"critical": "payments-pager", "warning": "payments", "info": "info", "none": "heartbeat"}
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"(.*)"')


def amtool(*words: str | Path) -> str:
    roomy = os.environ | {"GOGC": "400"}
    program = tool("amtool", "prometheus-alertmanager")
    done = subprocess.run(
        [program, *map(str, words)], capture_output=True, text=True, timeout=60, check=False, env=roomy
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def routed(**labels: str) -> list[str]:
    words = [f"{name}={value}" for name, value in labels.items()]
    return amtool("config", "routes", "test", f"--config.file={CONFIG}", *words).split()


class Said(NamedTuple):
    """An alert as it may fire."""

    name: str
    severity: str


def severities(rule: dict[str, Any]) -> list[str]:
    """Those it may have: where its label is a template, the words that stand in it."""
    label = rule["labels"]["severity"]
    return [word for word in RECEIVERS if re.search(rf"\b{word}\b", label)]


def alerts() -> Iterator[Said]:
    for path in sorted(RULES.glob("*.rules.yml")):
        for group in yaml.load(path.read_text(), yaml.CSafeLoader)["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    assert severities(rule), rule["alert"]
                    yield from (Said(rule["alert"], severity) for severity in severities(rule))


EVERY = sorted(set(alerts()))


@pytest.mark.parametrize("config", [CONFIG, EXAMPLE], ids=lambda path: path.name)
def test_amtool_accepts_the_configuration(config: Path) -> None:
    assert "SUCCESS" in amtool("check-config", config)


def test_the_receivers_of_the_example_fit_the_routes(tmp_path: Path) -> None:
    """As the example says: its `global` and `receivers` in place of those of the other file."""
    config, example = (yaml.safe_load(path.read_text()) for path in (CONFIG, EXAMPLE))
    assert {one["name"] for one in example["receivers"]} == {one["name"] for one in config["receivers"]}
    assert all(len(one) > 1 for one in example["receivers"]), "a receiver without a way to be told is nobody"
    (tmp_path / "notifications.tmpl").write_text((RULES / "notifications.tmpl").read_text())
    (tmp_path / "both.yml").write_text(yaml.safe_dump(config | {key: example[key] for key in ("global", "receivers")}))
    assert "1 templates" in amtool("check-config", tmp_path / "both.yml")


def test_what_the_documentation_shows_of_other_receivers_is_accepted(tmp_path: Path) -> None:
    documented = (RULES.parent / "docs" / "notifications.md").read_text()
    (shown,) = re.findall(r"```yaml\n(.*?)```", documented, re.DOTALL)
    config = {"route": {"receiver": "shown"}, "receivers": [{"name": "shown", **yaml.safe_load(shown)}]}
    (tmp_path / "shown.yml").write_text(yaml.safe_dump(config))
    assert "1 receivers" in amtool("check-config", tmp_path / "shown.yml")


@pytest.mark.parametrize("alert", EVERY, ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_every_alert_reaches_the_receiver_of_its_severity(alert: Said) -> None:
    assert routed(alertname=alert.name, severity=alert.severity, owner="nobody") == [RECEIVERS[alert.severity]]
    owners = OWNED if alert.name != ACROSS else RECEIVERS  # of many models, and so of many owners
    assert routed(alertname=alert.name, severity=alert.severity, owner="payments") == [owners[alert.severity]]


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"alertname": HEARTBEAT, "severity": "none"}, "heartbeat"),
        ({"alertname": HEARTBEAT, "severity": "none", "owner": "payments"}, "heartbeat"),
        ({"alertname": "ModelFeatureDriftsAcrossModels", "severity": "warning"}, "tickets"),
        ({"alertname": "ModelTrafficStopped", "severity": "critical"}, "pager"),
        ({"alertname": "ModelTrafficStopped", "severity": "warning", "owner": "payments"}, "payments"),
        ({"alertname": "ModelFeatureDrift", "severity": "warning", "owner": "risk"}, "tickets"),
        ({"alertname": "ModelFeatureDrift", "severity": "critical", "owner": "risk"}, "pager"),
        ({"alertname": "SomethingElse", "severity": "info"}, "info"),
        ({"alertname": "SomethingElse", "severity": "urgent"}, "tickets"),
        ({"alertname": "SomethingElse", "severity": "none"}, "tickets"),
        ({"alertname": "WithoutSeverity"}, "tickets"),
        ({"model": "without-a-name"}, "tickets"),
    ],
)
def test_what_nobody_thought_of_reaches_somebody_too(labels: dict[str, str], receiver: str) -> None:
    assert routed(**labels) == [receiver]


def test_no_receiver_waits_in_vain() -> None:
    """Each is reached by a route, and has a way to be told."""
    config = yaml.safe_load(CONFIG.read_text())

    def reached(route: dict[str, Any]) -> set[str]:
        below = (reached(child) for child in route.get("routes", []))
        return {route["receiver"]}.union(*below) if "receiver" in route else set().union(*below)

    assert {one["name"] for one in config["receivers"]} == reached(config["route"])
    assert all(one["webhook_configs"] for one in config["receivers"])


# --- what may silence what


class Matchers:
    """Of an inhibition: what it asks of an alert."""

    def __init__(self, texts: list[str]) -> None:
        self._asked = [found.groups() for text in texts if (found := MATCHER.fullmatch(text))]
        assert len(self._asked) == len(texts), texts

    def fit(self, alert: Said) -> bool:
        """Whether an alert of that name and severity can be meant; of other labels nothing is known."""
        labels = {"alertname": alert.name, "severity": alert.severity}
        return all(_fits(labels[name], operator, wanted) for name, operator, wanted in self._asked if name in labels)


def _fits(value: str, operator: str, wanted: str) -> bool:
    is_so = re.fullmatch(wanted, value) is not None if "~" in operator else value == wanted
    return is_so != operator.startswith("!")


def inhibitions() -> list[Any]:
    return yaml.load(CONFIG.read_text(), yaml.CSafeLoader)["inhibit_rules"]


@pytest.mark.parametrize("rule", inhibitions(), ids=lambda rule: rule["target_matchers"][0][:60])
def test_a_page_is_silenced_by_pages_to_the_same_owner_alone_and_nothing_by_other_models(rule: dict[str, Any]) -> None:
    source, target = Matchers(rule["source_matchers"]), Matchers(rule["target_matchers"])
    assert {"cluster", "namespace", "job"} <= {*rule["equal"]}
    silenced = [alert for alert in EVERY if target.fit(alert)]
    if any(alert.severity == "critical" for alert in silenced):
        assert "owner" in rule["equal"]
        assert {alert.severity for alert in EVERY if source.fit(alert)} <= {"critical"}
    if not any(alert.name.startswith("InferenceExporter") for alert in EVERY if source.fit(alert)):
        assert "model" in rule["equal"]
    assert silenced, "of no alert that there is"
    assert any(source.fit(alert) for alert in EVERY), "by no alert that there is"
    assert HEARTBEAT not in {alert.name for alert in silenced}
    assert not target.fit(Said(HEARTBEAT, "none"))
