"""What chance, dependence and the hours of a week do to counts is estimated as simulations say it is."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from exporter.calibration.dependence import dependence
from exporter.calibration.reference_error import reference_error
from exporter.calibration.wander import wander

TEN = np.full(10, 0.1)
SKEWED = np.array([0.5, 0.3, 0.1, 0.05, 0.02, 0.01, 0.01, 0.005, 0.004, 0.001])
Draw = np.random.Generator


@pytest.mark.parametrize(("rows", "expected"), [(50_000, 0.009), (7_000, 0.023), (2_000, 0.043), (500, 0.086)])
def test_the_error_of_a_reference_is_that_of_its_size(rows: int, expected: float) -> None:
    assert reference_error(np.full(10, rows // 10)) == pytest.approx(expected, rel=0.1)


def test_a_fresh_sample_exceeds_the_error_once_in_a_hundred_times() -> None:
    counts, draw = (SKEWED * 4_000).astype(np.int64), np.random.default_rng(1)
    moved = np.abs(draw.multinomial(counts.sum(), counts / counts.sum(), 4_000) - counts).sum(axis=1) / 2 / counts.sum()
    assert 0.002 < float((moved > reference_error(counts)).mean()) < 0.025


def test_the_error_is_the_same_on_every_machine_and_knows_no_order_of_calls() -> None:
    counts = np.array([100, 0, 250, 40, 3])
    assert [reference_error(counts), reference_error(np.array([7, 8])), reference_error(counts)] == [
        0.0661578, 0.333333, 0.0661578,
    ]  # fmt: skip


@pytest.mark.parametrize("counts", [[5], [0, 9, 0]])
def test_what_has_one_bin_has_no_error(counts: list[int]) -> None:
    assert reference_error(np.array(counts)) == 0


def sessions(draw: Draw, rows_a_minute: float, size: Callable[[], int], hours: int = 24) -> np.ndarray:
    """Panes of groups of rows alike, shape (hours, 60, 10)."""
    panes = np.zeros((hours, 60, 10), np.int64)
    for pane in panes.reshape(-1, 10):
        for _ in range(draw.poisson(rows_a_minute / 5)):
            pane[draw.integers(10)] += size()
    return panes


@pytest.mark.parametrize("rows", [1, 5, 60, 600])
@pytest.mark.parametrize("shares", [TEN, SKEWED])
def test_independent_rows_count_each_by_itself(rows: int, shares: np.ndarray) -> None:
    draw = np.random.default_rng(rows)
    panes = np.array([draw.multinomial(count, shares) for count in draw.poisson(rows, 24 * 60)]).reshape(24, 60, -1)
    assert 1 <= dependence(panes) < 1.08


def test_rows_in_groups_alike_count_as_groups() -> None:
    draw = np.random.default_rng(2)
    for rows, tolerance in ((5, 0.15), (50, 0.1), (500, 0.1)):
        assert dependence(sessions(draw, rows, lambda: 5)) == pytest.approx(5, rel=tolerance)
        assert dependence(sessions(draw, rows, lambda: int(draw.geometric(0.2)))) == pytest.approx(9, rel=tolerance)


def test_what_changes_from_hour_to_hour_is_no_dependence() -> None:
    draw = np.random.default_rng(3)
    share = 0.5 + 0.3 * np.sin(np.arange(24) / 24 * math.tau)
    panes = np.array([[draw.multinomial(100, [one, 1 - one]) for _ in range(60)] for one in share])
    assert dependence(panes) < 1.1
    assert wander(panes.sum(axis=1)) == pytest.approx(0.3, rel=0.1)


@pytest.mark.parametrize("shares", [TEN, SKEWED, np.array([0.5, 0.5]), np.array([0.999, 0.001])])
@pytest.mark.parametrize("rows", [30, 1_000, 30_000])
def test_independent_rows_do_not_wander(rows: int, shares: np.ndarray) -> None:
    draw = np.random.default_rng(rows)
    found = [wander(np.array([draw.multinomial(count, shares) for count in draw.poisson(rows, 512)])) for _ in range(5)]
    assert float(np.mean(found)) < 0.3 / math.sqrt(rows)


def test_a_season_is_what_it_is() -> None:
    draw = np.random.default_rng(5)
    hours = np.array([draw.multinomial(30_000, TEN + 0.03 * math.sin(hour / 24 * math.tau) * np.eye(10)[0]
                                       - 0.03 * math.sin(hour / 24 * math.tau) * np.eye(10)[9])
                      for hour in range(512)])  # fmt: skip
    assert wander(hours) == pytest.approx(0.03, rel=0.15)


def test_groups_of_rows_alike_do_not_wander_where_they_are_known_to_be() -> None:
    panes = sessions(np.random.default_rng(6), 50, lambda: 5, hours=48)
    assert wander(panes.sum(axis=1)) > wander(panes.sum(axis=1), dependence(panes))
    assert wander(panes.sum(axis=1), dependence(panes)) < 0.01


@pytest.mark.parametrize("shape", [(0, 60, 4), (3, 60, 4), (1, 60, 1)])
def test_nothing_known_is_no_dependence_and_no_wander(shape: tuple[int, ...]) -> None:
    panes = np.zeros(shape, np.int64)
    assert (dependence(panes), wander(panes.sum(axis=1))) == (1, 0)
    one = np.zeros((1, 60, 3), np.int64)
    one[0, 0] = 1, 2, 3
    assert (dependence(one), wander(one.sum(axis=1))) == (1, 0)
