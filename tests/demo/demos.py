"""The demo as people run it, in a home of its own."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

PATIENCE_S = 150.0
DEMO = [sys.executable, "-m", "exporter", "demo"]


@contextmanager
def home_of(directory: Path) -> Iterator[Path]:
    """Where demos keep their files. Whatever inherited the environment and still runs at the end is a leak."""
    yield directory
    assert running(directory) == []
    assert list(directory.glob("inference-exporter-demo-*")) == []


def running(home: Path) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


@contextmanager
def demo(
    home: Path, *words: str, ignored: signal.Signals | None = None, command: Sequence[str] = DEMO, **environment: str
) -> Iterator["subprocess.Popen[str]"]:
    one_thread = {"OMP_NUM_THREADS": "1"}  # of several, those that wait for a processor keep the others' busy
    given = os.environ | {"TMPDIR": str(home), "COLUMNS": "200"} | one_thread | environment
    with subprocess.Popen(
        [*_heeding(ignored), *command, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env=given, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


def _heeding(ignored: signal.Signals | None) -> list[str]:
    """What goes before a command that heeds every signal, or that is to ignore one as nohup does.

    A shell that starts the tests in the background has them ignore SIGINT, and so would all that they start.
    """
    kept = [f"--ignore-signal={ignored.name}"] if ignored else []
    return [shutil.which("env") or "/usr/bin/env", "--default-signal=INT,TERM,HUP", *kept]


def until(process: "subprocess.Popen[str]", words: str) -> str:
    """What it prints up to the line that says so."""
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if words in line:
            return printed
    pytest.fail(f"ended without a word of {words!r}: {printed}")


def rest(process: "subprocess.Popen[str]") -> str:
    """What it prints up to its end."""
    assert process.stdout
    printed = process.stdout.read()
    process.wait(PATIENCE_S)
    return printed


def kill(process: "subprocess.Popen[str]", words: str) -> None:
    """Kill the demo's own child whose command line says so."""
    [child] = [one for one in psutil.Process(process.pid).children() if words in " ".join(one.cmdline())]
    child.kill()


def stand_in(home: Path, name: str, script: str) -> str:
    """A program of that name which does something else; the PATH that finds it first."""
    path = home / name
    path.write_text(f"#!{shutil.which('sh')}\n{script}\n")
    path.chmod(0o755)
    return f"{home}:{os.environ['PATH']}"
