"""The keeper against real directories: what it finds, what it says of it, and that it never stands in the way."""

import dataclasses
import logging
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import eventually

from exporter.handoff import board
from exporter.handoff.board import Seat
from exporter.records import STATE_ERRORS
from exporter.sketch.window import Windows
from exporter.state import clock, keeper
from exporter.state.clock import Moment
from exporter.state.directory import Directory, file_name
from exporter.state.image import Owner, pack, unpack
from exporter.state.keeper import Keeper

OWNER = Owner("churn", "7", "ab" * 32)
DAY_S = 86_400.0
WINDOWS = {"a.panes": np.arange(6, dtype=np.int32), "a.places": np.arange(6)}


@dataclasses.dataclass
class Kept:
    """A keeper, its board, and what was put back."""

    keeper: Keeper
    seats: "memoryview[int]"
    back: list[Any] = dataclasses.field(default_factory=list)

    def put_back(self, arrays: Any, shift_s: float, now: float) -> int:
        self.back.append((arrays, shift_s, now))
        return sum(array.size for array in arrays.values())

    def resume(self) -> Any:
        """The arrays that were put back, None where none were."""
        self.keeper.resume(self.put_back)
        return self.back[-1][0] if self.back else None

    def keep(self, number: int) -> None:
        self.keeper.finish(lambda _: {"number": np.array([number])})

    def errors(self) -> dict[str, int]:
        counts = {reason: self.seats[Seat.STATE_ERRORS + at] for at, reason in enumerate(STATE_ERRORS)}
        return {reason: count for reason, count in counts.items() if count}

    @property
    def restored(self) -> int:
        return self.seats[Seat.STATE_RESTORED]

    def end(self) -> None:
        """As when its process does."""
        self.keeper._place.let_go()


def started(path: Path, owner: Owner = OWNER, interval_s: float = 60.0) -> Kept:
    seats = board.attach(board.create())
    seats[Seat.STATE_UNREAD] = 1
    return Kept(Keeper(str(path), owner, interval_s, seats), seats)


def kept(path: Path, number: int = 1, owner: Owner = OWNER) -> bytes:
    """The file of an earlier run."""
    earlier = started(path, owner)
    earlier.keep(number)
    assert earlier.errors() == {}
    earlier.end()
    return (path / file_name(owner)).read_bytes()


def test_what_one_run_keeps_the_next_one_goes_on_with(tmp_path: Path) -> None:
    path = tmp_path / "state"
    first = started(path)
    assert first.resume() is None
    before = time.time()
    first.keeper.finish(lambda _: WINDOWS)
    assert first.seats[Seat.STATE_KEPT_WALL_NS] / 1e9 == pytest.approx(before, abs=30.0)
    assert first.seats[Seat.STATE_KEPT_BYTES] == (path / file_name(OWNER)).stat().st_size
    first.end()
    second = started(path)
    assert second.resume().keys() == WINDOWS.keys()
    assert second.back[0][1] == 0.0
    assert (first.restored, second.restored) == (0, 1)
    assert first.errors() == second.errors() == {}


def test_windows_that_hold_nothing_any_more_are_not_called_restored(tmp_path: Path) -> None:
    kept(tmp_path)
    found = started(tmp_path)
    found.keeper.resume(lambda *_: 0)
    assert found.restored == 0
    assert found.errors() == {}


def test_it_writes_at_once_then_when_it_is_due(tmp_path: Path) -> None:
    found = started(tmp_path, interval_s=0.2)
    numbers = iter(range(1, 1_000_000))

    def held(now: float) -> Any:
        assert abs(now - time.monotonic()) < 5
        return {"number": np.array([next(numbers)])}

    def written() -> int:
        content = found.keeper._place.read(0.0) if found.keeper._done.is_set() else None
        found.keeper.keep_when_due(held)  # after the look: a busy machine may find the next one due already
        return 0 if content is None else int(unpack(content).arrays["number"][0])

    assert eventually(written) == 1
    assert eventually(lambda: written() > 2)
    assert found.seats[Seat.STATE_KEPT_WALL_NS] > 0


