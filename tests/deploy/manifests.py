"""What is in deploy/ for Kubernetes, as documents: files as they are, and overlays as Kustomize builds them."""

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]
KUSTOMIZE: Final = ROOT / "deploy" / "kustomize"
OVERLAYS: Final = sorted(path.parent.name for path in (KUSTOMIZE / "overlays").glob("*/kustomization.yaml"))
OURS: Final = "inference-exporter"
UNKNOWN_KINDS: Final = frozenset(("PodMonitor", "InferenceService", "SeldonDeployment"))
"""Of operators: the schemas of Kubernetes do not have them."""

Document = dict[str, Any]


def documents(text: str) -> list[Document]:
    return [each for each in yaml.safe_load_all(text) if each is not None]


def of_kind(found: Iterable[Document], kind: str) -> Document:
    """The only document of a kind."""
    (one,) = [each for each in found if each["kind"] == kind]
    return one


@functools.cache
def kubectl() -> str:
    """A kubectl that knows components (1.21); where CI is set a missing one fails, elsewhere it skips."""
    found = shutil.which("kubectl")
    if found is not None:
        told = subprocess.run(
            [found, "version", "--client", "--output=json"], capture_output=True, text=True, check=False, timeout=60
        )
        version = json.loads(told.stdout or "{}").get("clientVersion", {})
        if (int(version.get("major", 0)), int(version.get("minor", "0").rstrip("+"))) >= (1, 21):
            return found
    message = "install kubectl 1.21 or newer: an older one does not know Kustomize's components"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def text_of(directory: Path) -> str:
    """What Kustomize makes of a directory."""
    done = subprocess.run(
        [kubectl(), "kustomize", str(directory)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@functools.cache
def _built(name: str) -> str:
    return text_of(KUSTOMIZE / "overlays" / name)


def built(name: str) -> list[Document]:
    """An overlay, anew for whoever may change it."""
    return documents(_built(name))


def plain() -> list[Document]:
    """The manifests that need no tool."""
    return [each for path in sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
            for each in documents(path.read_text())]  # fmt: skip


def pods(found: Iterable[Document]) -> Iterator[Document]:
    """The pods of workloads: metadata and spec."""
    for each in found:
        if each["kind"] in {"Deployment", "StatefulSet"}:
            yield each["spec"]["template"]
        elif each["kind"] == "InferenceService":
            yield {"spec": each["spec"]["predictor"]}


def ours(pod: Document) -> Document:
    """Our container in a pod, in whichever form."""
    every = pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
    (one,) = [each for each in every if each["name"] == OURS]
    return dict(one)


def variables(container: Document) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"]}
