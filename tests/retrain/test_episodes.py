"""One event an episode, whatever comes and goes, and whoever dies: over random sequences."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.retrain.episodes import Memory, memory_of
from exporter.retrained import COOLING, FIRED, HOLDING, IDLE
from exporter.retraining import Retrain

HOUR = 3600.0
DAY = 24 * HOUR
SAID = Retrain(url="http://receiver/")
FOUND, BETWEEN, WELL = range(3)
STEPS = st.lists(st.tuples(st.sampled_from([FOUND, BETWEEN, WELL]), st.integers(1, 300)), max_size=300)


def look(memory: Memory, now: float, what: int, said: Retrain = SAID) -> bool:
    """Whether somebody is asked now."""
    memory.look(now, said, found=what == FOUND, well=what == WELL)
    if memory.is_due(said):
        memory.ask(now, "retrain", dry=False)
        return True
    return False


@settings(max_examples=200, deadline=None)
@given(STEPS, st.floats(0.0, 2 * HOUR), st.floats(60.0, 2 * HOUR), st.booleans())
def test_between_two_events_everything_was_well_for_as_long_as_is_said(
    steps: list[tuple[int, int]], hold: float, reset: float, dies: bool
) -> None:
    said = replace(SAID, hold=hold, reset=reset)
    memory, now, well_since, well_enough, asked = Memory(), 1e9, 0.0, True, 0
    held = 0.0
    before = WELL
    for what, pause_s in steps:
        now += pause_s
        held += pause_s if what == before == FOUND else 0.0
        if look(memory, now, what, said):
            assert what == FOUND
            assert well_enough, "twice in one episode"
            assert held >= hold
            well_enough, asked = False, asked + 1
        well_since = (well_since or now) if what == WELL else 0.0
        if well_since and now - well_since >= reset:
            well_enough, held = True, 0.0
        before = what
        if dies:
            memory = memory_of(memory.document())
    assert asked <= 1 + sum(what == WELL for what, _ in steps)


def test_a_finding_that_flaps_for_a_month_is_one_event() -> None:
    memory, now, events = Memory(), 1e9, 0
    for number in range(30 * 24 * 12):
        now += 300
        events += look(memory, now, FOUND if number % 3 else WELL)
    assert events == 1


def test_what_comes_back_after_it_was_well_for_long_enough_is_another_event() -> None:
    memory, now, events = Memory(), 1e9, list[float]()
    for hours, what in ((3, FOUND), (23, WELL), (3, FOUND), (25, WELL), (3, FOUND)):
        for _ in range(hours * 12):
            now += 300
            if look(memory, now, what):
                events.append(now)
    assert len(events) == 2
    assert events[1] - events[0] > 50 * HOUR


def test_nobody_is_asked_before_it_was_found_for_as_long_as_is_said() -> None:
    memory, now = Memory(), 1e9
    for _ in range(12):
        assert not look(memory, now, FOUND)
        now += 300
    assert look(memory, now, FOUND)


def test_between_the_two_lines_an_episode_neither_holds_nor_ends() -> None:
    memory, now = Memory(), 1e9
    assert not look(memory, now, FOUND)
    for _ in range(1000):
        now += 300
        assert not look(memory, now, BETWEEN)
    assert (memory.held, memory.began) == (0.0, 1e9)


def test_a_long_gap_between_two_looks_counts_for_little() -> None:
    memory = Memory()
    look(memory, 1e9, FOUND)
    assert not look(memory, 1e9 + DAY, FOUND)
    assert memory.held == 300.0


def test_a_clock_that_is_set_back_ends_no_episode_and_asks_nobody() -> None:
    memory, now = Memory(), 1e9
    for _ in range(13):
        asked = look(memory, now, FOUND)
        now += 300
    assert asked
    assert not any(look(memory, now - 30 * DAY + 60 * number, WELL) for number in range(10))
    assert memory.asked > 0


def test_what_nobody_has_looked_at_was_not_well() -> None:
    memory, now = Memory(), 1e9
    for _ in range(13):
        look(memory, now, FOUND)
        now += 300
    look(memory, now, WELL)
    for days in (2, 30):  # it was down, or the clock is ahead
        look(memory, now + days * DAY, WELL)
    assert memory.asked > 0
    for step in range(24 * 12):
        look(memory, now + 30 * DAY + 300 * step, WELL)
    assert memory.asked == 0.0


def test_a_clock_that_was_ahead_when_somebody_was_asked_holds_nobody_back_for_long() -> None:
    memory = Memory()
    look(memory, 1e9 + 3650 * DAY, FOUND)
    memory.ask(1e9 + 3650 * DAY, "retrain", dry=False)
    memory.not_later_than(1e9)
    assert (memory.began, memory.asked, memory.last) == (1e9, 1e9, 1e9)


def test_the_state_is_said_in_one_word() -> None:
    memory = Memory()
    assert memory.state(lambda: False) == IDLE
    look(memory, 1e9, FOUND)
    assert memory.state(lambda: False) == HOLDING
    assert memory.state(lambda: True) == COOLING
    memory.ask(1e9, "retrain", dry=False)
    assert memory.state(lambda: True) == FIRED


def test_what_was_only_logged_is_forgotten_once_events_are_sent() -> None:
    memory = Memory()
    look(memory, 1e9, FOUND)
    memory.ask(1e9, "retrain", dry=True)
    memory.forget_dry()
    assert (memory.asked, memory.last, memory.advice) == (0.0, 0.0, "")
    memory.ask(1e9, "retrain", dry=False)
    memory.forget_dry()
    assert memory.asked == 1e9


def test_each_reason_is_told_once_an_episode() -> None:
    memory = Memory()
    assert [memory.hold_back(reason) for reason in ("advice", "cool_down", "advice")] == [True, True, False]
