"""Numbers in another unit: scaled, moved by a fixed amount, or with the sign turned round.

Each is a line, x' = a x + b. The edges of the reference are sent along it, and the live shares between them should be
the reference's. Where a or b is not one that people know it is found by search.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np

from exporter.diagnosis.seen import Case, Explained, Points, Values, variation, variations
from exporter.diagnosis.words import about, shown

SCALED, OFFSET, FLIPPED = "scaled", "offset", "sign_flipped"
_FACTORS: Final = {
    10.0: "", 100.0: "", 1000.0: "", 1e4: "", 1e6: "", 1e9: "", 60.0: "minutes or seconds", 3600.0: "hours in seconds",
    24.0: "days in hours", 12.0: "years in months", 7.0: "weeks in days", 1.609344: "miles in kilometres",
    2.20462262: "kilograms in pounds", 2.54: "inches in centimetres", 3.28084: "metres in feet",
    0.3048: "feet in metres", 1 / 1.609344: "kilometres in miles", 1 / 2.20462262: "pounds in kilograms",
    1 / 2.54: "centimetres in inches", 86400.0: "days in seconds",
}  # fmt: skip
_USUAL: Final = {**{1 / factor: "" for factor in _FACTORS if factor > 3.5}, **_FACTORS}
_LINES: Final = {(1.8, 32.0): "°C in °F", (1 / 1.8, -32 / 1.8): "°F in °C"}
_STEPS: Final = {273.15: "°C in K", -273.15: "K in °C"}
_ROUNDS: Final = 4
_AROUND: Final = np.array([0.0, *(sign * step for step in (0.2, 0.4, 0.6, 0.8, 1.0) for sign in (-1, 1))])
"""From the nearest on: of several that are as good the first is taken."""
_NEAR: Final = 0.03
"""A factor that is as near as this to a usual one, by the logarithm, is tried as that; or as near as it may be off."""
_WIDEST: Final = 2.0
"""Standard deviations to a mean, at most: nearer to 0 a factor is known no worse."""
_TELLING: Final = 0.4
"""By so many times the noise one usual factor must be better than another one that is near: none of them is fitted."""
_STRAY: Final = 0.004
"""What it costs a line that the mean is elsewhere, by the logarithm or by standard deviations: where the bins alone
leave it open, as those of truth values do."""
_LEAST_STEP: Final = 0.2
"""In standard deviations: less is no offset that anybody should be told of."""
_LEAST: Final = np.log(1.2)
"""The logarithm of a factor that is worth telling."""
_SLIGHT: Final = np.log(5)
"""That of one which a shift of the population may look like, or noise on numbers about 0."""
_APART: Final = 6.0
"""So many of its standard errors a mean is from 0, for ratios of means to say anything."""
_TINY: Final = 1e-300
_FEW: Final = 15
"""Rows of which it is seen that there are some or none; and of a usual factor, which chance seldom hits."""
_FEWER: Final = 4
_SIGMA: Final = 2.0
_NONE: Final = 0.05
_HALF: Final = 0.5


class _Line(NamedTuple):
    a: float
    b: float
    left: float
    """What it leaves unexplained of the finite numbers."""


def explain(case: Case) -> Iterator[Explained]:
    """As far as its numbers are known."""
    seen = case.seen.points
    if not case.is_number or seen is None or seen.values.size < 2:
        return
    for made in (_flipped, _of_units, _scaled, _moved):
        found = made(case, seen)
        if found:
            yield found._replace(unexplained=found.unexplained + case.lost)


def _left(case: Case, seen: Points, a: Values, b: Values) -> Values:
    """Total variation of the finite numbers, the edges being sent along each of some lines that rise."""
    return variations(seen.shares(a[:, None] * case.edges + b[:, None]), case.known)


def _flipped(case: Case, seen: Points) -> Explained | None:
    edges = -case.edges[::-1]
    turned = seen.shares(
        edges + 3e-6 * np.abs(edges) + _TINY
    )  # what was equal to an edge was above it, and is below it now
    text = f"{case.column.name} has its sign turned round"
    return Explained(FLIPPED, text, variation(turned[::-1], case.known), 0, -1.0)


def _of_units(case: Case, seen: Points) -> Explained | None:
    lines = np.array(list(_LINES))
    left = _left(case, seen, lines[:, 0], lines[:, 1])
    at = int(left.argmin())
    best = _Line(*list(_LINES)[at], float(left[at]))
    text = f"{case.column.name} looks like {_LINES[best.a, best.b]}"
    return Explained(SCALED, text, best.left, 0, best.a, is_proven=_is_evident(case, seen, best, _FEWER))


def _scaled(case: Case, seen: Points) -> Explained | None:
    ranks, edges = _inner(case)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = seen.quantile(ranks) / edges
    ratio = _ratio(case, seen)
    tried = np.array([*_USUAL, *ratios, ratio])
    tried = np.unique(tried[np.isfinite(tried) & (tried > 0)])
    mean = float(np.log(ratio)) if 0 < ratio < np.inf else None

    def left(logarithms: Values) -> Values:
        factors = np.exp(logarithms)
        stray = 0.0 if mean is None else _STRAY * np.minimum(np.abs(logarithms - mean), 5.0)
        return _left(case, seen, factors, np.zeros(factors.size)) + stray

    of_bins = _search(left, np.log(tried), 0.1)
    at, least = _or_mean(case, left, mean, of_bins)
    best, free = _Line(float(np.exp(at)), 0.0, least), 1.0
    usual = _usual(case, left, np.array([of_bins[0], at if mean is None else mean]))
    is_known = not usual or usual[0].left > case.limit
    if usual and usual[0].left <= best.left + case.margin:
        best, free = usual[0], 0.0
        is_known = len(usual) == 1 or usual[1].left > best.left + _TELLING * case.noise
    size = abs(np.log(best.a))
    if size < _SLIGHT:
        free = 1.0  # as much as noise, which does the same to numbers about 0
    if size < _LEAST:
        return None
    is_usual = best in usual
    is_proven = (size >= _SLIGHT and not free) or _is_evident(case, seen, best, _FEWER if is_usual else _FEW)
    text = f"{case.column.name} looks {_factor(best.a, is_usual)}"
    return Explained(SCALED, text, best.left, free, best.a, is_proven=is_proven and is_known)


def _usual(case: Case, left: Callable[[Values], Values], at: Values) -> list[_Line]:
    """The usual factors that are near one of those whose logarithms are given, the best first."""
    near = np.array([factor for factor in _USUAL if np.abs(np.log(factor) - at).min() < _off(case)])
    lefts = left(np.log(near)) if near.size else near
    return [_Line(float(near[place]), 0.0, float(lefts[place])) for place in np.argsort(lefts, kind="stable")]


def _off(case: Case) -> float:
    """By how much a fitted factor may be off by chance, its logarithm: three standard errors of a ratio of means."""
    spread = min(case.column.sd / max(abs(case.column.mean), _TINY), _WIDEST)
    return max(_NEAR, 3 * case.noise * spread)


def _factor(factor: float, is_usual: bool) -> str:
    note = _USUAL[factor] if is_usual else ""
    text = f"×{shown(factor)}" if factor > 0.4 or not is_usual else f"÷{shown(1 / factor)}"
    return f"{text} ({note})" if note else text


def _ratio(case: Case, seen: Points) -> float:
    """Of the means, or of the standard deviations where the mean is about 0; NaN where they are not known."""
    if abs(case.column.mean) > _APART * case.column.sd * case.noise:
        return np.nan if seen.mean is None else seen.mean / case.column.mean
    return np.nan if seen.sd is None else seen.sd / case.column.sd


def _moved(case: Case, seen: Points) -> Explained | None:
    ranks, edges = _inner(case)
    sd = case.column.sd
    gaps = (seen.quantile(ranks) - edges) / sd
    mean = None if seen.mean is None else (seen.mean - case.column.mean) / sd

    def left(steps: Values) -> Values:
        stray = 0.0 if mean is None else _STRAY * np.minimum(np.abs(steps - mean), 5.0)
        return _left(case, seen, np.ones(steps.size), steps * sd) + stray

    at, least = _or_mean(case, left, mean, _search(left, np.array([*gaps, *([] if mean is None else [mean])]), 0.1))
    best = _Line(1.0, at * sd, least)
    for usual, note in _STEPS.items():
        if abs(best.b - usual) < max(0.2 * sd, 0.02 * abs(usual)):
            found = float(left(np.array([usual / sd]))[0])
            if found <= best.left + case.margin:
                return Explained(OFFSET, f"{case.column.name} looks like {note}", found, 0.5, usual)
    if abs(best.b) < _LEAST_STEP * sd:
        return None
    text = f"{case.column.name} looks moved by {'+' if best.b > 0 else '-'}{about(abs(best.b))}"
    return Explained(OFFSET, text, best.left, 1, best.b, is_proven=_is_evident(case, seen, best))


def _is_evident(case: Case, seen: Points, line: _Line, few: float = _FEW) -> bool:
    """Whether there are values where the reference has none, or none where it has, as the line would have it.

    A shift of the population, which favours some values over others, cannot do that, and looks like a line by chance.
    """
    edges = line.a * case.edges + line.b
    pad = _SIGMA * case.noise * line.a * case.column.sd if few == _FEW else 0.0  # what is fitted is not known better
    (low, high), (before, after) = (edges[0] - pad, edges[-1] + pad), (case.edges[0], case.edges[-1])
    out = case.known[1:-1][(edges[1:] <= before) | (edges[:-1] >= after)].sum()
    left = case.known[1:-1][(case.edges[1:] <= low) | (case.edges[:-1] >= high)].sum()
    within, beyond = seen.share_below(np.array([before, after])), seen.share_below(np.array([low, high]))
    is_out = 1 - (within[1] - within[0]) > _HALF * out
    if 1 - (beyond[1] - beyond[0]) > _NONE * max(left, out):
        return False
    return bool(case.noise**-2 * (left + is_out * out) > few)  # of rows on either side it takes some


def _inner(case: Case) -> tuple[Values, Values]:
    """Ranks of the reference's inner edges, and the edges."""
    below = case.known.cumsum()[:-1]
    inner = (below > 0.02) & (below < 0.98)
    return (below[inner], case.edges[inner]) if inner.any() else (below, case.edges)


def _or_mean(
    case: Case, left: Callable[[Values], Values], mean: float | None, best: tuple[float, float]
) -> tuple[float, float]:
    """What the means say, where the bins do not know it better: they leave a little room."""
    if mean is None:
        return best
    of_mean = float(left(np.array([mean]))[0])
    return (mean, of_mean) if of_mean <= best[1] + case.margin / 2 else best


def _search(left: Callable[[Values], Values], tried: Values, width: float) -> tuple[float, float]:
    """Where the least is left, of what is tried and nearer and nearer to it; and how much that is."""
    at = float(tried[left(tried).argmin()])
    for _ in range(_ROUNDS):
        near = at + width * _AROUND
        at = float(near[left(near).argmin()])
        width /= 4
    return at, float(left(np.array([at]))[0])
