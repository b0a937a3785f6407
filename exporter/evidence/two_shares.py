"""Whether something happens more often in one of two groups than in the other, by more than a tolerance: e-values.

Nothing is known of how often it happens, only that those of a block are independent given their groups. Of a block with
n inside and m outside the bet is on shares a and b; its worth is their likelihood over that of the nearest shares that
are within the tolerance, where "nearest" minimises n·KL(a, a°) + m·KL(b, b°) over a° ≤ b° + ε. For any true shares
within it the mean of that is at most 1 (Turner, Ly & Grünwald, Generic E-variables for exact sequential k-sample tests,
JSPI 2024; for sets of shares Turner & Grünwald, Safe sequential testing for 2x2 tables, AISTATS 2023): each factor's
mean is 1 + (θ-θ°)(θ*-θ°)/(θ°(1-θ°)), the logarithms of which add up to no more than minus a slope of what is minimised
along the way from the nearest shares into a convex set: 0 at the most.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Nats = NDArray[np.float64]
_HALVINGS: Final = 44
"""To the last digits of a share."""
_LEAST: Final = 1e-3
"""Neither share that is bet on is nearer to 0 or 1."""


class Block(NamedTuple):
    """Rows of many pairs of groups; each of shape (pairs,)."""

    inside: Counts
    inside_hits: Counts
    """Of those, where it happened."""
    outside: Counts
    outside_hits: Counts


def gained(block: Block, expected: float, tolerance: float, raised: Nats) -> Nats:
    """Nats that each bet gains of a block, shape (pairs, bets).

    It is bet that outside it happens with the share `expected`, which was known before the block, and inside with log
    odds that are `raised`, shape (bets,), above those of the most that is tolerated. None where all is tolerated.
    """
    outside = min(max(expected, _LEAST), 1 - _LEAST)
    most = outside + tolerance
    if most >= 1 - _LEAST:
        return np.zeros((block.inside.size, raised.size))
    inside = 1 / (1 + (1 - most) / most * np.exp(-raised))
    nearest = _nearest(block, inside, outside, tolerance)
    return _log_ratios(block.inside, block.inside_hits, inside, nearest + tolerance) + _log_ratios(
        block.outside, block.outside_hits, np.full(1, outside), nearest
    )


def _nearest(block: Block, inside: Nats, outside: float, tolerance: float) -> Nats:
    """The share outside of the nearest that is tolerated, shape (pairs, bets): where the slope is 0, by halving."""
    n, m = block.inside[:, None].astype(np.float64), block.outside[:, None].astype(np.float64)
    low = np.full((n.size, inside.size), outside)
    high = np.broadcast_to(inside - tolerance, low.shape).copy()
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = middle + tolerance
        slope = n * (above - inside) / (above * (1 - above)) + m * (middle - outside) / (middle * (1 - middle))
        low, high = np.where(slope < 0, middle, low), np.where(slope < 0, high, middle)
    return (low + high) / 2


def _log_ratios(rows: Counts, hits: Counts, bet: Nats, nearest: Nats) -> Nats:
    misses = (rows - hits)[:, None]
    return np.asarray(hits[:, None] * np.log(bet / nearest) + misses * np.log((1 - bet) / (1 - nearest)))
