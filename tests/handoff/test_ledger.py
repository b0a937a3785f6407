"""The ledger: whoever is killed while committing leaves the state before or the state after, whatever its chapters."""

import os
import random
import struct
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

from exporter.handoff import memory
from exporter.handoff.ledger import Ledger

COMMITTER = """
import sys
import numpy as np
from exporter.handoff.ledger import Ledger

ledger = Ledger(int(sys.argv[1]))
held = ledger.chapters()
number = int(held["own"]["count"][0]) if held else 0
while True:
    number += 1
    # Chapters come, change their shape and go; each array holds the number of the commit.
    chapters = {"own": {"count": np.full(1, number), "panes": np.full((64, 500), number)}}
    for place in range(number % 7):
        chapters[f"model {place}"] = {"panes": np.full((9, 10 + number % 3), number), "sums": np.full(77, number)}
    ledger.commit(chapters)
"""


def arrays(value: int = 0, width: int = 500) -> dict[str, Any]:
    return {
        "count": np.full(1, value, np.int64),
        "panes": np.full((64, width), value, np.int64),
        "sums": np.full(777, float(value)),
    }


def committed(fd: int) -> dict[str, dict[str, Any]]:
    return Ledger(fd).chapters()


def equal(one: Any, other: Any) -> bool:
    return one.keys() == other.keys() and all(
        one[title].keys() == other[title].keys()
        and all(
            np.array_equal(one[title][name], other[title][name]) and one[title][name].dtype == other[title][name].dtype
            for name in one[title]
        )
        for title in one
    )


def test_a_committer_killed_twenty_times_while_chapters_come_and_go_leaves_one_whole_state() -> None:
    fd = memory.create("ledger", 4096)
    generator = random.Random(5)
    last = 0
    for _ in range(20):
        committer = subprocess.Popen([sys.executable, "-c", COMMITTER, str(fd)], pass_fds=(fd,))
        try:
            deadline = time.monotonic() + 30
            while _number(fd) <= last + 1 and time.monotonic() < deadline:  # what is seen may not be committed yet
                assert committer.poll() is None
            time.sleep(generator.random() / 50)
        finally:
            committer.kill()
            committer.wait(10)
        held = committed(fd)
        now = int(held["own"]["count"][0])
        assert all((array == now).all() for chapter in held.values() for array in chapter.values()), "a mixed state"
        assert held.keys() == {"own", *(f"model {place}" for place in range(now % 7))}
        assert now > last
        last = now


def _number(fd: int) -> int:
    """As of now; somebody else may be committing meanwhile."""
    try:
        return int(committed(fd).get("own", {"count": [0]})["count"][0])
    except (KeyError, ValueError, IndexError, struct.error):
        return 0


STEPPER = """
import os, signal, sys
import numpy as np
from exporter.handoff import ledger as module, memory, undo
from exporter.handoff.ledger import Ledger

def chapter(value, width=50):
    return {"count": np.full(1, value), "panes": np.full((3, width), value), "sums": np.full(7, float(value))}

BEFORE = {"own": chapter(1), "a": chapter(1), "b": chapter(1, 60)}
AFTER = {
    "the same chapters": {"own": chapter(2), "a": chapter(2), "b": chapter(2, 60)},
    "one more": {"own": chapter(2), "a": chapter(2), "b": chapter(2, 60), "c": chapter(2, 9000)},
    "one less": {"own": chapter(2), "b": chapter(2, 60)},
    "another shape": {"own": chapter(2), "a": chapter(2, 61), "b": chapter(2, 60)},
    "one for another": {"own": chapter(2), "c": chapter(2), "b": chapter(2, 60)},
    "none of them": {"d": chapter(2, 4)},
}[sys.argv[1]]

def same(one, other):
    return one.keys() == other.keys() and all(
        one[title].keys() == other[title].keys()
        and all(np.array_equal(one[title][name], other[title][name]) for name in one[title]) for title in one)

def killed_at(fd, line):
    \"\"\"Whether a process that commits was killed when it came to that line of the ledger's.\"\"\"
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    seen = 0
    def trace(frame, event, _):
        nonlocal seen
        if frame.f_code.co_filename not in (module.__file__, memory.__file__, undo.__file__):
            return None
        seen += event == "line"
        if seen >= line:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    books = Ledger(fd)
    sys.settrace(trace)
    books.commit(AFTER)
    sys.settrace(None)
    os._exit(0)

befores = afters = line = 0
while True:
    line += 1
    fd = memory.create("ledger", 4096)
    first = Ledger(fd)
    first.commit(BEFORE)
    first.commit(BEFORE)
    was_killed = killed_at(fd, line)
    killed_at(fd, 1 + 7 * line % 89)  # and so is the next one, while it settles what the first one left, or later
    found = Ledger(fd).chapters()
    assert same(found, BEFORE) or same(found, AFTER), line
    befores, afters = befores + same(found, BEFORE), afters + same(found, AFTER)
    again = Ledger(fd)
    again.commit(AFTER)
    assert same(Ledger(fd).chapters(), AFTER), "whoever comes after it goes on"
    os.close(fd)
    if not was_killed:
        break
assert same(found, AFTER)
print(line, befores, afters)
"""


