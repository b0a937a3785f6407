"""A store that could never be had is refused before anything starts; one that is merely away is not."""

import subprocess
import sys
from pathlib import Path

import pytest
from support import command, free_port

WRONG = {
    "postgres://host/db": "must begin with one of sqlite:, memory:, redis:, rediss:, postgresql:, did you mean",
    "/var/lib/feedback.db": "must begin with one of",
    "sqlite:": "is followed by the path of a file",
    "redis:host": "must have the form redis://",
    "rediss://host?ca=/ca.pem": "must have the form redis://",
    "postgresql://host/db?colour=red": "must have the form postgresql://",
}


def feedback(store: str, *more: str) -> tuple[str, ...]:
    return ("--feedback.enable", "true", "--feedback.store", store, *more)


def assert_refused(result: "subprocess.CompletedProcess[str]", words: str) -> None:
    assert (result.returncode, result.stdout) == (64, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("inference-exporter: feedback.store")
    assert words in line


@pytest.mark.parametrize("store", WRONG)
def test_check_refuses_an_address_of_no_store(store: str) -> None:
    assert_refused(command("check", *feedback(store)), WRONG[store])


@pytest.mark.parametrize("store", ["redis://host", "postgresql://host/db"])
def test_check_refuses_a_password_file_that_cannot_be_read(store: str, tmp_path: Path) -> None:
    missing = tmp_path / "password"
    result = command("check", *feedback(store, "--feedback.store-password-file", str(missing)))
    assert_refused(result, f"{missing}: No such file")
    missing.write_bytes(b"\xff\xfe")
    result = command("check", *feedback(store, "--feedback.store-password-file", str(missing)))
    assert_refused(result, str(missing))


@pytest.mark.parametrize(
    ("store", "library", "extra"), [("redis://host", "redis", "redis"), ("postgresql://host/db", "psycopg", "postgres")]
)
def test_check_refuses_a_store_whose_library_is_missing(store: str, library: str, extra: str) -> None:
    program = (
        f"import sys; sys.modules[{library!r}] = None\n"
        f"from exporter.cli import main\n"
        f"sys.exit(main(['check', *{feedback(store)!r}]))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert_refused(result, f"pip install 'inference-exporter[{extra}]'")


def test_serve_does_not_start_with_a_wrong_store() -> None:
    ports = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    flags = ("--listen", ports[0], "--web.listen-address", ports[1], "--health.listen-address", ports[2])
    result = command("serve", "--upstream", "http://127.0.0.1:9", *flags, *feedback("redis://host/first"))
    assert_refused(result, "must have the form redis://")


@pytest.mark.parametrize("scheme", ["redis", "postgresql"])
def test_a_server_that_is_away_is_no_reason(scheme: str) -> None:
    result = command("check", *feedback(f"{scheme}://127.0.0.1:{free_port()}/0"))
    assert (result.returncode, result.stderr) == (0, "")


def test_what_is_not_enabled_is_not_looked_at() -> None:
    assert command("check", "--feedback.store", "redis:host").returncode == 0


def test_check_refuses_a_token_file_of_feedback_that_cannot_be_read(tmp_path: Path) -> None:
    result = command("check", "--feedback.enable", "true", "--feedback.token-file", str(tmp_path / "none"))
    assert (result.returncode, result.stdout) == (64, "")
    assert "feedback.token_file" in result.stderr
