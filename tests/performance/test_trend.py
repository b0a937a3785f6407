"""A line through the errors of days: its interval holds what it promises, and its crossing is where it should be."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from exporter.performance.daily import SIZE, DailyTally, Day
from exporter.performance.task import BINARY, RANKING, REGRESSION, Rows, Task
from exporter.performance.trend import LEAST_DAYS, counts, line

RUNS = 1000
REGRESSING = Task(REGRESSION, "y", unit=3.0)
CLASSIFYING = Task(BINARY, "c", (), ("no", "yes"))


def days_of(random: np.random.Generator, rows: np.ndarray, shares: np.ndarray) -> list[Day]:
    """Of so many rows a day, of which such a share is wrong."""
    wrong = random.binomial(rows, shares) / rows
    return [
        Day(int(one), float(one), float(mean), float(mean * (1 - mean) / (one - 1)))
        for one, mean in zip(rows, wrong, strict=True)
    ]


@pytest.mark.parametrize("days", [7, 30, 90])
@pytest.mark.parametrize("rows", ["even", "uneven", "growing"])
def test_without_decay_the_interval_holds_zero_95_times_of_100(days: int, rows: str) -> None:
    random = np.random.default_rng(days)
    held = above = 0
    for _ in range(RUNS):
        sizes = {
            "even": np.full(days, 200), "uneven": random.choice([20, 100, 2000], days),
            "growing": np.linspace(20, 2000, days).astype(int),
        }[rows]  # fmt: skip
        found = line(range(days), days_of(random, sizes, np.full(days, 0.1)))
        assert found
        held += found.lower <= 0 <= found.upper
        above += found.lower > 0
    assert 0.93 <= held / RUNS <= 0.97
    assert above / RUNS <= 0.04


def test_it_holds_where_days_differ_beyond_chance() -> None:
    random = np.random.default_rng(3)
    held = 0
    for _ in range(RUNS):
        found = line(range(30), days_of(random, random.integers(100, 3000, 30), random.normal(0.2, 0.03, 30)))
        assert found
        held += found.lower <= 0 <= found.upper
    assert 0.93 <= held / RUNS <= 0.97


def test_it_is_somewhat_narrow_where_few_days_differ_and_some_have_a_hundred_times_as_many_rows_as_others() -> None:
    random = np.random.default_rng(8)
    held = 0
    for _ in range(RUNS):
        found = line(range(7), days_of(random, random.choice([20, 100, 2000], 7), random.normal(0.1, 0.02, 7)))
        assert found
        held += found.lower <= 0 <= found.upper
    assert 0.85 <= held / RUNS <= 0.97


def test_planted_decay_is_found_and_the_day_of_its_crossing_is_about_right() -> None:
    random = np.random.default_rng(4)
    crossings = []
    for _ in range(200):
        found = line(range(30), days_of(random, np.full(30, 500), 0.1 + 0.002 * np.arange(30)))
        assert found
        assert found.lower > 0
        crossings.append(found.reaches(0.2))
    assert np.median(crossings) == pytest.approx(50, abs=2)
    assert np.std(crossings) < 8


def test_what_falls_or_stays_reaches_nothing() -> None:
    random = np.random.default_rng(5)
    found = line(range(30), days_of(random, np.full(30, 500), 0.2 - 0.002 * np.arange(30)))
    assert found
    assert found.upper < 0
    assert math.isnan(found.reaches(0.3))


def test_few_days_and_days_that_are_all_alike_have_no_line() -> None:
    random = np.random.default_rng(6)
    assert line(range(LEAST_DAYS - 1), days_of(random, np.full(6, 100), np.full(6, 0.2))) is None
    assert line(range(30), days_of(random, np.full(30, 100), np.zeros(30))) is None
    assert not counts(Day(9, 9.0, 0.1, 0.01))
    assert not counts(Day(0, 0.0, math.nan, math.nan))
    assert counts(Day(10, 10.0, 0.1, 0.01))


# --- sums of a day


def rows_of(said: list[float], true: list[float], weight: list[float] | None = None) -> Rows:
    return Rows(np.array(said)[:, None], np.array(true), np.array(weight or [1.0] * len(said)))


def test_a_day_of_numbers_is_the_mean_of_the_sizes_of_errors_whatever_the_batches() -> None:
    random = np.random.default_rng(7)
    said, true = random.normal(0, 50, 500), random.normal(0, 50, 500)
    said[3] = np.nan
    tally, words = DailyTally(REGRESSING), np.zeros(SIZE, np.int64)
    for part in np.array_split(random.permutation(500), 7):
        words += tally.of(rows_of(said[part].tolist(), true[part].tolist()))
    assert words.tolist() == tally.of(rows_of(said.tolist(), true.tolist())).tolist()
    off, day = np.abs(said - true)[~np.isnan(said)], tally.read(words)
    assert (day.rows, day.even, tally.measure) == (499, 499.0, "mae")
    assert_allclose((day.mean, day.variance), (off.mean(), off.var(ddof=1) / off.size), rtol=1e-9)


def test_a_day_of_classes_is_the_share_of_wrong_ones_by_weight() -> None:
    tally = DailyTally(CLASSIFYING)
    day = tally.read(tally.of(rows_of([0, 1, 1, 0], [0, 1, 0, 2], [1, 1, 2, 4])))
    assert (day.rows, day.mean, tally.measure) == (4, 0.75, "error_ratio")
    assert day.even == pytest.approx(64 / 22)


def test_a_day_of_rankings_is_the_share_with_nothing_relevant_among_the_first_ones() -> None:
    tally = DailyTally(Task(RANKING, "r", ranks=2))
    true = np.array([[1.0, 0, 0], [0, 0, 1], [0, np.nan, np.nan], [np.nan] * 3])
    day = tally.read(tally.of(Rows(np.zeros((4, 1)), true, np.ones(4))))
    assert (day.rows, tally.measure) == (3, "miss_ratio")
    assert day.mean == pytest.approx(2 / 3)
