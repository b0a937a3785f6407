"""Numbers of few bits as the decimals that they were rounded from.

Models are fed 32-bit floats and trained on tables of decimals. What was 0.3 there is 0.30000001192092896 when it is
widened, which is another category and, at an edge, another bin: in columns of few distinct values one value in five
fell into the next bin. A decimal of as many digits as the bits can tell apart is what was meant; where there is none
the number stays as it is. (Of 24 bits these are 6 digits for certain and mostly 7, as in C's FLT_DIG.)
"""

import math
from array import array
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

FP32: Final = 24
FP16: Final = 11
BF16: Final = 8
"""Bits of their significands."""
_LOWEST, _HIGHEST = -160, 160
_EXACT: Final = 22
"""Powers of ten up to this one are exact."""
_POWER_OF_TWO: Final = 0.5
"""Its fraction; the floats next below it are twice as close."""
_FEW: Final = 16
"""Up to so many numbers numpy costs more than a loop."""


class _Steps(NamedTuple):
    """By binary exponent: the power of ten that makes a decimal a whole number, and how far off it may be."""

    scale: NDArray[np.float64]
    reach: NDArray[np.float64]


def _steps(bits: int) -> _Steps:
    scale, reach = [], []
    for exponent in range(_LOWEST, _HIGHEST + 1):
        digits = math.floor((bits - exponent) * math.log10(2))  # as many as keep 10^-digits above a step of the float
        usable = 0 <= digits <= _EXACT
        scale.append(10.0**digits if usable else 1.0)
        reach.append(math.ldexp(0.5, exponent - bits) if usable else -1.0)
    return _Steps(np.array(scale), np.array(reach))


_STEPS: Final = {bits: _steps(bits) for bits in (FP32, FP16, BF16)}
_LISTS: Final = {bits: _Steps(*(side.tolist() for side in steps)) for bits, steps in _STEPS.items()}


def decimals(stored: NDArray[Any], bits: int) -> NDArray[np.float64]:
    """The decimals of numbers of so many bits, any shape; what is not finite stays."""
    wide = stored.astype(np.float64)
    if wide.size <= _FEW:
        return np.array([_decimal(number, bits) for number in wide.ravel().tolist()]).reshape(wide.shape)
    fractions, exponents = np.frexp(wide)
    scale, reach = (side[np.clip(exponents, _LOWEST, _HIGHEST) - _LOWEST] for side in _STEPS[bits])
    with np.errstate(invalid="ignore"):
        short = np.rint(wide * scale) / scale
        closer = (np.abs(fractions) == _POWER_OF_TWO) & (np.abs(short) < np.abs(wide))
        return np.where(np.abs(short - wide) <= np.where(closer, reach / 2, reach), short, wide)


def of_widened(cells: Sequence[Any]) -> Sequence[Any]:
    """Numbers of JSON that are 32-bit floats, every one of them, as decimals; others as they are.

    Python's lists of such floats are written with all digits of the wider ones. Nulls and NaN are no numbers.
    """
    try:
        narrow = array("f", cells)
    except (TypeError, OverflowError):  # nulls, texts, or beyond every such float
        return _between_gaps(cells)
    if narrow.tolist() != cells:
        return _between_gaps(cells)
    found: list[float] = decimals(np.frombuffer(narrow, np.float32), FP32).tolist()
    return found


def _between_gaps(cells: Sequence[Any]) -> Sequence[Any]:
    """The same of what lies between nulls and NaN, where there are any."""
    given = [cell for cell in cells if cell is not None and cell == cell]  # noqa: PLR0124 (NaN)
    if not given or len(given) == len(cells):
        return cells
    short = iter(of_widened(given))
    return [next(short) if cell is not None and cell == cell else cell for cell in cells]  # noqa: PLR0124


def _decimal(number: float, bits: int) -> float:
    if not number or not math.isfinite(number):
        return number
    fraction, exponent = math.frexp(number)
    at = min(max(exponent, _LOWEST), _HIGHEST) - _LOWEST
    scale, reach = _LISTS[bits].scale[at], _LISTS[bits].reach[at]
    short: float = round(number * scale) / scale
    if abs(fraction) == _POWER_OF_TWO and abs(short) < abs(number):
        reach /= 2
    return short if abs(short - number) <= reach else number
