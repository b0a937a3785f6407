"""The keeper against real directories: what it finds, what it says of it, and that it never stands in the way."""

import dataclasses
import logging
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import eventually

from exporter.handoff import board
from exporter.handoff.board import Seat
from exporter.records import STATE_ERRORS, Owner
from exporter.sketch.window import Windows
from exporter.state import clock, keeper
from exporter.state.clock import Moment
from exporter.state.directory import Directory, file_name
from exporter.state.image import Image, pack, unpack
from exporter.state.keeper import Keeper

OWNER = Owner("churn", "7", "ab" * 32)
DAY_S = 86_400.0
WINDOWS = {"a.panes": np.arange(6, dtype=np.int32), "a.places": np.arange(6)}


@dataclasses.dataclass
class Kept:
    """A keeper, its board, and windows that note what was put back and hold what they are told to."""

    path: Path
    seats: "memoryview[int]"
    whose: list[Owner]
    strangers: list[Owner] = dataclasses.field(default_factory=list)
    back: list[Any] = dataclasses.field(default_factory=list)
    lacking: set[Owner] = dataclasses.field(default_factory=set)
    panes: int | None = None
    most: int = 32
    commits: int = 0
    now_held: Any = None

    def start(self, interval_s: float) -> None:
        self.lacking |= {*self.whose, *self.strangers}
        self.keeper = Keeper(str(self.path), interval_s, self.seats, self, self.commit)

    # what the keeper asks

    def owners(self) -> list[Owner]:
        return self.whose

    def held(self, owner: Owner, now: float) -> Any:
        assert abs(now - time.monotonic()) < 5
        return (self.now_held(owner) if callable(self.now_held) else self.now_held).items()

    def lacks(self, owner: Owner) -> bool:
        return owner in self.lacking

    def wanted(self, owner: Owner, held: Any) -> Any:
        return held if owner in self.strangers else {}

    def put_back(self, owner: Owner, arrays: Any, shift_s: float, now: float) -> int:
        self.lacking.discard(owner)
        if not arrays:
            return 0
        if owner not in self.whose:
            self.whose.append(owner)
        self.back.append((arrays, shift_s, now))
        return sum(array.size for array in arrays.values()) if self.panes is None else self.panes

    def commit(self) -> None:
        self.commits += 1

    # what tests do

    def resume(self) -> Any:
        """The arrays that were put back, None where none were."""
        self.keeper.resume()
        return self.back[-1][0] if self.back else None

    def keep(self, number: int) -> None:
        self.now_held = {"number": np.array([number])}
        self.keeper.finish()

    def errors(self) -> dict[str, int]:
        counts = {reason: self.seats[Seat.STATE_ERRORS + at] for at, reason in enumerate(STATE_ERRORS)}
        return {reason: count for reason, count in counts.items() if count}

    @property
    def restored(self) -> int:
        return self.seats[Seat.STATE_RESTORED]

    def end(self) -> None:
        """As when its process does."""
        self.keeper._claim.let_go()


def packed(image: Image) -> bytes:
    return pack(*image[:2], image.arrays.items())


def started(
    path: Path, *whose: Owner, interval_s: float = 60.0, wanted: Sequence[Owner] = (), lacks: bool = True
) -> Kept:
    found = Kept(path, board.attach(board.create()), list(whose or (OWNER,)), list(wanted))
    found.start(interval_s)
    if not lacks:
        found.lacking.clear()
    return found


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
    first.now_held = WINDOWS
    first.keeper.finish()
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
    found.panes = 0
    found.keeper.resume()
    assert found.restored == 0
    assert found.errors() == {}


def test_it_writes_at_once_then_when_it_is_due(tmp_path: Path) -> None:
    found = started(tmp_path, interval_s=0.2)
    numbers = iter(range(1, 1_000_000))

    found.now_held = lambda _: {"number": np.array([next(numbers)])}

    def written() -> int:
        found.keeper.keep_when_due()
        file = tmp_path / file_name(OWNER)
        return int(unpack(file.read_bytes()).arrays["number"][0]) if file.exists() else 0

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
    "another model's": lambda content: packed(unpack(content)._replace(owner=OWNER._replace(model="other"))),
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
    return packed(image._replace(moment=image.moment._replace(**changes)))


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
    found.put_back = lambda _, __, shift_s, now: windows.put_back(places, "x", shift_s, now)  # type: ignore[method-assign]
    found.keeper.resume()
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
    assert second.lacking, "whoever comes after it must take what is there, too"
    first.end()
    second.keep(3)
    assert [arrays["number"] for arrays, _, _ in second.back] == [1]
    assert (second.restored, second.lacking) == (1, set())
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
    late.now_held = {"number": np.array([2])}
    late.keeper.keep_when_due()
    assert number_in(tmp_path) == 1
    blocker.let_go()

    def written() -> bool:
        late.now_held = {"number": np.array([3])}
        late.keeper.keep_when_due()
        return number_in(tmp_path) == 3

    eventually(written)
    assert [arrays["number"] for arrays, _, _ in late.back] == [1]
    assert late.restored == 1


