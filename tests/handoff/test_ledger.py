"""The ledger: whoever is killed while committing leaves the state before or the state after."""

import random
import subprocess
import sys
import time

import numpy as np
import pytest

from exporter.handoff import memory
from exporter.handoff.ledger import Arrays, Ledger

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
def test_another_layout_starts_anew(width: int) -> None:
    fd = memory.create("ledger", 4096)
    state = arrays()
    fill(state, 9)
    Ledger(fd, arrays()).commit(state)
    other = arrays(width)
    ledger = Ledger(fd, other)
    assert not ledger.restored
    fill(other, 5)
    ledger.load(other)
    assert all((array == 0).all() for array in other.values())
    assert not Ledger(fd, arrays()).restored, "the old state is gone for good"


@pytest.mark.parametrize("change", ["name", "dtype", "shape", "order"])
def test_a_layout_is_names_types_and_shapes_in_order(change: str) -> None:
    fd = memory.create("ledger", 4096)
    Ledger(fd, {"a": np.zeros((2, 3), np.int64), "b": np.zeros(6, np.int64)})
    other = {
        "name": {"a": np.zeros((2, 3), np.int64), "c": np.zeros(6, np.int64)},
        "dtype": {"a": np.zeros((2, 3), np.float64), "b": np.zeros(6, np.int64)},
        "shape": {"a": np.zeros((3, 2), np.int64), "b": np.zeros(6, np.int64)},
        "order": {"b": np.zeros(6, np.int64), "a": np.zeros((2, 3), np.int64)},
    }[change]
    assert not Ledger(fd, other).restored


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
