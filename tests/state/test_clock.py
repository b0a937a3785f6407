"""Ages by the clock that nobody can set, as long as it is the same one; else by the wall clock, if it can be right."""

import pytest

from exporter.state import clock
from exporter.state.clock import Moment, shift_s

DAY_S = 86_400.0
HELD = Moment(5000.0, 1.8e9, "this boot")


@pytest.mark.parametrize("jump_s", [-DAY_S, -1.0, 0.0, 1.0, DAY_S])
def test_within_a_boot_the_wall_clock_has_no_say(jump_s: float) -> None:
    assert shift_s(HELD, Moment(5060.0, 1.8e9 + 60 + jump_s, "this boot")) == 0.0


@pytest.mark.parametrize("boot", ["another boot", ""])
def test_across_boots_the_wall_clock_says_how_long_it_was(boot: str) -> None:
    # 90 s on the wall later, 10 s after the boot: what was then is 90 s old.
    assert shift_s(HELD, Moment(10.0, 1.8e9 + 90, boot)) == 10.0 - 90.0 - 5000.0


@pytest.mark.parametrize("boot", ["another boot", ""])
def test_a_wall_clock_a_day_ahead_makes_all_of_it_a_day_older(boot: str) -> None:
    here = Moment(10.0, 1.8e9 + 90 + DAY_S, boot)
    shift = shift_s(HELD, here)
    assert shift is not None
    assert here.monotonic_s - (HELD.monotonic_s + shift) == 90 + DAY_S


@pytest.mark.parametrize("boot", ["another boot", ""])
def test_a_wall_clock_that_went_back_says_nothing(boot: str) -> None:
    assert shift_s(HELD, Moment(10.0, 1.8e9 - DAY_S, boot)) is None
    assert shift_s(HELD, Moment(10.0, 0.0, boot)) is None


def test_a_wall_clock_that_was_put_right_by_seconds_is_believed() -> None:
    assert shift_s(HELD, Moment(10.0, 1.8e9 - 2, "another boot")) == 10.0 + 2 - 5000.0


def test_where_no_boot_is_known_the_wall_clock_is_all_there_is() -> None:
    unknown = HELD._replace(boot="")
    assert shift_s(unknown, Moment(5060.0, 1.8e9 + 70, "")) == -10.0


def test_a_clock_that_shows_less_than_it_did_is_another_one() -> None:
    assert shift_s(HELD, Moment(4999.0, 1.8e9 + 5, "this boot")) == 4999.0 - 5 - 5000.0


def test_now_is_one_moment_and_the_boot_stays_the_same() -> None:
    first, second = clock.now(), clock.now()
    assert first.boot == second.boot
    assert first.boot
    assert first.monotonic_s <= second.monotonic_s
    assert shift_s(first, second) == 0.0
