"""Whatever is in the way, a file of windows is whole, its owner's alone, and one of few."""

import errno
import os
import random
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.records import Owner
from exporter.state.directory import Directory, file_name
from exporter.state.image import LARGEST, Unreadable

OWNER = Owner("churn", "7", "ab" * 32)


def made(path: Path, owner: Owner = OWNER) -> Directory:
    place = Directory(path, owner)
    assert place.read(0.0) is None
    return place


def read(path: Path) -> bytes | None:
    """What a fresh start would read."""
    place = Directory(path, OWNER)
    try:
        return place.read(30.0)
    finally:
        place.let_go()


def names(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir()} - {"lock"}


def test_what_is_written_last_is_read_again_and_for_nobody_else_to_see(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "in"
    old = os.umask(0)
    try:
        place = made(path)
        for content in (b"first", b"", b"x" * 3_000_000):
            place.write(content)
            assert place.read(0.0) == content
    finally:
        os.umask(old)
    assert names(path) == {file_name(OWNER)}
    assert [stat.S_IMODE(entry.stat().st_mode) for entry in path.iterdir()] == [0o600, 0o600]
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_every_owner_has_a_file_of_its_own_whatever_it_is_called() -> None:
    owners = [Owner(*words) for words in (("a", "b", "c"), ("a", "bc", ""), ("ab", "c", ""), ("a", "b", "d"))]
    awkward = [
        Owner(name, "1", "x") for name in ("", "/../../etc", "日本", "a" * 128, "a" * 127, ".", "x\n", "A", "-rf")
    ]
    found = [file_name(owner) for owner in owners + awkward]
    assert len(set(found)) == len(found)
    assert all("/" not in name and name.isascii() and name.isprintable() and len(name) < 80 for name in found)


# --- alone


def test_a_directory_that_somebody_has_is_refused_until_he_is_gone(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from exporter.state.directory import Directory, Owner;"
        "place = Directory(Path(sys.argv[1]), Owner('other', '7', '')); place.write(b'theirs');"
        "print('here', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"here\n"
            place = Directory(tmp_path, OWNER)
            for attempt in (lambda: place.write(b"ours"), lambda: place.read(0.2)):
                with pytest.raises(BlockingIOError):
                    attempt()
            assert names(tmp_path) == {file_name(Owner("other", "7", ""))}
        finally:
            other.kill()
    place.write(b"ours")
    assert len(names(tmp_path)) == 2
    with pytest.raises(BlockingIOError):
        Directory(tmp_path, OWNER).write(b"mine")
    assert place.read(0.0) == b"ours"


def test_who_ends_a_moment_later_is_waited_for(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from exporter.state.directory import Directory, Owner;"
        "Directory(Path(sys.argv[1]), Owner('churn', '7', 'ab' * 32)).write(b'last words');"
        "print('here', flush=True); time.sleep(0.5)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"here\n"
        assert read(tmp_path) == b"last words"


def test_a_directory_removed_or_replaced_under_way_is_made_and_had_again(tmp_path: Path) -> None:
    path = tmp_path / "state"
    place = made(path)
    place.write(b"one")
    for way in ("removed", "replaced"):
        path.rename(tmp_path / way)
        if way == "replaced":
            path.mkdir()
        place.write(way.encode())
        assert place.read(0.0) == way.encode()
        with pytest.raises(BlockingIOError):
            Directory(path, OWNER).write(b"mine")


# --- in the way


def _directory(path: Path) -> None:
    (path / "full").mkdir(parents=True)


def _too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)


IN_THE_WAY: dict[str, Callable[[Path], None]] = {
    "directory": _directory,
    "pipe": os.mkfifo,
    "link to nowhere": lambda path: path.symlink_to("nowhere"),
    "link to zeros": lambda path: path.symlink_to("/dev/zero"),
    "link to itself": lambda path: path.symlink_to(path),
    "too large": _too_large,
}


@pytest.mark.parametrize("what", IN_THE_WAY)
def test_what_is_no_file_of_ours_is_set_aside_as_it_is(tmp_path: Path, what: str) -> None:
    IN_THE_WAY[what](tmp_path / file_name(OWNER))
    kind = (tmp_path / file_name(OWNER)).lstat()
    place = Directory(tmp_path, OWNER)
    with pytest.raises(Unreadable):
        place.read(0.0)
    place.set_aside()
    place.write(b"new")
    assert place.read(0.0) == b"new"
    (aside,) = names(tmp_path) - {file_name(OWNER)}
    assert aside.startswith(file_name(OWNER) + ".unreadable-")
    assert os.path.samestat((tmp_path / aside).lstat(), kind)
    place.set_aside()
    assert place.read(0.0) is None
    place.set_aside()  # nothing there


def test_a_fault_of_the_disk_or_ours_is_no_word_about_the_file(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from exporter.state.directory import Directory, Owner
place = Directory(Path(sys.argv[1]), Owner("churn", "7", "ab" * 32))
place.write(b"good")
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (place._claim._lock + 1, hard))
try:
    place.read(0.0)
except OSError as error:
    print(error.errno)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
print(place.read(0.0))
"""
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.splitlines() == [str(errno.EMFILE), "b'good'"]


@pytest.mark.parametrize("what", IN_THE_WAY)
def test_looking_at_what_is_no_file_of_ours_keeps_no_descriptor(tmp_path: Path, what: str) -> None:
    IN_THE_WAY[what](tmp_path / file_name(OWNER))
    place = Directory(tmp_path, OWNER)
    for _ in range(3):
        with pytest.raises(Unreadable):
            place.read(0.0)
        open_now = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(Unreadable):
        place.read(0.0)
    assert len(list(Path("/proc/self/fd").iterdir())) == open_now


def test_a_directory_that_was_had_anew_may_hold_news(tmp_path: Path) -> None:
    path = tmp_path / "state"
    place = made(path)
    assert place.may_be_news()
    place.is_read()
    assert not place.may_be_news()
    path.rename(tmp_path / "away")
    assert place.may_be_news()


def test_what_is_set_aside_and_what_others_kept_is_bounded_and_strangers_are_left_alone(tmp_path: Path) -> None:
    strangers = {"notes.txt", "model.ixstate", "model.ixstate.unreadable-1", "churn.tmp"}
    for name in strangers:
        (tmp_path / name).write_text("theirs")
    for number in range(30):
        owner = OWNER._replace(version=str(number))
        place = Directory(tmp_path, owner)
        place.write(b"broken")
        os.utime(tmp_path / file_name(owner), (number, number))
        if number % 2:
            place.set_aside()
        place.write(b"windows")
        os.utime(tmp_path / file_name(owner), (number, number))
        place.let_go()
    left = names(tmp_path)
    assert strangers <= left
    asides = {name for name in left - strangers if ".unreadable-" in name}
    kept = left - strangers - asides
    assert len(asides) == 4
    assert kept == {file_name(OWNER._replace(version=str(number))) for number in range(22, 30)}


@pytest.mark.parametrize(("make", "number"), [
    (lambda path: path.write_text("a file"), errno.EEXIST), (lambda path: path.symlink_to("nowhere"), errno.EEXIST),
])  # fmt: skip
def test_a_path_that_is_no_directory_is_an_error_until_it_is_one(
    tmp_path: Path, make: Callable[[Path], None], number: int
) -> None:
    path = tmp_path / "state"
    make(path)
    place = Directory(path, OWNER)
    for attempt in (lambda: place.read(0.0), lambda: place.write(b"x")):
        with pytest.raises(OSError) as caught:  # noqa: PT011 (its number is looked at)
            attempt()
        assert caught.value.errno == number
    path.unlink()
    place.write(b"x")
    assert place.read(0.0) == b"x"


def test_a_write_that_finds_no_room_leaves_what_was_there_and_nothing_half(tmp_path: Path) -> None:
    script = """
import resource, signal, sys
from pathlib import Path
from exporter.state.directory import Directory, Owner
place = Directory(Path(sys.argv[1]), Owner("churn", "7", "ab" * 32))
place.write(b"old")
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
for room in (0, 1, 4096, 99_999):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        place.write(b"new" * 40_000)
    except OSError as error:
        print(error.errno, sorted(path.name[-8:] for path in Path(sys.argv[1]).iterdir()), place.read(0.0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
place.write(b"new")
"""
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.splitlines() == [f"{errno.EFBIG} ['.ixstate', 'lock'] b'old'"] * 4
    assert read(tmp_path) == b"new"


# --- killed


KILLER = """
# Writes over what is there, in one child after the other. Each is killed one step later than the one before it.
import os, resource, signal, sys
from pathlib import Path
from exporter.state.directory import Directory, Owner
path, owner, old, new = Path(sys.argv[1]), Owner("churn", "7", "ab" * 32), b"old" * 50_000, b"new" * 60_000

def killed(how):
    place = Directory(path, owner)
    place.write(old)
    place.let_go()
    child = os.fork()
    if not child:
        how()
        Directory(path, owner).write(new)
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])

def at_step(number):
    def look(_frame, event, _arg):
        nonlocal number
        if event in ("c_call", "c_return"):  # before and after everything that C does, the kernel's calls among it
            number -= 1
            if not number:
                os.kill(os.getpid(), signal.SIGKILL)
    return lambda: sys.setprofile(look)

def at_byte(number):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))
    return limit

