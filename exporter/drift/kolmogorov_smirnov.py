"""Kolmogorov-Smirnov distance over the ordered bins below, inside and above, renormalised without the others.

Taken at the bins' edges only, so it never exceeds the distance of the raw data, and its critical value (the
asymptotic two-sample one) errs on the quiet side.
"""

from typing import Final

import numpy as np
import scipy

from exporter.drift.summary import Summary, Values, cumulative

_LEVEL: Final = 0.001


def score(reference: Summary, current: Summary) -> Values:
    """The distance per column, 0 to 1; NaN where a side has no number."""
    return np.asarray(np.abs(cumulative(current) - cumulative(reference)).max(axis=1))


def critical(reference: Summary, current: Summary) -> Values:
    """What it exceeds at most about once in 1000 windows of this size without drift."""
    live, training = (side.dependence / side.ordered.sum(axis=1) for side in (current, reference))
    return np.asarray(np.minimum(scipy.special.kolmogi(_LEVEL) * np.sqrt(live + training), 1.0))
