"""Shift of the mean in standard errors: (x̄ - μ) / (σ √(φ/n + 1/m)), with the reference's σ and dependence φ.

About standard normal without drift, where tails are not heavy or values many.
"""

from typing import Final

import numpy as np

from exporter.drift.summary import Summary, Values

_Z: Final = 3.2905267314919255
"""What a standard normal number exceeds, on either side, once in 1000 times."""


def _error(reference: Summary, current: Summary) -> Values:
    return np.asarray(np.sqrt(current.dependence / current.finite + reference.dependence / reference.finite))


def score(reference: Summary, current: Summary) -> Values:
    """The z-score per column, signed; NaN where a side has no finite number."""
    shift = current.deviation / current.finite - reference.deviation / reference.finite
    return np.asarray(shift / _error(reference, current))


def critical(reference: Summary, current: Summary) -> Values:
    """What it exceeds, on either side, about once in 1000 windows of this size without drift.

    3.29, and what skewness may add to it by the expansion of Cornish and Fisher: (z² - 1) / (6 √n) times the skewness.
    That is never more than how far the reference's farthest value is from the mean, in σ, as |x|³ is at most max|x| x².
    """
    return np.asarray(_Z + (_Z**2 - 1) / 6 * reference.reach * _error(reference, current))
