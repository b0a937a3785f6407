"""The nouns of feedback loops: what points to a model that works on its own future inputs and truths. Plain data.

They point, they prove nothing: see docs/feedback-loops.md.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Spread(NamedTuple):
    """How widely the predictions of one window lie; arrays have shape (outputs,), NaN where the window is empty."""

    window: str
    entropy: "NDArray[np.float64]"
    """As a share of that of even bins."""
    entropy_critical: "NDArray[np.float64]"
    """What it falls below by chance at most once in 1000 windows of that size."""
    effective: "NDArray[np.float64]"
    """As many bins, were they even, would have that entropy."""
    largest: "NDArray[np.float64]"
    """Share of the fullest bin."""
    largest_critical: "NDArray[np.float64]"
    """What it exceeds by chance at most once in 1000 windows of that size."""


class Covered(NamedTuple):
    """Predictions of one kind that were made in one window, and how many of them have their truth by now."""

    kind: str
    """A bin of the score, a class, or a range of numbers."""
    window: str
    predicted: int
    told: int


class Selected(NamedTuple):
    """Predictions of one window that have their truth against those that have none."""

    window: str
    sufficient: bool
    total_variation: float
    critical: float
    """What it exceeds by chance at most once in 1000 windows of these sizes."""


class Returned(NamedTuple):
    """What is asked, against what was answered a pane before."""

    size: float
    """The largest correlation of an output with a feature of the next pane, its sign left out."""
    critical: float
    output: str
    feature: str
    panes: int
    pane_s: float


class Group(NamedTuple):
    """Truths of the exposed predictions, or of the holdout."""

    name: str
    truths: int
    mean: float
    """Of numbers; of two classes the share of the positive one. NaN where there are none."""


class Gap(NamedTuple):
    """What turned out in one window, exposed minus holdout."""

    window: str
    groups: tuple[Group, ...]
    value: float
    """NaN where either has no truths."""
    lower: float
    """Of the interval that has the true one 95 times of 100."""
    upper: float
    sufficient: bool


class Looped(NamedTuple):
    """All that is known of one model."""

    reference_entropy: "NDArray[np.float64]"
    """Of the reference, as a share of that of even bins; shape (outputs,), as are those of windows."""
    spread: Sequence[Spread]
    returned: Returned | None = None
    """None while there are too few panes."""
    covered: Sequence[Covered] = ()
    selected: Sequence[Selected] = ()
    gaps: Sequence[Gap] = ()
