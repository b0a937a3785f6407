"""How far off numbers are: mean absolute error, root of the mean squared one, in per cent of the truth, and on average.

As in scikit-learn; `mape` is a share, and huge where a truth is 0. An error is the prediction less the truth, so that a
`bias` above 0 says too much.
"""

import math
from collections.abc import Iterator

from exporter.performance.intervals import plain, positive
from exporter.performance.measures.case import Case
from exporter.performance.moments import Mean
from exporter.performance.residuals import Residuals
from exporter.performed import Measure


def mae(case: Case) -> Iterator[Measure]:
    """Mean absolute error."""
    if case.sums.residuals is not None:
        yield _above_zero("mae", _mean(case.sums.residuals, "size", "square"), case, case.sums.residuals.scale)


def rmse(case: Case) -> Iterator[Measure]:
    """Root of the mean squared error."""
    if case.sums.residuals is not None:
        square = _mean(case.sums.residuals, "square", "square2")
        lower, upper = map(math.sqrt, positive(square.value, case.widened(square)))
        scale = case.sums.residuals.scale
        yield Measure("rmse", math.sqrt(square.value) * scale, lower * scale, upper * scale)


def mape(case: Case) -> Iterator[Measure]:
    """Mean of absolute errors divided by the truth."""
    if case.sums.residuals is not None:
        yield _above_zero("mape", _mean(case.sums.residuals, "ratio", "ratio2"), case, 1.0)


def bias(case: Case) -> Iterator[Measure]:
    """Mean error."""
    if case.sums.residuals is not None:
        error = _mean(case.sums.residuals, "error", "square")
        scale = case.sums.residuals.scale
        yield Measure("bias", error.value * scale, *plain(error.value, case.widened(error)).times(scale))


def _above_zero(name: str, mean: Mean, case: Case, scale: float) -> Measure:
    return Measure(name, mean.value * scale, *positive(mean.value, case.widened(mean)).times(scale))


def _mean(residuals: Residuals, name: str, square: str) -> Mean:
    """Of a number, by the sums of it and of its square."""
    value, rows, weight = residuals.means[name], int(residuals.all.rows), float(residuals.all.weight)
    if rows < 2 or not weight > 0:
        return Mean(value, math.nan)
    crossed = residuals.crossed
    around = crossed[square] - 2 * value * crossed[name] + value * value * float(residuals.all.squares)
    return Mean(value, max(around, 0.0) / weight**2 * rows / (rows - 1))
