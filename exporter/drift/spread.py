"""How widely values lie over their bins: entropy, and the share of the fullest bin, each against the reference's.

Both are of one side; their critical values say how far the two sides come apart by chance. Entropy is Σ -p ln p as
counted. It is off by a normal error of variance (Σ p ln² p - H²) / n and, too low, by half a χ² of one bin less than
there are over n (Miller 1955; the second term is all there is of it where values are even).
"""

from typing import Final

import numpy as np
import scipy

from exporter.drift.summary import Summary, Values, inverse_size, pooled, shares, used

_LEVEL: Final = 0.001
_SIDES: Final = 2


def entropy(one: Summary) -> Values:
    """In nats per column: 0 where all values lie in one bin, the logarithm of the bins where they are even."""
    share = shares(one)
    return np.asarray(-scipy.special.xlogy(share, share).sum(axis=1))


def entropy_critical(reference: Summary, current: Summary) -> Values:
    """What the distance of the two sides' entropies exceeds at most once in 1000 windows of this size by chance.

    The level is shared out evenly between the two errors.
    """
    share = pooled(reference, current)
    logs = np.log(np.where(share > 0, share, 1.0))
    variance = (share * logs**2).sum(axis=1) - (share * logs).sum(axis=1) ** 2
    normal = -scipy.special.ndtri(_LEVEL / 2 / _SIDES) * np.sqrt(
        np.maximum(variance, 0.0) * inverse_size(reference, current)
    )
    bins = used(reference, current).sum(axis=1)
    fewest = np.maximum(current.dependence / current.samples, reference.dependence / reference.samples)
    low = scipy.special.chdtri(np.maximum(bins - 1, 1), _LEVEL / 2) / 2 * fewest
    return np.asarray(np.where(bins > 1, normal + low, 0.0))


def largest(one: Summary) -> Values:
    """Share of the fullest bin, per column."""
    return np.asarray(shares(one).max(axis=1))


def largest_critical(reference: Summary, current: Summary) -> Values:
    """By how much the current share is larger than the reference's at most once in 1000 windows of this size by chance.

    Any of the bins may have become the fullest (Bonferroni), and none was fuller than the fullest of both together. The
    second term is Bernstein's, for bins of few values.
    """
    share = pooled(reference, current).max(axis=1)
    inverse = inverse_size(reference, current)
    bins = np.maximum(used(reference, current).sum(axis=1), 1)
    normal = -scipy.special.ndtri(_LEVEL / bins)
    return np.asarray(normal * np.sqrt(share * (1 - share) * inverse) + normal**2 / 6 * inverse)
