"""What docs/install-helm.md says is rendered as it stands there: commands, values, and a chart of one's own."""

import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml

from deploy import charts
from deploy.charts import CHART, NAME, ROOT, Document, documents, named, texts
from deploy.manifests import ours
from deploy.pod_security import offences
from exporter import cli

pytestmark = pytest.mark.deploy
GUIDE = (ROOT / "docs" / "install-helm.md").read_text()
SERVER = {"enabled": True, "image": "model-server:1"}
_COMMANDS = [
    command for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    for command in block.replace("\\\n", " ").splitlines()
]  # fmt: skip


def of_words(words: list[str]) -> Document:
    """What `--set` and `--set-file` say."""
    found: Document = {}
    for flag, word in pairwise(words):
        if flag in {"--set", "--set-file"}:
            path, _, value = word.partition("=")
            *groups, name = path.split(".")
            place = found
            for group in groups:
                place = place.setdefault(group, {})
            place[name] = {"true": True, "false": False}.get(value, int(value) if value.isdecimal() else value)
    return found


@pytest.mark.parametrize("command", [one for one in _COMMANDS if one.startswith("helm install")])
def test_a_command_of_the_guide_installs_what_it_says(command: str) -> None:
    found = [*documents(of_words(shlex.split(command)))]
    kinds = {one["kind"] for one in found}
    assert kinds >= ({"PrometheusRule"} if "prometheusRule" in command else {"Deployment", "Service", "PodMonitor"})
    assert ("Pod" in kinds) == ("Deployment" in kinds)  # what `helm test` starts


def test_the_guides_ways_out_and_receivers_are_values_that_there_are() -> None:
    upgrades = [of_words(shlex.split(one)) for one in _COMMANDS if one.startswith("helm upgrade")]
    assert upgrades == [{"server": {"bypass": True}}]
    (receivers,) = re.findall(r"```yaml\n# a file of values\n(.*?)```", GUIDE, re.DOTALL)
    assert named(documents(yaml.safe_load(receivers)), "AlertmanagerConfig")
    (address,) = re.findall(r"http://(churn-sink[^`]*?)\.models:9877/events", GUIDE)
    assert named(documents({"sink": {"enabled": True}}, release="churn-sink"), "Service")["metadata"]["name"] == address


def test_the_guides_values_for_tls_are_what_the_monitor_asks_by() -> None:
    (block,) = re.findall(r"```yaml\n# values for TLS\n(.*?)```", GUIDE, re.DOTALL)
    values = yaml.safe_load(block)
    (endpoint,) = named(documents(values), "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert values["podMonitor"]["endpoint"].items() <= endpoint.items()


def test_the_guides_command_writes_rules_for_the_operator(tmp_path: Path) -> None:
    (words,) = [shlex.split(one)[1:] for one in _COMMANDS if one.startswith("inference-exporter rules")]
    assert cli.main([*words[:-1], str(tmp_path)]) == 0
    assert (tmp_path / "drift.prometheusrule.yml").is_file()


# --- as a part of another chart


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """A chart made of what the guide says, word by word."""
    place = tmp_path / "churn"
    (place / "templates").mkdir(parents=True)
    for name in ("Chart.yaml", "values.yaml", "templates/deployment.yaml", "templates/service.yaml"):
        (written,) = re.findall(rf"```yaml\n# {name}\n(.*?)```", GUIDE, re.DOTALL)
        (place / name).write_text(written)
    helm_python.package(CHART, destination=place / "charts")
    return place


def test_the_dependency_of_the_guide_is_the_chart(parent: Path) -> None:
    (one,) = helm_python.dependency_list(parent)
    assert (one["name"], one["version"], one["status"]) == (NAME, charts.chart().version, "ok")


@pytest.mark.parametrize("is_native", [True, False])
def test_ones_own_chart_includes_the_very_same_sidecar(parent: Path, is_native: bool) -> None:
    found = [*documents({NAME: {"nativeSidecar": is_native}}, parent)]
    pod = named(iter(found), "Deployment", "churn")["spec"]["template"]
    assert ours(pod) == ours(
        named(documents({"nativeSidecar": is_native, "server": SERVER}), "Deployment")["spec"]["template"]
    )
    assert ("initContainers" in pod["spec"]) is is_native
    assert offences(pod["spec"]) == []
    assert pod["metadata"]["labels"]["inference-exporter/sidecar"] == "true"
    volume, state = pod["spec"]["volumes"]
    settings = named(iter(found), "ConfigMap")
    assert volume["projected"]["sources"] == [{"configMap": {"name": settings["metadata"]["name"]}}]
    assert state == {"name": "inference-exporter-state", "emptyDir": {}}
    assert yaml.safe_load(settings["data"]["exporter.yml"])["upstream"] == "http://127.0.0.1:8501"


def test_its_service_leads_through_the_relay_and_in_an_emergency_past_it(parent: Path) -> None:
    def target(values: Document) -> Any:
        return named(documents(values, parent), "Service", "churn")["spec"]["ports"][0]["targetPort"]

    assert target({}) == 9876
    assert target({NAME: {"server": {"bypass": True}}}) == 8501


def test_its_pods_are_scraped_and_its_values_are_checked(parent: Path) -> None:
    found = [*documents({NAME: {"podMonitor": {"enabled": True}}}, parent)]
    wanted = named(iter(found), "PodMonitor")["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= named(iter(found), "Deployment", "churn")["spec"]["template"]["metadata"]["labels"].items()
    with pytest.raises(helm_python.HelmError, match="podMonitr"):
        texts({NAME: {"podMonitr": {}}}, parent)


def test_two_servers_in_one_chart_have_a_sidecar_each(parent: Path) -> None:
    chart = (parent / "Chart.yaml").read_text()
    first, entry = chart.split("dependencies:\n")
    twice = "".join(entry.rstrip() + f"\n    alias: {alias}\n" for alias in ("churn-sidecar", "fraud-sidecar"))
    (parent / "Chart.yaml").write_text(f"{first}dependencies:\n{twice}")
    (parent / "values.yaml").write_text("churn-sidecar: {server: {port: 1}}\nfraud-sidecar: {server: {port: 2}}\n")
    for path in (parent / "templates").iterdir():
        path.write_text(
            path.read_text().replace('index .Subcharts "inference-exporter"', 'index .Subcharts "fraud-sidecar"')
        )
    found = [*documents({}, parent)]
    settings = {one["metadata"]["name"]: one["data"]["exporter.yml"] for one in found if one["kind"] == "ConfigMap"}
    assert settings == {
        f"shop-{name}-sidecar": f"upstream: http://127.0.0.1:{at}\n" for name, at in (("churn", 1), ("fraud", 2))
    }
    pod = named(iter(found), "Deployment")["spec"]["template"]
    (source,) = pod["spec"]["volumes"][0]["projected"]["sources"]
    assert source == {"configMap": {"name": "shop-fraud-sidecar"}}
    assert ours(pod)["name"] == NAME
