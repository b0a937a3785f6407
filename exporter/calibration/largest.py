"""How large the share of a single value may be, by the bins of a reference: how often one value repeats by chance."""

import math
from typing import Final

from exporter.reference import MISSING, Column

_DOUBTS: Final = 3.0
"""Standard errors by which it may be larger than in the reference."""


def largest_share(column: Column) -> float:
    """At most so large is the share of a single value among those that are there; 1 where it may be all of them.

    No value has more than the fullest bin, and as a share of the reference it is a few standard errors in doubt.
    """
    counts = column.counts[:MISSING] if column.ordered else column.counts[:-1]
    total = sum(counts)
    most = max(counts) + 0.5
    if not total or most >= total:
        return 1.0
    return min(1.0, (most + _DOUBTS * math.sqrt(most * (total - most) / total)) / total)
