"""The nouns of how old a model is, and how much has changed since it was deployed. Plain data, as in snapshots."""

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CALENDAR, DECAY = REASONS = ("calendar", "decay")
"""Why a model is due for training."""
MOST_NAMED = 5
"""Columns of a side that have moved most."""


class SinceDeploy(NamedTuple):
    """All that came of one side since the version was deployed, against the reference; arrays have shape (columns,)."""

    rows: int
    """Of the column that has most."""
    variation: "NDArray[np.float64]"
    """Total variation; NaN where nothing came."""
    critical: "NDArray[np.float64]"
    """What the largest of all columns exceeds at most once in 1000 times without drift."""


class Trend(NamedTuple):
    """How a mean error changes with the time of prediction; in units of the measure."""

    measure: str
    """`error_ratio`, `mae` or `miss_ratio`."""
    samples: int
    """Predictions with truth that it is of."""
    days: int
    """Panes that hold enough of them; a pane is a day, or less."""
    per_day: float = math.nan
    """The slope, as the next two NaN where there are too few days; the interval has the true one 95 times of 100."""
    lower: float = math.nan
    upper: float = math.nan
    level: float = math.nan
    """Where the line is now."""
    limit: float = math.nan
    """What the error may be: that of the training and what is tolerated; NaN where the profile does not say."""
    crossing_s: float = math.nan
    """Unix time at which the line reaches the limit; NaN where it does not certainly rise."""


class Aged(NamedTuple):
    """Of one model and version."""

    deployed_s: float = math.nan
    """Unix time of its deployment, or of its first answer; NaN before that."""
    counted_s: float = math.nan
    """Unix time since which rows are counted that are compared with this reference."""
    features: SinceDeploy | None = None
    outputs: SinceDeploy | None = None
    trend: Trend | None = None
    """None where nobody tells the truth."""
    due: tuple[tuple[str, float], ...] = ()
    """Why it is due for training, one of REASONS, and the Unix time from which on it is."""
