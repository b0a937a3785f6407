"""Sums of numbers in units of the reference's standard deviation, as integers: exact, subtractable, order-free.

A value is stored as round((x - mean) / sd * 2^30), within ±1024 sd, so that one wild value cannot poison a mean
and 2^23 of the wildest ones fit a pane's 64 bits. Many panes of them do not: windows add panes up as floats, which
is still exact below 2^53.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

ONE_SD: Final = float(1 << 30)
MOST_SD: Final = 1024.0


def standardise(values: NDArray[np.float64], mean: NDArray[np.float64], sd: NDArray[np.float64]) -> NDArray[np.int64]:
    """Fixed-point deviations of `values` (rows, columns) from the reference; what is not finite counts 0."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        deviation = np.clip((values - mean) / sd, -MOST_SD, MOST_SD)
    usable = np.isfinite(values) & np.isfinite(deviation)
    return np.rint(np.where(usable, deviation, 0.0) * ONE_SD).astype(np.int64)
