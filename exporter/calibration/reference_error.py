"""How far a reference of so many rows may be from the distribution they were drawn from."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.calibration import rounded, shares

_DRAWS: Final = 300
_QUANTILE: Final = 0.99
_SEED: Final = 20_240_229


def reference_error(counts: NDArray[np.int64]) -> float:
    """What the total variation between a reference and as many rows drawn from it exceeds once in a hundred times.

    The 99 % quantile of TV(Multinomial(m, r) / m, r) over 300 draws, `counts` of shape (bins,) being m r. About
    0.65 √((bins - 1) / m). No number of live rows averages this error away: it has to be tolerated.
    """
    rows = int(counts.sum())
    occupied = counts[counts > 0]
    if occupied.size < 2:
        return 0.0
    # Its stream is frozen for good (NEP 19): the same counts have the same error everywhere.
    draws = np.random.RandomState(_SEED).multinomial(rows, shares(occupied), _DRAWS)
    moved = np.abs(draws - occupied).sum(axis=1) / (2 * rows)
    return rounded(float(np.quantile(moved, _QUANTILE)))
