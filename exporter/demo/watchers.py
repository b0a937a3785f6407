"""Prometheus, Alertmanager and Grafana with the shipped files, in compressed time: their files and their commands.

Each function writes what the program reads and gives the command that starts it.
"""

import json
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from exporter.dashboards import grafana, links
from exporter.dashboards.boards import BOARDS
from exporter.dashboards.choice import Choice
from exporter.demo.compression import compressed
from exporter.rules import files

SHIPPED: Final = resources.files("exporter") / "shipped"
RULES: Final = (
    "drift.rules.yml", "exporter.rules.yml", "fleet.rules.yml", "health.rules.yml", "quality.rules.yml",
    "serving.rules.yml",
)  # fmt: skip
TEMPLATES: Final = "notifications.tmpl"
_EXAMPLE_RECEIVER: Final = "http://127.0.0.1:9099"
_HEARTBEAT: Final = "heartbeat"
"""The receiver of what always fires."""
_GRAFANA_IMAGE: Final = "grafana/grafana-oss:11.6.0"
_GRAFANA_HOMES: Final = ("/usr/share/grafana", "/opt/homebrew/share/grafana", "/usr/local/share/grafana")
_MINUTE_S: Final = 60.0
RECORDED: Final = ("resources.rules.yml", "staleness.rules.yml", "traffic.rules.yml", "versions.rules.yml")
"""What dashboards have from these is wanted, and not their alerts: the story tells of other faults."""


def find_prometheus() -> str | None:
    """The program, where it is installed."""
    return shutil.which("prometheus")


def find_grafana() -> str | None:
    """The program, by its newer name or its older one."""
    return shutil.which("grafana") or shutil.which("grafana-server")


def find_alertmanager() -> str | None:
    """The program, under Debian's name or its own."""
    return shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


class Prometheus(NamedTuple):
    """What a Prometheus is to do."""

    targets: Sequence[str]
    alertmanagers: Sequence[str]
    minute_s: float
    """How long a minute of the rules takes, in seconds; so often it scrapes and evaluates."""
    grafana_url: str = ""
    """Where alerts lead; empty: where the shipped ones do."""

    def write(self, directory: Path) -> Path:
        """Its files; that which it is given."""
        interval = f"{round(self.minute_s * 1000)}ms"
        config = {
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "rule_files": [*RULES, *RECORDED],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(self.alertmanagers)}]}]},
            "scrape_configs": [{"job_name": "models", "static_configs": [{"targets": list(self.targets)}]}],
        }
        directory.mkdir(parents=True)
        own = {"urls.grafana": self.grafana_url} if self.grafana_url else {}
        for name, text in files.made({**files.defaults(), **own}):
            if name in RULES or name in RECORDED:
                rules = compressed(yaml.safe_load(text), _MINUTE_S / self.minute_s)
                _write(directory / name, rules if name in RULES else _recording(rules))
        return _write(directory / "prometheus.yml", config)

    def command(self, program: str, directory: Path, address: str) -> list[str]:
        """Write its files; its command."""
        return [
            program, f"--config.file={self.write(directory)}",
            f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address={address}", "--log.level=warn",
        ]  # fmt: skip


class Alertmanager(NamedTuple):
    """What an Alertmanager is to do."""

    receiver_url: str
    minute_s: float

    def write(self, directory: Path) -> Path:
        """Its files; that which it is given."""
        config = yaml.safe_load((SHIPPED / "alertmanager.yml").read_text(encoding="utf-8"))
        config = compressed(config, _MINUTE_S / self.minute_s)
        for receiver in config["receivers"]:
            for webhook in receiver["webhook_configs"]:
                webhook["url"] = webhook["url"].replace(_EXAMPLE_RECEIVER, self.receiver_url)
            if receiver["name"] == _HEARTBEAT:  # that all is well is news to a dead man's switch alone
                del receiver["webhook_configs"]
        directory.mkdir(parents=True)
        (directory / TEMPLATES).write_text((SHIPPED / TEMPLATES).read_text(encoding="utf-8"), encoding="utf-8")
        return _write(directory / "alertmanager.yml", config)

    def command(self, program: str, directory: Path, address: str) -> list[str]:
        """Write its files; its command."""
        return [
            program, f"--config.file={self.write(directory)}",
            f"--storage.path={directory / 'data'}", f"--web.listen-address={address}", "--cluster.listen-address=",
        ]  # fmt: skip


