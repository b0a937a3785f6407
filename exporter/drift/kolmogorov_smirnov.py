"""Kolmogorov-Smirnov distance over the ordered bins below, inside and above, renormalised without the others.

Taken at the bins' edges only, so it never exceeds the distance of the raw data, and its critical value (the
asymptotic two-sample one) errs on the quiet side.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogi

from exporter.drift.summary import Summary

_LEVEL: Final = 0.001


def score(reference: Summary, current: Summary) -> NDArray[np.float64]:
    """The distance per column, 0 to 1; NaN where a side has no number."""
    return np.asarray(np.abs(_cumulative(current) - _cumulative(reference)).max(axis=1))


def critical(reference: Summary, current: Summary) -> NDArray[np.float64]:
    """What it exceeds at most about once in 1000 windows of this size without drift."""
    inverse_n = 1 / current.ordered.sum(axis=1) + 1 / reference.ordered.sum(axis=1)
    return np.asarray(np.minimum(kolmogi(_LEVEL) * np.sqrt(inverse_n), 1.0))


def _cumulative(summary: Summary) -> NDArray[np.float64]:
    ordered = summary.ordered
    return np.asarray(ordered.cumsum(axis=1) / ordered.sum(axis=1, keepdims=True))
