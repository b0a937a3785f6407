"""A Prometheus over blocks that are there already: it scrapes nothing and compacts nothing."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil


@contextmanager
def prometheus(data: Path, settings: Mapping[str, Any], *flags: str) -> Iterator[tuple[str, psutil.Process]]:
    """Where it is, until it is left."""
    program = shutil.which("prometheus") or sys.exit("prometheus is needed: Debian's package prometheus")
    (data.parent / "prometheus.yml").write_text(json.dumps(settings))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        program, f"--config.file={data.parent / 'prometheus.yml'}", f"--storage.tsdb.path={data}", "--log.level=warn",
        f"--web.listen-address={address}", "--query.timeout=10m", "--storage.tsdb.min-block-duration=2h",
        "--storage.tsdb.max-block-duration=2h", "--storage.tsdb.retention.time=10y", *flags,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        _ready(f"http://{address}")
        yield f"http://{address}", psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait(10)


def _ready(address: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/-/ready", timeout=5).read()
        except OSError:
            time.sleep(0.2)
        else:
            return
    sys.exit("Prometheus does not answer")


def got(address: str, path: str, fields: Mapping[str, str]) -> bytes:
    """What its interface answers."""
    words = urllib.parse.urlencode(fields)
    with urllib.request.urlopen(f"{address}/api/v1/{path}?{words}", timeout=120) as answer:
        return bytes(answer.read())
