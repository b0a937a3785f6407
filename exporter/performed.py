"""The nouns of how good a model turned out to be. Plain data, as in snapshots."""

import math
from typing import Final, NamedTuple

MOST_CLASSES: Final = 21
"""Classes that have series of their own, `other` among them: of many the first ones. Means are over all."""

BY: Final = ("prediction", "arrival")
"""By when they were predicted, and by when their truth came, predictions go into windows."""


class Measure(NamedTuple):
    """One number of one window."""

    name: str
    """The word of its family: `accuracy` of model_performance_accuracy."""
    value: float
    """NaN where it is not defined: it is not shown then."""
    lower: float = math.nan
    """Of the interval that has the true one 95 times of 100; NaN where there is none."""
    upper: float = math.nan
    bound: float = math.nan
    """How far it may be from what the raw rows would give; NaN where it is that."""
    labels: tuple[str, ...] = ()
    """Behind those of the model, before `by` and `window`: a class, a rank, a bin."""


class Judged(NamedTuple):
    """Predictions with their truths in one window."""

    by: str
    """One of BY."""
    window: str
    samples: int
    """Predictions that have their truth."""
    predicted: int
    """Predictions that could have one by now or later, those without an id left out; by arrival as many as samples."""
    sufficient: bool
    measures: tuple[Measure, ...]


class Estimated(NamedTuple):
    """What a window's scores say about its measures, nobody knowing the truth."""

    window: str
    samples: int
    measures: tuple[Measure, ...]


class Valued(NamedTuple):
    """A business value in one window."""

    name: str
    segment: str
    """What divides the traffic, and the value; both empty for all of it."""
    segment_value: str
    window: str
    rows: int
    total: float
    mean: float
    lower: float
    upper: float


class TargetMoved(NamedTuple):
    """The truths of one window against those of the training data."""

    window: str
    samples: int
    sufficient: bool
    total_variation: float
    total_variation_critical: float
    psi: float
    psi_critical: float


class SegmentJudged(NamedTuple):
    """Predictions of one segment of the traffic whose truth came in one window."""

    segment: str
    """What divides the traffic, and the value."""
    value: str
    window: str
    samples: int
    """Predictions that can be judged."""
    sufficient: bool
    measures: tuple[Measure, ...]
    error: float
    """Share of wrong ones; of numbers, of those farther off than nine in ten were in training. NaN where not known."""
    error_critical: float
    """What it exceeds at most once in 1000 windows while no segment is worse than in training; NaN as above."""
    error_training: float
    """What it was in the segment's training data; NaN as above."""


class Concept(NamedTuple):
    """Whether the model is wrong more often than in training."""

    nats: float
    """Evidence; it pages where it reaches the threshold."""
    threshold: float
    began_s: float
    """Unix time at which the growth of it began; NaN where there is none."""
    reference: float
    """Share of wrong ones in training; of numbers, of those farther off than the edge: a tenth."""
    tolerance: float
    recent: float
    """The share now, over as many of the last truths as look alike (ADWIN); NaN before the first."""
    recent_rows: int
    changes: int
    """Times since start that ADWIN let older ones go."""
    dependence: float = 1.0
    """How many truths are taken to come as one."""


class WorstSegment(NamedTuple):
    """A part of the traffic that the model serves worse than the rest."""

    text: str
    """What it is, for people: `country=DE, age 18 to 30`."""
    began_s: float
    """Unix time since which all the numbers are."""
    rows: int
    error: float
    """Share of wrong ones among them."""
    others: int
    others_error: float
    nats: float
    """Evidence."""


class Searched(NamedTuple):
    """What a search for such parts has found."""

    cells: int
    """That are searched: those with any truth."""
    worst: tuple[WorstSegment, ...]
    """The one first with most wrong answers beyond the share of the others."""
    threshold: float
    """Nats that each one that is named must have."""
    dependence: float
    """How many truths are taken to come as one."""


class Counted(NamedTuple):
    """Counted since start, of one model."""

    opened: int
    """Predictions with an id, that were handed to the store."""
    joined: int
    unusable: int
    """Joined truths that cannot be one of this model's, such as a word where numbers are predicted."""
    lag: tuple[int, ...]
    """Joined ones by LAG_BOUNDS, not cumulative, the last one above every bound."""
    lag_total_s: float
    confusion: tuple[tuple[str, str, int], ...] = ()
    """Rows by true class and predicted one."""


LAG_BOUNDS: Final = (
    1.0,
    10.0,
    60.0,
    600.0,
    3600.0,
    21600.0,
    86400.0,
    259200.0,
    604800.0,
    1209600.0,
    2592000.0,
    7776000.0,
)
"""Upper bounds in seconds of how long truth takes: from the answer to its truth."""


class Performed(NamedTuple):
    """All that is known of how good one model turned out to be."""

    task: str
    counted: Counted
    judged: tuple[Judged, ...]
    training: tuple[tuple[str, str, float], ...] = ()
    """Measure, what the training called it, value: of those that there is a measure for."""
    target: tuple[TargetMoved, ...] = ()
    concept: Concept | None = None
    segments: tuple[SegmentJudged, ...] = ()
    """By window and segment; nothing where nobody divides the traffic."""
    searched: Searched | None = None
