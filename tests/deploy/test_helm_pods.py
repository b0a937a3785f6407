"""The pods of the Helm chart: confined, probed by what does not depend on the analyser, on the path and out of it."""

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy.charts import ALL, CHART, NAME, Document, documents, named, texts
from deploy.manifests import built, ours, pods, variables
from deploy.pod_security import offences
from support import Answering, eventually, free_port, served

from exporter import config

pytestmark = pytest.mark.deploy
SERVER = {"server": {"enabled": True, "image": "model-server:1"}}
ORDINARY = SERVER | {"nativeSidecar": False}
PARENT = """\
apiVersion: v2
name: churn
version: 1.0.0
dependencies:
  - {{ name: inference-exporter, version: {version}, repository: "file://../inference-exporter", condition: sidecar.enabled }}
"""


def every_pod(values: Document) -> Iterator[Document]:
    found = [*documents(values)]
    yield from pods(found)
    yield from (one for one in found if one["kind"] == "Pod")


def sidecar(values: Document) -> Document:
    return ours(named(documents(values), "Deployment", NAME)["spec"]["template"])


@pytest.mark.parametrize("values", [SERVER, ORDINARY, ALL], ids=["native", "ordinary", "everything"])
def test_every_pod_may_run_where_pods_are_restricted(values: Document) -> None:
    found = [*every_pod(values)]
    assert len(found) == (4 if values is ALL else 2)
    for pod in found:
        assert offences(pod["spec"]) == []
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["enableServiceLinks"] is False


def test_the_standard_is_not_satisfied_by_anything() -> None:
    (pod,) = [one for one in every_pod(SERVER | {"securityContext": {"runAsNonRoot": None}}) if "containers" in one["spec"]][:1]
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    assert offences(pod["spec"])


@pytest.mark.parametrize(("values", "overlay"), [(SERVER, "deployment"), (ORDINARY, "deployment-container")])
def test_the_container_is_the_one_that_kustomize_adds(values: Document, overlay: str) -> None:
    theirs, own = ours(next(pods(built(overlay)))), sidecar(values)
    assert variables(own) == variables(theirs)
    assert own.pop("imagePullPolicy") == "IfNotPresent"
    assert {key: value for key, value in own.items() if key != "env"} == {
        key: value for key, value in theirs.items() if key != "env"
    }


def test_probes_ask_the_supervisor_alone() -> None:
    for pod in every_pod(ALL):
        for container in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]:
            if container["name"] == NAME:
                asked = {container[f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "liveness", "readiness")}
                assert asked == {"health"}


def test_clients_are_sent_to_the_relay_and_in_an_emergency_to_the_server_itself() -> None:
    def target(values: Document) -> Any:
        return named(documents(values), "Service", NAME)["spec"]["ports"][0]["targetPort"]

    def opened(values: Document) -> Any:
        return named(documents(values), "NetworkPolicy", NAME)["spec"]["ingress"][0]["ports"][0]["port"]

    policy = {"networkPolicy": {"enabled": True}}
    bypassed = {"server": SERVER["server"] | {"bypass": True, "port": 8501}} | policy
    assert (target(SERVER | policy), opened(SERVER | policy)) == (9876, 9876)
    assert (target(bypassed), opened(bypassed)) == (8501, 8501)


def test_the_way_out_changes_the_service_and_the_policy_and_no_pod() -> None:
    values = ALL | {"server": ALL["server"] | {"bypass": True}}
    changed = {name for name, text in texts(values).items() if text != texts(ALL)[name]}
    assert changed == {"templates/server.yaml", "templates/networkpolicy.yaml", "templates/NOTES.txt"}
    assert [*pods(documents(values))] == [*pods(documents(ALL))]


