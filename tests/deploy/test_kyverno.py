"""The policy that injects the sidecar: what it says to Kyverno, and what its patch makes of a pod.

Kyverno itself is not here. Its variables are filled in as it would, and Kustomize applies the patch.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.manifests import OURS, ROOT, built, documents, of_kind, ours, text_of, variables
from deploy.pod_security import offences
from exporter import config

pytestmark = pytest.mark.deploy

POLICY = ROOT / "deploy" / "kyverno" / "inject.yml"
MODELS = ROOT / "tests" / "deploy" / "policies"
_VARIABLE = re.compile(r"\{\{ request\.object\.metadata\.annotations\.\"([^\"]+)\" \|\| '([^']*)' \}\}")


def policy() -> dict[str, Any]:
    (found,) = documents(POLICY.read_text())
    return found


def patch(annotations: dict[str, str]) -> dict[str, Any]:
    """The patch for a pod with such annotations."""
    said = filled(policy()["spec"]["rules"][0]["mutate"]["patchStrategicMerge"], annotations)
    assert "{{" not in json.dumps(said)
    found: dict[str, Any] = said
    return found


def filled(node: Any, annotations: dict[str, str]) -> Any:
    """With variables filled in."""
    if isinstance(node, dict):
        return {key: filled(value, annotations) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(value, annotations) for value in node]
    return _VARIABLE.sub(lambda it: annotations.get(it[1], it[2]), node) if isinstance(node, str) else node


def injected(tmp_path: Path, annotations: dict[str, str], spec: dict[str, Any] | None = None) -> dict[str, Any]:
    """A pod with such annotations, as it is when it was admitted."""
    server = {"name": "model", "image": "model-server:1"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "churn", "annotations": annotations},
           "spec": spec or {"containers": [server]}}  # fmt: skip
    change = {"apiVersion": "v1", "kind": "Pod", **patch(annotations)}
    change["metadata"]["name"] = "churn"
    (tmp_path / "pod.yaml").write_text(yaml.safe_dump(pod))
    (tmp_path / "patch.yaml").write_text(yaml.safe_dump(change))
    (tmp_path / "kustomization.yaml").write_text("resources: [pod.yaml]\npatches: [{path: patch.yaml}]\n")
    return of_kind(documents(text_of(tmp_path)), "Pod")


def checked(tmp_path: Path, said: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    """What Kyverno's own definitions say of a policy."""
    if shutil.which("node") is None or not (MODELS / "node_modules").is_dir():
        message = "Kyverno's definitions are not installed: npm ci in tests/deploy/policies, with Node 18 or newer"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    (tmp_path / "policy.json").write_text(json.dumps(said))
    command = ["node", str(MODELS / "check.mjs"), str(tmp_path / "policy.json")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_kyverno_knows_every_word_of_it(tmp_path: Path) -> None:
    done = checked(tmp_path, policy())
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_words_that_kyverno_does_not_know_are_found(tmp_path: Path) -> None:
    said = policy()
    said["spec"]["webhookConfiguration"]["failurePolicy"] = "Perhaps"
    said["spec"]["rules"][0]["match"]["any"][0]["resources"]["operation"] = ["CREATE"]
    done = checked(tmp_path, said)
    assert done.returncode == 1
    assert "failurePolicy must be equal to one of the allowed values" in done.stdout
    del said["spec"]["webhookConfiguration"]
    assert "'\"operation\"' does not exist in type" in checked(tmp_path, said).stdout


def test_it_is_asked_for_and_holds_up_nobody() -> None:
    spec = policy()["spec"]
    assert spec["webhookConfiguration"] == {"failurePolicy": "Ignore", "timeoutSeconds": 5}
    assert spec["background"] is False
    (rule,) = spec["rules"]
    (match,), (exclude,) = rule["match"]["any"], rule["exclude"]["any"]
    assert match["resources"] == {
        "kinds": ["Pod"], "operations": ["CREATE"], "annotations": {"inference-exporter/inject": "true"}}  # fmt: skip
    assert "kube-system" in exclude["resources"]["namespaces"]


def test_templates_of_deployments_are_left_alone() -> None:
    assert policy()["metadata"]["annotations"]["pod-policies.kyverno.io/autogen-controllers"] == "none"


def test_a_pod_that_has_a_sidecar_in_either_form_keeps_it() -> None:
    conditions = policy()["spec"]["rules"][0]["preconditions"]["all"]
    assert {(each["key"], each["operator"]) for each in conditions} == {(OURS, "AnyNotIn")}
    assert [each["value"] for each in conditions] == [
        "{{ request.object.spec.initContainers[].name || `[]` }}",
        "{{ request.object.spec.containers[].name || `[]` }}",
    ]


def test_a_pod_gets_the_container_of_the_component(tmp_path: Path) -> None:
    got = ours(injected(tmp_path, {"inference-exporter/inject": "true"}))
    theirs = ours(of_kind(built("deployment"), "Deployment")["spec"]["template"])
    assert got.pop("envFrom") == [{"configMapRef": {"name": f"{OURS}-settings", "optional": True}}]
    assert got.pop("args") == ["serve"]
    assert theirs.pop("args") == ["serve", "--config", "/etc/inference-exporter/exporter.yml"]
    assert variables(got) == variables(theirs) | {
        "INFERENCE_EXPORTER_UPSTREAM": "http://127.0.0.1:8080", "INFERENCE_EXPORTER_PROFILE": ""}  # fmt: skip
    for each in (got, theirs):
        del each["env"]
    assert got == theirs


def test_port_and_profile_are_those_of_the_annotations(tmp_path: Path) -> None:
    annotations = {
        "inference-exporter/inject": "true", "inference-exporter/upstream-port": "8501",
        "inference-exporter/profile": "s3://models/churn/7/profile.json",
    }  # fmt: skip
    pod = injected(tmp_path, annotations)
    settings = config.resolve(("environment", config.from_environment(variables(ours(pod)))))
    assert settings.upstream == "http://127.0.0.1:8501"
    assert settings.profile == "s3://models/churn/7/profile.json"


def test_without_a_profile_the_empty_variable_counts_as_none(tmp_path: Path) -> None:
    said = variables(ours(injected(tmp_path, {})))
    assert config.resolve(("environment", config.from_environment(said))).profile is None


def test_nothing_that_is_missing_keeps_the_pod_from_starting(tmp_path: Path) -> None:
    pod = injected(tmp_path, {})
    (volume,) = [each for each in pod["spec"]["volumes"] if "configMap" in each]
    assert volume["configMap"]["optional"]
    assert pod["metadata"]["labels"] == {"inference-exporter/sidecar": "true"}
    assert offences({"containers": [ours(pod)], "volumes": pod["spec"]["volumes"]}) == []
    for version in ("1.29", kubernetes_validate.latest_version()):
        kubernetes_validate.validate(pod, version, strict=True)


def test_what_else_the_pod_has_stays(tmp_path: Path) -> None:
    fetching = {"name": "fetch", "image": "fetch:1"}
    volume = {"name": "model", "emptyDir": {}}
    server = {"name": "model", "image": "model-server:1"}
    before = {"initContainers": [fetching], "containers": [server], "volumes": [volume]}
    spec = injected(tmp_path, {}, before)["spec"]
    assert spec["containers"] == [server]
    assert fetching in spec["initContainers"]
    assert len(spec["initContainers"]) == 2
    assert volume in spec["volumes"]
