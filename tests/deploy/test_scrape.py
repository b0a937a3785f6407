"""The scrape configurations of deploy/, read by promtool and, where that can be, by a real Prometheus."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from monitoring import _running, ask
from support import eventually, free_port, model_server, predict, sidecar, tool

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
CONFIGS = [*sorted(PROMETHEUS.glob("*.yml")), ROOT / "deploy" / "compose" / "prometheus.yml"]
FILES = sorted((PROMETHEUS / "files.d").glob("*.yml"))
KUBERNETES = "kubernetes_sd_configs"
"""Debian's Prometheus is built without it."""


def of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def without_kubernetes(node: Any, instead: Any = ()) -> Any:
    """The same, with given targets where pods and nodes would be discovered."""
    if isinstance(node, dict):
        kept = {name: without_kubernetes(value, instead) for name, value in node.items() if name != KUBERNETES}
        return kept | ({"static_configs": list(instead)} if KUBERNETES in node else {})
    return [without_kubernetes(value, instead) for value in node] if isinstance(node, list) else node


def here(config: dict[str, Any], directory: Path) -> Path:
    """Written there, with the rules of this checkout and without files that only a cluster has."""
    config["rule_files"] = [str(ROOT / "alert_rules" / "*.rules.yml")]
    for job in config["scrape_configs"]:
        job.pop("tls_config", None)
        job.pop("authorization", None)
    path = directory / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    return path


def models(config: dict[str, Any]) -> dict[str, Any]:
    (job,) = [job for job in config["scrape_configs"] if job["job_name"] == "models"]
    found: dict[str, Any] = job
    return found


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_promtool_takes_it_with_the_shipped_rules(path: Path, tmp_path: Path) -> None:
    written = here(without_kubernetes(of(path)), tmp_path)
    done = subprocess.run(
        [tool("promtool", "prometheus"), "check", "config", str(written)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rules found" in done.stdout


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_rules_lie_where_the_documents_put_them_and_the_fleet_has_the_job_that_they_know(path: Path) -> None:
    config = of(path)
    assert config["rule_files"] == ["/etc/prometheus/rules/*.rules.yml"]
    assert config["alerting"]["alertmanagers"]
    assert models(config)["sample_limit"] > 10_000, "a page may have so many series"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_of_targets_is_one_that_prometheus_reads(path: Path, tmp_path: Path) -> None:
    config = of(PROMETHEUS / "files.yml")
    assert path.relative_to(PROMETHEUS).match(models(config)["file_sd_configs"][0]["files"][0])
    models(config)["file_sd_configs"] = [{"files": [str(path)]}]
    found = discovered(here(config, tmp_path))
    assert {target["labels"]["__address__"] for target in found} == set(of_targets(path))
    assert {target["labels"]["namespace"] for target in found} == {"shop"}


def of_targets(path: Path) -> list[str]:
    return [target for group in yaml.safe_load(path.read_text()) for target in group["targets"]]


def discovered(config: Path) -> list[Any]:
    """What promtool says Prometheus would scrape as `models`, after relabelling."""
    words = [tool("promtool", "prometheus"), "check", "service-discovery", "--timeout=2s", str(config), "models"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [found for found in json.loads(done.stdout) if found["labels"]]


def pod(name: str, container: str, port: str, phase: str = "Running") -> dict[str, Any]:
    meta = {"namespace": "shop", "pod_name": name, "pod_node_name": "node-1", "pod_container_name": container,
            "pod_container_port_name": port, "pod_phase": phase, "pod_container_init": "true"}  # fmt: skip
    return {
        "targets": [f"10.0.0.{len(name)}:9877"],
        "labels": {f"__meta_kubernetes_{key}": value for key, value in meta.items()},
    }


def test_of_pods_the_sidecars_page_alone_is_scraped_under_the_labels_that_rules_know(tmp_path: Path) -> None:
    pods = [
        pod("churn-1", "inference-exporter", "metrics"), pod("churn-1", "inference-exporter", "relay"),
        pod("churn-1", "model", "metrics"), pod("ended", "inference-exporter", "metrics", "Succeeded"),
    ]  # fmt: skip
    (found,) = discovered(here(without_kubernetes(of(PROMETHEUS / "pods.yml"), pods), tmp_path))
    told = {name: value for name, value in found["labels"].items() if not name.startswith("__")}
    assert told == {
        "instance": "10.0.0.7:9877", "job": "models", "namespace": "shop", "node": "node-1", "pod": "churn-1"
    }  # fmt: skip


def test_pods_and_nodes_are_what_is_discovered() -> None:
    """Not executed: there is no cluster. The roles, and no other key."""
    config = of(PROMETHEUS / "pods.yml")
    assert [job[KUBERNETES] for job in config["scrape_configs"]] == [[{"role": "pod"}], [{"role": "node"}]]


def container(port: str, network: str) -> dict[str, Any]:
    meta = {"port_private": port, "network_name": network, "container_name": "/shop-sidecar-1",
            "container_label_com_docker_compose_project": "shop"}  # fmt: skip
    return {"targets": ["10.0.0.1:9877"], "labels": {f"__meta_docker_{key}": value for key, value in meta.items()}}


def test_of_a_container_one_port_on_one_network_is_scraped_under_its_name(tmp_path: Path) -> None:
    config = of(PROMETHEUS / "docker.yml")
    job = models(config)
    assert job.pop("docker_sd_configs")[0]["port"] == 9877
    job["static_configs"] = [
        container("9877", "shop_watching"), container("9876", "shop_watching"), container("9877", "shop_model")
    ]  # fmt: skip
    (found,) = discovered(here(config, tmp_path))
    told = {name: value for name, value in found["labels"].items() if not name.startswith("__")}
    assert told == {"instance": "shop-sidecar-1", "job": "models", "namespace": "shop"}


def test_a_real_prometheus_scrapes_a_real_sidecar_by_the_static_one(tmp_path: Path) -> None:
    config = of(PROMETHEUS / "static.yml")
    with model_server() as upstream, sidecar(upstream) as running:
        predict(running.url, [[1.0], [2.0]])
        config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
        models(config)["static_configs"] = [{"targets": [f"127.0.0.1:{running.web_port}"]}]
        address = f"127.0.0.1:{free_port()}"
        words = [tool("prometheus", "prometheus"), f"--config.file={here(config, tmp_path)}",
                 f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address={address}",
                 "--log.level=warn"]  # fmt: skip
        with _running(words, tmp_path / "log", f"http://{address}/-/ready"):
            rows = eventually(
                lambda: ask(f"http://{address}/api/v1/query", query="model_rows_total == 2")["data"]["result"]
            )
            groups = ask(f"http://{address}/api/v1/rules")["data"]["groups"]
    assert rows[0]["metric"]["job"] == "models"
    assert len(groups) > 10
