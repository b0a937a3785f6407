"""What every statistic takes: the counts of many columns, on one side of the comparison."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Summary(NamedTuple):
    """Counts of a block of columns; unused bins are 0 on both sides."""

    counts: NDArray[np.int64]
    """Shape (columns, bins)."""
    samples: NDArray[np.int64]
    """Values per column: the row sums of `counts`."""
    ordered: NDArray[np.int64]
    """Shape (columns, 14): the ordered bins 00-13; 0 for columns that have none."""
    finite: NDArray[np.int64]
    """Finite numbers per column; 0 for columns that hold none."""
    deviation: NDArray[np.float64]
    """Σ (x - μ) / σ over them, with the reference's μ and σ: 0 for the reference itself."""
