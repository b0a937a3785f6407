"""Ranks of which quantiles are told, and those of the reference as far as its edges tell them."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from exporter.reference import Column

RANKS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_NEAR: Final = 0.1
"""By so large a part of itself a rank (counted from the nearer end) may be another one than the reference's."""


def of_reference(column: Column) -> Iterator[tuple[float, float]]:
    """Ranks at which an ordered column has an edge, nearly, and the edge."""
    if not column.finite:
        return
    below = np.array(column.counts[: len(column.edges)]).cumsum() / column.finite
    for rank in RANKS:
        nearest = int(np.abs(below - rank).argmin())
        if abs(below[nearest] - rank) <= _NEAR * min(rank, 1 - rank):
            yield rank, column.edges[nearest]
