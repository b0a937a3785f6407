"""A real Prometheus, a real Alertmanager and somebody to be paged, with the shipped rules in compressed time.

Everything listens on loopback and ephemeral ports, keeps its files in a directory of the test's, and is ended by its
process id.
"""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from support import Metrics, eventually, free_port, tool

from exporter.demo import watchers
from exporter.demo.pager import Page, Pager, pager

MINUTE_S: Final = 1.0
"""What the files say in minutes passes in seconds."""

# --- the one who is paged


Notice = Page
"""One alert of one webhook."""


class Inbox:
    """What Alertmanager sent, each piece of news once."""

    def __init__(self, received: Pager) -> None:
        self.url = f"http://127.0.0.1:{received.port}"
        self._received = received
        self._notices: list[Notice] = []

    def all(self) -> list[Notice]:
        """In the order in which they came."""
        self._notices += self._received.new()
        return list(self._notices)

    def of(self, alert: str, status: str, **labels: str) -> list[Notice]:
        wanted = {"alertname": alert, **labels}.items()
        return [notice for notice in self.all() if notice.status == status and wanted <= notice.labels.items()]

    def unresolved(self) -> set[str]:
        """Names of the alerts of which the last that was told is not that they ended."""
        last = {tuple(sorted(notice.labels.items())): notice for notice in self.all()}
        return {notice.labels["alertname"] for notice in last.values() if notice.status != "resolved"}


@contextmanager
def inbox() -> Iterator[Inbox]:
    """A receiver of webhooks, in threads of the test's process."""
    with pager() as received:
        yield Inbox(received)


# --- processes


def ask(url: str, **parameters: Any) -> Any:
    """GET, and the parsed answer; a refusal fails the test with its reason."""
    try:
        with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode(parameters)}", timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            pytest.fail(f"{url} {parameters}: {error.code} {error.read().decode(errors='replace')}")


@contextmanager
def _running(command: Sequence[str], log_path: Path, ready_url: str) -> Iterator[None]:
    """A process that answers at an address; ended for good at the end, its log shown if anything failed."""

    def ready() -> bool:
        if process.poll() is not None:
            pytest.fail(f"{command[0]} ended with {process.returncode}: {log_path.read_text(errors='replace')}")
        try:
            with urllib.request.urlopen(ready_url, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    with log_path.open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            eventually(ready, what=f"{command[0]} ready")
            yield
        except BaseException:
            print(log_path.read_text(errors="replace"))
            raise
        finally:
            process.kill()
            process.wait(10)


@contextmanager
def alertmanager(directory: Path, receiver_url: str, minute_s: float = MINUTE_S) -> Iterator[str]:
    """An Alertmanager with the shipped configuration: timings compressed, receivers at our address; gives its own."""
    address = f"127.0.0.1:{free_port()}"
    program = tool("prometheus-alertmanager", "prometheus-alertmanager")
    command = watchers.Alertmanager(receiver_url, minute_s).command(program, directory, address)
    with _running(command, directory / "log", f"http://{address}/-/ready"):
        yield address


class Prometheus:
    """A running Prometheus, to be asked."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}"
        self._api = f"{self._url}/api/v1"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an instant query gives."""
        found: list[dict[str, Any]] = ask(f"{self._api}/query", query=expression)["data"]["result"]
        return found

    def value(self, expression: str) -> float | None:
        """The one value that an instant query gives; None where it gives none."""
        found = self.query(expression)
        assert len(found) < 2, f"{expression}: {found}"
        return float(found[0]["value"][1]) if found else None

    def scraped(self, series: str) -> list[float]:
        """All values of a series, or of several, that were scraped, as they were."""
        return [float(value) for found in self.query(f"{series}[1h]") for _, value in found["values"]]

    def label_values(self, series: str, label: str) -> set[str]:
        found = ask(f"{self._api}/series", **{"match[]": series})["data"]
        return {labels[label] for labels in found if label in labels}

    def targets(self) -> set[str]:
        """Addresses of those that are scraped."""
        active = ask(f"{self._api}/targets", state="active")["data"]["activeTargets"]
        return {target["labels"]["instance"] for target in active}

    def firing(self) -> set[str]:
        """Names of the alerts that fire."""
        alerts = ask(f"{self._api}/alerts")["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def fired(self, since: float) -> set[str]:
        """Names of the alerts that fired at any evaluation since then."""
        found = self.query('ALERTS{alertstate="firing"}[1h]')
        return {one["metric"]["alertname"] for one in found if any(float(at) > since for at, _ in one["values"])}

    def failed_evaluations(self) -> float:
        """How many evaluations of rules have failed since its start; broken templates are not among them."""
        with urllib.request.urlopen(f"{self._url}/metrics", timeout=10) as page:
            return Metrics(page.read().decode()).total("prometheus_rule_evaluation_failures_total")


@contextmanager
def prometheus(directory: Path, targets: Iterable[str], alertmanager_address: str) -> Iterator[Prometheus]:
    """A Prometheus that scrapes and evaluates every second and has the shipped rules in compressed time."""
    address = f"127.0.0.1:{free_port()}"
    plan = watchers.Prometheus(list(targets), [alertmanager_address], MINUTE_S)
    command = plan.command(tool("prometheus", "prometheus"), directory, address)
    with _running(command, directory / "log", f"http://{address}/-/ready"):
        yield Prometheus(address)


@contextmanager
def recorded(directory: Path, history: str) -> Iterator[str]:
    """A Prometheus that scrapes nothing and has a history, which is written in OpenMetrics; gives its address."""
    promtool, written = tool("promtool", "prometheus"), directory / "history.om"
    directory.mkdir(parents=True)
    written.write_text(history, encoding="utf-8")
    subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(written), str(directory / "data")],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    with _bare(directory, {"scrape_configs": []}) as address:
        yield address


@contextmanager
def scraping(directory: Path, targets: Sequence[str], every: str, *flags: str) -> Iterator[str]:
    """A Prometheus that scrapes so often and has no rules; gives its address."""
    directory.mkdir(parents=True)
    job = {"job_name": "models", "scrape_interval": every, "scrape_timeout": every,
           "static_configs": [{"targets": [*targets]}]}  # fmt: skip
    with _bare(directory, {"scrape_configs": [job]}, *flags) as address:
        yield address


@contextmanager
def _bare(directory: Path, config: Any, *flags: str) -> Iterator[str]:
    address = f"127.0.0.1:{free_port()}"
    (directory / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    command = [
        tool("prometheus", "prometheus"), f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address={address}", "--log.level=warn", *flags,
    ]  # fmt: skip
    with _running(command, directory / "log", f"http://{address}/-/ready"):
        yield f"http://{address}"
