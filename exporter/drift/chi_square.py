"""Two-sample chi-square test of homogeneity: how likely so large a difference is, were both from one distribution.

The statistic is Σ (p - r)² / q / (1/n + 1/m) over the bins in use, q being the shares of both together: the sum of
(observed - expected)² / expected over both samples. It is not a test of goodness of fit, which would take the reference
for the truth. The p-value is asymptotic: bins that expect fewer than five values make it approximate.
"""

import numpy as np
import scipy

from exporter.drift.summary import Summary, Values, inverse_size, pooled, shares, used


def statistic(reference: Summary, current: Summary) -> Values:
    """χ² per column; 0 where one bin is in use."""
    share = np.where(used(reference, current), pooled(reference, current), 1.0)
    gap = shares(current) - shares(reference)
    return np.asarray((gap**2 / share).sum(axis=1) / inverse_size(reference, current))


def score(reference: Summary, current: Summary) -> Values:
    """The p-value per column: 1 where nothing differs."""
    freedom = used(reference, current).sum(axis=1) - 1
    found = scipy.special.chdtrc(np.maximum(freedom, 1), statistic(reference, current))
    return np.asarray(np.where(freedom > 0, found, 1.0))
