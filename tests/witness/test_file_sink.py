"""A log in a file: whole lines, set aside by size and age."""

import errno
import json
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from exporter.traced import PredictionLog
from exporter.witness.log.sinks import opened
from exporter.witness.porter import DELIVERED


def said(path: Path, **more: Any) -> PredictionLog:
    return PredictionLog(to=f"file:{path}", **more)


def line(number: int, size: int = 0, at: str = "2026-11-24T10:00:00.000000Z") -> bytes:
    return json.dumps({"time": at, "n": number, "more": "x" * size}, separators=(",", ":")).encode() + b"\n"


def numbers(path: Path) -> list[int]:
    return [json.loads(one)["n"] for one in path.read_text().splitlines()]


def test_lines_stand_behind_those_of_before_and_a_torn_one_is_ended_first(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(line(1) + line(2)[:10])
    assert opened(said(path))([line(3), line(4)]) == DELIVERED
    whole = path.read_text().splitlines()
    assert [json.loads(one)["n"] for at, one in enumerate(whole) if at != 1] == [1, 3, 4]


def test_a_file_is_set_aside_by_its_size_and_the_oldest_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = opened(said(path, rotate_size=1 << 16, rotate_keep=2))
    for start in range(0, 40, 4):
        assert sink([line(start + at, 10_000) for at in range(4)]) == DELIVERED
    files = sorted(one.name for one in tmp_path.iterdir())
    assert files == ["log", "log.1", "log.2"]
    found = numbers(tmp_path / "log.2") + numbers(tmp_path / "log.1") + numbers(path)
    assert found == list(range(found[0], 40)), "in order, and none is missing between"
    assert all(one.stat().st_size <= (1 << 16) + 10_100 for one in tmp_path.iterdir())


def test_a_file_is_set_aside_by_its_age_even_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "log"
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    assert opened(said(path))([line(1, at=now)]) == DELIVERED
    assert opened(said(path))([line(2, at=now)]) == DELIVERED
    assert numbers(path) == [1, 2], "it is young"
    path.write_bytes(line(1, at="2020-01-01T00:00:00.000000Z"))
    assert opened(said(path))([line(3)]) == DELIVERED
    assert numbers(path) == [3]
    assert numbers(tmp_path / "log.1") == [1]


def test_a_file_that_somebody_moved_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = opened(said(path))
    sink([line(1)])
    path.rename(tmp_path / "elsewhere")
    sink([line(2)])
    assert numbers(path) == [2]
    assert numbers(tmp_path / "elsewhere") == [1]


def test_none_is_kept_where_none_is_to_be(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = opened(said(path, rotate_size=1 << 16, rotate_keep=0))
    for number in range(20):
        sink([line(number, 10_000)])
    assert [one.name for one in tmp_path.iterdir()] == ["log"]
    assert numbers(path)[-1] == 19


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """No file of this process may grow beyond, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_a_full_disk_cuts_off_is_taken_back_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = opened(said(path))
    assert sink([line(1)]) == DELIVERED
    with at_most(5000):
        outcome = sink([line(2, 1000), line(3, 10_000)])
    assert (outcome.reason, outcome.lost) == ("no_space", 2)
    assert numbers(path) == [1], "nothing is left of what was cut off"
    assert sink([line(4)]) == DELIVERED
    assert numbers(path) == [1, 4]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    outcome = opened(said(tmp_path / "log"))([line(1)])
    assert (outcome.reason, outcome.lost) == ("io", 1)
    assert os.strerror(errno.EACCES) in outcome.words
