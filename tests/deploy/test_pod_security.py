"""That the check of pod security finds what it is for: a pod that may start, and one change after the other."""

import copy
from typing import Any

import pytest

from deploy.pod_security import offences

ALLOWED: dict[str, Any] = {
    "containers": [{
        "name": "model",
        "ports": [{"containerPort": 8080}],
        "livenessProbe": {"httpGet": {"path": "/", "port": 8080}},
        "securityContext": {
            "runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }],
    "volumes": [{"name": "state", "emptyDir": {}}],
}  # fmt: skip


def test_what_the_standard_allows_is_not_refused() -> None:
    assert offences(ALLOWED) == []


def test_a_container_that_says_nothing_is_refused_four_times() -> None:
    assert offences({"containers": [{"name": "model"}]}) == [
        "model: allowPrivilegeEscalation", "model: runAsNonRoot", "model: capabilities are kept",
        "model: seccompProfile",
    ]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "words"), [
    ("privileged", True, "privileged"),
    ("allowPrivilegeEscalation", True, "allowPrivilegeEscalation"),
    ("runAsNonRoot", False, "runAsNonRoot"),
    ("runAsUser", 0, "runAsUser"),
    ("capabilities", {"drop": ["NET_RAW"]}, "capabilities are kept"),
    ("capabilities", {"drop": ["ALL"], "add": ["SYS_PTRACE"]}, "capabilities are added"),
    ("procMount", "Unmasked", "procMount"),
    ("seccompProfile", {"type": "Unconfined"}, "seccompProfile"),
    ("appArmorProfile", {"type": "Unconfined"}, "appArmorProfile"),
    ("seLinuxOptions", {"user": "root"}, "seLinuxOptions"),
])  # fmt: skip
def test_each_thing_that_a_container_may_not_is_found(key: str, value: object, words: str) -> None:
    spec = copy.deepcopy(ALLOWED)
    spec["containers"][0]["securityContext"][key] = value
    assert offences(spec) == [f"model: {words}"]


@pytest.mark.parametrize(("key", "value", "words"), [
    ("hostNetwork", True, "hostNetwork"),
    ("hostPID", True, "hostPID"),
    ("hostIPC", True, "hostIPC"),
    ("volumes", [{"name": "node", "hostPath": {"path": "/"}}], "volume node"),
    ("securityContext", {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}, "sysctl kernel.msgmax"),
])  # fmt: skip
def test_each_thing_that_a_pod_may_not_is_found(key: str, value: object, words: str) -> None:
    assert offences(ALLOWED | {key: value}) == [words]


def test_ports_of_the_node_and_probes_elsewhere_are_found() -> None:
    spec = copy.deepcopy(ALLOWED)
    spec["containers"][0]["ports"][0]["hostPort"] = 80
    spec["containers"][0]["livenessProbe"]["httpGet"]["host"] = "metadata"
    assert offences(spec) == ["model: hostPort", "model: a probe or hook of another host"]
