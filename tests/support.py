"""Real processes for the tests: a model server, the sidecar beside it, and what Prometheus would read.

Everything listens on loopback and ephemeral ports, and everything that is started is ended by its process id.
"""

import io
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from exporter import cli

PATIENCE_S = 120.0
"""A guard against waiting for ever, not a measure: the processors may be shared with much else."""


_HELD: deque[socket.socket] = deque()


def free_port() -> int:
    """A port that is given to nobody else who asks for any: it stays bound, which keeps no server from listening."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    _HELD.append(sock)
    if len(_HELD) > 100:
        _HELD.popleft().close()
    port: int = sock.getsockname()[1]
    return port


def eventually(check: Callable[[], Any], within_s: float = PATIENCE_S, what: str = "condition") -> Any:
    """Wait until `check` gives something true, and give it back; it rests as long as a look took."""
    begun = time.monotonic()
    deadline = begun + within_s
    while True:
        last = check()
        if last:
            return last
        now = time.monotonic()
        if now > deadline:
            pytest.fail(f"{what} did not come true within {within_s} s (last: {last!r})")
        time.sleep(max(0.05, now - begun))
        begun = time.monotonic()


def tool(name: str, package: str) -> str:
    """The path of a program; where CI is set a missing one fails, elsewhere it skips."""
    found = shutil.which(name)
    if found is None:
        message = f"{name} is missing: install Debian's package {package}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


# --- model servers


class Answering(BaseHTTPRequestHandler):
    """Answers {"instances": [...]} with one prediction per row: the sum of the row's numbers."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet per answer: no 40 ms of delayed acknowledgements

    def do_GET(self) -> None:
        self._send(200, b"ready\n", "text/plain")

    do_HEAD = do_GET  # noqa: N815 (http.server's naming)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            rows = json.loads(body)["instances"]
            answers = [_total(row) for row in rows]
        except (ValueError, KeyError, TypeError):
            self._send(400, b'{"error": "bad request"}', "application/json")
        else:
            self._send(200, json.dumps({"predictions": answers}).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _total(row: Any) -> float:
    cells = row.values() if isinstance(row, dict) else row if isinstance(row, list) else [row]
    return float(sum(cell for cell in cells if isinstance(cell, int | float)))


@contextmanager
def model_server(handler: type[BaseHTTPRequestHandler] = Answering) -> Iterator[int]:
    """A model server in threads of the test's process; gives its port."""
    ThreadingHTTPServer.request_queue_size = 1024
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


# --- the sidecar


def _parsed(text: str) -> tuple[Sample, ...]:
    return tuple(sample for family in text_string_to_metric_families(text) for sample in family.samples)


class Metrics:
    """One scrape. Whoever waits looks at page after page for a sample or two, so what is asked for is read alone."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._named: dict[str, tuple[Sample, ...]] = {}

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        return _parsed(self.text)

    def _of(self, name: str) -> tuple[Sample, ...]:
        if name not in self._named:
            lines = re.findall(rf"^{re.escape(name)}[{{ ].*\n", self.text, re.MULTILINE)
            self._named[name] = _parsed("".join(lines))
        return self._named[name]

    def value(self, name: str, **labels: str) -> float:
        """The one sample of that name whose labels include those given; KeyError where there is none."""
        found = self.all(name, **labels)
        if len(found) != 1:
            raise KeyError(f"{len(found)} samples of {name} {labels}")
        return found[0][1]

    def all(self, name: str, **labels: str) -> list[tuple[Mapping[str, str], float]]:
        return [(sample.labels, sample.value) for sample in self._of(name) if labels.items() <= sample.labels.items()]

    def total(self, name: str, **labels: str) -> float:
        return sum(value for _, value in self.all(name, **labels))


PAGE_EVERY: Final = ("--windows.snapshot-interval", "200ms")
"""Tests wait for pages. Whoever says how often, in flags or a file, is heeded."""


class Sidecar:
    """A running `inference-exporter serve`."""

    def __init__(
        self,
        upstream_port: int | None,
        *flags: str,
        environ: Mapping[str, str] | None = None,
        wrapper: str | None = None,
        as_shipped: bool = False,
    ) -> None:
        """Without an upstream it relays nothing; in `wrapper`, a line for sh, `{command}` stands for the command.

        `as_shipped` has a page made as seldom as users have it.
        """
        self.port, self.web_port, self.health_port = free_port(), free_port(), free_port()
        self.log_path = Path(os.environ.get("TMPDIR", "/tmp")) / f"sidecar-{os.getpid()}-{self.port}.log"  # noqa: S108
        command = [
            sys.executable, "-m", "exporter", "serve",
            *(("--upstream", f"http://127.0.0.1:{upstream_port}", "--listen", f"127.0.0.1:{self.port}")
              if upstream_port else ("--no-relay",)),
            "--web.listen-address", f"127.0.0.1:{self.web_port}",
            "--health.listen-address", f"127.0.0.1:{self.health_port}",
            *(() if as_shipped or "--config" in flags else PAGE_EVERY),
            *flags,
        ]  # fmt: skip
        if wrapper is not None:
            command = ["sh", "-c", wrapper.replace("{command}", shlex.join(command))]
        self._log = self.log_path.open("wb")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=os.environ | dict(environ or {})
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_ready(self) -> "Sidecar":
        eventually(self._is_ready, what="sidecar ready")
        return self

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"the sidecar ended with {self.process.returncode}: {self.log()}")
        return self.get(self.health_port, "/-/ready")[0] == 200 and self.get(self.web_port, "/-/ready")[0] == 200

    def get(self, port: int, path: str) -> tuple[int, bytes]:
        """Status and body of a GET; status 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 0, b""

    def metrics(self) -> Metrics:
        status, body = self.get(self.web_port, "/metrics")
        assert status == 200, f"/metrics answered {status}: {self.log()}"
        return Metrics(body.decode())

    def settled(self, exchanges: int) -> Metrics:
        """A scrape after so many exchanges were offered, and all of them observed or dropped."""

        def scrape() -> Metrics | None:
            metrics = self.metrics()
            offered = metrics.value("inference_exporter_exchanges_offered_total")
            assert offered <= exchanges
            return metrics if offered == exchanges and accounted(metrics) else None

        result: Metrics = eventually(scrape, what=f"{exchanges} exchanges accounted for")
        return result

    def pid_of(self, module: str) -> int:
        """The process id of a child, by its module; 0 while there is none."""
        for line in children(self.process.pid):
            pid, command = line
            if module in command:
                return pid
        return 0

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def stop(self, number: int = signal.SIGTERM, within_s: float = PATIENCE_S) -> int:
        """End it; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(within_s)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it and its children for good, whatever state they are in."""
        family = [self.process.pid, *(pid for pid, _ in children(self.process.pid))]
        if self.process.poll() is None:
            for pid in family:
                _kill(pid)
            self.process.wait(10)
        self._log.close()
        self.log_path.unlink(missing_ok=True)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def children(pid: int) -> list[tuple[int, str]]:
    """Process ids and command lines of a process's children."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == pid:
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found.append((int(entry.name), command))
            except OSError:
                continue
    return found


def accounted(metrics: Metrics) -> bool:
    """offered = observed + Σ dropped, and nothing waits."""
    offered = metrics.value("inference_exporter_exchanges_offered_total")
    observed = metrics.value("inference_exporter_exchanges_observed_total")
    dropped = metrics.total("inference_exporter_exchanges_dropped_total")
    return offered == observed + dropped


@contextmanager
def sidecar(
    upstream_port: int | None, *flags: str, environ: Mapping[str, str] | None = None, as_shipped: bool = False
) -> Iterator[Sidecar]:
    """A sidecar in front of a model server, or one that takes events alone; ended, children and all, at the end."""
    running = Sidecar(upstream_port, *flags, environ=environ, as_shipped=as_shipped)
    try:
        yield running.wait_ready()
    except BaseException:
        print(running.log(), file=sys.stderr)
        raise
    finally:
        running.kill()


def command(*words: str, environ: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run `inference-exporter` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "exporter", *words],
        capture_output=True, text=True, timeout=120, check=False, env=os.environ | dict(environ or {}),
    )  # fmt: skip


def build_profile(source: Path, output: Path, *words: str) -> Path:
    """What `inference-exporter profile build` writes, for tests about something else: no interpreter is started."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = cli.main(["profile", "build", str(source), "--output", str(output), *words])
    assert code == 0, said.getvalue()
    return output


def predict(url: str, instances: list[Any], path: str = "/v1/models/m:predict") -> Any:
    """POST rows as KServe V1; the parsed answer."""
    request = urllib.request.Request(
        url + path, json.dumps({"instances": instances}).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
