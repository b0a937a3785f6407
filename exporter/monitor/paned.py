"""What columns held pane by pane: values of which there is a mean, and the sums that it is made of."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.reference import ABOVE, BELOW, Column
from exporter.sketch.moments import within_reach


class Paned(NamedTuple):
    """Panes that are over, the oldest first; shapes (panes, columns)."""

    rows: NDArray[np.int64]
    """Finite numbers; of other columns all values."""
    sums: NDArray[np.float64]
    """Of their distances from the reference's mean in its sd; of other columns those in the first bin, that of the most
    frequent category."""


def paned(counts: NDArray[np.int32], deviations: NDArray[np.int64], columns: Sequence[Column]) -> Paned:
    """Of counts by bin, shape (panes, columns, bins), and of words, shape (panes, columns, 3)."""
    ordered = np.array([column.ordered for column in columns])
    finite = counts[:, :, BELOW : ABOVE + 1].sum(axis=2, dtype=np.int64)
    rows = np.where(ordered, finite, counts.sum(axis=2, dtype=np.int64))
    return Paned(rows, np.where(ordered, within_reach(deviations), counts[:, :, 0]))
