"""R²: the share of the truth's variance that predictions account for, as in scikit-learn.

Its interval is even on the scale of ln(1 - R²), whose influence of a row is e²/mean(e²) - z²/var, z being the truth's
distance from its mean. There is none where that mean is more than a thousand standard deviations from the centre of the
task: nothing would be left of the digits.
"""

import math
from collections.abc import Iterator
from typing import Final

from exporter.performance.intervals import NONE, Interval, positive
from exporter.performance.measures.case import Case
from exporter.performance.residuals import Residuals
from exporter.performed import Measure

_FARTHEST: Final = 1000.0


def r2(case: Case) -> Iterator[Measure]:
    """Of constant truths 1 where every prediction is right and else 0; of fewer than two rows there is none."""
    residuals = case.sums.residuals
    if residuals is None:
        return
    if residuals.all.rows < 2 or not residuals.spread >= 0:
        yield Measure("r2", math.nan)
    elif residuals.spread == 0:
        yield Measure("r2", float(residuals.means["square"] == 0))
    else:
        rest = residuals.means["square"] / residuals.spread
        lower, upper = _interval(residuals, rest, case.dependence)
        yield Measure("r2", 1 - rest, 1 - upper, 1 - lower)


def _interval(residuals: Residuals, rest: float, dependence: float) -> Interval:
    """Of 1 - R²."""
    middle, spread, crossed = residuals.means["true"], residuals.spread, residuals.crossed
    if abs(middle) > _FARTHEST * math.sqrt(spread) or not rest > 0:
        return NONE
    square = residuals.means["square"]
    far2 = crossed["square_true2"] - 2 * middle * crossed["square_true"] + middle**2 * crossed["square"]
    far4 = (
        crossed["true4"] - 4 * middle * crossed["true3"] + 6 * middle**2 * crossed["true2"]
        - 4 * middle**3 * crossed["true"] + middle**4 * float(residuals.all.squares)
    )  # fmt: skip
    around = crossed["square2"] / square**2 - 2 * far2 / (square * spread) + far4 / spread**2
    return positive(rest, max(around, 0.0) / float(residuals.all.weight) ** 2 * rest**2 * dependence)
