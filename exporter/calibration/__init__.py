"""What else than drift makes counts differ from a reference's: chance, dependence between rows, the hours of a week.

Pure functions of arrays of counts, for the build of a profile and for whoever weighs evidence against it live. Results
have six digits, so that the last bits of one machine's arithmetic do not show.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_DIGITS: Final = 6


def rounded(number: float) -> float:
    """A result, as it is written down."""
    return float(f"{number:.{_DIGITS}g}")


def shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of the total, along the last axis; 0 where there is none."""
    return np.asarray(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1))
