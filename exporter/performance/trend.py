"""Whether a mean error rises from day to day: a line through the days, by weighted least squares.

A day's mean varies by chance, less the more rows it has, and days differ beyond that, as Mondays do from Sundays. So it
is a regression of means with known sampling variances and an unknown one between days: that by the method of moments
(DerSimonian and Laird, Controlled Clinical Trials 7, 1986), and the interval of the slope by Student's t with the
residuals' own scale (Knapp and Hartung, Statistics in Medicine 22, 2003). Sampling variances have what all days' rows
have in common, for a day's own would make those with few errors weigh most. Days whose errors lean on each other from
one to the next make the interval too narrow.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from exporter.performance.daily import Day

LEAST_ROWS: Final = 10
"""Of a day, and panes that have so many, for there to be a line."""
LEAST_DAYS: Final = 7
_CONFIDENCE: Final = 0.975
Floats = NDArray[np.float64]


class Line(NamedTuple):
    """Through the means of days, in the measure's unit and the unit of time that it was given."""

    slope: float
    lower: float
    upper: float
    middle: float
    """The weighted mean of the times, and the height of the line there."""
    height: float

    def at(self, time: float) -> float:
        """Its height."""
        return self.height + self.slope * (time - self.middle)

    def reaches(self, height: float) -> float:
        """The time at which it rises to a height; NaN where the interval of the slope does not lie above 0."""
        return self.middle + (height - self.height) / self.slope if self.lower > 0 else math.nan


def counts(day: Day) -> bool:
    """Whether a day has rows enough."""
    return day.rows >= LEAST_ROWS and math.isfinite(day.variance)


def line(times: Sequence[float], days: Sequence[Day]) -> Line | None:
    """The line through days that count, in the order of their times; None of too few, or where all errors are equal."""
    if len(days) < LEAST_DAYS:
        return None
    at, mean = np.array(times), np.array([day.mean for day in days])
    sampling = _sampling(days)
    if sampling is None:
        return None
    weight = 1 / (sampling + _between(at, mean, sampling))
    middle, height, slope, spread = _fit(at, mean, weight)
    freedom = len(days) - 2
    scale = float(weight @ (mean - height - slope * (at - middle)) ** 2) / freedom
    half = float(scipy.special.stdtrit(freedom, _CONFIDENCE)) * math.sqrt(scale / spread)
    return Line(slope, slope - half, slope + half, middle, height) if half > 0 else None


def _sampling(days: Sequence[Day]) -> Floats | None:
    """Variance of each day's mean, as if rows of all days varied alike; None where none varies."""
    even = np.array([day.even for day in days])
    of_row = even @ np.array([day.even * day.variance for day in days]) / even.sum()
    return np.asarray(of_row / even) if of_row > 0 else None


def _fit(at: Floats, mean: Floats, weight: Floats) -> tuple[float, float, float, float]:
    """Mean time, height there, slope, and Σw(t - mean)²."""
    middle, height = float(np.average(at, weights=weight)), float(np.average(mean, weights=weight))
    spread = float(weight @ (at - middle) ** 2)
    return middle, height, float(weight @ ((at - middle) * (mean - height))) / spread, spread


def _between(at: Floats, mean: Floats, sampling: Floats) -> float:
    """Variance between days beyond sampling: by how much Q is above what it is expected to be, over a trace."""
    weight = 1 / sampling
    middle, height, slope, spread = _fit(at, mean, weight)
    left = float(weight @ (mean - height - slope * (at - middle)) ** 2) - (len(at) - 2)
    total = float(weight.sum())
    trace = total - float(weight @ weight) / total - float((weight**2) @ (at - middle) ** 2) / spread
    return max(0.0, left / trace) if trace > 0 else 0.0