def test_another_version_or_profile_has_windows_of_its_own(tmp_path: Path) -> None:
    kept(tmp_path, 1)
    for other in (OWNER._replace(version="8"), OWNER._replace(profile="cd"), OWNER._replace(model="x")):
        found = started(tmp_path, other)
        assert found.resume() is None
        assert found.errors() == {}
        found.keep(2)
        found.end()
    assert started(tmp_path).resume()["number"] == [1]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "half of it": lambda content: content[: len(content) // 2],
    "one byte less": lambda content: content[:-1],
    "one byte more": lambda content: content + b"\0",
    "a bit flipped in the head": lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:],
    "a bit flipped in the counts": lambda content: content[:-40] + bytes([content[-40] ^ 1]) + content[-39:],
    "a bit flipped in the checksum": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "zeros": lambda content: bytes(len(content)),
    "newer": lambda content: content[:8] + b"\2" + content[9:],
    "foreign": lambda _: b"%PDF-1.7 " * 1000,
    "another model's": lambda content: pack(unpack(content)._replace(owner=OWNER._replace(model="other"))),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_cannot_be_read_is_set_aside_and_said(tmp_path: Path, damage: str, caplog: Any) -> None:
    content = DAMAGE[damage](kept(tmp_path))
    (tmp_path / file_name(OWNER)).write_bytes(content)
    found = started(tmp_path)
    assert found.resume() is None
    assert found.restored == 0
    assert found.errors() == {"unreadable": 1}
    assert "cannot be read, are set aside and start empty" in caplog.text
    (aside,) = tmp_path.glob("*.unreadable-*")
    assert aside.read_bytes() == content
    found.keep(5)
    found.end()
    assert started(tmp_path).resume()["number"] == [5]
    assert aside.read_bytes() == content


# --- clocks


def other_clock(content: bytes, **changes: Any) -> bytes:
    image = unpack(content)
    return pack(image._replace(moment=image.moment._replace(**changes)))


@pytest.mark.parametrize("jump_s", [-DAY_S, DAY_S])
def test_a_wall_clock_that_jumps_by_a_day_between_two_runs_of_a_boot_changes_nothing(
    tmp_path: Path, jump_s: float
) -> None:
    content = kept(tmp_path)
    moment = unpack(content).moment
    (tmp_path / file_name(OWNER)).write_bytes(other_clock(content, wall_s=moment.wall_s - jump_s))
    found = started(tmp_path)
    assert found.resume() is not None
    assert found.back[0][1] == 0.0


def test_on_another_machine_ages_are_those_of_the_wall_clock(tmp_path: Path) -> None:
    content = kept(tmp_path)
    here = clock.now()
    there = Moment(monotonic_s=77.0, wall_s=here.wall_s - 300.0, boot="of another machine")
    (tmp_path / file_name(OWNER)).write_bytes(other_clock(content, **there._asdict()))
    found = started(tmp_path)
    assert found.resume() is not None
    _, shift_s, now = found.back[0]
    assert now - (77.0 + shift_s) == pytest.approx(300.0, abs=30.0)


def test_windows_that_seem_to_be_of_tomorrow_start_empty_and_the_next_ones_are_kept(
    tmp_path: Path, caplog: Any
) -> None:
    content = kept(tmp_path)
    moment = unpack(content).moment
    (tmp_path / file_name(OWNER)).write_bytes(other_clock(content, wall_s=moment.wall_s + DAY_S, boot="another"))
    found = started(tmp_path)
    assert found.resume() is None
    assert found.restored == 0
    assert found.errors() == {}
    assert "of a later time than now" in caplog.text
    found.keep(9)
    found.end()
    again = started(tmp_path)
    assert again.resume()["number"] == [9], "once is enough"


@pytest.mark.parametrize("changes", [{"wall_s": -1e300}, {"wall_s": float("-inf")}, {"monotonic_s": float("nan")}])
def test_clocks_that_make_no_sense_keep_nobody_from_starting(tmp_path: Path, changes: Any) -> None:
    content = kept(tmp_path)
    (tmp_path / file_name(OWNER)).write_bytes(other_clock(content, boot="another", **changes))
    found = started(tmp_path)
    windows = Windows((300.0,), 60.0, (1,), np.int32)
    places = {"x.60.panes": np.ones((1, 1), np.int32), "x.60.places": np.zeros(1, np.int64)}
    found.keeper.resume(lambda _, shift_s, now: windows.put_back(places, "x", shift_s, now))
    assert found.restored == 0
    assert windows.total(clock.now().monotonic_s, 300.0) == [0]
    found.keep(1)


# --- faults


