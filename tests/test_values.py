"""What a setting may be: text or a YAML scalar in, a checked value out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import values


@pytest.mark.parametrize(("text", "seconds"), [
    ("250ms", 0.25), ("90", 90.0), (90, 90.0), (1.5, 1.5), ("1.5h", 5400.0), ("2d", 172_800.0), ("5 m", 300.0), (1e-5,
     1e-5),
])  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert values.duration(text) == seconds


@pytest.mark.parametrize("text", ["0", 0, 0.0, "0s", "0ms", "0.0s", "0h"])
def test_a_pause_may_be_none(text: str) -> None:
    assert values.pause(text) == 0.0


@pytest.mark.parametrize(("seconds", "text"), [
    (0.25, "250ms"), (1.0, "1s"), (90.0, "90s"), (300.0, "5m"), (5400.0, "90m"), (3600.0, "1h"), (86_400.0, "24h"),
    (172_800.0, "2d"), (604_800.0, "7d"), (1.5, "1500ms"), (3.33, "3330ms"), (90_000.0, "25h"),
])  # fmt: skip
def test_windows_are_named_as_people_would(seconds: float, text: str) -> None:
    assert values.format_duration(seconds) == text


@given(st.integers(1, 10**12).map(lambda microseconds: microseconds / 1e6))
def test_a_duration_can_be_written_and_read(seconds: float) -> None:
    assert values.duration(values.format_duration(seconds)) == pytest.approx(seconds, rel=1e-11)
