"""Change of mean answers by bin: by hand, and its critical value against simulation."""

import math
from typing import Any

import numpy as np
import pytest

from exporter.drift import association
from exporter.drift.association import Answers, Features, Variance

BINS = 12
DRAWS = 2000
SHARES = np.array([0.01, *[0.098] * 10, 0.01])


def side(random: Any, rows: int, kind: str, draws: int = DRAWS) -> tuple[Answers, Any]:
    """Rows of `draws` features whose answers hang on the bin; and the sums of their squares."""
    bins = random.choice(BINS, (draws, rows), p=SHARES)
    if kind == "normal":
        answers = 0.3 * bins + random.normal(size=bins.shape)
    elif kind == "probability":
        mean = 0.02 + 0.9 * bins / BINS
        answers = random.beta(4 * mean, 4 * (1 - mean))
    elif kind == "truth":
        answers = (random.random(bins.shape) < 0.02 + 0.5 * bins / BINS).astype(float)
    else:  # amounts: the more, the wilder
        answers = np.exp(0.3 * bins + 0.7 * random.normal(size=bins.shape))
    cells = (bins + np.arange(draws)[:, None] * BINS).ravel()
    rows_by_cell, sums, squares = (
        np.bincount(cells, weights, draws * BINS) for weights in (None, answers.ravel(), answers.ravel() ** 2)
    )
    return Answers(rows_by_cell.astype(float), sums / np.maximum(rows_by_cell, 1)), squares


def features(draws: int = DRAWS, dependence: float = 1.0) -> Features:
    return Features(np.arange(draws) * BINS, np.full(draws, dependence))


def within(reference: Answers, squares: Any) -> Any:
    """Of the reference, in units of the answers' own."""
    starts = features(reference.rows.size // BINS).starts
    rows = np.add.reduceat(reference.rows, starts)
    mean = np.add.reduceat(reference.rows * reference.means, starts) / rows
    spread = np.add.reduceat(squares, starts) / rows - mean**2
    return association.within(reference, starts, spread)


def rate(kind: str, rows: int, reference_rows: int, level: float, seed: int = 1) -> float:
    random = np.random.default_rng(seed)
    (reference, all_squares), (live, squares) = side(random, reference_rows, kind), side(random, rows, kind)
    if kind == "truth":
        variance = association.of_truth(live, reference, 1.0)
    else:
        variance = association.of_numbers(live, squares, features().starts, within(reference, all_squares))
    found = association.shift(live, reference, variance, features(), level)
    known = ~np.isnan(found.score)
    assert known.mean() > 0.99
    return float((found.score > found.critical)[known].mean())


@pytest.mark.parametrize("level", [0.05, 0.01])
@pytest.mark.parametrize(("rows", "reference_rows"), [(200, 2000), (500, 500)])
@pytest.mark.parametrize(("kind", "factor"), [("normal", 1.3), ("probability", 1.3), ("truth", 1.3), ("amount", 1.1)])
def test_chance_exceeds_the_critical_value_about_as_often_as_it_says(
    kind: str, factor: float, rows: int, reference_rows: int, level: float
) -> None:
    noise = 3 * math.sqrt(level / DRAWS)
    found = rate(kind, rows, reference_rows, level)
    assert found <= factor * level + noise
    assert found >= level / (10 if kind == "amount" else 2) - noise


def test_score_and_quantile_of_equal_variances_are_those_of_an_analysis_of_variance() -> None:
    random = np.random.default_rng(2)
    rows, reference_rows = random.integers(20, 90, BINS).astype(float), random.integers(200, 900, BINS).astype(float)
    live, reference = (Answers(n, random.normal(size=BINS)) for n in (rows, reference_rows))
    variance = Variance(np.full(BINS, 4.0), np.full(BINS, 1e9))
    found = association.shift(live, reference, variance, features(1), 0.05)
    weight = rows * reference_rows / (rows + reference_rows)
    change = live.means - reference.means
    expected = np.average((change - np.average(change, weights=weight)) ** 2, weights=weight)
    assert found.score[0] == pytest.approx(math.sqrt(expected), rel=1e-12)
    # Of equal variances it is 4 χ²(11) over the sum of the weights.
    assert found.critical[0] == pytest.approx(math.sqrt(4 * 19.675137572682494 / weight.sum()), rel=1e-5)


def test_equal_answers_and_answers_that_all_shift_alike_have_no_score() -> None:
    random = np.random.default_rng(3)
    reference, _ = side(random, 2000, "normal", 20)
    variance = Variance(np.ones(20 * BINS), np.full(20 * BINS, 50.0))
    for moved in (0.0, 7.5):
        live = Answers(reference.rows, reference.means + moved)
        found = association.shift(live, reference, variance, features(20))
        assert found.score == pytest.approx(0, abs=1e-9)
        assert (found.critical > 0).all()


def test_bins_with_few_rows_are_left_out_and_one_alone_says_nothing() -> None:
    rows = np.array([9.0, 50, 50, *[0] * 9])
    means = np.array([1e9, 1, 1, *[0] * 9])
    variance = Variance(np.ones(BINS), np.full(BINS, 50.0))
    reference = Answers(np.full(BINS, 1000.0), np.zeros(BINS))
    assert association.shift(Answers(rows, means), reference, variance, features(1)).score[0] == pytest.approx(0)
    rows[2] = 9
    found = association.shift(Answers(rows, means), reference, variance, features(1))
    assert np.isnan(found.score[0])
    assert np.isnan(found.critical[0])


def test_features_do_not_know_each_other_and_dependent_rows_need_more() -> None:
    random = np.random.default_rng(4)
    (reference, _), (live, squares) = side(random, 2000, "normal", 30), side(random, 400, "normal", 30)
    every = features(30)
    variance = association.of_numbers(live, squares, every.starts, np.full(30, 0.5))
    found = association.shift(live, reference, variance, every)
    cells = slice(7 * BINS, 8 * BINS)
    one = [Answers(*(part[cells] for part in of_all)) for of_all in (live, reference)]
    alone = association.shift(
        one[0], one[1], association.of_numbers(one[0], squares[cells], np.zeros(1, int), np.full(1, 0.5)), features(1)
    )
    assert alone.score[0] == pytest.approx(found.score[7], rel=1e-12)
    assert alone.critical[0] == pytest.approx(found.critical[7], rel=1e-9)
    burst = association.shift(live, reference, variance, features(30, 5.0))
    assert (burst.score == found.score).all()
    assert (burst.critical > 1.5 * found.critical).all()


def test_nothing_is_negative_or_infinite_whatever_the_answers_are() -> None:
    random = np.random.default_rng(5)
    for size in (1e-300, 1e-9, 1.0, 1024.0):
        live = Answers(random.integers(0, 40, 50 * BINS).astype(float), random.normal(size=50 * BINS) * size)
        reference = Answers(random.integers(0, 400, 50 * BINS).astype(float), random.normal(size=50 * BINS))
        for squares in (np.zeros(50 * BINS), live.rows * live.means**2 * random.uniform(0.9, 2, 50 * BINS)):
            variance = association.of_numbers(live, squares, features(50).starts, np.full(50, 0.5))
            found = association.shift(live, reference, variance, features(50))
            known = ~np.isnan(found.score)
            assert known.any()
            assert np.isfinite(found.score[known]).all()
            assert np.isfinite(found.critical[known]).all()
            assert (found.critical[known] > 0).all()
