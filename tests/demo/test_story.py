"""The demonstration as people run it: real processes, real pages, and nothing left behind however it ends."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from support import eventually, tool

from exporter.demo import chapters
from exporter.demo.story import SHORTEST_S, Wishes

PATIENCE_S = 60.0
DURATION_S = 75
DEMO = [sys.executable, "-m", "exporter", "demo"]
PAGE = re.compile(r"^(\d\d):(\d\d)  (TICKET|PAGE|resolved) +(\w+) ?(\w*)$", re.MULTILINE)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Where the demo keeps its files. Whatever inherited the environment and still runs at the end is a leak."""
    yield tmp_path
    assert _running(tmp_path) == []
    assert list(tmp_path.glob("inference-exporter-demo-*")) == []


def _running(home: Path) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


@contextmanager
def demo(home: Path, *words: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    given = os.environ | {"TMPDIR": str(home), "COLUMNS": "200"} | environment
    with subprocess.Popen(
        [*DEMO, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=given, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


def told(home: Path, *words: str, **environment: str) -> str:
    """What a demo prints, from its beginning to its end."""
    with demo(home, *words, **environment) as process:
        printed, _ = process.communicate(timeout=DURATION_S + PATIENCE_S)
    assert process.returncode == 0, printed
    return printed


def test_the_whole_story_tells_each_fault_by_its_name_and_its_end(home: Path) -> None:
    for name in ("prometheus", "prometheus-alertmanager"):
        tool(name, name)
    printed = told(home, "--duration", f"{DURATION_S}s")
    pages = [(news, alert, subject) for _, _, news, alert, subject in PAGE.findall(printed)]
    expected = [
        ("TICKET", "ModelFeatureDrift", "bp"), ("TICKET", "ModelFeatureAbsent", "bmi"),
        ("TICKET", "ModelFeatureStuck", "s6"), ("PAGE", "ModelServerDown", ""),
    ]  # fmt: skip
    assert [page for page in pages if page in expected] == expected, printed
    for _, alert, subject in expected:
        assert ("resolved", alert, subject) in pages, printed
    # What else is told goes with one of the faults.
    assert {subject for news, _, subject in pages} <= {"bp", "bmi", "s6", "progression", ""}
    assert len({page for page in pages if page[0] != "resolved"}) == sum(page[0] != "resolved" for page in pages)
    _assert_the_first_comes_in_time_and_not_before_its_fault(printed)
    assert 'most of all "below 62" (+' in " ".join(printed.split())
    assert "Prometheus     http://127.0.0.1:" in printed


def _assert_the_first_comes_in_time_and_not_before_its_fault(printed: str) -> None:
    minutes, seconds, *_ = PAGE.findall(printed)[0]
    share = (int(minutes) * 60 + int(seconds)) / DURATION_S
    healthy = chapters.WHOLE[0].minutes / chapters.MINUTES
    assert healthy <= share <= 4 / 5, "of five minutes the first four"


def test_without_prometheus_the_scores_are_told_and_what_is_missing_and_it_goes_on_where_asked_to(home: Path) -> None:
    with demo(home, "--duration", f"{SHORTEST_S:.0f}s", "--keep", PATH=str(home / "empty")) as process:
        printed = _until(process, "the story is over; traffic goes on until you press Ctrl-C")
        printed += _until(process, "highest three")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.stdout
        printed += process.stdout.read()
    assert process.returncode == 130
    assert "Prometheus is not installed, so nobody can be paged." in printed
    assert "Alertmanager is not installed, so nobody can be paged." in printed
    assert "apt install prometheus prometheus-alertmanager" in printed
    assert re.search(r"bp \d+\.\d{3} / 0\.\d{3} DRIFT", printed)
    assert re.search(r"bmi \d+\.\d{3} / 0\.\d{3} ABSENT", printed)
    assert "no page, no ticket" in printed


def test_a_prometheus_that_does_not_run_is_told_and_done_without(home: Path) -> None:
    _stand_in(home, "prometheus", "echo cannot do it; exit 3")
    with demo(home, PATH=f"{home}:{os.environ['PATH']}") as process:
        lines = _until(process, "healthy traffic")
        process.send_signal(signal.SIGINT)
    assert "Prometheus does not run, so nobody can be paged: Prometheus ended with 3:\ncannot do it" in lines
    assert process.returncode == 130


@pytest.mark.parametrize("moment", [
    "at once", "training", "building its profile", "clients use", "highest three",
])  # fmt: skip
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupt_leaves_no_process_behind(home: Path, moment: str, number: signal.Signals) -> None:
    with demo(home) as process:
        if moment != "at once":
            _until(process, moment)
        process.send_signal(number)
        process.send_signal(number)  # the impatient press it twice
        process.wait(PATIENCE_S)
    assert process.returncode in {130, -number}, "-number: before it could listen to signals at all"


@pytest.mark.parametrize("seed", range(4))
def test_an_interrupt_at_any_moment_of_the_start_leaves_no_process_behind(home: Path, seed: int) -> None:
    with demo(home) as process:
        _until(process, "building its profile")
        time.sleep(0.3 + 0.7 * seed)
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
    assert process.returncode == 130


def _until(process: "subprocess.Popen[str]", words: str) -> str:
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if words in line:
            return printed
    pytest.fail(f"ended without a word of {words!r}: {printed}")


def test_grafana_is_given_the_dashboard_and_the_prometheus_to_ask(home: Path) -> None:
    """A stand-in: it keeps what it was given, and ends when it is told to."""
    tool("prometheus", "prometheus")
    _stand_in(
        home, "grafana", f'env >{home}/env; cp -r "$(dirname "$GF_PATHS_PROVISIONING")" {home}/kept; exec sleep 600'
    )
    with demo(home, PATH=f"{home}:{os.environ['PATH']}") as process:
        printed = _until(process, "healthy traffic")
        eventually((home / "kept" / "dashboards" / "model-health.json").exists, what="a started Grafana")
        process.send_signal(signal.SIGINT)
    settings = _environment(home / "env")
    assert f"Grafana        http://127.0.0.1:{settings['GF_SERVER_HTTP_PORT']}" in printed
    asked = re.search(r"Prometheus +(http://\S+)", printed)
    assert asked
    assert f"url: {asked[1]}\n" in (home / "kept" / "provisioning" / "datasources" / "prometheus.yml").read_text()
    shown = settings["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert shown.endswith("/dashboards/model-health.json")
    assert f"path: {Path(shown).parent}\n" in (home / "kept" / "provisioning" / "dashboards" / "files.yml").read_text()


def _environment(path: Path) -> Mapping[str, str]:
    return dict(line.partition("=")[::2] for line in path.read_text().splitlines())


def _stand_in(home: Path, name: str, script: str) -> None:
    path = home / name
    path.write_text(f"#!{shutil.which('sh')}\n{script}\n")
    path.chmod(0o755)


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
