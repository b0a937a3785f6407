"""The nouns of the truth in a profile: what turned out in the training data, and how it was predicted there."""

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from exporter.reference import Column

MOST_CLASSES: Final = 100
"""That are told apart; of more the most frequent ones."""
MOST_POINTS: Final = 50
"""Of a calibration."""


class Calibration(NamedTuple):
    """How often a class was true where a score said so, as a line through points that never falls."""

    output: str
    """The score's column."""
    scores: tuple[float, ...]
    """Ascending."""
    shares: tuple[float, ...]
    """Of the rows with such a score those of the class, 0 to 1, none below the one before."""
    rows: tuple[int, ...] = ()
    """Of the training data behind each point; empty where scores are taken as they are, and nothing was fitted."""


class Target(NamedTuple):
    """The truth as the training data had it, and how it was predicted there."""

    column: "Column"
    """Of the truth."""
    task: str
    """`binary`, `multiclass` or `regression`."""
    label: str = ""
    """The output that holds the class or the number; empty where scores alone are answered."""
    scores: tuple[str, ...] = ()
    """The outputs that hold the probability of each class, in their order; of two that of the positive one alone."""
    classes: tuple[str, ...] = ()
    """Of two the positive one is the second."""
    threshold: float = 0.5
    calibrations: tuple[Calibration, ...] = ()
    """Of each of the scores; empty where they say nothing about the truth."""
    edges: tuple[float, ...] = ()
    """Of numbers: between which the sizes of errors were counted, ascending."""
    errors: tuple[int, ...] = ()
    """Rows by how wrong they were: of classes the right ones and the wrong ones; of numbers those below the first edge,
    between each two, and from the last one on."""
