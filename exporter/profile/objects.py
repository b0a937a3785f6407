"""Values of any type, as JSON, data frames and arrays of objects have them."""

import math
from decimal import Decimal
from typing import Final

import numpy as np

_PANDAS_GAPS: Final = ("NAType", "NaTType")


def plain(value: object) -> object:
    """A value as JSON would have it; what JSON does not know as Python spells it, lists and mappings as they are."""
    if isinstance(value, str | int | float | list | dict | None):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.generic):
        return plain(value.item()) if not isinstance(value, np.datetime64 | np.timedelta64) else _when(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if type(value).__name__ in _PANDAS_GAPS:
        return None
    return float(value) if isinstance(value, Decimal) else str(value)


def _when(value: np.datetime64 | np.timedelta64) -> str | None:
    return None if np.isnat(value) else str(value)


def aligned(value: object) -> float:
    """A plain value as a number: NaN where it is missing, infinite where it is none."""
    if value is None:
        return math.nan
    return floating(value) if type(value) in {int, float} else math.inf


def floating(value: object) -> float:
    """An integer of any size, or a float."""
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:  # an integer beyond every float
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]
