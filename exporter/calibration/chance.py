"""How large a share of some values chance makes where nothing has changed, such as of missing ones."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
_Z: Final = 3.090232306167813
"""What a standard normal number exceeds once in 1000 times."""


def largest_share(found: Values, reference: Values, live: Values) -> Values:
    """The share that `live` values exceed at most about once in 1000 times, if `found` of `reference` values had it.

    All of shape (columns,), in independent values. It is where Fisher's exact test of both shares would be 0.001, by
    Molenaar's approximation of the hypergeometric tail (Biometrics 29, 1973): √(x (m - k)) - √((n - x + 1) (k + 1)) is
    Z/2 √(n + m - 1) for x of n against k of m, which angles solve for x. 1 where no share is too large; NaN without
    values.
    """
    angle = np.arctan2(np.sqrt(found + 1), np.sqrt(reference - found))
    together = np.maximum(live + reference - 1, 0.0)
    step = _Z / 2 * np.sqrt(together / ((live + 1) * (reference + 1)))
    angle = np.minimum(angle + np.arcsin(np.minimum(step, 1.0)), math.pi / 2)
    return np.asarray(np.minimum((live + 1) / live * np.sin(angle) ** 2, 1.0))
