"""Everything on the stage: the model server, the sidecar in front of it, and those who watch."""

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from exporter.demo import model, scores, watchers
from exporter.demo.stage import START_TIMEOUT_S, Process, Stage, answers, free_ports, listening

_SNAPSHOTS_PER_MINUTE: Final = 2
_PROBES_PER_MINUTE: Final = 4
_FASTEST_S: Final = 0.05
_MINUTES_A_DAY: Final = 1440
_WINDOWS_MINUTES: Final = (5, 60)
_DOCKER_TIMEOUT_S: Final = 5.0
_INSTALL: Final = """\
    On Debian and Ubuntu: apt install prometheus prometheus-alertmanager
    Elsewhere: put `prometheus` and `alertmanager` on PATH."""
_OFFER: Final = "Docker is here: `make demo GRAFANA=docker` shows the dashboard, too."

Link = tuple[str, str]


class Ports(NamedTuple):
    """Where the model server, the sidecar and Grafana listen, all on the loopback."""

    server: int
    relay: int
    web: int
    health: int
    grafana: int


class Watching(NamedTuple):
    """Who watches, and what there is to say of those who do not."""

    links: list[Link]
    remarks: list[str]
    pending: list[Link]
    """Those who will watch as soon as they listen: nobody waits for them."""


def server(stage: Stage, trained: model.Trained, ports: Ports) -> Process:
    """The model server, which knows nothing of us. It does not listen yet."""
    command = [sys.executable, "-m", "exporter.demo.server", str(trained.model), str(ports.server)]
    return stage.start("model server", command)


def sidecar(stage: Stage, trained: model.Trained, ports: Ports, minute_s: float) -> None:
    """The profile of the training data, and the sidecar."""
    us = [sys.executable, "-m", "exporter"]
    profile = stage.directory / "profile.json"
    stage.run("profile build", [*us, *profile_words(trained, profile)])
    stage.start(
        "sidecar",
        [*us, "serve", "--upstream", f"http://127.0.0.1:{ports.server}", "--listen", f"127.0.0.1:{ports.relay}",
         "--web.listen-address", f"127.0.0.1:{ports.web}", "--health.listen-address", f"127.0.0.1:{ports.health}",
         "--profile", str(profile), *_compressed(minute_s), "--log-level", "warning"],
    )  # fmt: skip
    stage.wait(lambda: listening(ports.relay) and answers(f"http://127.0.0.1:{ports.web}/-/ready"),
               "the start of the sidecar")  # fmt: skip


def profile_words(trained: model.Trained, output: Path) -> list[str]:
    """The command line that makes the profile of the training data."""
    return [
        "profile", "build", str(trained.table), "--prediction", model.PREDICTION, "--target", model.TARGET,
        "--model", model.NAME, "--model-version", "1", "--output", str(output),
    ]  # fmt: skip


def timing(minute_s: float) -> dict[str, str]:
    """Settings under which the minutes of windows and timers are as short as those of the rules."""

    def text(seconds: float) -> str:
        return f"{round(max(seconds, _FASTEST_S) * 1000)}ms"

    day_s = _MINUTES_A_DAY * minute_s
    return {
        "windows.pane": text(minute_s), "windows.lengths": ",".join(text(m * minute_s) for m in _WINDOWS_MINUTES),
        "windows.snapshot_interval": text(minute_s / _SNAPSHOTS_PER_MINUTE),
        "upstream_probe_interval": text(minute_s / _PROBES_PER_MINUTE),
        "evidence.false_page_every": text(30 * day_s), "evidence.false_ticket_every": text(90 * day_s),
        "evidence.warm_up": text(day_s), "evidence.learn": text(7 * day_s),
    }  # fmt: skip


def _compressed(minute_s: float) -> list[str]:
    """The same as flags."""
    pairs = timing(minute_s).items()
    return [word for key, value in pairs for word in (f"--{key.replace('_', '-')}", value)]


def last_scores(ports: Ports) -> list[scores.Score]:
    """The scores as they are now; none where they cannot be had."""
    try:
        return scores.scrape(ports.web)
    except OSError:
        return []


# --- those who watch


def monitoring(stage: Stage, ports: Ports, pager_port: int, minute_s: float) -> Watching:
    """Prometheus and Alertmanager, as far as they are installed and start."""
    prometheus_at, alertmanager_at = (f"127.0.0.1:{port}" for port in free_ports(2))
    watching = Watching([], [], [])
    pages = watchers.Alertmanager(f"http://127.0.0.1:{pager_port}", minute_s)
    scrapes = watchers.Prometheus(
        [f"127.0.0.1:{ports.web}"], [alertmanager_at], minute_s, f"http://127.0.0.1:{ports.grafana}"
    )
    for name, program, plan, address in (
        ("Prometheus", watchers.find_prometheus(), scrapes, prometheus_at),
        ("Alertmanager", watchers.find_alertmanager(), pages, alertmanager_at),
    ):
        if program is None:
            watching.remarks.append(f"{name} is not installed, so nobody can be paged.")
        elif fault := _start(stage, name, plan.command(program, stage.directory / name, address), address):
            watching.remarks.append(f"{name} does not run, so nobody can be paged: {fault}")
        else:
            watching.links.append((name, f"http://{address}"))
    if watching.remarks:
        watching.remarks.append(_INSTALL)
    return watching


def _start(stage: Stage, name: str, command: list[str], address: str) -> str:
    """Start it; what went wrong, or nothing."""
    try:
        process = stage.start(name, command)
    except OSError as error:  # found, but no program of this machine
        return str(error)
    stage.spare(process)
    listens = stage.waited(lambda: process not in stage or listening(port_of(address)))
    if not listens:
        stage.end(process)
        return f"its start took longer than {START_TIMEOUT_S:.0f} s"
    return stage.gone_as(name)


def grafana(stage: Stage, plan: watchers.Grafana, port: int, choice: str) -> Watching:
    """Grafana with the dashboards: installed (`auto`), in a container (`docker`), or not at all (`off`)."""
    program, docker = watchers.find_grafana(), shutil.which("docker")
    if (choice, program) == ("auto", None):
        return Watching([], [_OFFER] if docker and _runs(docker) else [], [])
    if choice == "docker" and not docker:
        return Watching([], ["Docker is not installed, so there is no Grafana."], [])
    if choice == "off":
        return Watching([], [], [])
    directory = stage.directory / "grafana"
    environment = plan.environment(directory, port)
    if choice == "docker":
        command = plan.container(str(docker), directory, environment)
        stage.at_last([str(docker), "rm", "--force", plan.container_name(directory)])
    else:
        command = plan.command(str(program))
    try:
        stage.spare(stage.start("Grafana", command, environment))
    except OSError as error:
        return Watching([], [f"Grafana does not run: {error}"], [])
    return Watching([], [], [("Grafana", f"http://127.0.0.1:{port}")])


def _runs(docker: str) -> bool:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        words = [docker, "info"]
        return subprocess.run(words, capture_output=True, timeout=_DOCKER_TIMEOUT_S, check=False).returncode == 0  # noqa: S603
    return False


def port_of(url: str) -> int:
    """The port of an address."""
    return int(url.rpartition(":")[2])
