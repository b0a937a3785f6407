"""Whether two numbers are near enough, as the decimals that people write, and how servers spell what is none."""

import math
from fractions import Fraction
from typing import Any, Final

from exporter.golden.cases import DEFAULT, Tolerance

_SLACK: Final = 1e-9
"""Of a bound: nearer to it than that, floats do not say on which side a number is."""
_NOT_FINITE: Final = {
    "nan": math.nan, "inf": math.inf, "infinity": math.inf, "+inf": math.inf, "+infinity": math.inf,
    "-inf": -math.inf, "-infinity": -math.inf,
}  # fmt: skip


def is_near(expected: float, got: float, tolerance: Tolerance) -> bool:
    """Whether a number is within a tolerance of the expected one; an infinity only of itself, NaN of NaN."""
    if expected == got:
        return True
    if not (_is_finite(expected) and _is_finite(got)):
        return _is_nan(expected) and _is_nan(got)
    try:
        away, bound = abs(expected - got), tolerance.absolute + tolerance.relative * abs(expected)
        if math.isfinite(bound) and abs(away - bound) > _SLACK * (bound + abs(expected)):
            return away < bound
    except OverflowError:  # whole numbers beyond all floats
        pass
    one, other, absolute, relative = map(_fraction, (expected, got, *tolerance))
    return abs(one - other) <= absolute + relative * abs(one)


def _fraction(value: float) -> Fraction:
    """The decimal that stands there."""
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def _is_finite(value: float) -> bool:
    return isinstance(value, int) or math.isfinite(value)


def _is_nan(value: float) -> bool:
    return isinstance(value, float) and math.isnan(value)


def is_number(value: object) -> bool:
    """Of JSON."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def spells(text: str, value: Any) -> bool:  # noqa: ANN401 (a number)
    """Whether it is a number's name, of those that JSON has no number for."""
    meant = _NOT_FINITE.get(text.lower())
    return meant is not None and is_near(meant, value, DEFAULT)
