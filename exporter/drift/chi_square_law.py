"""The law that most divergences follow without drift: a χ² over the sizes of both samples.

Every f-divergence with second derivative f″(1) = 2a is about a Σ (p - r)² / r, and that sum is χ²(B′ - 1) (1/n + 1/m).
Divergences of raw shares are larger than that where bins expect few values.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import scipy

from exporter.drift.summary import Summary, Values, inverse_size, pooled, used

_LEVEL: Final = 0.001
_EXPECTED: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 10.0, 50.0)
"""Values of a bin for which `Excess` is given; it is 0 beyond."""
Excess = Sequence[float]
"""By how much a bin's mean term exceeds that of χ², as a share of it: from the Poisson distribution of its count."""


def quantile(reference: Summary, current: Summary, excess: Excess = ()) -> Values:
    """What Σ (p - r)² / r exceeds once in 1000 windows of this size without drift; 0 where one bin is in use."""
    bins = used(reference, current).sum(axis=1)
    found = np.where(bins > 1, scipy.special.chdtri(np.maximum(bins - 1, 1), _LEVEL), 0.0)
    if excess:
        smaller = np.minimum(current.samples, reference.samples)[:, None]
        more = np.interp(smaller * pooled(reference, current), _EXPECTED, excess, 0.0, 0.0)
        found = found * (1 + more.sum(axis=1) / np.maximum(bins - 1, 1))
    return np.asarray(found * inverse_size(reference, current))
