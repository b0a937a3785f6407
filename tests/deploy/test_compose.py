"""The compose files: their form, what every service must have, and the story as it runs.

There is no engine here: the services' own commands are run as processes of this machine (`composed`).
"""

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from monitoring import ask
from support import Metrics, eventually, tool

from deploy.composed import Composed, composed, read

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy" / "compose"
DEMO, OWN = COMPOSE / "compose.yml", COMPOSE / "own-model.yml"
FILES = (DEMO, OWN)
GIVEN = {"MODEL_IMAGE": "churn:7", "PROFILE": "./profile.json", "GRAFANA_PASSWORD": "x"}
STAGE = "/var/lib/inference-exporter"


def services(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = read(path, GIVEN)["services"]
    return found


EVERY = [(path, name) for path in FILES for name in services(path)]
OURS = [pair for pair in EVERY if pair != (OWN, "model")]
"""The user's own server has what it needs, and no more is known of it."""
by_service = pytest.mark.parametrize(("path", "name"), OURS, ids=lambda value: getattr(value, "stem", value))


@pytest.mark.deploy
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_is_a_compose_file_as_the_specification_has_it(path: Path) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [str(program), "--builtin-schema", "vendor.compose-spec", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@by_service
def test_a_service_is_pinned_bounded_and_may_do_little(path: Path, name: str) -> None:
    service = services(path)[name]
    image, _, version = service["image"].rpartition(":")
    assert image
    assert re.fullmatch(r"v?\d+(\.\d+)+", version)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service["user"].startswith("0")
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert service["pids_limit"]


@by_service
def test_a_service_that_goes_on_says_how_it_is(path: Path, name: str) -> None:
    service = services(path)[name]
    ends_or_serves_nobody = name in {"scenery", "clients", "dashboards"}
    assert service["healthcheck"].get("disable", False) == ends_or_serves_nobody
    assert ends_or_serves_nobody or service["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nobody_but_the_sidecar_reaches_the_model_server(path: Path) -> None:
    document = read(path, GIVEN)
    on_its_network = {name for name, service in document["services"].items() if "model" in service.get("networks", ())}
    assert on_its_network - {"bypass"} == {"model", "sidecar"}
    assert document["services"]["model"]["networks"] == ["model"]
    assert "ports" not in document["services"]["model"]
    assert document["networks"]["model"] == {"internal": True}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_published_is_on_the_loopback_and_every_volume_is_named(path: Path) -> None:
    document = read(path, GIVEN)
    published = [port for service in document["services"].values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    sources = {
        volume["source"] if isinstance(volume, dict) else volume.split(":")[0]
        for service in document["services"].values()
        for volume in service.get("volumes", ())
    }
    assert {source for source in sources if not source.startswith((".", "/"))} == set(document["volumes"])
    assert all((COMPOSE / source).exists() for source in sources if source.startswith("..")), "what it mounts is there"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_built_is_built_by_the_one_dockerfile(path: Path) -> None:
    for service in services(path).values():
        if "build" in service:
            build = service["build"]
            context = (COMPOSE / build["context"]).resolve()
            assert context == ROOT
            assert (context / build["dockerfile"]).is_file()
            assert (context / "deploy" / "image" / build.get("args", {}).get("LOCK", "requirements.txt")).is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_status_page_leads_to_where_grafana_and_alertmanager_are_published(path: Path) -> None:
    found = services(path)
    said = dict(word.removeprefix("--web.").split("=", 1) for word in found["sidecar"]["command"] if "-url=" in word)
    for name in ("grafana", "alertmanager"):
        (published,) = (port for port in found[name]["ports"] if port.startswith("127.0.0.1:"))
        assert said[f"{name}-url"] == f"http://localhost:{published.split(':')[1]}"


def test_a_profile_that_is_not_where_it_was_said_to_be_is_not_made_as_a_directory() -> None:
    (given,) = (volume for volume in services(OWN)["sidecar"]["volumes"] if isinstance(volume, dict))
    assert (given["source"], given["bind"]) == (GIVEN["PROFILE"], {"create_host_path": False})


def test_ones_own_model_is_watched_by_the_shipped_files_as_they_are() -> None:
    found = services(OWN)
    config = yaml.safe_load((COMPOSE / "prometheus.yml").read_text())
    assert "../../alert_rules:/etc/prometheus/rules:ro" in found["prometheus"]["volumes"]
    assert config["rule_files"] == ["/etc/prometheus/rules/*.rules.yml"]
    assert config["scrape_configs"][0]["static_configs"] == [{"targets": ["sidecar:9877"]}]
    routes = (ROOT / "alert_rules" / "alertmanager.yml").read_text()
    assert set(re.findall(r"http://([\d.:]+)/", routes)) == {"127.0.0.1:9099"}
    assert found["pager"]["command"][-1] == "--listen=127.0.0.1:9099"
    assert found["pager"]["network_mode"] == "service:alertmanager"


def test_in_an_emergency_somebody_who_only_relays_has_the_sidecars_name_and_port() -> None:
    """Not executed."""
    found = services(OWN)
    assert found["bypass"]["profiles"] == ["emergency"], "it is not there otherwise"
    assert found["bypass"]["ports"][0] == found["sidecar"]["ports"][0]
    assert found["bypass"]["networks"]["clients"] == {"aliases": ["sidecar"]}
    assert found["bypass"]["command"][-1] == "TCP:model:8000"


# --- the story


def started(found: Composed) -> None:
    """Everybody but Grafana, which there is none of here."""
    for name in found.services:
        if name != "grafana":
            found.start(name)


def asked(found: Composed, query: str) -> list[Any]:
    result: list[Any] = ask(f"http://{found.address('prometheus', 9090)}/api/v1/query", query=query)["data"]["result"]
    return result


@pytest.mark.paced
def test_everybody_finds_each_other_and_what_clients_send_is_counted_and_drawn(tmp_path: Path) -> None:
    with composed(DEMO, tmp_path, DURATION="5m") as found:
        started(found)
        for name in ("model", "sidecar", "prometheus", "alertmanager", "pager"):
            found.wait_healthy(name)
        eventually(lambda: asked(found, "model_rows_total > 0"), what="rows counted")
        (up,) = asked(found, "up")
        assert up["metric"]["job"] == "models"
        assert up["value"][1] == "1"
        with urllib.request.urlopen(f"http://{found.address('sidecar', 9877)}/metrics", timeout=10) as page:
            metrics = Metrics(page.read().decode())
        assert metrics.value("model_server_up", model="diabetes", model_version="1") == 1
        rules = ask(f"http://{found.address('prometheus', 9090)}/api/v1/rules")["data"]["groups"]
        assert len(rules) > 10
        state = ask(f"http://{found.address('prometheus', 9090)}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
        assert [one["url"] for one in state] == [f"http://{found.address('alertmanager', 9093)}/api/v2/alerts"]
        stage = found.mounted("prometheus")[STAGE]
        checked(tool("promtool", "prometheus"), "check", "config", str(stage / "prometheus" / "prometheus.yml"))
        checked(
            tool("amtool", "prometheus-alertmanager"), "check-config", str(stage / "alertmanager" / "alertmanager.yml")
        )
        provisioned(found)
        assert "── healthy traffic" in found.log("clients")


def checked(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def provisioned(found: Composed) -> None:
    """Grafana's files are where its environment says, and name a Prometheus that is there."""
    given = {name: found.here("grafana", value) for name, value in found.services["grafana"]["environment"].items()}
    assert Path(given["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()
    (source,) = Path(given["GF_PATHS_PROVISIONING"], "datasources").glob("*.yml")
    url = yaml.safe_load(source.read_text())["datasources"][0]["url"]
    assert url == f"http://{found.address('prometheus', 9090)}"
    (provider,) = Path(given["GF_PATHS_PROVISIONING"], "dashboards").glob("*.yml")
    boards = Path(yaml.safe_load(provider.read_text())["providers"][0]["options"]["path"])
    assert len([json.loads(path.read_text())["uid"] for path in boards.glob("*.json")]) == 9


@pytest.mark.slow
def test_the_drift_of_the_story_reaches_the_pager(tmp_path: Path) -> None:
    with composed(DEMO, tmp_path, DURATION="2m") as found:
        started(found)
        eventually(lambda: "PAGE     ModelDrift" in found.log("pager"), 180, what="the page")
        assert "kPa" in found.log("clients")
        assert "bp" in found.log("pager")