class Grafana(NamedTuple):
    """What a Grafana is to do: show the dashboards to whoever looks."""

    prometheus_url: str
    minute_s: float

    def environment(self, directory: Path, port: int) -> dict[str, str]:
        """Write its files; its settings, as Grafana reads them from the environment."""
        provisioning, dashboards = directory / "provisioning", directory / "dashboards"
        for place in (provisioning / "datasources", provisioning / "dashboards", dashboards, directory / "data"):
            place.mkdir(parents=True)
        source = {
            "name": "Prometheus", "type": "prometheus", "access": "proxy", "url": self.prometheus_url,
            "isDefault": True, "jsonData": {"timeInterval": f"{max(round(self.minute_s * 1000), 1)}ms"},
        }  # fmt: skip
        provider = {"name": "inference-exporter", "type": "file", "options": {"path": str(dashboards)}}
        _write(provisioning / "datasources" / "prometheus.yml", {"apiVersion": 1, "datasources": [source]})
        _write(provisioning / "dashboards" / "files.yml", {"apiVersion": 1, "providers": [provider]})
        for board in BOARDS:
            shown = grafana.document(board._replace(since="now-5m"), Choice(refresh="5s"))
            shown = compressed(shown, _MINUTE_S / self.minute_s)
            (dashboards / f"{board.uid}.json").write_text(json.dumps(shown), encoding="utf-8")
        return {
            "GF_PATHS_PROVISIONING": str(provisioning), "GF_PATHS_DATA": str(directory / "data"),
            "GF_PATHS_LOGS": str(directory / "data"), "GF_SERVER_HTTP_ADDR": "127.0.0.1",
            "GF_SERVER_HTTP_PORT": str(port), "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(dashboards / f"{links.HEALTH}.json"),
            "GF_ANALYTICS_REPORTING_ENABLED": "false", "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_LOG_LEVEL": "warn",
        }  # fmt: skip

    def command(self, program: str) -> list[str]:
        """The command of a Grafana that is installed; the environment says the rest."""
        home = next((place for place in _GRAFANA_HOMES if Path(place).is_dir()), None)
        words = [program] if Path(program).name == "grafana-server" else [program, "server"]
        return [*words, *(["--homepath", home] if home else [])]

    def container_name(self, directory: Path) -> str:
        """By what a container is known to Docker, even when the command that runs it was killed."""
        return directory.parent.name

    def container(self, docker: str, directory: Path, environment: dict[str, str]) -> list[str]:
        """The command of a Grafana in a container that is gone when it ends; it shares the host's loopback.

        What it writes stays in the container: it is another user there.
        """
        kept = {name: value for name, value in environment.items() if name not in {"GF_PATHS_DATA", "GF_PATHS_LOGS"}}
        settings = [word for name, value in kept.items() for word in ("--env", f"{name}={value}")]
        return [
            docker, "run", "--rm", "--name", self.container_name(directory), "--network", "host",
            "--volume", f"{directory}:{directory}:ro", *settings, _GRAFANA_IMAGE,
        ]  # fmt: skip


def _recording(document: dict[str, Any]) -> dict[str, Any]:
    """Groups of rules without their alerts."""
    groups = [
        group | {"rules": [rule for rule in group["rules"] if "record" in rule]} for group in document["groups"]
    ]  # fmt: skip
    return {"groups": [group for group in groups if group["rules"]]}


def _write(path: Path, document: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path
