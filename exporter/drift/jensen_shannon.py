"""Jensen-Shannon distance, base 2: the root of ½ KL(p‖m) + ½ KL(r‖m) with m = (p + r) / 2, from 0 to 1.

Endres & Schindelin, A new metric for probability distributions, IEEE Trans. Inf. Theory 49 (2003). Of raw shares.
"""

import math
from typing import Final

import numpy as np
import scipy

from exporter.drift import chi_square_law
from exporter.drift.summary import Summary, Values, shares

_EXCESS: Final[chi_square_law.Excess] = (0.0, 0.151, 0.355, 0.305, 0.141, 0.042, 0.0)


def score(reference: Summary, current: Summary) -> Values:
    """The distance per column."""
    r, p = shares(reference), shares(current)
    middle = (p + r) / 2
    nats = (scipy.special.rel_entr(p, middle) + scipy.special.rel_entr(r, middle)).sum(axis=1) / 2
    return np.asarray(np.sqrt(np.clip(nats / math.log(2), 0.0, 1.0)))


def critical(reference: Summary, current: Summary) -> Values:
    """What it exceeds at most about once in 1000 windows of this size without drift: the divergence is χ²/8."""
    return np.asarray(
        np.sqrt(np.minimum(chi_square_law.quantile(reference, current, _EXCESS) / (8 * math.log(2)), 1.0))
    )