@pytest.mark.parametrize(
    "change", ["the same chapters", "one more", "one less", "another shape", "one for another", "none of them"]
)
def test_a_committer_killed_at_each_of_its_steps_leaves_the_state_before_or_the_state_after(change: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STEPPER, change],
        capture_output=True, text=True, check=False, env={"OPENBLAS_NUM_THREADS": "1"}, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines, befores, afters = map(int, done.stdout.split())
    assert lines > 20
    assert befores > 10
    assert afters >= 1


def test_what_was_not_committed_is_forgotten() -> None:
    fd = memory.create("ledger", 4096)
    first = Ledger(fd)
    assert first.chapters() == {}
    first.commit({"x": arrays(1)})
    state = arrays(2)
    first.commit({"x": state})
    state["count"][0] = 3
    assert equal(committed(fd), {"x": arrays(2)})


def test_another_layout_and_other_chapters_take_the_place_of_those_before() -> None:
    fd = memory.create("ledger", 4096)
    ledger = Ledger(fd)
    for chapters in (
        {"a": arrays(1)}, {"a": arrays(2), "b": arrays(2, 3)}, {"b": arrays(3, 4)},
        {"b": arrays(4, 4), "日 \n": arrays(4)}, {"b": {"count": np.full(1, 7, np.int32)}}, {},
    ):  # fmt: skip
        ledger.commit(chapters)
        assert equal(committed(fd), chapters)
        assert equal(ledger.chapters(), chapters)
        ledger = Ledger(fd)


def test_who_attaches_later_goes_on_with_every_commit() -> None:
    fd = memory.create("ledger", 4096)
    for value in range(1, 6):
        ledger = Ledger(fd)
        for more in (0, 100):
            ledger.commit({"a": arrays(value + more), "b": arrays(value + more, 3)})
            assert equal(committed(fd), {"a": arrays(value + more), "b": arrays(value + more, 3)})


def test_what_is_said_not_to_have_changed_is_true_in_both_copies_all_the_same() -> None:
    fd = memory.create("ledger", 4096)
    ledger = Ledger(fd)
    one, other = arrays(), arrays()
    ledger.commit({"one": one, "other": other})
    generator = random.Random(3)
    for value in range(1, 60):
        changed = {title for title in ("one", "other") if generator.random() < 0.4}
        for title in changed:
            for array in (one if title == "one" else other).values():
                array[...] = value
        ledger.commit({"one": one, "other": other}, changed)
        assert equal(committed(fd), {"one": one, "other": other})


def test_whatever_rows_of_an_array_differ_are_committed_to_the_bit() -> None:
    fd = memory.create("ledger", 4096)
    ledger, generator = Ledger(fd), random.Random(4)
    wide, narrow, one = np.zeros((9, 300)), np.zeros((400, 3), np.int32), np.zeros(1000, np.uint8)
    for value in range(40):
        for row in generator.sample(range(9), generator.randrange(9)):
            wide[row, generator.randrange(300)] = generator.choice([value, -0.0, 0.0, np.nan])
        narrow[generator.randrange(400), 1] = one[generator.randrange(1000)] = value
        ledger.commit({"x": {"wide": wide, "narrow": narrow, "one": one}})
        if value % 5 == 0:
            ledger = Ledger(fd)
        for name, array in committed(fd)["x"].items():
            assert array.tobytes() == {"wide": wide, "narrow": narrow, "one": one}[name].tobytes()


