"""Exchanges that wait to be judged together."""

from typing import Any

import pytest
from kept_scenes import exchange, seen

from exporter.records import Body, Capture
from exporter.witness import holding
from exporter.witness.holding import Holding

FOUND: Any = (None, seen().known)


class Shown(list[int]):
    """How many were shown together, each time."""

    def __call__(self, exchanges: Any, decoded: Any, found: Any) -> None:
        assert len(exchanges) == len(decoded) == len(found)
        self.append(len(exchanges))


def test_they_wait_until_there_are_many() -> None:
    shown = Shown()
    held = Holding(shown)
    for _ in range(300):
        held.add([exchange()], [seen().known], [FOUND])
    assert shown == [128, 128]
    held.show()
    held.show()
    assert shown == [128, 128, 44], "and nothing is shown twice"


def test_they_wait_no_longer_than_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(holding.time, "monotonic", lambda: now[0])
    shown = Shown()
    held = Holding(shown)
    held.add([exchange()], [seen().known], [FOUND])
    now[0] += 0.2
    held.add([exchange()], [seen().known], [FOUND])
    held.look()
    assert shown == []
    now[0] += 0.1
    held.look()
    held.look()
    assert shown == [2], "by the first one's time"


def test_large_bodies_do_not_wait_for_others() -> None:
    shown = Shown()
    body = Body(1 << 19, Capture.WHOLE, b"x" * (1 << 19))
    held = Holding(shown)
    held.add([exchange(request=body)], [seen().known], [FOUND])
    assert shown == []
    held.add([exchange(response=body)], [seen().known], [FOUND])
    assert shown == [2]
