"""Numbers cut off: what lay beyond a bound lies on it."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from exporter.diagnosis.seen import LEAST_NAMED, Case, Explained, Points, Values, variation
from exporter.diagnosis.words import shown

CODE: Final = "clipped"
_LEAST: Final = 0.02
"""Share of the values on the bound."""
_FEW: Final = 15
"""Rows that are not beyond it by chance alone."""
_AS_GOOD: Final = 0.6
"""So much of what lay beyond the bound, or in its bin, must lie on it."""


def explain(case: Case) -> Iterator[Explained]:
    """Of numbers where they are known themselves."""
    seen = case.seen.points
    if not case.is_number or seen is None or not case.seen.exact or seen.values.size < 2:
        return
    live = seen.shares(case.edges)
    above, below = _cut(case, seen, -1), _cut(case, seen, 0)
    low, high = (shown(float(seen.values[end])) for end in (0, -1))
    found = [(f"above {high}", above, -1), (f"below {low}", below, 0)]
    if above is not None and below is not None:
        found.append((f"below {low} and above {high}", _folded(case, seen, 0, above), -1))
    for text, expected, end in found:
        if expected is not None:
            left = variation(live, expected) + case.lost
            yield Explained(CODE, f"{case.column.name} is cut off {text}", left, 0.5, float(seen.values[end]), True)


def _cut(case: Case, seen: Points, end: int) -> Values | None:
    """What the bins would hold; None where nothing lies on the last value of that end."""
    return _folded(case, seen, end, case.known) if _lies_on(case, seen, end) else None


def _folded(case: Case, seen: Points, end: int, shares: Values) -> Values:
    at = _bin(case, seen, end)
    found = shares.copy()
    beyond = slice(at + 1, None) if end else slice(0, at)
    found[at] += found[beyond].sum()
    found[beyond] = 0.0
    return found


def _bin(case: Case, seen: Points, end: int) -> int:
    value = float(seen.values[end])
    return int(np.searchsorted(case.edges, value + 1e-6 * abs(value), side="right"))


def _lies_on(case: Case, seen: Points, end: int) -> bool:
    """Whether enough lies on the last value: of what the training data had in bins beyond it, nearly all."""
    share = float(seen.upto[end] - seen.below[end])
    at = _bin(case, seen, end)
    beyond = float(case.known[at + 1 :].sum() if end else case.known[:at].sum())
    within = float(case.known[at])
    return (
        share >= _LEAST
        and round(share * case.finite) >= LEAST_NAMED
        and beyond * case.seen.rows / case.seen.dependence > _FEW
        and _AS_GOOD * beyond <= share <= beyond + within + 3 * case.noise
    )
