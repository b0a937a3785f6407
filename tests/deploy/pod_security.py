"""The standard "restricted" of Kubernetes' pod security, rule by rule: what a pod has against it.

Source: Kubernetes, Pod Security Standards; "baseline" is a part of it. Rules about Windows are left out.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

Document = dict[str, Any]

_VOLUMES: Final = frozenset((
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
))  # fmt: skip
_SYSCTLS: Final = frozenset((
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
))  # fmt: skip
_PROFILES: Final = frozenset(("RuntimeDefault", "Localhost"))
_ADDED: Final = frozenset(("NET_BIND_SERVICE",))


def offences(spec: Document) -> list[str]:
    """What the standard refuses of a pod's spec, in words; empty where the pod may start."""
    found = list(_of_pod(spec))
    for container in spec.get("initContainers", []) + spec.get("containers", []):
        found += [f"{container['name']}: {words}" for words in _of_container(container, spec)]
    return found


def _of_pod(spec: Document) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield key
    for volume in spec.get("volumes", []):
        if not volume.keys() - {"name"} <= _VOLUMES:
            yield f"volume {volume['name']}"
    for each in spec.get("securityContext", {}).get("sysctls", []):
        if each["name"] not in _SYSCTLS:
            yield f"sysctl {each['name']}"


def _of_container(container: Document, spec: Document) -> Iterator[str]:
    said = container.get("securityContext", {})
    whole = spec.get("securityContext", {})
    for words, is_wrong in _RULES.items():
        if is_wrong(said, whole):
            yield words
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "hostPort"
    if any("host" in way for way in _ways(container)):
        yield "a probe or hook of another host"


def _ways(container: Document) -> Iterator[Document]:
    """What probes and hooks ask."""
    asked = [container.get(f"{name}Probe", {}) for name in ("startup", "liveness", "readiness")]
    for each in (*asked, *container.get("lifecycle", {}).values()):
        yield from (each[way] for way in ("httpGet", "tcpSocket") if way in each)


def _either(key: str, said: Document, whole: Document) -> Any:
    """A container's word wins over its pod's."""
    return said.get(key, whole.get(key))


def _seccomp(said: Document, whole: Document) -> bool:
    return (_either("seccompProfile", said, whole) or {}).get("type") not in _PROFILES


def _app_armor(said: Document, whole: Document) -> bool:
    return (_either("appArmorProfile", said, whole) or {"type": "RuntimeDefault"})["type"] not in _PROFILES


def _selinux(said: Document, whole: Document) -> bool:
    asked = _either("seLinuxOptions", said, whole) or {}
    return bool(asked.keys() & {"user", "role"}) or asked.get("type", "container_t") != "container_t"


_RULES: Final[dict[str, Callable[[Document, Document], bool]]] = {
    "privileged": lambda said, _: bool(said.get("privileged")),
    "allowPrivilegeEscalation": lambda said, _: said.get("allowPrivilegeEscalation") is not False,
    "runAsNonRoot": lambda said, whole: _either("runAsNonRoot", said, whole) is not True,
    "runAsUser": lambda said, whole: _either("runAsUser", said, whole) == 0,
    "capabilities are kept": lambda said, _: "ALL" not in said.get("capabilities", {}).get("drop", []),
    "capabilities are added": lambda said, _: not set(said.get("capabilities", {}).get("add", [])) <= _ADDED,
    "procMount": lambda said, _: said.get("procMount", "Default") != "Default",
    "seccompProfile": _seccomp,
    "appArmorProfile": _app_armor,
    "seLinuxOptions": _selinux,
}
