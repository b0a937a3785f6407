"""How many wrong ones in a part are too many: hardly ever by chance, whatever parts there are."""

import math

import numpy as np
import pytest

from exporter.performance.part_levels import Terms, Trained, critical


def beyond(training: np.ndarray, live: np.ndarray, sizes: tuple[np.ndarray, np.ndarray], terms: Terms) -> np.ndarray:
    """Which parts have too many, by counts of wrong ones in each world and part; sizes are of both sides."""
    found = np.zeros(live.shape, bool)
    for part in range(live.shape[1]):
        rows, samples = int(sizes[0][part]), int(sizes[1][part])
        levels = {
            wrong: critical(Trained(wrong, rows), samples, terms) for wrong in {*training[:, part].tolist()}
        }  # fmt: skip
        found[:, part] = live[:, part] / samples > [levels[wrong] for wrong in training[:, part].tolist()]
    return found


@pytest.mark.parametrize("tolerance", [0.0, 0.02])
def test_among_many_parts_a_false_one_is_found_once_in_a_thousand_windows_at_most(tolerance: float) -> None:
    random, parts, worlds = np.random.default_rng(1), 40, 5000
    shares = random.uniform(0.02, 0.4, parts)  # parts differ by their nature
    sizes = random.integers(400, 3000, parts), random.integers(200, 2000, parts)
    training, live = (random.binomial(size, shares, (worlds, parts)) for size in sizes)
    found = beyond(training, live, sizes, Terms(tolerance, parts))
    assert found.any(axis=1).mean() <= 0.001


def test_a_part_that_is_wrong_twice_as_often_is_seen() -> None:
    random, worlds = np.random.default_rng(2), 1000
    training = random.binomial(2000, 0.1, (worlds, 1))
    for samples, least in ((400, 0.35), (700, 0.7), (1000, 0.9)):
        live = random.binomial(samples, 0.2, (worlds, 1))
        assert beyond(training, live, (np.array([2000]), np.array([samples])), Terms(0.02, 12)).mean() > least


def test_truths_that_come_as_one_count_as_one() -> None:
    random, worlds = np.random.default_rng(3), 5000
    shares = np.full(10, 0.1)
    training = random.binomial(2000, shares, (worlds, 10))
    live = 5 * random.binomial(80, shares, (worlds, 10))  # five alike each
    sizes = np.full(10, 2000), np.full(10, 400)
    assert beyond(training, live, sizes, Terms(0.0, 10, 5.0)).any(axis=1).mean() <= 0.001
    assert beyond(training, live, sizes, Terms(0.0, 10)).any(axis=1).mean() > 0.01


def test_it_rises_with_the_parts_and_falls_with_the_truths() -> None:
    trained = Trained(100, 1000)
    few, many = (critical(trained, 500, Terms(0.02, parts)) for parts in (1, 200))
    assert 0.12 < few < many < critical(trained, 100, Terms(0.02, 200)) < 1
    assert critical(trained, 10**6, Terms(0.02, 1)) == pytest.approx(0.12, abs=0.03)


def test_where_training_has_no_rows_or_no_truth_has_come_nobody_can_tell() -> None:
    assert math.isnan(critical(Trained(0, 0), 100, Terms(0.02, 3)))
    assert math.isnan(critical(Trained(1, 10), 0, Terms(0.02, 3)))
    assert math.isnan(Trained(0, 0).share)
    assert critical(Trained(10, 10), 100, Terms(0.02, 3)) == 1.0  # more than all cannot be wrong
