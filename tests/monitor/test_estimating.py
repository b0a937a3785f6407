"""Estimates of a model's measures in windows: what is in them, what is kept, and when there are none."""

import numpy as np

from exporter.hindsight import Performance
from exporter.monitor.estimating import Estimating, estimating
from exporter.performance.task import Task
from exporter.reference import Column
from exporter.target import Calibration, Target

TASK = Task("binary", "", ("score",), ("no", "yes"))
COLUMN = Column("y", "categorical", (900, 100, 0, 0, 0), categories=("no", "yes"))
LINE = Calibration("score", (0.0, 1.0), (0.0, 1.0))
TARGET = Target(COLUMN, "binary", "", ("score",), ("no", "yes"), 0.5, (LINE,), (), (900, 100))
SETTINGS = Performance(windows=(60.0, 3600.0))


def made(target: Target = TARGET) -> Estimating:
    found = estimating(TASK, target, SETTINGS, 1.0)
    assert found
    return found


def answers(*scores: float) -> np.ndarray:
    return np.array([(np.nan, score) for score in scores])


def accuracies(one: Estimating, now: float) -> dict[str, tuple[int, float]]:
    return {found.window: (found.samples, round(found.measures[0].value, 9)) for found in one.snapshot(now)}


def test_each_window_has_the_answers_of_its_time() -> None:
    one = made()
    one.add(answers(0.9, 0.1), 1000.0)
    one.add(answers(0.8, 0.6), 1100.0)
    assert accuracies(one, 1100.0) == {"1m": (2, 0.7), "1h": (4, 0.8)}
    assert accuracies(one, 10_000.0) == {}


def test_answers_without_a_score_are_in_no_window() -> None:
    one = made()
    one.add(answers(np.nan), 1000.0)
    one.add(answers(), 1000.0)
    assert one.snapshot(1000.0) == ()


def test_windows_go_on_from_what_is_kept() -> None:
    one, other = made(), made()
    one.add(answers(0.9, 0.1), 1000.0)
    kept = one.arrays("m")
    for name, array in other.arrays("m").items():
        array[...] = kept[name]
    assert other.snapshot(1000.0) == one.snapshot(1000.0)


def test_windows_go_on_from_what_was_held_on_another_clock() -> None:
    one, other = made(), made()
    one.add(answers(0.9, 0.1), 1000.0)
    other.put_back(dict(one.held("m", 1000.0)), "m", 500.0, 1500.0)
    assert other.snapshot(1500.0) == one.snapshot(1000.0)


def test_another_calibration_begins_anew() -> None:
    bent = TARGET._replace(calibrations=(LINE._replace(shares=(0.0, 0.9)),))
    one, other = made(), made(bent)
    one.add(answers(0.9, 0.1), 1000.0)
    assert not {*one.arrays("m")} & {*other.arrays("m")}
    other.put_back(dict(one.held("m", 1000.0)), "m", 0.0, 1000.0)
    assert other.snapshot(1000.0) == ()


def test_scores_that_are_no_probabilities_have_no_estimates() -> None:
    assert estimating(TASK, None, SETTINGS, 1.0) is None
    assert estimating(None, TARGET, SETTINGS, 1.0) is None
    assert estimating(TASK, TARGET._replace(calibrations=()), SETTINGS, 1.0) is None
    assert estimating(Task("regression", "price"), TARGET, SETTINGS, 1.0) is None
