"""Areas under curves from counts by bins of scores, and how much each row of a bin moves them.

ROC: rows of one bin count as ties; what that does is at most half of the pairs that share a bin, ½ Σ P(bin|true)
P(bin|not). The influence of a row is DeLong's (1988). Average precision: within a bin true rows and others are taken to
be mixed evenly (Davis and Goadrich 2006); at most they could be every true one ahead of the others, all at once, or
behind all of them. A true row moves its own precision and that of all true ones below it, another row the latter.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exporter.performance.intervals import Z

Floats = NDArray[np.float64]


class Area(NamedTuple):
    """One of them."""

    value: float
    bound: float
    """How far that of the raw scores may be from it."""
    influence: Floats
    """By how much the area moves with the weight of a row, shaped (not true, true) by bins."""
    rows: float
    """Of even weight, on the side that has fewer."""
    variance: float


NOTHING = Area(math.nan, math.nan, np.zeros(0), math.nan, math.nan)


def roc(weight: Floats, squares: Floats) -> Area:
    """Of weights and their squares, shaped (not true, true) by bins, ascending; NOTHING where a side is empty."""
    totals = weight.sum(axis=1)
    if not (totals > 0).all():
        return NOTHING
    no, yes = weight / totals[:, None]
    below = no.cumsum() - no / 2  # of the others, for each true one of a bin
    above = 1 - yes.cumsum() + yes / 2
    value = float(yes @ below)
    influence = np.stack((above - value, below - value)) / totals[:, None]
    rows = totals**2 / squares.sum(axis=1)
    return Area(value, float(yes @ no) / 2, influence, float(rows.min()), _variance(squares, influence, rows))


def average_precision(weight: Floats, squares: Floats) -> Area:
    """As `roc`; of no others it is 1."""
    if not weight[1].sum() > 0:
        return NOTHING
    no, yes = weight[:, ::-1]
    share = yes / yes.sum()
    above_no, above_yes = no.cumsum() - no, yes.cumsum() - yes
    value = float(share @ _mixed(yes, no, above_yes, above_no))
    best = float(share @ _ratio(above_yes + yes, above_no))
    worst = float(share @ _behind(yes, above_yes, above_no + no))
    influence = _of_precision(yes, no, value)[:, ::-1]
    rows = np.array([math.inf, float(yes.sum()) ** 2 / float(squares[1].sum())])
    return Area(value, max(best - value, value - worst), influence, float(rows[1]), _variance(squares, influence, rows))


def _variance(squares: Floats, influence: Floats, rows: Floats) -> float:
    """Σw² influence², each side as of so few rows, and wider as Student's quantiles are."""
    freedom = np.maximum(rows - 1, 1e-9)
    few = 1 / np.maximum(1 - 1 / rows, 1e-9) * (1 + (Z * Z + 1) / (4 * freedom)) ** 2
    return float(((squares * influence**2).sum(axis=1) * few).sum())


def _ratio(yes: Floats, no: Floats) -> Floats:
    """Precision, 1 where there is nothing."""
    return np.divide(yes, yes + no, out=np.ones_like(yes), where=yes + no > 0)


def _divided(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _mixed(yes: Floats, no: Floats, above_yes: Floats, above_no: Floats) -> Floats:
    """Mean precision over the true ones of each bin, the others evenly among them."""
    part = np.where(yes > 0, _ratio(yes, no), 1.0)
    above = above_yes + above_no
    grown = np.log1p(_divided(yes + no, above))
    mean = part + _divided((above_yes - above * part) * part * grown, yes)
    return np.where(yes > 0, mean, 0.0)


def _behind(yes: Floats, above_yes: Floats, no: Floats) -> Floats:
    """Mean precision over the true ones of each bin, the others of it, and of those above, being ahead of them all."""
    grown = np.log1p(_divided(yes, above_yes + no))
    return np.asarray(np.where(yes > 0, 1 - _divided(no * grown, yes), 0.0))


def _of_precision(yes: Floats, no: Floats, value: float) -> Floats:
    """Influence on average precision, from the highest bin down, rows being in the middle of their bins."""
    true, false = yes.cumsum() - yes / 2, no.cumsum() - no / 2
    held = yes / np.maximum((true + false) ** 2, 1e-300)
    below = [side[::-1].cumsum()[::-1] - side / 2 for side in (held * true, held * false)]
    return np.stack((-below[0], _ratio(true, false) - value + below[1])) / float(yes.sum())
