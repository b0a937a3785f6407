"""The stage: whatever was started on it is ended, and nothing interrupts that."""

import shutil
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest
from support import eventually

from exporter.demo.stage import ending, stage
from exporter.errors import UpstreamError

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_interrupts_are_noted_until_everything_is_gone_and_then_mean_what_they_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = [signal.getsignal(number) for number in NUMBERS]
    remove, meant = shutil.rmtree, []

    def removing(*words: Any, **options: Any) -> None:
        meant.extend(signal.getsignal(number) for number in NUMBERS)
        remove(*words, **options)

    monkeypatch.setattr("shutil.rmtree", removing)
    with stage() as found:
        here = [signal.getsignal(number) for number in NUMBERS]
    assert meant == here
    assert not set(here) & set(before)
    assert [signal.getsignal(number) for number in NUMBERS] == before
    assert not found.directory.exists()


def test_what_a_killed_process_left_in_a_session_of_its_own_is_ended_too(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with stage() as found:
        process = found.start("parent", ["sh", "-c", f"setsid sh -c 'echo $$ >{note}; exec sleep 600' & wait"])
        pid = int(eventually(lambda: note.exists() and note.read_text()))
        process.kill()
        with pytest.raises(UpstreamError, match=r"^parent was killed by SIGKILL$"):
            found.wait(lambda: False, "nothing")
        assert psutil.Process(pid).is_running()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_whoever_is_spared_may_end_and_that_is_told_once() -> None:
    with stage() as found:
        process = found.start("guest", ["sh", "-c", "echo had enough; exit 3"])
        found.spare(process)
        found.wait(lambda: process not in found, "its end")
        assert found.gone() == {"guest": "guest ended with 3:\nhad enough"}
        assert found.gone() == {}


def test_a_last_command_runs_when_what_was_started_after_it_has_ended(tmp_path: Path) -> None:
    with stage() as found:
        look = f"cd {tmp_path}; ls {found.directory} >seen; kill -0 $(cat pid) || echo gone >>seen"
        found.at_last(["sh", "-c", look])
        found.at_last(["no-such-program"])
        found.start("guest", ["sh", "-c", f"echo $$ >{tmp_path}/pid; exec sleep 600"])
        eventually((tmp_path / "pid").exists)
    assert (tmp_path / "seen").read_text() == "guest.log\ngone\n"


@pytest.mark.parametrize(("code", "words"), [
    (0, "ended with 0"), (3, "ended with 3"), (-9, "was killed by SIGKILL"), (-99, "was killed by signal 99"),
])  # fmt: skip
def test_an_end_is_told_in_words(code: int, words: str) -> None:
    assert ending(code) == words
