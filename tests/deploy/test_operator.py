"""What Prometheus Operator is given, by the chart and by the command: valid, the same rules, the same routes."""

import json
import os
import re
import shutil
import subprocess
import textwrap
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import tool

from deploy.charts import ALL, MONITORING, RECEIVERS, ROOT, Document, Reader, documents, named, texts
from exporter import cli
from exporter.rules import operator

pytestmark = pytest.mark.deploy
MODELS = Path(__file__).parent / "operator"
RULES = {path.name: path.read_text() for path in (ROOT / "alert_rules").glob("*.rules.yml")}
CONFIG = ALL["alertmanagerConfig"]
_SNAKE = {
    "groupBy": "group_by", "groupWait": "group_wait", "groupInterval": "group_interval",
    "repeatInterval": "repeat_interval", "muteTimeIntervals": "mute_time_intervals",
}  # fmt: skip


def in_version(version: str) -> Document:
    return ALL | {"alertmanagerConfig": CONFIG | {"version": version}}


def told(path: Path, resources: list[Document]) -> "subprocess.CompletedProcess[str]":
    """What the models say; where CI is set they must be installed, elsewhere it skips."""
    if shutil.which("node") is None or not (MODELS / "node_modules").is_dir():
        message = "the Operator's models are not installed: make tests/deploy/operator/node_modules/.made"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    path.write_text(json.dumps(resources))
    return subprocess.run(
        ["node", str(MODELS / "check.mjs"), str(path)], capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What `inference-exporter rules` writes for the Operator."""
    place = tmp_path_factory.mktemp("rules")
    words = ["rules", "--format", "prometheusrule", "--label", "release=main", "--examples", "--output", str(place)]
    assert cli.main(words) == 0
    return {path.name: path.read_text() for path in place.iterdir()}


def test_the_operator_knows_all_that_it_is_given(tmp_path: Path, commanded: dict[str, str]) -> None:
    found = [one for version in ("v1alpha1", "v1beta1") for one in documents(in_version(version))]
    found = [one for one in found if one["apiVersion"].startswith(MONITORING)]
    found += [yaml.safe_load(text) for text in commanded.values()]
    done = told(tmp_path / "resources.json", found)
    assert (done.returncode, done.stdout) == (0, f"{len(found)} resources: as the Operator has them\n"), done.stderr
    assert {one["kind"] for one in found} == {"PodMonitor", "PrometheusRule", "AlertmanagerConfig"}


def test_what_it_does_not_know_is_told(tmp_path: Path) -> None:
    monitor, config = (
        named(documents(ALL), kind, "inference-exporter") for kind in ("PodMonitor", "AlertmanagerConfig")
    )
    monitor["spec"]["podMetricsEndpoints"][0] |= {"interval": "30 s", "honourLabels": True}
    config["spec"]["route"]["routes"][1] |= {"groupWait": "10 s", "repeat": "1h"}
    done = told(tmp_path / "resources.json", [monitor, config])
    assert done.returncode == 1
    assert done.stdout.count("must match pattern") == 2
    for word in ("honourLabels", "repeat"):
        assert f"'\"{word}\"' does not exist" in done.stdout


# --- rules


def inside(text: str) -> str:
    """What stands below `spec`, as it was before it was put farther in."""
    return textwrap.dedent(text.partition("\nspec:\n")[2])


def test_the_rules_of_the_chart_are_the_files_byte_for_byte() -> None:
    made = texts(ALL)["templates/prometheusrule.yaml"].split("\n---\n")
    assert [inside(text).rstrip("\n") for text in made if text.strip() not in {"", "---"}] == [
        RULES[name].rstrip("\n") for name in sorted(RULES)
    ]


def test_the_rules_of_the_command_are_the_files_byte_for_byte(commanded: dict[str, str]) -> None:
    for name, text in RULES.items():
        stem = name.removesuffix(".rules.yml").replace("_", "-")
        assert inside(commanded[f"{stem}.prometheusrule.yml"]) == text


def test_promtool_accepts_what_the_operator_would_hand_to_prometheus(tmp_path: Path) -> None:
    """It takes the groups out of the resource and writes them anew."""
    for one in documents(ALL):
        if one["kind"] == "PrometheusRule":
            path = tmp_path / f"{one['metadata']['name']}.yml"
            path.write_text(yaml.safe_dump({"groups": one["spec"]["groups"]}))
    paths = sorted(tmp_path.iterdir())
    assert len(paths) == len(RULES)
    words = [tool("promtool", "prometheus"), "check", "rules", "--lint=all", "--lint-fatal", *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_resource_is_asked_for_by_the_labels_that_were_said(commanded: dict[str, str]) -> None:
    labels = {"app.kubernetes.io/name": "inference-exporter", "release": "main"}
    assert all(yaml.safe_load(text)["metadata"]["labels"] == labels for text in commanded.values())
    rule = named(documents(ALL), "PrometheusRule", "-drift")["metadata"]
    assert (rule["labels"]["release"], rule["annotations"]) == ("kube-prometheus-stack", {"by": "us"})


# --- Alertmanager


def route(node: Document) -> Document:
    """As the Operator writes it for Alertmanager."""
    found = {_SNAKE.get(key, key): value for key, value in node.items() if key not in {"matchers", "routes"}}
    if "matchers" in node:
        found["matchers"] = [matcher(one) for one in node["matchers"]]
    if "routes" in node:
        found["routes"] = [route(one) for one in node["routes"]]
    return found


def matcher(one: Document) -> str:
    return f'{one["name"]}{one["matchType"]}"{one["value"]}"'


def configuration(config: Document, namespace: str | None = None) -> Document:
    """What the Operator makes of the resource, but for the receivers, which are named alone."""
    spec = config["spec"]
    top = route(spec["route"])
    if namespace:
        top["matchers"].append(f'namespace="{namespace}"')
    return {
        "route": {"receiver": "null", "routes": [top | {"continue": True}]},
        "inhibit_rules": [
            {
                "source_matchers": [matcher(one) for one in rule["sourceMatch"]],
                "target_matchers": [matcher(one) for one in rule["targetMatch"]],
                "equal": rule["equal"],
            }
            for rule in spec["inhibitRules"]
        ],
        "time_intervals": [{"name": one["name"], "time_intervals": []} for one in spec["muteTimeIntervals"]],
        "receivers": [{"name": "null"}, *({"name": one["name"]} for one in spec["receivers"])],
    }


def shipped() -> Any:
    return yaml.safe_load((ROOT / "alert_rules" / "alertmanager.yml").read_text())


@pytest.fixture(params=["chart", "command"])
def config(request: pytest.FixtureRequest, commanded: dict[str, str]) -> Any:
    """With the one owner of the example."""
    if request.param == "command":
        return yaml.load(commanded["alertmanagerconfig.yml"], Reader)  # noqa: S506 (a safe one)
    told_of = {name: one for name, one in RECEIVERS.items() if not name.startswith("risk")}
    only = CONFIG | {"owners": ["payments"], "receivers": told_of, "planned": []}
    return named(documents(ALL | {"alertmanagerConfig": only}), "AlertmanagerConfig")


def test_its_routes_and_inhibition_are_those_of_the_example(config: Document) -> None:
    made, original = configuration(config), shipped()
    (top,) = made["route"]["routes"]
    assert top.pop("continue") is True
    assert top.pop("matchers") == [f'alertname=~"{operator.ALERTS}"']
    assert top == original["route"]
    assert made["inhibit_rules"] == original["inhibit_rules"]
    assert {one["name"] for one in made["receivers"]} == {"null", *(one["name"] for one in original["receivers"])}


def test_amtool_sends_each_alert_where_the_example_sends_it(config: Document, tmp_path: Path) -> None:
    amtool = tool("amtool", "prometheus-alertmanager")
    made, original = tmp_path / "made.yml", tmp_path / "original.yml"
    made.write_text(yaml.safe_dump(configuration(config, "models")))
    original.write_text(yaml.safe_dump(shipped() | {"templates": []}))
    done = subprocess.run([amtool, "check-config", str(made)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr

    def receivers(path: Path, labels: tuple[str, ...]) -> str:
        words = [amtool, "config", "routes", "test", f"--config.file={path}", "namespace=models", *labels]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout

    names = ("ModelDrift", "ModelFeatureDriftsAcrossModels", "ModelErrors", "InferenceExporterDown")
    severities, owners = ("critical", "warning", "info"), ("payments", "nobody")
    for name, severity, owner in product(names, severities, owners):
        labels = (f"alertname={name}", f"severity={severity}", f"owner={owner}")
        assert receivers(made, labels) == receivers(original, labels), labels
    assert receivers(made, ("alertname=KubePodCrashLooping", "severity=critical")) == "null\n"


def test_every_alert_of_ours_is_one_that_it_takes() -> None:
    names = {rule["alert"] for text in RULES.values() for group in yaml.load(text, Reader)["groups"]  # noqa: S506
             for rule in group["rules"] if "alert" in rule}  # fmt: skip
    assert len(names) > 60
    assert all(re.fullmatch(operator.ALERTS, name) for name in names)


def test_each_owner_has_routes_of_its_own_and_nobody_else_has() -> None:
    both = json.dumps(named(documents(ALL), "AlertmanagerConfig")["spec"]["route"])
    assert (both.count('"risk"'), both.count('"risk-pager"')) == (
        both.count('"payments"'),
        both.count('"payments-pager"'),
    )
    least = {"enabled": True, "receivers": {name: RECEIVERS[name] for name in ("pager", "tickets")}}
    none = named(documents({"alertmanagerConfig": least}), "AlertmanagerConfig")["spec"]
    assert "owner=" not in json.dumps(configuration({"spec": none})["route"])
    assert [one["name"] for one in none["receivers"]] == ["tickets", "pager", "info", "heartbeat"]


def test_planned_windows_are_said_in_the_words_of_each_version() -> None:
    for version, key in ("v1alpha1", "muteTimeIntervals"), ("v1beta1", "timeIntervals"):
        found = named(documents(in_version(version)), "AlertmanagerConfig")
        assert found["apiVersion"] == MONITORING + version
        assert found["spec"][key] == [{"name": "planned", "timeIntervals": CONFIG["planned"]}]


def test_of_all_that_has_a_port_of_that_name_the_sidecar_alone_is_scraped() -> None:
    monitor = named(documents(ALL), "PodMonitor", "inference-exporter")["spec"]
    assert monitor["sampleLimit"] == 12000
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert (endpoint["scheme"], endpoint["basicAuth"]["username"]["key"]) == ("https", "user")
    first, own = endpoint["relabelings"]
    assert (first["action"], first["regex"]) == ("keep", "inference-exporter")
    assert own == {"targetLabel": "team", "replacement": "risk"}
    (fleet,) = named(documents(ALL), "PodMonitor", "-fleet")["spec"]["podMetricsEndpoints"]
    assert fleet["honorLabels"] is True


@pytest.mark.parametrize(("scope", "labels"), [("release", 2), ("namespace", 1), ("cluster", 1)])
def test_the_scope_says_whose_sidecars_are_scraped(scope: str, labels: int) -> None:
    spec = named(documents({"podMonitor": {"enabled": True, "scope": scope}}), "PodMonitor")["spec"]
    assert len(spec["selector"]["matchLabels"]) == labels
    assert spec.get("namespaceSelector") == ({"any": True} if scope == "cluster" else None)
