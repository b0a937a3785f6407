"""Noise on top of the numbers: as many of them to either side, farther from each other.

What the reference's distribution would be with normal noise on it is calculated from its bins.
"""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import scipy

from exporter.diagnosis.seen import Case, Explained, Values, variations
from exporter.diagnosis.words import about

CODE: Final = "noise_added"

_SPREADS: Final = np.geomspace(0.2, 8.0, 24)
"""In standard deviations of the reference."""
_BEYOND: Final = np.array([0.25, 0.6, 1.2, 2.5, 5.0])
"""So far beyond the outer edges it is looked, too, in the same."""
_ROUNDS: Final = 3


class _Live(NamedTuple):
    """Points on the line of numbers, and the live shares between them."""

    at: Values
    live: Values


def explain(case: Case) -> Iterator[Explained]:
    """Of numbers that have several bins."""
    seen = case.seen.points
    if not case.is_number or seen is None or case.edges.size < 4 or seen.values.size < 4:
        return
    sd = case.column.sd
    at = np.concatenate((case.edges[0] - _BEYOND[::-1] * sd, case.edges, case.edges[-1] + _BEYOND * sd))
    live = np.diff(seen.share_below(at), prepend=0.0, append=1.0)
    found = [_best(case, _Live(at, live), highs) for highs in _ends(case)]
    spread, least = min(found, key=lambda one: one[1])
    text = f"{case.column.name} has noise added, of about {about(spread)} standard deviations"
    yield Explained(CODE, text, least + case.lost, 1, spread)


def _ends(case: Case) -> Iterator[Values]:
    """Where the numbers of each bin may end that begin at its lower edge.

    At the next one; or all lie on the edge, as few whole numbers do, or those of the first bin alone, as zeros do.
    """
    edges = case.edges
    yield edges[1:]
    yield edges[:-1]
    yield np.concatenate((edges[:1], edges[2:]))


def _best(case: Case, seen: _Live, highs: Values) -> tuple[float, float]:
    """The noise that leaves least, in standard deviations of the reference, and how much that is."""
    spreads, width = _SPREADS, 0.15
    for _ in range(_ROUNDS):
        left = variations(_noisy(case, seen.at, highs, spreads * case.column.sd), seen.live)
        best, least = float(spreads[left.argmin()]), float(left.min())
        spreads, width = best * np.exp(np.linspace(-width, width, 7)), width / 3
    return best, least


def _noisy(case: Case, at: Values, highs: Values, spreads: Values) -> Values:
    """Shares between the points `at`, had the reference's numbers noise of each standard deviation: a row of each.

    Of numbers spread evenly from a to b the share below x is s (G((x-a)/s) - G((x-b)/s)) / (b-a), where G is the
    integral of the normal distribution, z Φ(z) + φ(z); of those that lie on a alone Φ((x-a)/s).
    """
    lows, shares = case.edges[:-1], case.known[1:-1]
    from_low, from_high = ((at[:, None] - ends) / spreads[:, None, None] for ends in (lows, highs))
    widths = (highs - lows) / spreads[:, None, None]
    even = (_integral(from_low) - _integral(from_high)) / np.where(widths > 0, widths, 1.0)
    below = np.where(widths > 0, even, scipy.special.ndtr(from_low)) @ shares + case.known[0]
    return np.diff(below, prepend=0.0, append=1.0, axis=1)


def _integral(z: Values) -> Values:
    return np.asarray(z * scipy.special.ndtr(z) + np.exp(-z * z / 2) / math.sqrt(2 * math.pi))
