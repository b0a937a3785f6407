"""What is seen of a column from outside: of the series on /metrics, which may be those of many replicas together."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from exporter.diagnosis.seen import Points, Seen, ordered
from exporter.reference import Column


def seen(
    column: Column, counts: NDArray[np.int64], quantiles: Mapping[float, float], names: Mapping[str, int]
) -> Seen:  # fmt: skip
    """Of values by bin (shape (bins,)), numbers by rank, and categories that the reference does not list.

    Bins tell which share is below each of their edges, quantiles what lies beyond them and between. Values themselves
    are not known, so that what shows in these alone (defaults, bounds, constants) is not told.
    """
    if not column.ordered:
        return Seen(counts, names=names)
    below = ordered(column, counts.tolist())[:-1].cumsum()
    found = [*zip(below.tolist(), column.edges, strict=True), *quantiles.items()]
    known = np.array(sorted(found)).reshape(-1, 2)
    values = np.maximum.accumulate(known[:, 1])  # those of several replicas may not go together
    return Seen(counts, Points(values, known[:, 0], known[:, 0]))