def test_a_commit_that_changes_nearly_everything_leaves_no_more_memory_taken_than_before() -> None:
    fd = memory.create("ledger", 4096)
    ledger = Ledger(fd)
    state = {"panes": np.zeros((100, 1 << 15))}  # 25 MiB
    ledger.commit({"x": state})
    before = os.fstat(fd).st_blocks
    state["panes"] += 1
    ledger.commit({"x": state})
    assert equal(committed(fd), {"x": state})
    assert os.fstat(fd).st_blocks - before < 16  # of 512 bytes


def test_room_that_is_free_again_is_used_again() -> None:
    fd = memory.create("ledger", 4096)
    ledger = Ledger(fd)
    sizes = []
    for number in range(200):
        ledger.commit({"own": arrays(number), f"{number}": arrays(number, 400 + number % 5)})
        sizes.append(len(memory.attach(fd)))
    assert max(sizes) == max(sizes[:10])
    assert equal(committed(fd), {"own": arrays(199), "199": arrays(199, 404)})


def test_arrays_of_no_length_are_kept_too() -> None:
    fd = memory.create("ledger", 4096)
    state = {"a": np.zeros(3), "none": np.zeros((0, 5)), "last": np.zeros((4, 0), np.int64)}
    Ledger(fd).commit({"x": state})
    assert equal(committed(fd), {"x": state})


def test_a_thousand_chapters_are_written_down() -> None:
    fd = memory.create("ledger", 4096)
    chapters = {f"{number}{'x' * 90}": {"a" * 90: np.full(2, number)} for number in range(1000)}
    Ledger(fd).commit(chapters)
    assert equal(committed(fd), chapters)


@pytest.mark.parametrize("root", [2, 1 << 60, 4096 + 64])
def test_a_head_that_leads_nowhere_is_an_empty_ledger(root: int) -> None:
    fd = memory.create("ledger", 4096)
    Ledger(fd).commit({"x": arrays(1)})
    memory.slots(memory.attach(fd), 8)[0] = root
    ledger = Ledger(fd)
    assert ledger.chapters() == {}
    ledger.commit({"x": arrays(2)})
    assert equal(committed(fd), {"x": arrays(2)})


WITHOUT_ADDRESSES = """
import resource
import numpy as np
from exporter.handoff import memory
from exporter.handoff.ledger import Ledger

def used():
    return 1024 * int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1])

fd = memory.create("ledger", 4096)
ledger = Ledger(fd)
own = {"count": np.ones(1 << 20)}
ledger.commit({"own": own, "gap": {"count": np.ones(2 << 20)}})
ledger.commit({"own": own})
more = {"own": own, "more": {"count": np.full(1 << 10, 7.0)}, "grown": {"count": np.full(1 << 23, 8.0)}}
less = {title: more[title] for title in ("own", "more")}
resource.setrlimit(resource.RLIMIT_AS, (used() + (10 << 20), resource.RLIM_INFINITY))
ledger.commit(less)  # it fits where it is
try:
    ledger.commit(more)
    raise SystemExit("there was no room to look at it")
except OSError:
    pass
assert Ledger.chapters(ledger).keys() == less.keys()
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
less["more"]["count"] += 1
ledger.commit(less)
assert Ledger(fd).chapters()["more"]["count"].tolist() == [8.0] * (1 << 10)
more["grown"]["count"] += 1
ledger.commit(more)
held = Ledger(fd).chapters()
assert held.keys() == more.keys() and held["grown"]["count"].tolist() == [9.0] * (1 << 23)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space are Linux's")
def test_who_has_no_addresses_left_goes_on_as_before_and_commits_what_needs_none() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_ADDRESSES], check=True, timeout=60)
