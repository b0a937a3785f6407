"""Chi-square test with a tolerance: how likely so large a difference is, had at most TOLERANCE of the values moved.

Equality is never true, and with enough values a test of it always says so. Here the distributions may differ by a total
variation of 3 %, spread evenly over the bins: Σ (p - r)² / r = 4 ε². The statistic is then noncentral χ² (B′ - 1) with
noncentrality 4 ε² / (1/n + 1/m).
"""

from typing import Final

import numpy as np
import scipy

from exporter.drift import chi_square
from exporter.drift.summary import Summary, Values, inverse_size, used

TOLERANCE: Final = 0.03


def score(reference: Summary, current: Summary) -> Values:
    """The p-value per column: 1 where nothing differs."""
    freedom = used(reference, current).sum(axis=1) - 1
    noncentrality = 4 * TOLERANCE**2 / inverse_size(reference, current)
    below = scipy.special.chndtr(chi_square.statistic(reference, current), np.maximum(freedom, 1), noncentrality)
    return np.asarray(np.where(freedom > 0, 1 - below, 1.0))
