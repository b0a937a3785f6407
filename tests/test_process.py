"""A process that is kept running, with real ones that end as soon as they have begun."""

import asyncio
import signal
import time

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
        before = child.restarts
        child.look_after()
        if child.restarts > before:
            waits.append(child._backoff)
        return child.restarts >= 5

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
    eventually(lambda: child.look_after() or child.restarts >= 2, what="another try")
    assert "worker" not in child.name
    assert "could not be started" in caplog.text
