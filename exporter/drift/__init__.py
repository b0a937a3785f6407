"""Statistics: two summaries in, a score per column out. A statistic never decides an alarm.

To add one: a file with `score` (and `critical`, what the score exceeds once in 1000 windows of that size without
drift), and a line in the table. A score is never negative unless it is signed by nature: its size is held to that then.
`import scipy` loads its functions, a quarter of a second's work, when the first is called: whoever has no profile does
without.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple

from exporter.drift import (
    chi_square,
    hellinger,
    jensen_shannon,
    kolmogorov_smirnov,
    kullback_leibler,
    l_infinity,
    mean_shift,
    noncentral_chi_square,
    psi,
    total_variation,
    wasserstein,
)
from exporter.drift.summary import Summary, Values

Function = Callable[[Summary, Summary], Values]


class Needs(Enum):
    """What a column must have for a statistic to say anything of it."""

    BINS = "bins"
    ORDER = "ordered bins"
    SPREAD = "ordered bins, and numbers that differ"


class Statistic(NamedTuple):
    """One entry of the table."""

    score: Function
    critical: Function | None = None
    needs: Needs = Needs.BINS
    optional: bool = False
    """Whether it is computed only where somebody asks for it."""
    alike: float = 0.0
    """The score of equal counts."""


STATISTICS: Final[Mapping[str, Statistic]] = {
    "psi": Statistic(psi.score, psi.critical),
    "total_variation": Statistic(total_variation.score, total_variation.critical),
    "js_distance": Statistic(jensen_shannon.score, jensen_shannon.critical),
    "ks": Statistic(kolmogorov_smirnov.score, kolmogorov_smirnov.critical, Needs.ORDER),
    "wasserstein_ratio": Statistic(wasserstein.score, wasserstein.critical, Needs.SPREAD),
    "mean_shift_zscore": Statistic(mean_shift.score, mean_shift.critical, Needs.SPREAD),
    "hellinger_distance": Statistic(hellinger.score, hellinger.critical, optional=True),
    "kl_divergence": Statistic(kullback_leibler.score, kullback_leibler.critical, optional=True),
    "l_infinity": Statistic(l_infinity.score, l_infinity.critical, optional=True),
    "chi_square_pvalue": Statistic(chi_square.score, optional=True, alike=1.0),
    "tolerant_chi_square_pvalue": Statistic(noncentral_chi_square.score, optional=True, alike=1.0),
}


def chosen(optional: Sequence[str]) -> Mapping[str, Statistic]:
    """Those that are always computed, and the optional ones asked for."""
    return {name: one for name, one in STATISTICS.items() if not one.optional or name in optional}
