"""None for what is not known: JSON has no other word for it."""

import math
from collections.abc import Sequence


def known(value: float) -> float | None:
    """A number that there is, as Python's own; None for what is not finite."""
    return float(value) if math.isfinite(value) else None


def all_known(values: Sequence[float]) -> list[float | None]:
    """The same of many."""
    return [value if math.isfinite(value) else None for value in values]


def moment(wall_s: float) -> float | None:
    """A Unix time; None for 0, which stands for never, and what is none."""
    return wall_s if wall_s > 0 and math.isfinite(wall_s) else None