def test_the_server_goes_on_until_no_service_sends_it_anything_new() -> None:
    for values in (SERVER, ORDINARY):
        found = named(documents(values | {"drainSeconds": 7}), "Deployment", NAME)["spec"]["template"]
        (server,) = [one for one in found["spec"]["containers"] if one["name"] == "server"]
        assert server["lifecycle"]["preStop"] == {"sleep": {"seconds": 7}}
        delay = variables(ours(found))["INFERENCE_EXPORTER_DRAIN_DELAY"]
        assert delay == ("7s" if values is ORDINARY else "0s")
        assert 7 + 15 < found["spec"]["terminationGracePeriodSeconds"]
    own = SERVER["server"] | {"preStop": {"exec": {"command": ["sleep", "5"]}}}
    pod = named(documents({"server": own}), "Deployment", NAME)["spec"]["template"]
    assert pod["spec"]["containers"][0]["lifecycle"]["preStop"] == {"exec": {"command": ["sleep", "5"]}}


def test_new_settings_and_a_new_profile_start_new_pods() -> None:
    def sums(values: Document) -> set[str]:
        return {pod["metadata"]["annotations"]["checksum/inference-exporter"] for pod in pods(documents(values))}

    other = ALL | {"config": {"model": {"name": "other"}}}
    assert len(sums(ALL)) == 3
    assert len(sums(ALL) | sums(other)) == 5  # all but the fleet's
    assert len(sums(ALL) | sums(ALL | {"profile": "{}"})) == 5


def test_a_config_map_of_ones_own_takes_the_place_of_settings_and_profile() -> None:
    values = SERVER | {"existingConfigMap": "mine", "profileConfigMap": "my-profile"}
    found = [*documents(values)]
    assert "ConfigMap" not in {one["kind"] for one in found}
    volume = named(iter(found), "Deployment")["spec"]["template"]["spec"]["volumes"][0]
    assert volume["projected"]["sources"] == [{"configMap": {"name": "mine"}}, {"configMap": {"name": "my-profile"}}]


# --- the settings are what the program takes


def settings_of(found: list[Document], deployment: str, file: str) -> tuple[Document, dict[str, str]]:
    """What the file of a deployment's volume says, and the environment."""
    pod = named(iter(found), "Deployment", deployment)["spec"]["template"]
    volume = next(one for one in pod["spec"]["volumes"] if one["name"] == NAME)
    source = volume.get("configMap") or volume["projected"]["sources"][0]["configMap"]
    text = named(iter(found), "ConfigMap", source["name"])["data"][file]
    every = pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
    one = next(one for one in every if one["name"] in {NAME, "fleet"})
    return yaml.safe_load(text), {word["name"]: word["value"] for word in one.get("env", [])}


@pytest.mark.parametrize("of", [NAME, "-sink"])
def test_serve_takes_what_the_chart_says(of: str, tmp_path: Path) -> None:
    said, environment = settings_of([*documents(ALL)], of, "exporter.yml")
    path = tmp_path / "exporter.yml"
    path.write_text(yaml.safe_dump(said))
    settings = config.load([f"--config={path}"], environment)
    assert (settings.model.name, settings.web.listen_address) == ("churn", "0.0.0.0:9877")
    assert settings.state.directory == "/var/lib/inference-exporter/windows"
    assert settings.metrics.sample_limit == 12000
    if of == NAME:
        assert (settings.listen, settings.upstream) == ("0.0.0.0:9876", "http://127.0.0.1:8080")
    else:
        assert not settings.relay
        assert settings.events.token_file == "/etc/inference-exporter-secrets/events-token"


def test_other_ports_are_other_ports_everywhere() -> None:
    values = ALL | {"ports": {"relay": 1111, "metrics": 2222, "health": 3333}}
    found = [*documents(values)]
    container = sidecar(values)
    assert [port["containerPort"] for port in container["ports"]] == [1111, 2222, 3333]
    words = variables(container)
    assert [words[f"INFERENCE_EXPORTER_{key}"] for key in ("LISTEN", "WEB_LISTEN_ADDRESS", "HEALTH_LISTEN_ADDRESS")] == [
        "0.0.0.0:1111", "0.0.0.0:2222", "0.0.0.0:3333",
    ]  # fmt: skip
    assert [port["targetPort"] for port in named(iter(found), "Service", NAME)["spec"]["ports"]] == [1111, 2222]
    assert "9876" not in "".join(text for name, text in texts(values).items() if "json" not in name and "rule" not in name and "dash" not in name)