def test_a_fault_is_counted_each_time_said_once_and_over_when_it_is_over(tmp_path: Path, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "state"
    path.write_text("a file where the directory should be")
    found = started(path)
    assert found.resume() is None
    for number in range(3):
        found.keep(number)
    assert found.errors() == {"other": 4}
    assert caplog.text.count("are not kept") == 1
    assert (found.seats[Seat.STATE_KEPT_BYTES], found.seats[Seat.STATE_KEPT_WALL_NS]) == (0, 0)
    path.unlink()
    found.keep(3)
    assert found.errors() == {"other": 4}
    assert caplog.text.count("are kept") == 1
    found.end()
    assert started(path).resume()["number"] == [3]


def number_in(path: Path, owner: Owner = OWNER) -> int:
    return int(unpack((path / file_name(owner)).read_bytes()).arrays["number"][0])


def test_who_finds_a_directory_in_use_reads_what_was_left_before_replacing_it(tmp_path: Path, caplog: Any) -> None:
    first = started(tmp_path)
    first.keep(1)
    second = started(tmp_path)
    assert second.resume() is None
    second.keep(2)
    assert second.errors() == {"in_use": 2}
    assert "another exporter has it" in caplog.text
    assert number_in(tmp_path) == 1
    assert second.seats[Seat.STATE_UNREAD], "whoever comes after it must take what is there, too"
    first.end()
    second.keep(3)
    assert [arrays["number"] for arrays, _, _ in second.back] == [1]
    assert (second.restored, second.seats[Seat.STATE_UNREAD]) == (1, 0)
    assert number_in(tmp_path) == 3
    first.keep(4)
    assert first.errors() == {"in_use": 1}
    assert number_in(tmp_path) == 3


def test_what_a_slow_disk_shows_late_is_put_back_once_and_not_replaced_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "_READ_PATIENCE_S", 0.0)
    kept(tmp_path, 1)
    blocker = Directory(tmp_path, OWNER._replace(model="slow"))
    blocker.read(0.0)
    late = started(tmp_path)
    assert late.resume() is None
    assert late.errors() == {"slow": 1}
    late.keeper.keep_when_due(lambda _: {"number": np.array([2])})
    assert number_in(tmp_path) == 1
    blocker.let_go()

    def written() -> bool:
        late.keeper.keep_when_due(lambda _: {"number": np.array([3])})
        return number_in(tmp_path) == 3

    eventually(written)
    assert [arrays["number"] for arrays, _, _ in late.back] == [1]
    assert late.restored == 1


@pytest.mark.parametrize("damage", ["newer", "foreign"])
def test_windows_that_lack_nothing_read_what_is_there_all_the_same(tmp_path: Path, damage: str) -> None:
    content = DAMAGE[damage](kept(tmp_path))
    (tmp_path / file_name(OWNER)).write_bytes(content)
    found = started(tmp_path)
    found.seats[Seat.STATE_UNREAD] = 0
    assert found.resume() is None
    found.keep(5)
    (aside,) = tmp_path.glob("*.unreadable-*")
    assert aside.read_bytes() == content
    assert found.errors() == {"unreadable": 1}
    assert number_in(tmp_path) == 5


def test_windows_that_lack_nothing_take_nothing(tmp_path: Path) -> None:
    kept(tmp_path, 1)
    found = started(tmp_path)
    found.seats[Seat.STATE_UNREAD] = 0
    assert found.resume() is None
    found.keep(2)
    assert (found.back, found.restored, number_in(tmp_path)) == ([], 0, 2)


def test_a_read_that_fails_is_tried_again_and_the_file_stays(tmp_path: Path) -> None:
    kept(tmp_path, 1)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = started(tmp_path, interval_s=0.05)
    with (tmp_path / "lock").open() as last:
        resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno(), limits[1]))
        try:
            assert found.resume() is None
            found.keep(2)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert found.errors() == {"other": 2}
    assert not list(tmp_path.glob("*.unreadable-*"))
    assert number_in(tmp_path) == 1
    found.keep(3)
    assert [arrays["number"] for arrays, _, _ in found.back] == [1]
    assert number_in(tmp_path) == 3


def test_a_volume_that_comes_later_is_read_before_its_file_is_replaced(tmp_path: Path) -> None:
    volume, path = tmp_path / "volume", tmp_path / "state"
    kept(volume, 1)
    found = started(path, interval_s=0.05)
    assert found.resume() is None
    found.keep(2)
    path.rename(tmp_path / "below")
    volume.rename(path)

    def written() -> bool:
        found.keeper.keep_when_due(lambda _: {"number": np.array([3])})
        return number_in(path) == 3

    eventually(written)
    assert [arrays["number"] for arrays, _, _ in found.back] == [1]


def test_windows_that_cannot_be_packed_are_an_error_and_nothing_more(tmp_path: Path) -> None:
    found = started(tmp_path)
    found.keep(1)
    found.keeper.finish(lambda _: {"no array": "at all"})  # type: ignore[dict-item]
    assert found.errors() == {"other": 1}
    found.keep(2)
    found.end()
    assert started(tmp_path).resume()["number"] == [2]


def test_an_image_is_of_the_moment_it_was_held(tmp_path: Path) -> None:
    before = clock.now()
    moment = unpack(kept(tmp_path)).moment
    after = clock.now()
    assert before.monotonic_s <= moment.monotonic_s <= after.monotonic_s
    assert moment.boot == before.boot
