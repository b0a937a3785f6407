"""Whether what is asked follows what was answered a moment before: predictions of one pane, features of the next one.

Both follow the hours of the day and their own past, so that is taken out first, by regression: whatever goes slowly (a
cosine basis), the feature's own values in the two panes before, and what most features do together in the pane of the
prediction (principal components). Rests that lie far out are cut. What is left is correlated over panes. The band is
the largest |r| of all pairs where the signs of the products are turned, a few panes at once, by lot from one seed (a
wild bootstrap; Liu 1988): nights with few rows, and features that go together, make it as wide as they must.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

LEAST_PANES: Final = 30
"""Pairs of panes, fewer of which say nothing."""
_SLOW: Final = 12
"""Panes for each of the slow waves that are taken out: the shortest is twice as long."""
_POWERS: Final = 4
"""Of the polynomial: up to the third."""
_TOGETHER: Final = 2
"""Principal components, at most."""
_BLOCK: Final = 3
"""Panes whose signs are turned together."""
_DRAWS: Final = 1999
_LEVEL: Final = 0.001
_SEED: Final = 20
_NOTHING: Final = 1e-9
"""Size of a rest, beside that of the series, below which it is rounding."""
_FAR: Final = 3 * 1.4826
"""Median distances from 0 beyond which rests are cut: three standard deviations of a normal one."""


class Recursion(NamedTuple):
    """Of all pairs of an output and a feature."""

    size: float
    """The largest |r|."""
    critical: float
    """What lots exceed once in 1000 times, and the size about once in 300 windows where nothing of an answer comes
    back: what is taken out is an estimate, too."""
    output: int
    """The pair that has it, by place."""
    feature: int
    panes: int
    """Pairs of panes that it is of."""


def recursion(answers: Values, features: Values) -> Recursion | None:
    """Of means by pane, the oldest first, shapes (panes, outputs) and (panes, features); NaN where a pane has too few.

    None where there are fewer than LEAST_PANES pairs of panes, or nothing is left of either side.
    """
    there = np.logical_and.reduce(np.isfinite(np.column_stack((answers, features))), axis=1)
    at = 1 + np.flatnonzero(there[:-2] & there[1:-1] & there[2:])
    if at.size < LEAST_PANES:
        return None
    slow = _slow(at, len(answers))
    asked, same, past = (_rest(slow, features[at + step]) for step in (1, 0, -1))
    said, together = _rest(slow, answers[at]), _together(same)
    left = [_basis(np.column_stack((same[:, place], past[:, place], together))) for place in range(features.shape[1])]
    found = _products(asked, said, left)
    size = np.abs(found.sum(axis=0))
    if not size.any():
        return None
    output, feature = divmod(int(size.argmax()), features.shape[1])
    return Recursion(float(size.max()), _critical(found), output, feature, at.size)


def _slow(at: NDArray[np.intp], panes: int) -> Values:
    """An orthonormal basis of what goes slowly over panes, shape (panes that are there, waves).

    A polynomial takes out what waves that are even at both ends would need many of: that these differ.
    """
    when = (at + 0.5) / panes
    waves = np.cos(np.pi * np.outer(when, np.arange(at.size // _SLOW)))
    return _basis(np.column_stack((np.vander(2 * when - 1, _POWERS, increasing=True), waves[:, 1:])))


def _basis(series: Values) -> Values:
    """An orthonormal basis of series, shape (panes, series); columns of 0 for those that are none of their own."""
    found, sizes = np.linalg.qr(series)
    return np.asarray(np.where(np.abs(np.diag(sizes)) > _NOTHING, found, 0.0))


def _rest(basis: Values, series: Values) -> Values:
    """What a basis leaves of series, shape (panes, series); 0 where that is nothing."""
    rest = series - basis @ (basis.T @ series)
    size, whole = np.linalg.norm(rest, axis=0), np.linalg.norm(series, axis=0)
    return np.asarray(np.where(size > _NOTHING * whole, rest, 0.0))


def _together(features: Values) -> Values:
    """What most features do, as series of length 1, shape (panes, components): fewer than half as many as features."""
    most = min(_TOGETHER, features.shape[1] // 2)
    return np.asarray(np.linalg.svd(_unit(features), full_matrices=False)[0][:, :most])


def _products(asked: Values, said: Values, left: list[Values]) -> Values:
    """What each pane adds to each r, shape (panes, outputs times features)."""
    found = np.empty((len(asked), said.shape[1], asked.shape[1]))
    for place, basis in enumerate(left):
        own = _unit(_cut(_rest(basis, asked[:, place : place + 1])))
        found[:, :, place] = own * _unit(_cut(_rest(basis, said)))
    return found.reshape(len(asked), -1)


def _cut(rests: Values) -> Values:
    far = _FAR * np.median(np.abs(rests), axis=0)
    return np.asarray(np.clip(rests, -far, far))


def _unit(series: Values) -> Values:
    """Series of length 1; 0 stays it."""
    size = np.linalg.norm(series, axis=0)
    return np.asarray(np.divide(series, size, out=np.zeros_like(series), where=size > 0))


def _critical(products: Values) -> float:
    panes = len(products)
    signs = np.random.default_rng(_SEED).integers(0, 2, (_DRAWS, -(-panes // _BLOCK)), np.int8) * 2.0 - 1
    most = np.abs(signs.repeat(_BLOCK, axis=1)[:, :panes] @ products).max(axis=1)
    return min(1.0, float(np.quantile(most, 1 - _LEVEL, method="higher")))
