"""The best bet against all distributions near the reference: a likelihood ratio, clipped at both ends.

Null: each value's conditional distribution p has a total variation of at most ε from the reference r. Against an
alternative q the best e-value is clip(q/r, lo, hi), with the ends at which no p in that ball makes its mean more than 1
(Saha & Ramdas, Huber-robust likelihood ratio tests, arXiv 2408.14015). Where q itself lies in the ball there is no bet.
"""

import numpy as np
from numpy.typing import NDArray

Shares = NDArray[np.float64]


def log_ratios(reference: Shares, alternatives: Shares, tolerance: Shares) -> Shares:
    """Logarithms of the e-values of one value in each bin, shape (features, alternatives, bins).

    `reference` (features, bins) and `alternatives` (features, alternatives, bins) are shares that add up to 1, the
    latter all above 0; `tolerance` (features,) is a total variation. All 0 where there is no bet.
    """
    r = np.broadcast_to(reference[:, None, :], alternatives.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(r > 0, alternatives / np.where(r > 0, r, 1.0), np.inf)
    order = np.argsort(ratio, axis=-1, kind="stable")
    low, high = _ends(np.take_along_axis(r, order, -1), np.take_along_axis(alternatives, order, -1), tolerance)
    bets = (high > 1)[..., None]
    return np.asarray(np.where(bets, np.log(np.clip(ratio, low[..., None], np.maximum(high, 1.0)[..., None])), 0.0))


def _ends(r: Shares, q: Shares, tolerance: Shares) -> tuple[Shares, Shares]:
    """Where to clip, of bins in ascending order of q/r: the smallest and the largest e-value."""
    epsilon = tolerance[:, None, None]
    r_below, q_below = r.cumsum(axis=-1), q.cumsum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(r_below > epsilon, q_below / (r_below - epsilon), np.inf).min(axis=-1)
    r_above, q_above = r[..., ::-1].cumsum(axis=-1), q[..., ::-1].cumsum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        high = np.where(r_above + epsilon > 0, q_above / (r_above + epsilon), 1.0).max(axis=-1)
    return low, high


def log_mean_exp(logs: Shares, log_weights: Shares) -> Shares:
    """Logarithm of a weighted mean of what `logs` are logarithms of, along the last axis; -inf of nothing."""
    worth = logs + log_weights
    most = worth.max(axis=-1, initial=-np.inf)
    finite = np.where(np.isfinite(most), most, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(finite + np.log(np.exp(worth - finite[..., None]).sum(axis=-1)))
