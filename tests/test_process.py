"""A process that is kept running, with real ones that end as soon as they have begun."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from support import eventually

from exporter.process import Child, Terms

ENDS_AT_ONCE = "exporter.errors"


def _end(child: Child) -> None:
    child.signal(signal.SIGKILL)
    assert asyncio.run(child.ended(10))


def test_a_process_that_keeps_ending_is_started_again_with_a_bounded_back_off() -> None:
    child = Child(ENDS_AT_ONCE, {"index": 0}, (), lambda: 0, Terms(hung_after_s=10, longest_backoff_s=0.4))
    child.start()
    waits = []

    def look() -> bool:
        before = child.restarts["exited"]
        child.look_after()
        if child.restarts["exited"] > before:
            waits.append(child._backoff)
        return child.restarts["exited"] >= 5

    eventually(look, what="five restarts")
    _end(child)
    assert waits[:3] == [0.2, 0.4, 0.4]
    assert max(waits) == 0.4


def test_silence_is_measured_in_looks_and_not_in_time_that_nobody_looked() -> None:
    child = Child(ENDS_AT_ONCE, {"index": 0}, (), lambda: 0, Terms(hung_after_s=10, longest_backoff_s=0.4))
    child.start()
    child._looked = time.monotonic() - 3600  # frozen for an hour
    child.look_after()
    assert child._silent_s <= 1
    _end(child)


def test_what_cannot_be_started_is_logged_and_tried_later(caplog: pytest.LogCaptureFixture) -> None:
    child = Child(ENDS_AT_ONCE, {"index": 3}, (987654,), lambda: 0, Terms(hung_after_s=10, longest_backoff_s=0.4))
    child.start()
    assert child.pid == 0
    eventually(lambda: child.look_after() or child.restarts["exited"] >= 2, what="another try")
    assert "worker" not in child.name
    assert "could not be started" in caplog.text


# --- why it ended


def _run(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, terms: Terms | None = None) -> Child:
    (folder / "scripted.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    child = Child("scripted", {"index": 0}, (), lambda: 0, terms or Terms(hung_after_s=60, longest_backoff_s=0.4))
    child.start()
    return child


def _reasons(child: Child) -> dict[str, int]:
    try:
        eventually(lambda: child.look_after() or sum(child.restarts.values()), what="a restart")
        return {reason: count for reason, count in child.restarts.items() if count}
    finally:
        _end(child)


SLEEPS = "import time; time.sleep(60)"


@pytest.mark.parametrize(("code", "reason"), [
    ("", "exited"), ("raise SystemExit(71)", "memory"), ("import os; os.abort()", "signalled"),
])  # fmt: skip
def test_a_restart_is_counted_by_how_the_process_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    assert _reasons(_run(tmp_path, monkeypatch, code)) == {reason: 1}


def test_one_that_gives_no_sign_of_life_is_killed_and_counted_as_hung(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = Terms(hung_after_s=0.2, longest_backoff_s=0.4)
    assert _reasons(_run(tmp_path, monkeypatch, SLEEPS, terms)) == {"hung": 1}


def test_one_that_takes_more_memory_than_it_may_is_killed_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = Terms(hung_after_s=60, longest_backoff_s=0.4, memory_limit=64 << 20)
    hoards = f"kept = bytearray(b'x') * (100 << 20); {SLEEPS}"
    assert _reasons(_run(tmp_path, monkeypatch, hoards, terms)) == {"memory": 1}
    frugal = _run(tmp_path, monkeypatch, SLEEPS, terms)
    for _ in range(5):
        time.sleep(0.1)
        frugal.look_after()
    assert sum(frugal.restarts.values()) == 0
    _end(frugal)


def test_one_that_ran_for_long_is_started_again_in_the_look_that_finds_it_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = _run(tmp_path, monkeypatch, SLEEPS)
    child._started -= 10
    pid = child.pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: child.pid == 0, what="its end")
    child.look_after()
    assert child.pid not in {0, pid}
    _end(child)
