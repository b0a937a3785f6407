"""How the answers have changed that go with a feature's values, bin by bin, whatever became of answers as a whole.

With n rows of mean answer y in a bin live, and m of mean r in the reference: d = y - r, weighted h = n m / (n + m).
What all bins share, D = Σ h d / Σ h, is a shift of the answers as such, which their own scores tell, and is taken off:
the score is the root of Σ h (d - D)² / Σ h. A feature whose values shift while answers go with them as ever has none.

Without drift d varies by v = s² (φ/n + 1/m), with s² the variance within the bin, and the sum is one of χ²(1) whose
weights are no one's but have known power sums: its quantile is that of the χ² that has the same mean, variance and
skewness (Hall 1983; Buckley and Eagleson 1988), widened as F is wider than χ² because v is an estimate, of as many
degrees of freedom as Satterthwaite gives it. Bins may so vary much and little, as those of amounts do. Where tails are
heavy most windows lack the few answers that make up most of the variance, so all in all it is never less than in the
reference.
"""

from typing import Final, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

LEVEL: Final = 0.001
LEAST_ROWS: Final = 10
"""Of a bin that takes part, on either side: fewer know neither their mean nor how it varies."""
_PRIOR_ROWS: Final = 5.0
"""So many rows of the variance within all bins stand beside those of each: few rows alone may be alike by chance."""
_LEAST_VARIANCE: Final = 1e-6
"""In squared standard deviations of the output: less is what rounding leaves."""
_TINY: Final = 1e-60
_MOST_FREEDOM: Final = 1e6
Values = NDArray[np.float64]


class Answers(NamedTuple):
    """By cell, a bin of a feature; the cells of each feature lie one behind the other. In units of the output's sd."""

    rows: Values
    means: Values


class Features(NamedTuple):
    """Whose cells these are."""

    starts: NDArray[np.int64]
    """The first cell of each."""
    dependence: Values
    """How many live rows come as one, by feature."""


class Variance(NamedTuple):
    """Within each cell, and how many degrees of freedom its estimate has."""

    values: Values
    freedom: Values


class Shift(NamedTuple):
    """By feature; NaN where fewer than two bins hold enough."""

    score: Values
    """Root mean square change of the mean answer."""
    critical: Values
    """What it exceeds once in 1000 windows of these very sizes without drift."""


def within(reference: Answers, starts: NDArray[np.int64], spread: float | Values) -> Values:
    """The reference's variance within cells, by feature: that of all its answers, `spread`, but for that of means."""
    rows = np.maximum(_total(reference.rows, starts), 1)
    mean = _total(reference.rows * reference.means, starts) / rows
    between = _total(reference.rows * reference.means**2, starts) / rows - mean**2
    return np.asarray(np.maximum(spread - between, 0.0))


def of_numbers(live: Answers, squares: Values, starts: NDArray[np.int64], least: Values) -> Variance:
    """The variance of numbers within each cell, drawn a little to that within all of a feature's.

    `squares` are sums of squared answers, by cell. Where that within all of a feature's is less than its `least`, all
    are as much larger.
    """
    sums = np.maximum(squares - live.rows * live.means**2, 0.0)
    freedom = np.maximum(live.rows - 1, 0)
    widths = np.diff(starts, append=live.rows.size)
    common = _total(sums, starts) / np.maximum(_total(freedom, starts), 1)
    freedom = freedom + _PRIOR_ROWS
    drawn = (sums + _PRIOR_ROWS * np.repeat(common, widths)) / freedom
    larger = np.maximum(least / np.maximum(common, _LEAST_VARIANCE), 1.0)
    return Variance(np.maximum(drawn * np.repeat(larger, widths), _LEAST_VARIANCE), freedom)


def of_truth(live: Answers, reference: Answers, sd: float) -> Variance:
    """The variance of truth values within each cell, from the share that both sides have in common."""
    rows = np.maximum(live.rows + reference.rows, 1)
    share = np.clip((live.rows * live.means + reference.rows * reference.means) * sd / rows, 0.0, 1.0)
    return Variance(np.maximum(share * (1 - share) / sd**2, _LEAST_VARIANCE), rows)


def shift(live: Answers, reference: Answers, variance: Variance, features: Features, level: float = LEVEL) -> Shift:
    """Of several features at once."""
    starts = features.starts
    taking = (live.rows >= LEAST_ROWS) & (reference.rows >= LEAST_ROWS)
    n, m = np.where(taking, live.rows, 1.0), np.where(taking, reference.rows, 1.0)
    enough = _total(taking.astype(float), starts) > 1
    widths = np.diff(starts, append=n.size)
    weight = np.where(taking, n * m / (n + m), 0.0)
    total = np.where(enough, _total(weight, starts), 1.0)
    change = live.means - reference.means
    change = change - np.repeat(_total(weight * change, starts) / total, widths)
    square = _total(weight * change**2, starts) / total
    varying = weight * variance.values * (np.repeat(features.dependence, widths) / n + 1 / m)
    beyond = _quantile(varying, weight / np.repeat(total, widths), variance.freedom, starts, level) / total
    return Shift(np.where(enough, np.sqrt(square), np.nan), np.where(enough, np.sqrt(beyond), np.nan))


def _quantile(varying: Values, share: Values, known: Values, starts: NDArray[np.int64], level: float) -> Values:
    """Of Σ h (d - D)²: from the traces of the first three powers of (diag(h) - h h' / Σ h) diag(v).

    `varying` is h v, `share` h / Σ h, `known` the degrees of freedom of each variance.
    """
    unit = np.maximum(_total(varying, starts), _TINY)
    varying = varying / np.repeat(unit, np.diff(starts, append=varying.size))
    two, three = (_total(varying**power, starts) for power in (2, 3))
    a, b, c = (_total(share * varying**power, starts) for power in (1, 2, 3))
    mean = 1 - a
    square = np.maximum(two - 2 * b + a * a, _TINY)
    cube = np.maximum(three - 3 * c + 3 * a * b - a**3, _TINY)
    freedom = np.clip(square**3 / cube**2, 1.0, _MOST_FREEDOM)
    estimated = np.clip(1 / np.maximum(_total(varying**2 / known, starts), _TINY), 1.0, _MOST_FREEDOM)
    found = scipy.special.chdtri(freedom, level)
    wider = np.maximum(scipy.special.fdtri(freedom, estimated, 1 - level) * freedom / found, 1.0)
    return np.asarray(np.maximum(mean + np.sqrt(square / freedom) * (found - freedom), 0.0) * wider * unit)


def _total(values: Values, starts: NDArray[np.int64]) -> Values:
    return np.add.reduceat(values, starts)
