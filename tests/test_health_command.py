"""`inference-exporter health`, which platforms run beside a sidecar: its exit code is all they look at."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import Sidecar, command, eventually, free_port, model_server, sidecar

HEAVY = ("asyncio", "bcrypt", "cheroot", "flask", "numpy", "orjson", "psutil", "requests", "scipy", "uvloop", "yaml")


@pytest.fixture(scope="module")
def running() -> Iterator[Sidecar]:
    with model_server() as port, sidecar(port) as one:
        yield one


def address(one: Sidecar) -> str:
    return f"127.0.0.1:{one.health_port}"


@pytest.mark.parametrize(
    ("flags", "says"),
    [((), "inference-exporter is ready\n"), (("--live",), "inference-exporter is healthy\n")],
    ids=["ready", "live"],
)
def test_a_sidecar_that_serves_is_well(running: Sidecar, flags: tuple[str, ...], says: str) -> None:
    done = command("health", "--health.listen-address", address(running), *flags)
    assert (done.returncode, done.stdout, done.stderr) == (0, says, "")


def test_the_address_is_found_where_serve_finds_it(running: Sidecar, tmp_path: Path) -> None:
    right, wrong = address(running), f"127.0.0.1:{free_port()}"
    file, other = tmp_path / "exporter.yml", tmp_path / "other.yml"
    file.write_text(f"health:\n  listen_address: {right}\n")
    other.write_text(f"health:\n  listen_address: {wrong}\n")
    told = {"INFERENCE_EXPORTER_CONFIG": str(file)}
    assert command("health", environ=told).returncode == 0
    assert command("health", "--config", str(other), environ=told).returncode == 1
    assert command("health", "--config", str(file)).returncode == 0
    assert command("health", environ={"INFERENCE_EXPORTER_HEALTH_LISTEN_ADDRESS": right}).returncode == 0
    assert command("health", environ=told | {"INFERENCE_EXPORTER_HEALTH_LISTEN_ADDRESS": wrong}).returncode == 1
    flag = ("--health.listen-address", right)
    assert command("health", *flag, environ={"INFERENCE_EXPORTER_HEALTH_LISTEN_ADDRESS": wrong}).returncode == 0


@pytest.mark.parametrize("host", ["0.0.0.0", ""], ids=["of every address", "without a host"])  # noqa: S104
def test_a_listener_of_every_address_is_asked_near_by(running: Sidecar, host: str) -> None:
    assert command("health", "--health.listen-address", f"{host}:{running.health_port}").returncode == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("health: [", "not YAML"),
        ("helth: {}", "helth: unknown key"),
        ("health: {listen_address: x}", "exporter.yml: health.listen_address: must be HOST:PORT"),
    ],
    ids=["no YAML", "an unknown key", "no address"],
)
def test_a_file_that_is_wrong_by_now_is_told_and_the_default_is_asked(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "exporter.yml"
    file.write_text(text)
    done = command("health", "--config", str(file))
    first = done.stderr.splitlines()[0]
    assert says in first
    assert first.endswith("; asked is 0.0.0.0:9878")


def test_where_nobody_listens_it_says_where_it_asked() -> None:
    port = free_port()
    done = command("health", "--health.listen-address", f"127.0.0.1:{port}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"inference-exporter: 127.0.0.1:{port}: [Errno 111] Connection refused\n"


def test_who_does_not_answer_in_time_is_not_well() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        done = command("health", "--health.listen-address", f"127.0.0.1:{port}", "--timeout", "200ms")
    assert (done.returncode, done.stderr) == (1, f"inference-exporter: 127.0.0.1:{port}: no answer in time\n")


@pytest.mark.parametrize("sent", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"],
                         ids=["headers", "a body"])  # fmt: skip
def test_who_answers_byte_by_byte_is_not_waited_for_longer_than_was_said(sent: bytes) -> None:
    def dribble(server: socket.socket) -> None:
        with contextlib.suppress(OSError), server.accept()[0] as client:
            client.sendall(sent)
            while True:
                client.sendall(b"a")
                time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=dribble, args=(server,), daemon=True).start()
        at = f"127.0.0.1:{server.getsockname()[1]}"
        done = command("health", "--health.listen-address", at, "--timeout", "300ms")
    assert (done.returncode, done.stderr) == (1, f"inference-exporter: {at}: no answer in time\n")


def test_what_another_server_says_cannot_steer_a_terminal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as client:
                client.recv(4096)
                client.sendall("HTTP/1.1 503 No\r\n\r\n\x1b[31m\r\u00e9\xff\n".encode())

        threading.Thread(target=answer, daemon=True).start()
        at = f"127.0.0.1:{server.getsockname()[1]}"
        done = command("health", "--health.listen-address", at, environ={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (1, f"inference-exporter: {at}: 503 ?[31m???\n")


@pytest.mark.parametrize("host", ["x" * 64, ".."], ids=["too long", "empty labels"])
def test_a_name_that_cannot_be_one_is_told_in_a_line(host: str) -> None:
    done = command("health", "--health.listen-address", f"{host}:9878")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"inference-exporter: {host}:9878: ")


def test_a_sidecar_that_drains_lives_and_is_not_ready() -> None:
    with model_server() as port, sidecar(port, "--drain.delay", "1m") as one:
        at = ("--health.listen-address", address(one))
        one.process.send_signal(signal.SIGTERM)
        eventually(lambda: "draining" in one.log(), what="a drain")
        done = command("health", *at)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"inference-exporter: {address(one)}: 503 inference-exporter is not ready\n"
        assert command("health", *at, "--live").returncode == 0


@pytest.mark.parametrize("words", [("--health.listen-address", "9878"), ("--timeout", "soon")], ids=" ".join)
def test_flags_that_mean_nothing_are_errors_of_usage(words: tuple[str, ...]) -> None:
    assert command("health", *words).returncode == 64


def test_it_loads_nothing_heavy() -> None:
    program = f"""
import json, sys
from exporter import cli
code = cli.main(["health", "--health.listen-address", "127.0.0.1:{free_port()}"])
print(json.dumps([code, [name for name in {HEAVY} if name in sys.modules]]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=dict(os.environ))
    assert json.loads(done.stdout) == [1, []]
