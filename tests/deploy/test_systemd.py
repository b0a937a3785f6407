"""The unit of deploy/systemd: what systemd says of it, and whether what it forbids is nothing that we do."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import command, eventually, free_port, model_server, predict, tool

from exporter import config
from exporter.demo.stage import answers

SYSTEMD = Path(__file__).parents[2] / "deploy" / "systemd"
UNIT = SYSTEMD / "inference-exporter.service"
ENVIRONMENT = SYSTEMD / "inference-exporter.env"
INSTALLED = "/opt/inference-exporter/bin/inference-exporter"
MOST_EXPOSED = 20
"""Tenths; systemd calls what is below 40 OK."""
CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(\w+)\((.*)", re.MULTILINE)


def settings(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(), re.MULTILINE)


def setting(key: str) -> str:
    (found,) = settings(key)
    return str(found)


def environment() -> dict[str, str]:
    """As systemd reads it."""
    lines = [line for line in ENVIRONMENT.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def analyze(*words: str) -> "subprocess.CompletedProcess[str]":
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: this machine has no systemd")
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text().replace(INSTALLED, sys.executable)
    (tmp_path / UNIT.name).write_text(text)
    done = analyze("verify", "--man=no", "--recursive-errors=no", str(tmp_path / UNIT.name))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_misspelt_setting_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / UNIT.name).write_text(UNIT.read_text().replace("ProtectHome=", "ProtectHomes="))
    assert "ProtectHomes" in analyze("verify", "--man=no", str(tmp_path / UNIT.name)).stderr


def test_systemd_finds_it_little_exposed() -> None:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(UNIT))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_of_the_example_is_one(tmp_path: Path) -> None:
    given = {name: value.replace("/var/lib/inference-exporter", str(tmp_path)) for name, value in environment().items()}
    done = command("check", environ=given)
    assert done.returncode == 0, done.stderr
    named = re.findall(r"^#? ?(INFERENCE_EXPORTER_\w+)=", ENVIRONMENT.read_text(), re.MULTILINE)
    known = {key.environment for key in config.every_key()} | {"INFERENCE_EXPORTER_CONFIG"}
    assert set(named) <= known


def test_it_is_given_the_time_that_a_drain_takes() -> None:
    defaults = config.Settings().drain
    assert float(setting("TimeoutStopSec")) > defaults.delay + defaults.timeout + 2 + 10


def test_the_analyser_ends_before_the_whole_is_short_of_memory() -> None:
    limit = environment()["INFERENCE_EXPORTER_ANALYSER_MEMORY_LIMIT"]
    assert (setting("MemoryMax"), limit) == ("1G", "768MiB")


# --- run as the unit would, by hand: systemd is not the first process where tests run


@contextmanager
def started(directory: Path, *before: str) -> Iterator["tuple[subprocess.Popen[bytes], str, str]"]:
    """Its very ExecStart and environment, at addresses of ours; the process, the relay's URL and that of health."""
    words = shlex.split(setting("ExecStart"))
    assert words[0] == INSTALLED
    ports = [free_port() for _ in range(3)]
    places = dict(zip(("LISTEN", "WEB_LISTEN_ADDRESS", "HEALTH_LISTEN_ADDRESS"), ports, strict=True))
    ours = {f"INFERENCE_EXPORTER_{name}": f"127.0.0.1:{port}" for name, port in places.items()}
    with model_server() as upstream, (directory / "log").open("wb") as log:
        given = environment() | ours | {
            "INFERENCE_EXPORTER_UPSTREAM": f"http://127.0.0.1:{upstream}",
            "INFERENCE_EXPORTER_STATE_DIRECTORY": str(directory / "state"),
        }  # fmt: skip
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "exporter", *words[1:]], env=os.environ | given,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            eventually(lambda: all(answers(f"http://127.0.0.1:{port}/-/ready") for port in ports[1:]))
            yield process, f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[2]}"
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def test_it_runs_under_its_environment_reloads_and_ends_as_the_unit_asks_it_to(tmp_path: Path) -> None:
    with started(tmp_path) as (process, url, _):
        assert predict(url, [[1.0, 2.0]]) == {"predictions": [3.0]}
        assert setting("ExecReload") == "/bin/kill -HUP $MAINPID"
        process.send_signal(signal.SIGHUP)
        eventually(lambda: "settings reloaded" in (tmp_path / "log").read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert list((tmp_path / "state").iterdir())


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Every system call, by name and arguments, of a start, requests and a drain."""
    directory = tmp_path_factory.mktemp("traced")
    trace = directory / "trace"
    words = [tool("strace", "strace"), "--follow-forks", "--output", str(trace)]
    with started(directory, *words) as (process, url, health):
        for _ in range(3):
            predict(url, [[1.0, 2.0]])
        assert answers(f"{health}/-/healthy")
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGTERM)
        assert process.wait(60) == 0
    return CALL.findall(trace.read_text(errors="replace"))


@pytest.mark.slow
def test_no_system_call_of_ours_is_one_that_the_unit_forbids(traced: list[tuple[str, str]]) -> None:
    assert settings("SystemCallFilter") == ["@system-service", "~@privileged"]
    allowed = calls_of("@system-service") - calls_of("@privileged")
    used = {name for name, _ in traced}
    assert "memfd_create" in used
    assert used - allowed == set()


@pytest.mark.slow
def test_no_memory_is_made_both_writable_and_executable(traced: list[tuple[str, str]]) -> None:
    assert setting("MemoryDenyWriteExecute") == "yes"
    mapped = [told for name, told in traced if name in {"mmap", "mprotect", "pkey_mprotect"}]
    assert any("PROT_EXEC" in told for told in mapped), "libraries are"
    assert [told for told in mapped if "PROT_WRITE" in told and "PROT_EXEC" in told] == []
    protected = [told for name, told in traced if name in {"mprotect", "pkey_mprotect"}]
    assert [told for told in protected if "PROT_EXEC" in told] == []


@pytest.mark.slow
def test_no_socket_is_of_a_family_that_the_unit_forbids(traced: list[tuple[str, str]]) -> None:
    families = {told.split(",")[0] for name, told in traced if name in {"socket", "socketpair"}}
    assert families
    assert families <= set(setting("RestrictAddressFamilies").split())


def calls_of(group: str) -> set[str]:
    """The system calls of one of systemd's groups, with those of the groups in it."""
    lines = [line.split("#")[0].strip() for line in analyze("syscall-filter", group).stdout.splitlines()[1:]]
    found = {line for line in lines if line}
    return {call for call in found if not call.startswith("@")}.union(
        *(calls_of(inner) for inner in found if inner.startswith("@"))
    )
