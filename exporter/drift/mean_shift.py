"""Shift of the mean in standard errors: (x̄ - μ) / (σ √(1/n + 1/m)), with the reference's σ.

About standard normal without drift, so it needs no other critical value.
"""

import numpy as np
from numpy.typing import NDArray

from exporter.drift.summary import Summary


def score(reference: Summary, current: Summary) -> NDArray[np.float64]:
    """The z-score per column, signed; NaN where a side has no finite number."""
    error = np.sqrt(1 / current.finite + 1 / reference.finite)
    return (current.deviation / current.finite - reference.deviation / reference.finite) / error
