"""How many truths are taken to come as one."""

import numpy as np
import pytest

from exporter.performance.clumps import Clumps


def fed(seed: int, lumps: int, alike: int = 1, rows: int = 60, share: float = 0.1) -> Clumps:
    draw, clumps = np.random.default_rng(seed), Clumps(5.0)
    for _ in range(lumps):
        wrong = alike * int((draw.random(rows // alike) < share).sum())
        clumps.add(np.array([rows - wrong, wrong]))
    return clumps


def test_the_default_is_believed_until_something_else_was_seen_seven_times() -> None:
    assert Clumps(5.0).dependence == 5.0
    assert not fed(1, 7).is_believed
    assert fed(1, 12).is_believed


def test_truths_that_stand_for_themselves_are_found_to() -> None:
    found = [fed(seed, 1000).dependence for seed in range(20)]
    assert np.mean(found) < 1.1
    assert max(found) < 1.35


@pytest.mark.parametrize("alike", [5, 30])
def test_truths_that_come_in_groups_are_found_to(alike: int) -> None:
    found = [fed(seed, 500, alike, rows=120).dependence for seed in range(10)]
    assert np.mean(found) == pytest.approx(alike, rel=0.15)


def test_groups_that_last_for_many_lumps_are_found_though_no_lump_shows_them() -> None:
    draw, clumps = np.random.default_rng(3), Clumps(5.0)
    for span in range(40):
        share = 0.06 if span % 2 else 0.14
        for _ in range(64):
            wrong = int((draw.random(200) < share).sum())
            clumps.add(np.array([200 - wrong, wrong]))
    assert clumps.dependence > 20


def test_a_model_that_becomes_worse_once_is_no_dependence() -> None:
    draw, clumps = np.random.default_rng(4), Clumps(5.0)
    for night in range(30):
        wrong = int((draw.random(10_000) < (0.1 if night < 15 else 0.2)).sum())
        clumps.add(np.array([10_000 - wrong, wrong]))
    assert clumps.dependence < 5, "X² of that one pair of nights is 390"


def test_lumps_without_a_wrong_one_tell_nothing() -> None:
    clumps = Clumps(5.0)
    for _ in range(100):
        clumps.add(np.array([24, 0]))
    assert clumps.dependence == 5.0
    assert not clumps.is_believed
