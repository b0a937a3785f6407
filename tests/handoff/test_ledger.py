"""The ledger: whoever is killed while committing leaves the state before or the state after."""

import random
import subprocess
import sys
import time

import numpy as np
import pytest

from exporter.handoff import memory
from exporter.handoff.ledger import Arrays, Ledger, holds

COMMITTER = """
import sys
import numpy as np
from exporter.handoff.ledger import Ledger
arrays = {"count": np.zeros(1, np.int64), "panes": np.zeros((64, 500), np.int64), "sums": np.zeros(777)}
ledger = Ledger(int(sys.argv[1]), arrays)
if ledger.restored:
    ledger.load(arrays)
while True:
    for array in arrays.values():
        array += 1
    ledger.commit(arrays)
"""


def arrays(width: int = 500) -> dict[str, "np.ndarray[tuple[int, ...], np.dtype[np.generic]]"]:
    return {"count": np.zeros(1, np.int64), "panes": np.zeros((64, width), np.int64), "sums": np.zeros(777)}


def fill(state: Arrays, value: int) -> None:
    for array in state.values():
        array[...] = value


def test_a_committer_killed_twenty_times_leaves_one_whole_state() -> None:
    fd = memory.create("ledger", 4096)
    generator = random.Random(5)
    last = 0
    for _ in range(20):
        committer = subprocess.Popen([sys.executable, "-c", COMMITTER, str(fd)], pass_fds=(fd,))
        try:
            state = arrays()
            deadline = time.monotonic() + 30
            while last == int(_committed(fd, state)) and time.monotonic() < deadline:
                assert committer.poll() is None
            time.sleep(generator.random() / 50)
        finally:
            committer.kill()
            committer.wait(10)
        now = _committed(fd, state)
        assert all((array == now).all() for array in state.values()), "a mixed state"
        assert now > last
        last = now


def _committed(fd: int, state: Arrays) -> int:
    ledger = Ledger(fd, arrays())
    ledger.load(state)
    return int(state["count"][0])


def test_what_was_not_committed_is_forgotten() -> None:
    fd = memory.create("ledger", 4096)
    state = arrays()
    fill(state, 1)
    first = Ledger(fd, state)
    assert not first.restored
    fill(state, 2)
    first.commit(state)
    fill(state, 3)
    second = Ledger(fd, state)
    assert second.restored
    second.load(state)
    assert all((array == 2).all() for array in state.values())


@pytest.mark.parametrize("width", [1, 499, 501, 4000])
def test_an_array_of_another_shape_starts_anew_and_the_others_go_on(width: int) -> None:
    fd = memory.create("ledger", 4096)
    state = arrays()
    fill(state, 9)
    Ledger(fd, arrays()).commit(state)
    other = arrays(width)
    Ledger(fd, other).load(other)
    assert other["count"].tolist() == [9]
    assert set(other["sums"].tolist()) == {9.0}
    assert (other["panes"] == 0).all()
    again = arrays()
    Ledger(fd, again).load(again)
    assert (again["panes"] == 0).all(), "what was dropped is gone for good"


@pytest.mark.parametrize(("change", "kept"), [
    ("name", {"a"}), ("dtype", {"b"}), ("shape", {"b"}), ("order", {"a", "b"}),
])  # fmt: skip
def test_arrays_are_known_by_name_type_and_shape(change: str, kept: set[str]) -> None:
    fd = memory.create("ledger", 4096)
    state = {"a": np.zeros((2, 3), np.int64), "b": np.zeros(6, np.int64)}
    ledger = Ledger(fd, state)
    fill(state, 9)
    ledger.commit(state)
    other = {
        "name": {"a": np.zeros((2, 3), np.int64), "c": np.zeros(6, np.int64)},
        "dtype": {"a": np.zeros((2, 3), np.float64), "b": np.zeros(6, np.int64)},
        "shape": {"a": np.zeros((3, 2), np.int64), "b": np.zeros(6, np.int64)},
        "order": {"b": np.zeros(6, np.int64), "a": np.zeros((2, 3), np.int64)},
    }[change]
    Ledger(fd, other).load(other)
    assert {name for name, array in other.items() if (array == 9).all()} == kept
    assert all((array == 0).all() for name, array in other.items() if name not in kept)


def test_a_ledger_says_whether_it_holds_the_very_arrays() -> None:
    fd = memory.create("ledger", 4096)
    assert not holds(fd, arrays())
    Ledger(fd, arrays())
    assert holds(fd, arrays())
    assert not holds(fd, arrays(width=501))
    assert not holds(fd, {"count": np.zeros(1, np.int64)})
    memory.slots(memory.attach(fd), 8)[4] ^= 1
    assert not holds(fd, arrays()), "half made"


def test_arrays_of_no_length_are_kept_too() -> None:
    fd = memory.create("ledger", 4096)
    state = {"a": np.zeros(3), "none": np.zeros((0, 5)), "last": np.zeros((4, 0), np.int64)}
    Ledger(fd, state).commit(state)
    assert Ledger(fd, state).restored


def test_a_ledger_half_made_is_made_again() -> None:
    fd = memory.create("ledger", 4096)
    state = arrays()
    Ledger(fd, state)
    memory.slots(memory.attach(fd), 8)[4] ^= 1  # the last word of the digest goes in last
    assert not Ledger(fd, state).restored


def test_another_layout_goes_on_with_what_it_has_in_common() -> None:
    fd = memory.create("ledger", 4096)
    first = arrays()
    ledger = Ledger(fd, first)
    for value in (3, 4):
        fill(first, value)
        ledger.commit(first)
    second = {"new": np.full(9, 7), **arrays(width=501)}
    grown = Ledger(fd, second)
    assert grown.restored
    grown.load(second)
    assert second["count"].tolist() == [4]
    assert set(second["sums"].tolist()) == {4.0}
    assert second["panes"].sum() == 0
    assert second["new"].tolist() == [7] * 9
    fill(second, 5)
    grown.commit(second)
    third = arrays()
    shrunk = Ledger(fd, third)
    shrunk.load(third)
    assert third["count"].tolist() == [5]
    assert third["panes"].sum() == 0


def test_a_layout_too_long_to_be_written_down_still_knows_itself_and_its_first_arrays() -> None:
    fd = memory.create("ledger", 4096)
    many = {"count": np.zeros(1, np.int64), **{f"{number}{'x' * 90}": np.zeros(2) for number in range(500)}}
    Ledger(fd, many)
    fill(many, 6)
    ledger = Ledger(fd, many)
    ledger.commit(many)
    again = {name: np.zeros_like(array) for name, array in many.items()}
    Ledger(fd, again).load(again)
    assert all(array.tolist() == many[name].tolist() for name, array in again.items())
    other = {"count": np.zeros(1, np.int64), "else": np.zeros(3)}
    Ledger(fd, other).load(other)
    assert other["count"].tolist() == [6]
    assert other["else"].sum() == 0
