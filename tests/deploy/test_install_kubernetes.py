"""docs/install-kubernetes.md: who does what it says has what it promises."""

import re
import shutil
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.manifests import KUSTOMIZE, OVERLAYS, ROOT, Document, documents, of_kind, ours, text_of

pytestmark = pytest.mark.deploy

PAGES = [ROOT / "docs" / name for name in ("install-kubernetes.md", "install-kserve-seldon.md", "emergency.md")]
PAGE = PAGES[0].read_text()
SAID: list[dict[str, Any]] = [
    yaml.safe_load(block) for block in re.findall(r"^ *```yaml\n(.+?)^ *```", PAGE, re.DOTALL | re.MULTILINE)
]
ANNOTATED, BESIDE, SETTINGS, IN_PATH, SCALED, MESH, MONITOR, SHARED = SAID


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A directory of somebody who has read the page to the end of step 1."""
    shutil.copytree(KUSTOMIZE, tmp_path / "kustomize")
    for name in ("deployment", "service"):
        document = yaml.safe_load((KUSTOMIZE / "overlays" / "app" / f"{name}.yaml").read_text())
        document["metadata"]["annotations"] = ANNOTATED["metadata"]["annotations"]
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(document))
    (tmp_path / "exporter.yml").write_text(yaml.safe_dump(SETTINGS))
    (tmp_path / "profile.json").write_text("{}")
    return tmp_path


def made(directory: Path, kustomization: Document) -> list[Document]:
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return documents(text_of(directory))


def test_the_steps_add_the_sidecar_and_then_send_the_traffic_through_it(theirs: Path) -> None:
    for step, port in ((BESIDE, "http"), (BESIDE | IN_PATH, 9876)):
        found = made(theirs, step)
        container = ours(of_kind(found, "Deployment")["spec"]["template"])
        assert container["image"] == "registry.example/inference-exporter:0.1.0"
        assert of_kind(found, "ConfigMap")["data"].keys() == {"exporter.yml", "profile.json"}
        assert of_kind(found, "Service")["spec"]["ports"][0]["targetPort"] == port


def test_with_one_user_for_both_the_container_is_otherwise_the_same(theirs: Path) -> None:
    before = ours(of_kind(made(theirs, BESIDE), "Deployment")["spec"]["template"])
    pod = of_kind(made(theirs, BESIDE | SHARED), "Deployment")["spec"]["template"]
    assert pod["spec"]["shareProcessNamespace"]
    (server,) = pod["spec"]["containers"]
    assert ours(pod)["securityContext"]["runAsUser"] == server["securityContext"]["runAsUser"] == 1000
    before["securityContext"] |= {"runAsUser": 1000, "runAsGroup": 1000}
    assert ours(pod) == before


def test_an_autoscaler_looks_at_the_servers_container() -> None:
    scaler = {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "churn"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "churn"}, "maxReplicas": 3} | SCALED,
    }  # fmt: skip
    kubernetes_validate.validate(scaler, kubernetes_validate.latest_version(), strict=True)
    (server,) = of_kind(documents((KUSTOMIZE / "overlays" / "app" / "deployment.yaml").read_text()), "Deployment")[
        "spec"
    ]["template"]["spec"]["containers"]
    assert SCALED["metrics"][0]["containerResource"]["container"] == server["name"]


def test_a_mesh_leaves_the_ports_alone_that_are_not_for_clients(theirs: Path) -> None:
    container = ours(of_kind(made(theirs, BESIDE), "Deployment")["spec"]["template"])
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert set(MESH.values()) == {f"{ports['metrics']},{ports['health']}"}


def test_a_monitor_takes_the_label_that_the_operator_looks_for(theirs: Path) -> None:
    components = {"components": [*BESIDE["components"], "kustomize/pod-monitor"]}
    monitor = of_kind(made(theirs, BESIDE | components | MONITOR), "PodMonitor")
    assert monitor["metadata"]["labels"]["release"] == "kube-prometheus-stack"


def test_the_table_has_every_component() -> None:
    there = {path.parent.name for path in KUSTOMIZE.glob("*/kustomization.yaml")}
    table = PAGE[PAGE.index("| component |") : PAGE.index("[`overlays/deployment`]")]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == there


def test_every_overlay_is_on_a_page() -> None:
    text = "".join(page.read_text() for page in PAGES)
    assert {name for name in OVERLAYS if f"overlays/{name})" in text} == set(OVERLAYS) - {"app"}


@pytest.mark.parametrize("page", PAGES[:2], ids=lambda page: page.stem)
def test_yaml_on_a_page_can_be_read(page: Path) -> None:
    blocks = re.findall(r"^ *```yaml\n(.+?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)
    assert blocks
    for block in blocks:
        assert all(yaml.safe_load_all(block))


def test_the_memory_that_is_asked_for_is_more_than_was_measured() -> None:
    rows = re.findall(r"^\| (?:idle|[\d,]+ requests).*$", PAGE, re.MULTILINE)
    measured = [int(cell) for row in rows for cell in row.split("|")[2:5:2] if cell.strip()]
    container = ours(documents((ROOT / "deploy" / "kubernetes" / "deployment.yaml").read_text())[0]["spec"]["template"])
    assert container["resources"]["requests"]["memory"] == "256Mi"
    assert len(measured) == 7
    assert max(measured) < 256
