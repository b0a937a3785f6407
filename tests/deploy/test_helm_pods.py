"""The pods of the Helm chart: confined, probed by what does not depend on the analyser, on the path and out of it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import model_server, predict
from support import sidecar as running

from deploy.charts import ALL, NAME, Document, documents, named, texts
from deploy.manifests import built, ours, pods, variables
from deploy.pod_security import offences
from exporter import config, keys
from exporter.fleet.settings import Settings as FleetSettings

pytestmark = pytest.mark.deploy
SERVER = {"server": {"enabled": True, "image": "model-server:1"}}
ORDINARY = SERVER | {"nativeSidecar": False}


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


def test_who_may_ask_the_model_from_outside_cannot_ask_for_its_metrics() -> None:
    """A load balancer or a port of each node leads to the model alone."""
    found = [*documents({"server": SERVER["server"] | {"service": {"type": "LoadBalancer"}}})]
    outside, inside = (named(iter(found), "Service", name)["spec"] for name in (NAME, f"{NAME}-metrics"))
    assert (outside["type"], [port["port"] for port in outside["ports"]]) == ("LoadBalancer", [80])
    assert "type" not in inside
    assert (inside["selector"], [port["port"] for port in inside["ports"]]) == (outside["selector"], [9877])


def test_an_autoscaler_may_decide_how_many_there_are_and_a_budget_is_about_the_servers_pods() -> None:
    server = SERVER["server"] | {"replicas": None, "podDisruptionBudget": {"maxUnavailable": 1}}
    found = [*documents({"server": server})]
    deployment = named(iter(found), "Deployment")["spec"]
    assert "replicas" not in deployment
    assert named(documents(SERVER), "Deployment")["spec"]["replicas"] == 1
    budget = named(iter(found), "PodDisruptionBudget")["spec"]
    assert budget == {"selector": deployment["selector"], "maxUnavailable": 1}


@pytest.mark.parametrize("is_tested", [True, False])
def test_where_nobody_may_read_the_metrics_they_are_not_open_to_all(is_tested: bool) -> None:
    """A rule with an empty `from` would be for everybody."""
    values = {"networkPolicy": {"enabled": True, "metricsFrom": []}, "tests": {"enabled": is_tested}}
    rules = named(documents(SERVER | values), "NetworkPolicy")["spec"]["ingress"]
    assert [rule["ports"][0]["port"] for rule in rules] == ([9876, 9877] if is_tested else [9876])
    assert all(rule["from"] for rule in rules[1:])


def test_a_sinks_policy_lets_prometheus_in_whatever_the_other_one_is_about() -> None:
    policy = {"enabled": True, "podSelector": {"matchLabels": {"app": "churn"}}}
    posts = [{"podSelector": {}}]
    values = {"networkPolicy": policy, "sink": {"enabled": True, "from": posts}, "tests": {"enabled": False}}
    loggers, prometheus = named(documents(values), "NetworkPolicy", "-sink")["spec"]["ingress"]
    assert loggers["from"] == posts
    assert "kubernetes.io/metadata.name" in prometheus["from"][0]["namespaceSelector"]["matchLabels"]


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
        assert found["spec"]["terminationGracePeriodSeconds"] > 7 + 15
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
def test_serve_takes_what_the_chart_says(of: str) -> None:
    said, environment = settings_of([*documents(ALL)], of, "exporter.yml")
    del environment["TZ"]
    settings = config.resolve(
        ("environment", config.from_environment(environment)), ("the file", config.flatten(said, "the file"))
    )
    assert (settings.model.name, settings.web.listen_address) == ("churn", "0.0.0.0:9877")
    assert settings.state.directory == "/var/lib/inference-exporter/windows"
    assert settings.metrics.sample_limit == 12000
    if of == NAME:
        assert (settings.listen, settings.upstream) == ("0.0.0.0:9876", "http://127.0.0.1:8080")
    else:
        assert not settings.relay
        assert Path(settings.events.token_file or "").parent == Path("/etc/inference-exporter-secrets")


def test_other_ports_are_other_ports_everywhere() -> None:
    values = ALL | {"ports": {"relay": 1111, "metrics": 2222, "health": 3333}}
    found = [*documents(values)]
    container = sidecar(values)
    assert [port["containerPort"] for port in container["ports"]] == [1111, 2222, 3333]
    words = variables(container)
    for key, port in ("LISTEN", 1111), ("WEB_LISTEN_ADDRESS", 2222), ("HEALTH_LISTEN_ADDRESS", 3333):
        assert words[f"INFERENCE_EXPORTER_{key}"] == f"0.0.0.0:{port}"
    for name, port in (NAME, 1111), (f"{NAME}-metrics", 2222):
        assert [one["targetPort"] for one in named(iter(found), "Service", name)["spec"]["ports"]] == [port]
    for name in ("server", "sink", "fleet", "networkpolicy", "tests/metrics"):
        assert not re.search(r"987[678]", texts(values)[f"templates/{name}.yaml"]), name


def test_the_fleet_takes_what_the_chart_says() -> None:
    said, _ = settings_of([*documents(ALL)], "-fleet", "fleet.yml")
    known = keys.every_key(FleetSettings)
    settings = keys.resolve(FleetSettings, ("the file", keys.flatten(known, said, "the file")))
    assert (settings.prometheus.url, settings.by) == ("http://prometheus.monitoring:9090", ("cluster", "namespace"))
    assert settings.state.directory == "/var/lib/inference-exporter/fleet"


def test_a_sidecar_with_the_charts_settings_serves_and_passes_helms_own_test(tmp_path: Path) -> None:
    """Everything but the addresses and the directory, which are the pod's."""
    said, environment = settings_of([*documents(SERVER)], NAME, "exporter.yml")
    path = tmp_path / "exporter.yml"
    path.write_text(yaml.safe_dump(said))
    environment["INFERENCE_EXPORTER_STATE_DIRECTORY"] = str(tmp_path / "windows")
    with model_server() as port, running(port, "--config", str(path), environ=environment) as sidecar_of_it:
        assert predict(sidecar_of_it.url, [[1.0, 2.0]]) == {"predictions": [3.0]}
        values = SERVER | {"ports": {"metrics": sidecar_of_it.web_port}}
        _, *words = named(documents(values), "Pod")["spec"]["containers"][0]["command"]
        hosts = ["127.0.0.1" if word == "shop-inference-exporter-metrics" else word for word in words]
        done = subprocess.run([sys.executable, *hosts], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.search(r"^127\.0\.0\.1 \d+ lines of metrics$", done.stdout, re.MULTILINE)
        assert sidecar_of_it.stop() == 0
