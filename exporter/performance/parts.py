"""Of what predictions are a part, row by row: segments of the traffic, and cells of the columns that are searched."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

UNKNOWN: Final = 255
"""Of a row whose part nobody knows."""


class Parts(NamedTuple):
    """In step with rows."""

    segments: NDArray[np.uint8]
    """The segment in each way that traffic is divided, shape (rows, ways), numbered on over all ways."""
    cells: NDArray[np.uint8]
    """The code in each column that is searched, shape (rows, columns)."""

    def where(self, rows: NDArray[np.int64]) -> "Parts":
        """Of some rows, by place."""
        return Parts(self.segments[rows], self.cells[rows])


def unknown(rows: int, ways: int = 0, columns: int = 0) -> Parts:
    """Of rows of which nobody knows anything."""
    return Parts(np.full((rows, ways), UNKNOWN, np.uint8), np.full((rows, columns), UNKNOWN, np.uint8))
