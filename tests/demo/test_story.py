"""The demonstration as people run it: real processes, real pages, and nothing left behind however it ends."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo.demos import DEMO, PATIENCE_S, demo, home_of, rest, until
from support import tool

from exporter.demo import chapters
from exporter.demo.chapters import SHORTEST_S
from exporter.demo.story import Wishes

DURATION_S = 120
INTERRUPTED = """
import os, signal, sys

class Impatient:
    def find_spec(self, name, path=None, target=None):
        if name == {imported!r}:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Impatient())
"""
"""Interrupts whatever imports a module, at that moment."""
PAGE = re.compile(r"^(\d\d):(\d\d)  (TICKET|PAGE|resolved) +(\w+) ?(\w*)$", re.MULTILINE)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with home_of(tmp_path) as found:
        yield found


def told(home: Path, *words: str, **environment: str) -> str:
    """What a demo prints, from its beginning to its end."""
    with demo(home, *words, **environment) as process:
        printed, _ = process.communicate(timeout=DURATION_S + PATIENCE_S)
    assert process.returncode == 0, printed
    return printed


@pytest.mark.paced
@pytest.mark.alone  # an analyser that others hold up tells of the end of a fault too late
def test_the_whole_story_tells_each_fault_by_its_name_and_its_end(home: Path) -> None:
    for name in ("prometheus", "prometheus-alertmanager"):
        tool(name, name)
    printed = told(home, "--duration", f"{DURATION_S}s")
    pages = [(news, alert, subject) for _, _, news, alert, subject in PAGE.findall(printed)]
    expected = [
        ("TICKET", "ModelFeatureDrift", "bp"), ("TICKET", "ModelFeatureAbsent", "bmi"),
        ("TICKET", "ModelFeatureStuck", "s6"), ("PAGE", "ModelServerDown", ""),
    ]  # fmt: skip
    assert [*dict.fromkeys(page for page in pages if page in expected)] == expected, printed
    for _, alert, subject in expected:
        assert ("resolved", alert, subject) in pages, printed
    # Evidence pages of the columns, too, though not of each one's beginning: the last fault may still be fading.
    assert ("PAGE", "ModelDrift", "") in pages, printed
    assert [page for page in pages if page[1] == "ModelDrift"][-1][0] == "resolved", printed
    assert "Feature bp (" in printed.partition("PAGE     ModelDrift")[2].partition("\n── ")[0], printed
    # What else is told goes with one of the faults.
    assert {subject for news, _, subject in pages} <= {"bp", "bmi", "s6", "progression", ""}
    # What is about all columns of the model may be told of one fault, end, and be told of the next.
    of_columns = {"ModelDrift", "ModelFeatureDrift", "ModelPredictionDrift"}
    once = [page for page in pages if page[0] != "resolved" and page[1] not in of_columns]
    assert len(set(once)) == len(once)
    _assert_the_first_comes_in_time_and_not_before_its_fault(printed)
    assert 'most of all "below 62" (+' in " ".join(printed.split())
    assert "Prometheus     http://127.0.0.1:" in printed


def _assert_the_first_comes_in_time_and_not_before_its_fault(printed: str) -> None:
    minutes, seconds, *_ = PAGE.findall(printed)[0]
    share = (int(minutes) * 60 + int(seconds)) / DURATION_S
    healthy = chapters.WHOLE[0].minutes / chapters.MINUTES
    assert healthy <= share <= 4 / 5, "of five minutes the first four"


@pytest.mark.paced
def test_without_prometheus_the_scores_are_told_and_what_is_missing_and_it_goes_on_where_asked_to(home: Path) -> None:
    with demo(home, "--duration", f"{SHORTEST_S:.0f}s", "--keep", PATH=str(home / "empty")) as process:
        printed = until(process, "the story is over; traffic goes on until you press Ctrl-C")
        printed += until(process, "highest three")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        printed += rest(process)
    assert process.returncode == 130
    assert "Prometheus is not installed, so nobody can be paged." in printed
    assert "Alertmanager is not installed, so nobody can be paged." in printed
    assert "apt install prometheus prometheus-alertmanager" in printed
    assert re.search(r"bp \d+\.\d{3} / 0\.\d{3} DRIFT", printed)
    assert re.search(r"bmi \d+\.\d{3} / 0\.\d{3} ABSENT", printed)
    assert "no page, no ticket" in printed


@pytest.mark.parametrize(("moment", "number"), [
    ("setting the stage", signal.SIGINT), ("setting the stage", signal.SIGTERM), ("setting the stage", signal.SIGHUP),
    ("training", signal.SIGTERM), ("building its profile", signal.SIGHUP), ("clients use", signal.SIGTERM),
    ("highest three", signal.SIGINT),
])  # fmt: skip
def test_an_interrupt_leaves_no_process_behind(home: Path, moment: str, number: signal.Signals) -> None:
    """Each moment from its first word on, and each signal: one handler has them all."""
    with demo(home) as process:
        until(process, moment)
        process.send_signal(number)
        process.send_signal(number)  # the impatient press it twice
        process.wait(PATIENCE_S)
    assert process.returncode == 130


COMMANDS = {"module": DEMO, "console script": [str(Path(sys.executable).with_name("inference-exporter")), "demo"]}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("imported", ["argparse", "exporter.demo.stage", "rich.console"])
def test_an_interrupt_before_its_first_word_ends_it_without_a_traceback(
    home: Path, imported: str, words: list[str]
) -> None:
    """Whoever starts it presses Ctrl-C twice while it imports something: early, before its first word and after it."""
    (home / "sitecustomize.py").write_text(INTERRUPTED.format(imported=imported))
    with demo(home, command=words, PYTHONPATH=str(home)) as process:
        printed = rest(process)
    assert process.returncode == 130
    assert "Traceback" not in printed


def test_whoever_presses_ctrl_c_is_told_at_once_that_it_was_noted(home: Path) -> None:
    with demo(home) as process:
        until(process, "training")
        process.send_signal(signal.SIGINT)
        printed = rest(process)
    assert printed.splitlines() == ["stopping …"]
    assert process.returncode == 130


def test_under_nohup_a_terminal_that_is_closed_is_no_reason_to_stop(home: Path) -> None:
    with demo(home, ignored=signal.SIGHUP) as process:
        until(process, "training")
        process.send_signal(signal.SIGHUP)
        until(process, "building its profile")
        process.send_signal(signal.SIGHUP)
        until(process, "clients use")


@pytest.mark.parametrize("after_s", [1.0, 2.4, *(pytest.param(s, marks=pytest.mark.slow) for s in (0.3, 1.7, 3.1))])
def test_an_interrupt_at_any_moment_of_the_start_leaves_no_process_behind(home: Path, after_s: float) -> None:
    with demo(home) as process:
        until(process, "building its profile")
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
    assert process.returncode == 130


@pytest.mark.parametrize(("words", "complaint"), [
    (("--duration", "59s"), "--duration: the story takes 60 s at least"),
    (("--duration", "soon"), "--duration: must be a duration above zero"),
    (("--story", "sad"), "--story: invalid choice: 'sad'"),
    (("--grafana", "maybe"), "--grafana: invalid choice: 'maybe'"),
    (("--seed", "x"), "--seed: invalid int value: 'x'"),
])  # fmt: skip
def test_a_wish_that_cannot_be_fulfilled_is_refused(words: tuple[str, ...], complaint: str) -> None:
    done = subprocess.run([*DEMO, *words], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 64
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_minute_of_the_rules_takes_a_second_by_default() -> None:
    assert Wishes().minute_s == 1.0
    assert sum(chapter.minutes for chapter in Wishes().chapters) == chapters.MINUTES
    assert sum(chapter.minutes for chapter in Wishes(story="healthy").chapters) == chapters.MINUTES
