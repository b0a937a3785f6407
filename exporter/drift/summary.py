"""What every statistic takes: the counts of many columns, on one side of the comparison."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class Summary(NamedTuple):
    """Counts of a block of columns; unused bins are 0 on both sides."""

    counts: NDArray[np.int64]
    """Shape (columns, bins)."""
    samples: NDArray[np.int64]
    """Values per column: the row sums of `counts`."""
    ordered: NDArray[np.int64]
    """Shape (columns, 14): the ordered bins 00-13; 0 for columns that have none."""
    finite: NDArray[np.int64]
    """Finite numbers per column; 0 for columns that hold none."""
    deviation: Values
    """Σ (x - μ) / σ over them, with the reference's μ and σ: 0 for the reference itself."""
    steps: Values
    """Shape (columns, 13): from each ordered bin to the next that exists, in the reference's σ; 0 where none is."""
    dependence: Values
    """How many values come as one: n of them weigh as n / dependence independent ones do. 1 for the reference."""
    reach: Values
    """How far the reference's farthest number is from its mean, in its σ."""


def of_bins(counts: NDArray[np.int64]) -> Summary:
    """Counts of bins of which nothing else is known, shape (columns, bins)."""
    columns = len(counts)
    none = np.zeros((columns, 0), np.int64)
    nothing = np.zeros(columns)
    return Summary(
        counts, counts.sum(axis=1), none, nothing.astype(np.int64), nothing, none.astype(float), np.ones(columns),
        nothing,
    )  # fmt: skip


def used(reference: Summary, current: Summary) -> NDArray[np.bool_]:
    """Bins that hold anything on either side, shape (columns, bins)."""
    found: NDArray[np.bool_] = (reference.counts + current.counts) > 0
    return found


def inverse_size(reference: Summary, current: Summary) -> Values:
    """1/n + 1/m per column, in independent values: what the variance of a difference of shares is proportional to."""
    return np.asarray(current.dependence / current.samples + reference.dependence / reference.samples)


def shares(summary: Summary) -> Values:
    """The raw shares of the bins, shape (columns, bins)."""
    return np.asarray(summary.counts / summary.samples[:, None])


def smoothed(reference: Summary, current: Summary) -> tuple[Values, Values]:
    """Shares of the bins in use, half a count added to each (Jeffreys): (reference, current); 1 where nobody is.

    So a bin that is empty on one side neither makes a score infinite nor decides it.
    """
    both = used(reference, current)
    bins = both.sum(axis=1, keepdims=True)

    def side(one: Summary) -> Values:
        return np.asarray(np.where(both, (one.counts + 0.5) / (one.samples[:, None] + bins / 2), 1.0))

    return side(reference), side(current)


def cumulative(summary: Summary) -> Values:
    """Shares at or below each ordered bin, the others left out, shape (columns, 14)."""
    ordered = summary.ordered
    return np.asarray(ordered.cumsum(axis=1) / ordered.sum(axis=1, keepdims=True))


def pooled(reference: Summary, current: Summary) -> Values:
    """Shares of both sides together, shape (columns, bins): the best guess of what they would have in common."""
    total = (current.samples + reference.samples)[:, None]
    return np.asarray((current.counts + reference.counts) / total)
