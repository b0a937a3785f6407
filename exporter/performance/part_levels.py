"""How many wrong ones among the truths of a part of the traffic are more than chance, and more than is tolerated.

A part is held against itself in training: by its nature it differs from the whole. What it exceeds at most once in 1000
windows, whatever parts there are, while predictions in none of them are wrong more often than there, and than is
tolerated: the binomial distribution's own quantile, at a thousandth shared out among the parts (Bonferroni). The share
in training is itself of a sample: Wilson's upper bound stands for it. Truths that come as one count as one.
"""

import math
from typing import Final, NamedTuple

import scipy

from exporter.performance.concept import margin

_LEVEL: Final = 1e-3


class Trained(NamedTuple):
    """How often predictions of a part were wrong in training."""

    wrong: int
    rows: int

    @property
    def share(self) -> float:
        """NaN where there were none."""
        return self.wrong / self.rows if self.rows else math.nan


class Terms(NamedTuple):
    """By what all parts are judged."""

    tolerance: float
    """Share of wrong ones beyond that in training."""
    parts: int
    """Among which a false one is looked for."""
    dependence: float = 1.0
    """How many truths come as one."""


def critical(trained: Trained, samples: int, terms: Terms) -> float:
    """The share of wrong ones among so many truths beyond which there are too many; NaN where nobody can tell."""
    if not trained.rows or not samples:
        return math.nan
    share = min(trained.share + margin(trained.share, trained.rows) + terms.tolerance, 1.0)
    independent = max(samples / max(terms.dependence, 1.0), 1.0)
    if share >= 1.0:
        return 1.0
    most = float(scipy.special.bdtrik(1 - _LEVEL / max(terms.parts, 1), independent, share))
    return min(math.ceil(most) / independent, 1.0) if math.isfinite(most) else 1.0
