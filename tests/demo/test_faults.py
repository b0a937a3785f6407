"""Whoever is missing, does not start or dies in the middle: it is said, and only what the story needs ends it."""

import re
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from demo.demos import demo, home_of, kill, rest, stand_in, until
from support import tool

from exporter.demo import start
from exporter.demo.stage import stage

ROOT = Path(__file__).parents[2]
LISTEN = f'exec {sys.executable} -m http.server --bind 127.0.0.1 "$GF_SERVER_HTTP_PORT"'


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with home_of(tmp_path) as found:
        yield found


def test_a_prometheus_that_does_not_run_is_told_and_done_without(home: Path) -> None:
    with demo(home, PATH=stand_in(home, "prometheus", "echo cannot do it; exit 3")) as process:
        lines = until(process, "healthy traffic")
        process.send_signal(signal.SIGINT)
    assert "Prometheus does not run, so nobody can be paged: Prometheus ended with 3:\ncannot do it" in lines
    assert process.returncode == 130


def test_a_prometheus_that_dies_later_is_told_and_done_without(home: Path) -> None:
    for name in ("prometheus", "prometheus-alertmanager"):
        tool(name, name)
    with demo(home) as process:
        until(process, "highest three")
        kill(process, "prometheus.yml")
        until(process, "Prometheus is gone, and the story goes on without it: Prometheus was killed by SIGKILL")
        until(process, "highest three")
        process.send_signal(signal.SIGINT)
        assert "Prometheus is gone" in rest(process), "said once more at the end"
    assert process.returncode == 130


def test_a_supervisor_that_is_killed_ends_the_demo_and_leaves_none_of_its_children_behind(home: Path) -> None:
    with demo(home, PATH=str(home / "empty")) as process:
        until(process, "highest three")
        kill(process, " serve --upstream ")
        printed = rest(process)
    assert process.returncode == 69
    assert "inference-exporter: sidecar was killed by SIGKILL\n" in printed


def test_grafana_is_given_the_dashboards_and_the_prometheus_to_ask_and_alerts_lead_to_it(home: Path) -> None:
    """A stand-in: it keeps what it was given and listens, and ends when it is told to."""
    tool("prometheus", "prometheus")
    keep = f'env >{home}/env; cp -r "$(dirname "$GF_PATHS_PROVISIONING")" {home}/kept; cd {home}/kept; {LISTEN}'
    with demo(home, PATH=stand_in(home, "grafana", keep)) as process:
        printed = until(process, "  Grafana  ")
        (rules,) = home.glob("inference-exporter-demo-*/Prometheus/drift.rules.yml")
        led = set(re.findall(r"http://[^/ ]+(?=/d/)", rules.read_text()))
        process.send_signal(signal.SIGINT)
    settings = _environment(home / "env")
    assert f"Grafana        http://127.0.0.1:{settings['GF_SERVER_HTTP_PORT']}" in printed
    assert led == {f"http://127.0.0.1:{settings['GF_SERVER_HTTP_PORT']}"}
    asked = re.search(r"Prometheus +(http://\S+)", printed)
    assert asked
    assert f"url: {asked[1]}\n" in (home / "kept" / "provisioning" / "datasources" / "prometheus.yml").read_text()
    shown = settings["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert shown.endswith("/dashboards/model-health.json")
    boards = {path.name for path in (home / "kept" / "dashboards").iterdir()}
    assert boards == {path.name for path in (ROOT / "dashboards").glob("*.json")}
    assert f"path: {Path(shown).parent}\n" in (home / "kept" / "provisioning" / "dashboards" / "files.yml").read_text()


def _environment(path: Path) -> Mapping[str, str]:
    return dict(line.partition("=")[::2] for line in path.read_text().splitlines())


def test_a_grafana_that_does_not_listen_is_not_waited_for_and_has_no_address(home: Path) -> None:
    tool("prometheus", "prometheus")
    with demo(home, PATH=stand_in(home, "grafana", "exec sleep 600")) as process:
        printed = until(process, "highest three")
        process.send_signal(signal.SIGINT)
        printed += rest(process)
    assert "Grafana has not listened so far" in printed
    assert not re.search(r"Grafana +http", printed)


def test_a_container_that_does_not_start_is_a_remark_and_is_removed_by_its_name_on_the_way_out(home: Path) -> None:
    tool("prometheus", "prometheus")
    script = f'echo "$@" >>{home}/asked; test "$1" = run || exit 0; echo Cannot connect to the Docker daemon; exit 125'
    with demo(home, "--grafana", "docker", PATH=stand_in(home, "docker", script)) as process:
        printed = until(process, "Cannot connect to the Docker daemon")
        printed += until(process, "highest three")
        process.send_signal(signal.SIGINT)
    assert "Grafana is gone, and the story goes on without it: Grafana ended with 125:\n" in printed
    assert process.returncode == 130
    run, removed = (home / "asked").read_text().splitlines()
    name = re.search(r"--name (\S+)", run)
    assert name
    assert removed == f"rm --force {name[1]}"


def test_a_program_that_cannot_be_run_is_a_remark(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", stand_in(home, "prometheus", ""))
    (home / "prometheus").write_bytes(b"\x7fELF no such machine")
    with stage() as found:
        watching = start.monitoring(found, start.Ports(9, 9, 9, 9, 9), pager_port=9, minute_s=1.0)
    assert [name for name, _ in watching.links if name == "Prometheus"] == []
    assert "Prometheus does not run, so nobody can be paged: [Errno 8] Exec format error" in watching.remarks[0]
