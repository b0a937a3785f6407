"""Hostile clients of the web side, all at once: the page is served, memory is bounded, and every exchange is accounted.

What they cost the relay's clients is measured by `make bench-hostile`; here nothing is timed.
"""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import bcrypt
import pytest
from attacks import ATTACKS
from support import Metrics, Sidecar, accounted, eventually, model_server, predict
from web.doors import peer

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
PASSWORD = "of this test"  # noqa: S105
MOST_BYTES = 300 << 20
"""Of the analyser: what it has without anybody (a hundred MiB), what events may hold, and a little of each client."""
REQUESTS = 300


@contextmanager
def attacked(name: str, port: int) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, str(BENCHMARKS / "attacks.py"), name, str(port)], env=os.environ | {"PASSWORD": PASSWORD}
    )
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


def scrape(running: Sidecar) -> Metrics:
    """As Prometheus: a connection of its own each time, and its password."""
    basic = base64.b64encode(f"prometheus:{PASSWORD}".encode())
    with peer(running.web_port) as client:
        client.send(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\nAuthorization: Basic " + basic + b"\r\n\r\n")
        parts = []
        while part := client.sock.recv(1 << 16):
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    return Metrics(body.decode())


def resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Sidecar]:
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode()
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{prometheus: {hashed}}}\n")
    (tmp_path / "token").write_text("0123456789abcdef")
    with model_server() as port:
        found = Sidecar(
            port, "--web.config.file", str(tmp_path / "web.yml"), "--events.enable", "true",
            "--events.token-file", str(tmp_path / "token"),
        )  # fmt: skip
        try:
            eventually(lambda: found.get(found.health_port, "/-/ready")[0] == 200, what="relaying")
            eventually(lambda: _has_page(found), what="a page")
            yield found
        except BaseException:
            print(found.log(), file=sys.stderr)
            raise
        finally:
            found.kill()


def _has_page(found: Sidecar) -> bool:
    try:
        return bool(scrape(found).samples)
    except (OSError, AssertionError):
        return False


@pytest.mark.paced
@pytest.mark.alone  # it takes the processors from everybody else's tests
def test_while_all_of_them_attack_at_once_the_page_is_served_and_every_exchange_is_accounted(running: Sidecar) -> None:
    pid = running.pid_of("exporter.analyser")
    names = ("slowloris", "unread", "passwords", "bodies", "pipelines", "connections", "queries",
             "unread_pages")  # fmt: skip
    assert set(names) <= set(ATTACKS)
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(attacked(name, running.web_port))
        for number in range(REQUESTS):
            predict(running.url, [[1, 2]])
            if number % 50 == 0:
                scrape(running)
                assert resident(pid) < MOST_BYTES
        eventually(lambda: _refused(scrape(running)) >= {"password", "token", "crowded"}, what="their being refused")
    metrics = eventually(lambda: _settled(running), what="all exchanges accounted for")
    assert metrics.value("inference_exporter_exchanges_offered_total") == REQUESTS
    assert running.pid_of("exporter.analyser") == pid, "nobody had to be started again"
    assert resident(pid) < MOST_BYTES


def _refused(metrics: Metrics) -> set[str]:
    return {labels["reason"] for labels, count in metrics.all("inference_exporter_web_refused_total") if count}


def _settled(running: Sidecar) -> Metrics | None:
    metrics = scrape(running)
    offered = metrics.value("inference_exporter_exchanges_offered_total")
    return metrics if offered == REQUESTS and accounted(metrics) else None
