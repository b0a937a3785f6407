"""The Kustomize components and overlays: what they build, and that taking them away leaves nothing."""

import copy
import shutil
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.manifests import (
    KUSTOMIZE,
    OURS,
    OVERLAYS,
    UNKNOWN_KINDS,
    built,
    documents,
    of_kind,
    ours,
    pods,
    text_of,
    variables,
)
from deploy.pod_security import offences
from exporter import config

pytestmark = pytest.mark.deploy

IN_PATH = ("deployment", "deployment-container")
WITH_US = ("deployment", "deployment-container", "kserve", "kserve-serverless", "logger", "seldon")
NEWEST = kubernetes_validate.latest_version()
GRACE_S = 30
"""Of a pod that says nothing of it."""


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """All of it, to be changed."""
    return Path(shutil.copytree(KUSTOMIZE, tmp_path / "kustomize"))


def overlay(copied: Path, **parts: Any) -> Path:
    """One more overlay, as a user writes it."""
    directory = copied / "overlays" / "theirs"
    directory.mkdir(exist_ok=True)
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(parts))
    return directory


def pod(name: str) -> dict[str, Any]:
    """The pod of an overlay in which our container is."""
    (found,) = pods(built(name))
    return found


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("version", ["1.29", NEWEST])
def test_what_an_overlay_builds_is_what_kubernetes_knows(name: str, version: str) -> None:
    known = [each for each in built(name) if each["kind"] not in UNKNOWN_KINDS]
    assert known or name.startswith("kserve")
    for each in known:
        kubernetes_validate.validate(each, version, strict=True)


def test_the_plain_container_is_for_clusters_that_know_no_native_sidecar() -> None:
    for each in built("deployment-container"):
        if each["kind"] not in UNKNOWN_KINDS:
            kubernetes_validate.validate(each, "1.27", strict=True)


@pytest.mark.parametrize("name", [*WITH_US, "app"])
def test_every_pod_may_run_where_pods_are_restricted(name: str) -> None:
    for each in pods(built(name)):
        spec = each["spec"]
        if "model" in spec:  # KServe's own container is KServe's matter
            spec = spec | {"containers": [ours(each)]}
        assert offences(spec) == []


@pytest.mark.parametrize("name", WITH_US)
def test_nothing_of_ours_can_be_written_but_its_state(name: str) -> None:
    container = ours(pod(name))
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert [each["name"] for each in container["volumeMounts"] if not each.get("readOnly")] == [f"{OURS}-state"]


def test_every_form_has_the_same_container() -> None:
    native = ours(pod("deployment"))
    assert native.pop("restartPolicy") == "Always"
    beside = ours(pod("deployment-container"))
    assert drain(native) == ("0s", "5s")
    assert drain(beside) == ("5s", "15s")
    for each in (native, beside):
        each["env"] = [one for one in each["env"] if "_DRAIN_" not in one["name"]]
    assert native == beside


def drain(container: dict[str, Any]) -> tuple[str, str]:
    said = variables(container)
    return said["INFERENCE_EXPORTER_DRAIN_DELAY"], said["INFERENCE_EXPORTER_DRAIN_TIMEOUT"]


@pytest.mark.parametrize(("name", "left_out"), [
    ("kserve", {"relay"}),
    ("kserve-serverless", {"relay", "metrics", "health"}),
    ("logger", {"relay"}),
])  # fmt: skip
def test_where_there_is_no_relay_port_of_its_own_the_container_is_the_same_otherwise(
    name: str, left_out: set[str]
) -> None:
    plain, here = ours(pod("deployment-container")), ours(pod(name))
    plain["ports"] = [each for each in plain["ports"] if each["name"] not in left_out]
    assert plain["ports"] == here.pop("ports", [])
    probes = {key for key in plain if key.endswith("Probe")}
    for key in ("env", "ports", *(probes if name == "kserve-serverless" else ())):
        plain.pop(key)
        here.pop(key, None)
    assert here == plain


@pytest.mark.parametrize("name", [name for name in WITH_US if name != "kserve-serverless"])
def test_probes_ask_the_supervisor_alone(name: str) -> None:
    container = ours(pod(name))
    asked = {key: value["httpGet"] for key, value in container.items() if key.endswith("Probe")}
    assert asked == {
        "startupProbe": {"path": "/-/healthy", "port": "health"},
        "livenessProbe": {"path": "/-/healthy", "port": "health"},
        "readinessProbe": {"path": "/-/ready", "port": "health"},
    }
    assert {"name": "health", "containerPort": 9878} in container["ports"]


@pytest.mark.parametrize("name", WITH_US)
def test_the_exporter_takes_the_settings_that_it_is_given(name: str) -> None:
    settings = resolved(name)
    assert settings.state.directory == "/var/lib/inference-exporter/windows"
    assert settings.relay == (name not in {"logger", "seldon"})
    if settings.relay:
        assert (settings.listen, settings.upstream) == ("0.0.0.0:9876", "http://127.0.0.1:8080")


