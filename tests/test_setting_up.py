"""What `make demo` does before there is a demo: missing tools are installed, and nothing else happens to a machine."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from support import eventually, tool

ROOT = Path(__file__).parents[1]
INSTALL = [shutil.which("sh") or "/bin/sh", str(ROOT / "deploy" / "install-tools")]
DEMOS = ["prometheus", "prometheus-alertmanager"]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The programs of a machine on which root runs and nothing is installed, not even apt."""
    for name in ("rm", "chmod", "sleep"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    program(tmp_path, "id", "echo 0")
    return tmp_path


def program(machine: Path, name: str, script: str = "exit 0") -> None:
    (machine / name).write_text(f"#!{INSTALL[0]}\n{script}\n")
    (machine / name).chmod(0o755)


def environment(machine: Path) -> Mapping[str, str]:
    return {"PATH": str(machine), "POLICY_RC_D": str(machine / "policy-rc.d")}


def install(machine: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*INSTALL, *DEMOS], env=environment(machine), capture_output=True, text=True, check=False, timeout=30
    )


@pytest.mark.parametrize("alertmanager", ["prometheus-alertmanager", "alertmanager"])
def test_tools_on_the_path_are_not_missing_wherever_they_came_from(machine: Path, alertmanager: str) -> None:
    program(machine, "prometheus")
    program(machine, alertmanager)
    done = install(machine)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nginx_is_there_in_whatever_flavour(machine: Path) -> None:
    program(machine, "nginx")
    done = subprocess.run(
        [*INSTALL, "nginx-light"], env=environment(machine), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("package", ["prometheus", "prometheus-alertmanager", "nginx-light", "strace"])
def test_what_the_tests_of_a_change_fail_without_is_installed_before_them(package: str) -> None:
    """Where CI is set, nothing is skipped."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    [line] = [line for line in lines if line.startswith("deploy/install-tools ")]
    assert package in line.split()


def test_what_cannot_be_installed_is_named(machine: Path) -> None:
    program(machine, "prometheus")
    done = install(machine)
    assert (done.returncode, done.stderr) == (1, "please install: prometheus-alertmanager\n")


def test_what_is_missing_is_installed_and_no_service_may_start_in_the_meantime(machine: Path) -> None:
    program(machine, "prometheus")
    program(machine, "apt-get", f'echo "$@"; test -x {machine}/policy-rc.d || echo a service could start')
    done = install(machine)
    assert done.returncode == 0
    assert done.stdout == "update -qq\ninstall -y -qq --no-install-recommends prometheus-alertmanager\n"
    assert not (machine / "policy-rc.d").exists()


def test_a_policy_that_was_there_before_stays(machine: Path) -> None:
    program(machine, "apt-get")
    (machine / "policy-rc.d").touch()
    assert install(machine).returncode == 0
    assert (machine / "policy-rc.d").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupt_leaves_no_policy_behind_that_keeps_services_from_starting(
    machine: Path, number: signal.Signals
) -> None:
    program(machine, "apt-get", f"echo >{machine}/begun; exec sleep 60")
    with subprocess.Popen([*INSTALL, *DEMOS], env=environment(machine), start_new_session=True) as process:
        eventually((machine / "begun").exists, what="apt-get")
        assert (machine / "policy-rc.d").exists()
        os.killpg(process.pid, number)  # as a terminal does
        assert process.wait(30) == 130
    assert not (machine / "policy-rc.d").exists()


@pytest.mark.parametrize(("code", "words"), [(0, True), (1, True), (100, True), (130, False)])
def test_the_demo_does_without_what_cannot_be_installed_but_not_after_an_interrupt(code: int, words: bool) -> None:
    planned = dry_run()
    [line] = [line for line in planned.splitlines() if "install-tools" in line]
    rest = line[line.index("||") :]
    done = subprocess.run(["sh", "-c", f"(exit {code}) {rest}"], check=False)
    assert (done.returncode == 0) is words


@pytest.mark.parametrize(("wish", "kept"), [("1", True), ("yes", True), ("", False), ("0", False), ("no", False)])
def test_a_wish_to_keep_is_a_wish_only_where_it_is_not_denied(wish: str, kept: bool) -> None:
    assert ("--keep" in dry_run(f"KEEP={wish}")) is kept


def dry_run(*words: str) -> str:
    done = subprocess.run(
        [tool("make", "make"), "--dry-run", "demo", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout
