"""Chebyshev distance: max |p - r|, the largest change of one bin's share, from 0 to 1. Of raw shares."""

from typing import Final

import numpy as np
import scipy

from exporter.drift.summary import Summary, Values, inverse_size, pooled, shares, used

_LEVEL: Final = 0.001


def score(reference: Summary, current: Summary) -> Values:
    """The distance per column."""
    return np.asarray(np.abs(shares(current) - shares(reference)).max(axis=1))


def critical(reference: Summary, current: Summary) -> Values:
    """What it exceeds at most about once in 1000 windows of this size without drift.

    Each bin alone is about normal; that any of them exceeds it is at most as likely as all together (Bonferroni). Half
    a value more on the smaller side, because shares go in steps.
    """
    inverse = inverse_size(reference, current)
    share = pooled(reference, current)
    bins = np.maximum(used(reference, current).sum(axis=1), 1)
    widest = np.sqrt((share * (1 - share)).max(axis=1) * inverse)
    step = 0.5 / np.minimum(current.samples, reference.samples)
    return np.asarray(np.minimum(-scipy.special.ndtri(_LEVEL / (2 * bins)) * widest + step, 1.0))
