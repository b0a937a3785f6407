"""Ways of drifting that are bet on, of many streams at once: what each bet gains of a pane's counts.

Fixed bets are known beforehand, so the one that wins also says what has happened: ordered bins move up or down (an
exponential tilt along their normal scores), become wider or narrower (along the squares of these), or one bin grows.
Learnt ones are what the panes before looked like, over a short, a longer and a long while; they find what nobody
thought of, and pay for learning it. Every bet is clipped so that nothing within the tolerance gains: see `clipped`.
"""

from typing import Final, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from exporter.evidence.clipped import Shares, log_ratios

UP, DOWN, WIDER, NARROWER, GREW, CHANGED = range(6)
"""Kinds of drift. Of `GREW` there is one for each bin."""
KINDS: Final = ("up", "down", "wider", "narrower", "grew", "changed")
_SHIFTS: Final = (0.2, 0.4, 0.8)
_SPREADS: Final = (0.15, 0.4)
_GROWTHS: Final = (0.1, 0.3)
_TILTS: Final = 2 * (len(_SHIFTS) + len(_SPREADS))
LEARNT: Final = 3
"""Bets on what was seen before."""
_FARTHEST: Final = 3.0
"""Normal score beyond which a bin counts as if it were there: tails of a few rows are not tilted without bound."""
_PRIOR_ROWS: Final = 10.0
"""So many rows of the reference are mixed into what was seen."""


class Places(NamedTuple):
    """What the bets of streams with so many bins are, in their order."""

    kinds: NDArray[np.int8]
    """Shape (bets,)."""
    bins: NDArray[np.int16]
    """Which bin grew, where one did."""


def places(bins: int, ordered: bool) -> Places:
    """Of streams of so many bins; the first bets are of those with an order alone."""
    tilts = [UP, DOWN] * len(_SHIFTS) + [WIDER, NARROWER] * len(_SPREADS) if ordered else []
    kinds = tilts + [GREW] * (bins * len(_GROWTHS)) + [CHANGED] * LEARNT
    grew = [0] * len(tilts) + [*range(bins)] * len(_GROWTHS) + [0] * LEARNT
    return Places(np.array(kinds, np.int8), np.array(grew, np.int16))


def weights(exist: NDArray[np.bool_], ordered: bool) -> Shares:
    """Of the bets of streams whose bins exist or not, shape (streams, bins): half for fixed, half for learnt ones."""
    streams = len(exist)
    tilts = np.full((streams, _TILTS if ordered else 0), True)
    fixed = np.hstack((tilts, *(exist for _ in _GROWTHS))).astype(float)
    fixed /= 2 * fixed.sum(axis=1, keepdims=True)
    return np.hstack((fixed, np.full((streams, LEARNT), 0.5 / LEARNT)))


class Bets:
    """Of streams with one number of bins, against references that hold for now."""

    def __init__(self, reference: Shares, tolerance: Shares, ordered: int) -> None:
        """`reference` has shape (streams, bins): above 0 where a bin exists. The first `ordered` bins have an order."""
        self.reference = reference
        self.tolerance = tolerance
        self._tilts = self._away = None
        if ordered:
            tilted = tilts(reference, ordered)
            self._tilts = log_ratios(reference, tilted, tolerance)
            self._away = tilted / np.where(reference > 0, reference, 1.0)[:, None, :] - (reference > 0)[:, None, :]
        self._others, self._more = _growth(reference, tolerance)

    def gained(self, counts: Shares, seen: Shares) -> Shares:
        """Nats that each bet gains of counts of shape (streams, bins), shape (streams, bets).

        `seen` are counts of panes before, shape (streams, LEARNT, bins), of any weight.
        """
        rows = counts.sum(axis=1)[:, None, None]
        growth = self._others * rows + self._more * counts[:, None, :]
        parts = [growth.reshape(len(counts), -1), self._gained_by_learning(counts, seen)]
        if self._tilts is not None:
            parts.insert(0, self._of(self._tilts, counts))
        return np.hstack(parts)

    def shifts(self, counts: Shares) -> Shares:
        """How far rows lie towards what fixed bets are on, 0 on average of the reference: (streams, fixed bets)."""
        growth = counts - counts.sum(axis=1, keepdims=True) * self.reference
        parts = (
            [growth] * len(_GROWTHS)
            if self._away is None
            else [self._of(self._away, counts), *[growth] * len(_GROWTHS)]
        )
        return np.hstack(parts)

    def per_row(self, shares: Shares) -> Shares:
        """Nats that each fixed bet gains of a row on average where `shares` are true, shape (streams, fixed bets)."""
        return self.gained(shares, np.zeros((len(shares), LEARNT, shares.shape[1])))[:, :-LEARNT]

    def _gained_by_learning(self, counts: Shares, seen: Shares) -> Shares:
        """Most of what was seen is within the tolerance, and is no bet: only the rest is sorted."""
        mixed = seen + _PRIOR_ROWS * self.reference[:, None, :]
        mixed /= mixed.sum(axis=2, keepdims=True)
        away = np.abs(mixed - self.reference[:, None, :]).sum(axis=2) / 2
        gained = np.zeros(away.shape)
        streams, at = np.nonzero(away > self.tolerance[:, None])
        ratios = log_ratios(self.reference[streams], mixed[streams, at][:, None, :], self.tolerance[streams])
        gained[streams, at] = (ratios[:, 0, :] * counts[streams]).sum(axis=1)
        return gained

    @staticmethod
    def _of(table: Shares, counts: Shares) -> Shares:
        return np.asarray((table @ counts[:, :, None])[:, :, 0])


def tilts(reference: Shares, ordered: int) -> Shares:
    """The reference with its ordered bins moved and spread, shape (streams, tilts, bins)."""
    first = reference[:, :ordered]
    share = first / first.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        scores = np.clip(scipy.special.ndtri(share.cumsum(axis=1) - share / 2), -_FARTHEST, _FARTHEST)
    along = [sign * size * scores for size in _SHIFTS for sign in (1, -1)]
    along += [sign * size * scores**2 for size in _SPREADS for sign in (1, -1)]
    tilted = np.repeat(reference[:, None, :], _TILTS, axis=1)
    weighted = first[:, None, :] * np.exp(np.stack(along, axis=1))
    tilted[:, :, :ordered] = weighted * (first.sum(axis=1)[:, None] / weighted.sum(axis=2))[:, :, None]
    return tilted


def _growth(reference: Shares, tolerance: Shares) -> tuple[Shares, Shares]:
    """Of bets on one bin each: nats of a row in another bin, and how many more one in that bin itself gains.

    Shape (streams, growths, bins). Against a mixture of the reference with that bin the clipped ratio has two values.
    """
    r, epsilon = reference[:, None, :], tolerance[:, None, None]
    share = np.array(_GROWTHS)[None, :, None]
    grown = (1 - share) * r + share
    bets = (share * (1 - r) > epsilon) & (r > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside, others = np.log(grown / (r + epsilon)), np.log((1 - grown) / (1 - r - epsilon))
    others = np.where(bets, others, 0.0)
    return others, np.where(bets, inside - others, 0.0)
