"""Intervals that have the true value 95 times of 100, from an estimate and how sure it is."""

import math
from typing import Final, NamedTuple

from exporter.performance.weighing import Weighed

Z: Final = 1.959963984540054
"""Of the normal distribution 95 % lie within."""


class Interval(NamedTuple):
    """Its ends; NaN where there is none."""

    lower: float
    upper: float

    def times(self, factor: float) -> "Interval":
        """In another unit."""
        return Interval(self.lower * factor, self.upper * factor)


NONE: Final = Interval(math.nan, math.nan)


def wilson(share: float, rows: float) -> Interval:
    """Of a share of so many rows (Wilson 1927): never empty, never beyond 0 and 1, and good at either end."""
    if not (rows > 0 and 0 <= share <= 1):
        return NONE
    extra = Z * Z / rows
    middle = (share + extra / 2) / (1 + extra)
    half = Z * math.sqrt(share * (1 - share) / rows + extra / (4 * rows)) / (1 + extra)
    lower = 0.0 if share == 0 else max(middle - half, 0.0)
    return Interval(lower, 1.0 if share == 1 else min(middle + half, 1.0))


def bounded(value: float, variance: float, rows: float) -> Interval:
    """Of what lies between 0 and 1, by as many rows as a share of that variance had; `rows` where it has none."""
    if not (variance > 0 and 0 < value < 1):
        return wilson(value, rows)
    return wilson(value, value * (1 - value) / variance)


def positive(value: float, variance: float) -> Interval:
    """Of what is above 0: even on the scale of its logarithm."""
    if not (value > 0 and variance >= 0):
        return NONE
    reach = math.exp(min(Z * math.sqrt(variance) / value, 700.0))
    return Interval(value / reach, value * reach)


def plain(value: float, variance: float) -> Interval:
    """Even about the value."""
    half = Z * math.sqrt(variance) if variance >= 0 else math.nan
    return Interval(value - half, value + half)


def even_rows(weighed: Weighed) -> float:
    """As many rows of even weight as these are worth: (Σw)² / Σw² (Kish 1965)."""
    squares = float(weighed.squares)
    return float(weighed.weight) ** 2 / squares if squares > 0 else math.nan


def share(part: Weighed, whole: Weighed, dependence: float) -> tuple[float, Interval]:
    """Of the rows of `whole` those of `part`, by weight, and its interval."""
    weight = float(whole.weight)
    if weight <= 0:
        return math.nan, NONE
    value = min(float(part.weight) / weight, 1.0)
    squares = float(part.squares)
    variance = (squares * (1 - value) ** 2 + (float(whole.squares) - squares) * value**2) / weight**2
    return value, bounded(value, variance * dependence, even_rows(whole) / dependence)
