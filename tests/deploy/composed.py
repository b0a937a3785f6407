"""A compose file read as an engine would, as far as processes of this machine can stand for its containers.

Each service's very command is run; what it calls other services by becomes an address of the loopback, and what it has
mounted the place where that comes from. Images, networks, users and limits are not there.
"""

import os
import re
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from support import eventually, free_port, tool

from exporter.demo.stage import answers

_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
_ADDRESS: Final = re.compile(r"(?<![\w.-])([a-z]+|0\.0\.0\.0|127\.0\.0\.1):(\d{4,5})\b")
_OWN: Final = ("0.0.0.0", "127.0.0.1")  # noqa: S104 (compared with, not bound to)
_PROGRAMS: Final = {"prom/prometheus": ("prometheus", "prometheus"),
                    "prom/alertmanager": ("prometheus-alertmanager", "prometheus-alertmanager")}  # fmt: skip


def read(path: Path, environ: Mapping[str, str]) -> Any:
    """The file with its variables filled in; one that must be given and is not fails."""

    def value(found: re.Match[str]) -> str:
        name, kind, text = found.groups()
        if kind == "?" and name not in environ:
            pytest.fail(f"{name}: {text}")
        return environ.get(name, text or "")

    return yaml.safe_load(_VARIABLE.sub(value, path.read_text()))


class Composed:
    """The services of a file as processes."""

    def __init__(self, document: Any, directory: Path, stack: ExitStack) -> None:
        self.services: dict[str, Any] = document["services"]
        self._directory = directory
        self._stack = stack
        self._ports: defaultdict[tuple[str, str], int] = defaultdict(free_port)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def address(self, service: str, port: int | str) -> str:
        """Where one listens, here."""
        network = self.services[service].get("network_mode", "")
        host = network.removeprefix("service:") if network.startswith("service:") else service
        return f"127.0.0.1:{self._ports[host, str(port)]}"

    def here(self, service: str, word: str) -> str:
        """A word of a service's, with addresses and places of this machine."""

        def moved(found: re.Match[str]) -> str:
            host, port = found.groups()
            host = self._owner(service, port) if host in _OWN else host
            return self.address(host, port) if host in self.services else found[0]

        for target, source in self.mounted(service).items():
            if (found := re.fullmatch(rf"((?:.*=)?){re.escape(target)}((?:/.*)?)", word)) is not None:
                return f"{found[1]}{source}{found[2]}"
        return _ADDRESS.sub(moved, word)

    def _owner(self, service: str, port: str) -> str:
        """Whose a port of a loopback is: one without a network writes it down for somebody else."""
        if self.services[service].get("network_mode") != "none":
            return service
        listening = (
            name for name, other in self.services.items() if f"--listen=127.0.0.1:{port}" in other.get("command", ())
        )
        return next(listening)

    def mounted(self, service: str) -> dict[str, Path]:
        """Which directory of this machine stands for each that it has mounted."""
        found = {}
        for volume in self.services[service].get("volumes", ()):
            source, target = volume.split(":")[:2]
            found[target] = self._directory / source
            found[target].mkdir(parents=True, exist_ok=True)
        return found

    def start(self, service: str) -> None:
        """Start it when those it depends on are as it wants them to be."""
        if service in self._processes:
            return
        for other, wanted in self.services[service].get("depends_on", {}).items():
            self.start(other)
            if wanted["condition"] == "service_completed_successfully":
                assert self._processes[other].wait(120) == 0, self.log(other)
            else:
                assert wanted["condition"] == "service_healthy"
                self.wait_healthy(other)
        with self._path(service).open("wb") as log:
            process = subprocess.Popen(
                self.command(service), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        self._processes[service] = process
        self._stack.callback(_end, process)

    def command(self, service: str) -> list[str]:
        """What its container would run."""
        image, *_ = self.services[service]["image"].split(":")
        words = [self.here(service, word) for word in self.services[service]["command"]]
        if image in _PROGRAMS:
            return [tool(*_PROGRAMS[image]), *words]
        assert image.startswith("inference-exporter"), "whose entry point is the command"
        return [sys.executable, "-m", "exporter", *words]

    def wait_healthy(self, service: str) -> None:
        """Wait until the command that an engine would ask says so."""

        def healthy() -> bool:
            assert self._processes[service].poll() is None, self.log(service)
            return self.healthy(service)

        eventually(healthy, what=f"{service} healthy")

    def healthy(self, service: str) -> bool:
        kind, program, *words = [self.here(service, word) for word in self.services[service]["healthcheck"]["test"]]
        assert kind == "CMD", "there may be no shell"
        if program == "wget":
            return answers(words[-1])
        assert program == "inference-exporter"
        return _succeeds([sys.executable, "-m", "exporter", *words])

    def log(self, service: str) -> str:
        """What it has printed."""
        return self._path(service).read_text(errors="replace")

    def _path(self, service: str) -> Path:
        return self._directory / f"{service}.log"


def _succeeds(words: Sequence[str]) -> bool:
    return subprocess.run(words, capture_output=True, timeout=60, check=False).returncode == 0


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def composed(path: Path, directory: Path, **environ: str) -> Iterator[Composed]:
    """A file's services, none of them started yet; each is ended at the end, the last first."""
    with ExitStack() as stack:
        found = Composed(read(path, environ), directory, stack)
        try:
            yield found
        except BaseException:
            for log in sorted(directory.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}")
            raise