def resolved(name: str) -> config.Settings:
    """What an exporter of this overlay has in force."""
    file = of_kind(built(name), "ConfigMap")["data"]["exporter.yml"]
    said = variables(ours(pod(name)))
    return config.resolve(
        ("environment", config.from_environment(said)), ("exporter.yml", config.flatten(yaml.safe_load(file), "file"))
    )


@pytest.mark.parametrize("name", WITH_US)
def test_the_analyser_is_stopped_before_the_container_is(name: str) -> None:
    limit = ours(pod(name))["resources"]["limits"]["memory"]
    assert limit == "512Mi"
    assert resolved(name).analyser.memory_limit <= (512 - 150) << 20


@pytest.mark.parametrize("name", IN_PATH)
def test_the_server_pauses_before_it_ends_and_both_end_within_the_grace_period(name: str) -> None:
    (server,) = [each for each in pod(name)["spec"]["containers"] if each["name"] == "model"]
    hook = server["lifecycle"]["preStop"]
    pause = hook["sleep"]["seconds"] if "sleep" in hook else int(hook["exec"]["command"][1])
    ending = resolved(name).drain
    if name == "deployment":  # told when the server has ended
        assert ending.delay == 0
    else:  # told with it
        assert ending.delay >= pause
    assert pause + ending.timeout < GRACE_S


@pytest.mark.parametrize("name", IN_PATH)
def test_clients_are_sent_to_the_relay_and_the_servers_port_is_closed(name: str) -> None:
    found = built(name)
    assert of_kind(found, "Service")["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": 9876}]
    policy = of_kind(found, "NetworkPolicy")["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= pod(name)["metadata"]["labels"].items()
    assert [rule["ports"] for rule in policy["ingress"]] == [
        [{"port": 9876, "protocol": "TCP"}], [{"port": 9877, "protocol": "TCP"}]]  # fmt: skip
    assert "from" not in policy["ingress"][0]
    assert "from" in policy["ingress"][1]


def test_the_first_container_is_still_the_model_server() -> None:
    assert [each["name"] for each in pod("deployment-container")["spec"]["containers"]] == ["model", OURS]


def test_taken_away_it_leaves_the_very_bytes_that_were_there(copied: Path) -> None:
    before = text_of(copied / "overlays" / "app")
    parts: dict[str, Any] = {
        "resources": ["../app"],
        "components": ["../../component", "../../server-pause", "../../in-path", "../../network-policy"],
        "configMapGenerator": [{"name": OURS, "literals": ["exporter.yml=upstream: http://127.0.0.1:8080"]}],
    }
    assert text_of(overlay(copied, **parts)) != before
    for last in ("components", "configMapGenerator"):
        del parts[last]
    assert text_of(overlay(copied, **parts)) == before


def test_the_sidecar_comes_before_the_traffic_and_goes_after_it(copied: Path) -> None:
    steps = []
    for components in (["../../component"], ["../../component", "../../in-path"]):
        maps = [{"name": OURS, "literals": ["exporter.yml=upstream: http://127.0.0.1:8080"]}]
        path = overlay(copied, resources=["../app"], components=components, configMapGenerator=maps)
        found = documents(text_of(path))
        steps.append((of_kind(found, "Deployment"), of_kind(found, "Service")["spec"]["ports"][0]["targetPort"]))
    assert steps[0][0] == steps[1][0], "the second step rolls no pod out"
    assert [port for _, port in steps] == ["http", 9876]


def test_only_what_is_annotated_gets_it_and_stateful_sets_do_too(copied: Path) -> None:
    app = documents(text_of(copied / "overlays" / "app"))
    deployment, service = of_kind(app, "Deployment"), of_kind(app, "Service")
    stateful = copy.deepcopy(deployment) | {"kind": "StatefulSet"}
    stateful["spec"]["serviceName"] = "churn"
    bare = copy.deepcopy(deployment)
    bare["metadata"] = {"name": "other"}
    path = overlay(copied, resources=["app.yaml"], components=["../../component", "../../in-path"])
    (path / "app.yaml").write_text(yaml.safe_dump_all([stateful, bare, service]))
    found = documents(text_of(path))
    assert ours(of_kind(found, "StatefulSet")["spec"]["template"])["name"] == OURS
    assert of_kind(found, "Deployment") == bare


def test_image_settings_and_profile_are_the_users_own(copied: Path) -> None:
    path = overlay(
        copied,
        resources=["../app"], components=["../../component"],
        images=[{"name": OURS, "newName": "registry.example/watch", "newTag": "9"}],
        configMapGenerator=[{"name": OURS, "files": ["exporter.yml", "profile.json"]}],
    )  # fmt: skip
    (path / "exporter.yml").write_text("upstream: http://127.0.0.1:8000\n")
    (path / "profile.json").write_text("{}")
    found = documents(text_of(path))
    template = of_kind(found, "Deployment")["spec"]["template"]
    made = of_kind(found, "ConfigMap")
    assert ours(template)["image"] == "registry.example/watch:9"
    assert made["data"].keys() == {"exporter.yml", "profile.json"}
    mounted = [each["configMap"]["name"] for each in template["spec"]["volumes"] if "configMap" in each]
    assert mounted == [made["metadata"]["name"]] != [OURS], "a new profile is a new name, so that pods are replaced"


def test_processes_are_shared_where_that_is_asked_for(copied: Path) -> None:
    path = overlay(copied, resources=["../app"], components=["../../component", "../../shared-processes"])
    spec = of_kind(documents(text_of(path)), "Deployment")["spec"]["template"]["spec"]
    assert spec["shareProcessNamespace"] is True
    assert offences(spec) == []
    assert "shareProcessNamespace" not in pod("deployment")["spec"]


@pytest.mark.parametrize("name", ["kserve", "kserve-serverless"])
def test_kserve_sends_requests_to_the_one_port_that_the_models_container_declares(name: str) -> None:
    predictor = of_kind(built(name), "InferenceService")["spec"]["predictor"]
    assert [each["containerPort"] for each in predictor["model"]["ports"]] == [9876]
    if name == "kserve-serverless":  # Knative takes one port of a pod, and probes of one container
        assert not {"ports", "startupProbe", "livenessProbe", "readinessProbe"} & ours({"spec": predictor}).keys()
    mounted = {each["configMap"]["name"] for each in predictor["volumes"] if "configMap" in each}
    assert mounted == {of_kind(built(name), "ConfigMap")["metadata"]["name"]}


@pytest.mark.parametrize("version", ["1.29", NEWEST])
@pytest.mark.parametrize("name", ["kserve", "kserve-serverless"])
def test_what_kserve_is_given_for_its_pods_is_what_kubernetes_knows(name: str, version: str) -> None:
    """KServe's own container takes the ports that are said below `model`."""
    predictor = of_kind(built(name), "InferenceService")["spec"]["predictor"]
    theirs = {"name": "kserve-container", "image": "model-server:1", "ports": predictor["model"]["ports"]}
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "churn", "labels": predictor["labels"]},
        "spec": {"containers": [theirs, *predictor["containers"]], "volumes": predictor["volumes"]},
    }  # fmt: skip
    kubernetes_validate.validate(pod, version, strict=True)


