"""docs/emergency.md: its commands give what they promise, and a balancer that knows the server needs none."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import eventually, free_port, model_server, predict, sidecar

from deploy.manifests import ROOT, built, documents, of_kind, text_of

pytestmark = pytest.mark.deploy

PAGE = (ROOT / "docs" / "emergency.md").read_text()
MACHINE = (ROOT / "docs" / "install-vm.md").read_text()
PATCHES = re.findall(r"patch (service|inferenceservice) churn --type json --patch \\\n\s*'([^']+)'", PAGE)
PAST, PAST_UNREADY, BACK = [json.loads(patch) for kind, patch in PATCHES if kind == "service"]


def patched(tmp_path: Path, document: dict[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any]:
    """A document after a JSON patch, as `kubectl patch` would have it."""
    (tmp_path / "document.yaml").write_text(yaml.safe_dump(document))
    kustomization = {
        "resources": ["document.yaml"],
        "patches": [{"target": {"kind": document["kind"]}, "patch": json.dumps(patch)}],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return of_kind(documents(text_of(tmp_path)), document["kind"])


def test_the_services_patch_gives_the_service_that_was_there_before_us(tmp_path: Path) -> None:
    service = of_kind(built("deployment"), "Service")
    assert service["spec"]["ports"][0]["targetPort"] == 9876
    assert patched(tmp_path, service, PAST)["spec"] == of_kind(built("app"), "Service")["spec"]


def test_pods_that_are_not_ready_are_asked_for_as_long_as_it_lasts(tmp_path: Path) -> None:
    service = patched(tmp_path, of_kind(built("deployment"), "Service"), PAST_UNREADY)
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert patched(tmp_path, service, BACK)["spec"] == of_kind(built("app"), "Service")["spec"]


def test_the_policy_that_closed_the_servers_port_goes_by_the_name_that_it_has() -> None:
    name = of_kind(built("deployment"), "NetworkPolicy")["metadata"]["name"]
    assert PAGE.index(f"delete networkpolicy {name} ") < PAGE.index("patch service")


@pytest.mark.parametrize("name", ["kserve", "kserve-serverless"])
def test_kserves_patch_declares_the_servers_own_port(tmp_path: Path, name: str) -> None:
    (patch,) = [json.loads(patch) for kind, patch in PATCHES if kind == "inferenceservice"]
    predictor = patched(tmp_path, of_kind(built(name), "InferenceService"), patch)["spec"]["predictor"]
    assert [each["containerPort"] for each in predictor["model"]["ports"]] == [8080]


def test_composes_commands_name_services_that_there_are_in_the_profile_that_they_are_in() -> None:
    text = (ROOT / "deploy" / "compose" / "own-model.yml").read_text()
    services = yaml.safe_load(text)["services"]
    ((stopped, profile, started),) = re.findall(
        r"own-model\.yml stop (\w+) &&\ndocker compose .*own-model\.yml --profile (\w+) up .* (\w+)\n", PAGE
    )
    assert services[started]["profiles"] == [profile]
    assert services[started]["ports"][0] == services[stopped]["ports"][0], "of which the first is free then"
    asked = set(re.findall(r"\$\{(\w+):\?", text))
    assert "MODEL_IMAGE" in asked, "compose asks for it whatever the command: the page says so"


def nginx() -> str:
    """Its path, which is not on everybody's PATH."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        message = "nginx is missing: install Debian's package nginx-light"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@contextmanager
def balancer(directory: Path, relay: int, server: int) -> Iterator[str]:
    """The nginx of docs/install-vm.md, on ports of this test; its address."""
    program, port = nginx(), free_port()
    (block,) = re.findall(r"```nginx\n(.+?)```", MACHINE, re.DOTALL)
    http = block.replace("127.0.0.1:9876", f"127.0.0.1:{relay}").replace("127.0.0.1:8000", f"127.0.0.1:{server}")
    http = http.replace("listen 80;", f"listen 127.0.0.1:{port};")
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{name}_temp_path {directory}/{name};" for name in places)
    conf = directory / "nginx.conf"
    conf.write_text(f"""
        daemon off; pid {directory}/pid; error_log stderr; events {{}}
        http {{ access_log off; {paths} {http} }}
    """)
    with (directory / "nginx.log").open("wb") as log:
        process = subprocess.Popen([program, "-p", str(directory), "-c", str(conf)], stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: answers(url), what="nginx")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    try:
        return bool(predict(url, [[1]]))
    except OSError:
        return False


def test_behind_a_balancer_that_knows_the_server_one_request_at_most_is_lost_when_the_sidecar_is_stopped(
    tmp_path: Path,
) -> None:
    lost = 0
    with model_server() as server, sidecar(server) as running, balancer(tmp_path, running.port, server) as url:
        for number in range(100):
            assert predict(url, [[number]]) == {"predictions": [number]}
        running.settled(101)  # and the one that waited for nginx
        running.process.terminate()
        while running.process.poll() is None:
            lost += not answers(url)
        for number in range(100):
            assert predict(url, [[number]]) == {"predictions": [number]}
    assert lost <= 1
