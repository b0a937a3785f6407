"""`inference-exporter profile …` as people and their terminals meet it."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support import command

from exporter.profile import load
from exporter.profile.progress import line

COMMAND = (sys.executable, "-m", "exporter", "profile")


def table(path: Path, rows: int = 200) -> str:
    path.write_text("a,town,p\n" + "".join(f"{row % 97},t{row % 3},{row / 7}\n" for row in range(rows)))
    return str(path)


def on_a_terminal(*words: str, until: Any = None) -> tuple[int, str]:
    """Exit code and what the terminal saw; `until` is called with that as it grows, and may end the process."""
    screen, inside = pty.openpty()
    with subprocess.Popen([*COMMAND, *words], stdout=subprocess.DEVNULL, stderr=inside, process_group=0) as process:
        os.close(inside)
        seen = b""
        try:
            while part := os.read(screen, 4096):
                seen += part
                if until is not None:
                    until(process, seen)
        except OSError:  # the other side is closed
            pass
        finally:
            os.close(screen)
    return process.returncode, seen.decode()


@pytest.fixture(scope="module")
def long_table(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Long enough for progress to be told of."""
    return table(tmp_path_factory.mktemp("long") / "t.csv", 600_000)


def test_profiles_of_equal_edges_are_merged(tmp_path: Path) -> None:
    one, two, three = (str(tmp_path / name) for name in ("one.json", "two.json", "three.json"))
    source = table(tmp_path / "t.csv")
    assert command("profile", "build", source, "--prediction", "p", "--model", "m", "--output", one).returncode == 0
    result = command("profile", "build", table(tmp_path / "u.csv", 300), "--like", one, "--output", two)
    assert result.returncode == 0, result.stderr
    result = command("profile", "merge", one, two, "--output", three)
    assert result.returncode == 0, result.stderr
    assert "m unknown: 500 rows of t.csv + u.csv" in result.stdout
    assert load(three).rows == 500


def test_profiles_of_other_edges_are_not_merged_and_nothing_is_written(tmp_path: Path) -> None:
    one, two, three = (str(tmp_path / name) for name in ("one.json", "two.json", "three.json"))
    command("profile", "build", table(tmp_path / "t.csv"), "--prediction", "p", "--output", one)
    command("profile", "build", table(tmp_path / "u.csv", 57), "--prediction", "p", "--output", two)
    result = command("profile", "merge", one, two, "--output", three)
    assert result.returncode == 65
    assert result.stderr == (
        f"inference-exporter: {two} and {one}: features: 'a' has other edges: build one with --like the other\n"
    )
    assert not Path(three).exists()


def test_a_build_needs_to_know_the_predictions(tmp_path: Path) -> None:
    result = command("profile", "build", table(tmp_path / "t.csv"))
    assert (result.returncode, result.stderr.count("\n")) == (64, 1)
    assert "--prediction" in result.stderr


@pytest.mark.parametrize(("flags", "words"), [
    (("--delimiter", ";;"), "--delimiter"), (("--decimal", "x"), "--decimal"), (("--quote", "\n"), "--quote"),
    (("--encoding", "none"), "--encoding none"),
])  # fmt: skip
def test_a_wrong_dialect_is_a_usage_error(tmp_path: Path, flags: Any, words: str) -> None:
    result = command("profile", "build", table(tmp_path / "t.csv"), "--prediction", "p", *flags)
    assert (result.returncode, result.stderr.count("\n")) == (64, 1)
    assert words in result.stderr


def test_a_dialect_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\tp\n" + "1,5\t0,5\n" * 20, encoding="latin-1")
    output = str(tmp_path / "p.json")
    result = command("profile", "build", str(tmp_path / "t.csv"), "--prediction", "p", "--delimiter", "\\t",
                     "--decimal", ",", "--encoding", "latin-1", "--output", output)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert load(output).features[0].mean == 1.5


def test_what_the_other_profile_says_is_not_said_again(tmp_path: Path) -> None:
    for flag in ("--prediction", "--target", "--ignore", "--model", "--model-version"):
        result = command("profile", "build", table(tmp_path / "t.csv"), "--like", "p.json", flag, "p")
        assert (result.returncode, result.stderr) == (
            64, f"inference-exporter: {flag}: cannot be said beside --like, whose profile says it\n"
        )  # fmt: skip


# --- progress


def test_a_line_of_progress_says_share_rows_rate_and_time_left() -> None:
    assert line(0.25, 5000, 10.0) == "██████░░░░░░░░░░░░░░░░░░  25%  5,000 rows, 500/s, 0:30 left"
    assert line(0.5, 10**6, 7200.0).endswith("50%  1,000,000 rows, 139/s, 2:00:00 left")
    assert line(0.0, 0, 0.0) == "░" * 24 + "   0%  0 rows, 0/s"


def test_a_terminal_sees_progress_and_at_the_end_a_clean_line(long_table: str, tmp_path: Path) -> None:
    code, seen = on_a_terminal("build", long_table, "--prediction", "p", "--output", str(tmp_path / "p.json"))
    assert code == 0
    shares = [int(share) for share in re.findall(r"(\d+)%", seen)]
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert re.search(r"[\d,]+ rows, [\d,]+/s, \d:\d\d left", seen)
    assert seen.endswith("\r\x1b[K")


def test_what_is_no_terminal_sees_nothing(long_table: str, tmp_path: Path) -> None:
    result = command("profile", "build", long_table, "--prediction", "p", "--output", str(tmp_path / "p.json"))
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout


def test_an_interrupt_leaves_no_half_file_and_the_old_one_as_it_was(tmp_path: Path) -> None:
    output = tmp_path / "p.json"
    output.write_text("old")
    source = table(tmp_path / "t.csv", 3_000_000)

    sent = []

    def interrupt(process: subprocess.Popen[bytes], seen: bytes) -> None:
        if b"%" in seen and not sent:
            sent.append(seen)
            process.send_signal(signal.SIGINT)

    code, seen = on_a_terminal("build", source, "--prediction", "p", "--output", str(output), until=interrupt)
    assert code == 130
    assert "Traceback" not in seen
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.json", "t.csv"]
    assert output.read_text() == "old"


SLOW_WRITE = """
import os, sys, time
from exporter import cli
def slow(descriptor):
    print("writing", flush=True)
    time.sleep(60)
os.fsync = slow
sys.exit(cli.main(["profile", "build", sys.argv[1], "--prediction", "p", "--output", sys.argv[2]]))
"""


def test_an_interrupt_while_it_is_written_leaves_the_old_file_alone(tmp_path: Path) -> None:
    output = tmp_path / "p.json"
    output.write_text("old")
    words = [sys.executable, "-c", SLOW_WRITE, table(tmp_path / "t.csv"), str(output)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (130, b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.json", "t.csv"]
    assert output.read_text() == "old"