def outcome(word):
    halves = sum(entry.name.endswith(".tmp") for entry in path.iterdir())
    place = Directory(path, owner)
    content = place.read(0.0)
    left = sum(entry.name.endswith(".tmp") for entry in path.iterdir())
    place.let_go()
    print(word, {old: "old", new: "new"}.get(content, "garbage"), halves, left)

step = 1
while killed(at_step(step)) == signal.SIGKILL:
    outcome("step")
    step += 1
outcome("done")
for byte in (0, 1, 4095, 4096, 65_536, 149_999, 150_000, 150_001, 179_999):
    assert killed(at_byte(byte)) == signal.SIGXFSZ
    outcome("byte")
"""


def test_a_writer_killed_at_any_step_or_byte_leaves_the_old_or_the_new_whole(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path)], capture_output=True, text=True, timeout=250, check=False
    )
    assert result.returncode == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    steps = [line for line in lines if line[0] == "step"]
    found = [line[1] for line in steps]
    assert found == ["old"] * found.count("old") + ["new"] * found.count("new"), "first the old one, then the new one"
    assert min(found.count("old"), found.count("new")) > 10
    assert sum(int(line[2]) for line in steps) > 5, "some were killed while the new one was half written"
    assert {line[1] for line in lines if line[0] == "done"} == {"new"}
    assert {tuple(line[1:3]) for line in lines if line[0] == "byte"} == {("old", "1")}
    assert {line[3] for line in lines} == {"0"}, "what was half written is removed"


def test_writers_killed_at_random_moments_leave_whole_files(tmp_path: Path) -> None:
    script = """
import sys; from pathlib import Path; from exporter.state.directory import Directory, Owner
place = Directory(Path(sys.argv[1]), Owner("churn", "7", "ab" * 32))
number = int(place.read(30.0)[:9] or 0)
print("here", flush=True)
while True:
    number += 1
    place.write(b"%09d" % number * 30_000)
"""
    place = made(tmp_path)
    place.write(b"000000000")
    place.let_go()
    last = 0
    moments = random.Random(3)
    for _ in range(12):
        with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"here\n"
            time.sleep(moments.random() / 50)
            writer.kill()
        content = read(tmp_path)
        assert content is not None
        assert content == content[:9] * (len(content) // 9)
        assert int(content[:9]) >= last
        last = int(content[:9])
