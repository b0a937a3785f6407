"""Clipped likelihood ratios: against every distribution of the ball their mean is at most 1, and it is reached."""

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.evidence.clipped import log_ratios


def worst_mean(e: Any, r: Any, epsilon: float) -> float:
    """The largest mean of `e` over all distributions within ε of r, by linear programming."""
    bins = e.size  # p = r + up - down
    equal = np.concatenate((np.ones(bins), -np.ones(bins)))[None]
    limit = np.concatenate((np.ones(bins), np.zeros(bins)))[None]
    bounds = [(0, None)] * bins + [(0, share) for share in r]
    gain = np.concatenate((e, -e))
    found = scipy.optimize.linprog(-gain, A_ub=limit, b_ub=[epsilon], A_eq=equal, b_eq=[0], bounds=bounds)
    return float(e @ r - found.fun)


def shares(draw: Any, bins: int, least: float = 0.0) -> Any:
    weights = np.array(draw(st.lists(st.integers(0, 50), min_size=bins, max_size=bins)), float) + least
    weights[0] += not weights.any()
    return weights / weights.sum()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_distribution_in_the_ball_makes_the_mean_more_than_one(data: Any) -> None:
    bins = data.draw(st.integers(2, 12))
    r, q = shares(data.draw, bins), shares(data.draw, bins, 0.1)
    epsilon = data.draw(st.sampled_from([0.001, 0.03, 0.1, 0.3]))
    e = np.exp(log_ratios(r[None], q[None, None], np.array([epsilon]))[0, 0])
    worst = worst_mean(e, r, epsilon)
    if np.abs(q - r).sum() / 2 <= epsilon - 1e-12:
        assert e.tolist() == [1.0] * bins
    assert worst <= 1 + 1e-9
    if (e != 1).any():
        assert worst == pytest.approx(1, abs=1e-9)
        assert float(q @ np.log(e)) > 0


def test_features_and_alternatives_do_not_mix() -> None:
    draw = np.random.default_rng(1)
    r, q = draw.dirichlet(np.ones(6), 3), draw.dirichlet(np.ones(6), (3, 4))
    epsilon = np.array([0.01, 0.05, 0.2])
    together = log_ratios(r, q, epsilon)
    for feature in range(3):
        for one in range(4):
            alone = log_ratios(r[[feature]], q[[feature]][:, [one]], epsilon[[feature]])
            assert np.array_equal(alone[0, 0], together[feature, one])
