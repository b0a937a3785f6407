"""The plain manifests: valid, restricted, and the very thing that Kustomize builds."""

import kubernetes_validate
import pytest

from deploy.manifests import OURS, UNKNOWN_KINDS, Document, built, of_kind, plain, pods
from deploy.pod_security import offences

pytestmark = pytest.mark.deploy


@pytest.mark.parametrize("version", ["1.29", kubernetes_validate.latest_version()])
def test_plain_manifests_are_what_kubernetes_knows(version: str) -> None:
    known = [each for each in plain() if each["kind"] not in UNKNOWN_KINDS]
    assert len(known) == 5
    for each in known:
        kubernetes_validate.validate(each, version, strict=True)


def test_a_key_that_kubernetes_does_not_know_is_found() -> None:
    deployment = of_kind(plain(), "Deployment")
    deployment["spec"]["template"]["spec"]["initContainers"][0]["ressources"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="ressources"):
        kubernetes_validate.validate(deployment, "1.29", strict=True)


def test_their_namespace_takes_restricted_pods_alone_and_theirs_are() -> None:
    labels = of_kind(plain(), "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    (pod,) = pods(plain())
    assert offences(pod["spec"]) == []


@pytest.mark.parametrize("kind", ["Deployment", "Service", "ConfigMap", "NetworkPolicy", "PodMonitor"])
def test_they_are_what_kustomize_builds(kind: str) -> None:
    assert comparable(of_kind(plain(), kind)) == comparable(of_kind(built("deployment"), kind))


def comparable(one: Document) -> Document:
    """Without the annotation that Kustomize finds it by, and the hash in the name of a ConfigMap."""
    one["metadata"].pop("annotations", None)
    if one["kind"] == "ConfigMap":
        one["metadata"]["name"] = OURS
    if one["kind"] == "Deployment":
        for volume in one["spec"]["template"]["spec"]["volumes"]:
            if "configMap" in volume:
                volume["configMap"]["name"] = OURS
    return one


def test_everything_is_in_the_namespace_that_comes_with_it() -> None:
    found = plain()
    inside = {each["metadata"]["namespace"] for each in found if each["kind"] != "Namespace"}
    assert inside == {of_kind(found, "Namespace")["metadata"]["name"]}
