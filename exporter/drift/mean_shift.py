"""Shift of the mean in standard errors: (x̄ - μ) / (σ √(φ/n + 1/m)), with the reference's σ and dependence φ.

About standard normal without drift, so it needs no other critical value.
"""

import numpy as np

from exporter.drift.summary import Summary, Values


def score(reference: Summary, current: Summary) -> Values:
    """The z-score per column, signed; NaN where a side has no finite number."""
    error = np.sqrt(current.dependence / current.finite + reference.dependence / reference.finite)
    return np.asarray((current.deviation / current.finite - reference.deviation / reference.finite) / error)
