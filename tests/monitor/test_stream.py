"""What comes out of a ring is observed, all of it and in order, whatever the lengths."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor_scenes import DECODER, answers, exchange, live_rows

from exporter.handoff import frames
from exporter.monitor import stream
from exporter.monitor.attributing import Attributing


class Watched:
    """Models that remember what they were shown."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.attributing = Attributing()

    def observe(self, one: Any, observation: Any) -> None:
        self.seen.append((one, observation))


def record(number: int) -> bytes:
    rows = live_rows(1 + number % 3, number)
    return b"".join(frames.pack(exchange(rows, answers(rows, number), float(number))))


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 100])
def test_each_record_is_decoded_and_observed_once_and_in_order(count: int) -> None:
    records = [record(number) for number in range(count)]
    models = Watched()
    assert stream.observe(records, DECODER, models) == 0  # type: ignore[arg-type]
    assert [one for one, _ in models.seen] == [frames.unpack(one) for one in records]
    assert all(dataclasses.asdict(seen) == dataclasses.asdict(DECODER.decode(one)) for one, seen in models.seen)


def test_damaged_records_are_told_and_cost_no_other() -> None:
    records = [record(number) for number in range(40)]
    records[3] = records[3][:-1]
    records[39] = b""
    models = Watched()
    assert stream.observe(records, DECODER, models) == 2  # type: ignore[arg-type]
    assert len(models.seen) == 38


@given(st.lists(st.integers(0, 300 << 10), max_size=80))
def test_runs_are_bounded_and_nothing_is_left_out(lengths: list[int]) -> None:
    records = [bytes(length) for length in lengths]
    runs = list(stream._runs(records))
    assert [one for run in runs for one in run] == records
    assert all(0 < len(run) <= 32 for run in runs)
    assert all(len(run) == 1 or sum(map(len, run)) <= 256 << 10 for run in runs)