@pytest.mark.parametrize("damage", ["newer", "foreign"])
def test_windows_that_lack_nothing_read_what_is_there_all_the_same(tmp_path: Path, damage: str) -> None:
    content = DAMAGE[damage](kept(tmp_path))
    (tmp_path / file_name(OWNER)).write_bytes(content)
    found = started(tmp_path, lacks=False)
    assert found.resume() is None
    found.keep(5)
    (aside,) = tmp_path.glob("*.unreadable-*")
    assert aside.read_bytes() == content
    assert found.errors() == {"unreadable": 1}
    assert number_in(tmp_path) == 5


def test_windows_that_lack_nothing_take_nothing(tmp_path: Path) -> None:
    kept(tmp_path, 1)
    found = started(tmp_path, lacks=False)
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
        found.now_held = {"number": np.array([3])}
        found.keeper.keep_when_due()
        return number_in(path) == 3

    eventually(written)
    assert [arrays["number"] for arrays, _, _ in found.back] == [1]


def test_windows_that_cannot_be_packed_are_an_error_and_nothing_more(tmp_path: Path) -> None:
    found = started(tmp_path)
    found.keep(1)
    found.now_held = {"no array": "at all"}
    found.keeper.finish()
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


# --- several models


def test_every_model_has_a_file_of_its_own_and_their_sizes_are_added_up(tmp_path: Path) -> None:
    others = [OWNER._replace(model=f"m{number}") for number in range(12)]
    first = started(tmp_path, *others)
    first.now_held = lambda owner: {"number": np.array([others.index(owner)])}
    first.keeper.finish()
    assert [number_in(tmp_path, owner) for owner in others] == list(range(12))
    sizes = [(tmp_path / file_name(owner)).stat().st_size for owner in others]
    assert first.seats[Seat.STATE_KEPT_BYTES] == sum(sizes)
    first.end()
    second = started(tmp_path, *others)
    second.keeper.resume()
    assert [int(arrays["number"][0]) for arrays, _, _ in second.back] == list(range(12))
    assert second.lacking == set()
    assert second.commits == 1


def test_models_that_were_not_met_yet_are_brought_back_where_they_are_wanted(tmp_path: Path) -> None:
    wanted, unwanted, damaged = (OWNER._replace(model=name) for name in ("wanted", "unwanted", "damaged"))
    for number, owner in enumerate((OWNER, wanted, unwanted, damaged)):
        kept(tmp_path, number, owner)
    (tmp_path / file_name(damaged)).write_bytes(b"no windows")
    found = started(tmp_path, wanted=[wanted, damaged])
    found.keeper.resume()
    assert sorted(int(arrays["number"][0]) for arrays, _, _ in found.back) == [0, 1]
    assert found.whose == [OWNER, wanted]
    assert found.errors() == {}
    found.keep(7)
    assert [number_in(tmp_path, owner) for owner in (OWNER, wanted, unwanted)] == [7, 7, 2]
    assert (tmp_path / file_name(damaged)).read_bytes() == b"no windows"


def test_who_comes_while_it_runs_has_its_file_read_before_it_is_written_and_soon(tmp_path: Path) -> None:
    late = OWNER._replace(model="late")
    kept(tmp_path, 3, late)
    found = started(tmp_path, interval_s=3600.0)
    found.resume()
    found.now_held = {"number": np.array([8])}

    def written(owner: Owner) -> bool:
        found.keeper.keep_when_due()
        return (tmp_path / file_name(owner)).exists() and number_in(tmp_path, owner) == 8

    eventually(lambda: written(OWNER))
    found.whose.append(late)
    found.lacking.add(late)
    eventually(lambda: written(late))
    assert [int(arrays["number"][0]) for arrays, _, _ in found.back] == [3]
    assert found.restored == 1


def test_files_in_use_are_not_tidied_away_however_many(tmp_path: Path) -> None:
    for number in range(20):
        kept(tmp_path, number, OWNER._replace(version=str(number)))
    owners = [OWNER._replace(model=f"m{number}") for number in range(20)]
    found = started(tmp_path, *owners)
    for number in range(3):
        found.keep(number)
    assert [number_in(tmp_path, owner) for owner in owners] == [2] * 20
    assert len(list(tmp_path.glob("*.ixstate"))) == 27


def test_files_that_were_brought_back_are_not_tidied_away_before_they_are_written_anew(tmp_path: Path) -> None:
    strangers = [OWNER._replace(model=f"m{number}") for number in range(30)]
    first = started(tmp_path, *strangers)
    first.keep(1)
    first.end()
    found = started(tmp_path, wanted=strangers)
    found.resume()
    assert set(found.whose) == {OWNER, *strangers}
    found.now_held = {"number": np.array([2])}

    def written() -> bool:
        found.keeper.keep_when_due()
        there = {path.name for path in tmp_path.glob("*.ixstate")}
        assert {file_name(owner) for owner in strangers} <= there, "whoever is killed now would have lost them"
        return file_name(OWNER) in there and all(number_in(tmp_path, owner) == 2 for owner in strangers)

    eventually(written)


def test_as_many_models_are_brought_back_as_there_may_be(tmp_path: Path) -> None:
    strangers = [OWNER._replace(model=f"m{number}") for number in range(60)]
    first = started(tmp_path, *strangers)
    first.keep(1)
    first.end()
    found = started(tmp_path, wanted=strangers)
    found.most = 60
    found.resume()
    assert set(found.whose) == {OWNER, *strangers}