@pytest.mark.parametrize("name", ["deployment", "kserve"])
def test_a_sink_beside_it_in_the_same_namespace_takes_nothing_of_it(name: str) -> None:
    """What has the same name is the same thing: who is applied last changes nothing of the other."""
    both = [{(each["kind"], each["metadata"]["name"]): each for each in built(one)} for one in (name, "logger")]
    shared = both[0].keys() & both[1].keys()
    assert ("PodMonitor", OURS) in shared
    assert [key for key in shared if key[0] != "ConfigMap" and both[0][key] != both[1][key]] == []
    maps = [of_kind(found.values(), "ConfigMap")["metadata"]["name"] for found in both]
    assert maps[0] != maps[1]


def test_two_models_in_one_namespace_are_two_kustomizations_that_share_nothing_but_what_is_the_same(
    copied: Path,
) -> None:
    made = []
    for model, port in ("churn", 8080), ("fraud", 8501):
        app = documents(text_of(copied / "overlays" / "app").replace("churn", model))
        maps = [{"name": OURS, "literals": [f"exporter.yml=upstream: http://127.0.0.1:{port}"]}]
        components = [f"../../{part}" for part in ("component", "in-path", "network-policy", "pod-monitor")]
        path = overlay(copied, resources=["app.yaml"], components=components, configMapGenerator=maps)
        (path / "app.yaml").write_text(yaml.safe_dump_all(app))
        made.append({(each["kind"], each["metadata"]["name"]): each for each in documents(text_of(path))})
    shared = made[0].keys() & made[1].keys()
    assert shared == {("NetworkPolicy", OURS), ("PodMonitor", OURS)}
    assert all(made[0][key] == made[1][key] for key in shared)


def test_loggers_post_to_the_service_of_the_sink() -> None:
    found = built("seldon")
    service = of_kind(found, "Service")
    url = of_kind(found, "SeldonDeployment")["spec"]["predictors"][0]["graph"]["logger"]["url"]
    meta, (port,) = service["metadata"], service["spec"]["ports"]
    assert url == f"http://{meta['name']}.{meta['namespace']}:{port['port']}/events"
    assert {"name": port["targetPort"], "containerPort": 9877} in ours(pod("seldon"))["ports"]
    assert service["spec"]["selector"].items() <= pod("seldon")["metadata"]["labels"].items()


def test_a_monitor_finds_every_pod_that_has_ports() -> None:
    for name in ("deployment", "deployment-container", "logger"):
        monitor = of_kind(built(name), "PodMonitor")["spec"]
        assert monitor["selector"]["matchLabels"].items() <= pod(name)["metadata"]["labels"].items()
        assert [each["port"] for each in monitor["podMetricsEndpoints"]] == ["metrics"]
