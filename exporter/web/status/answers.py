"""What the API says beside the facts: lists of them, a page long, and what it says where there is nothing to say."""

from collections.abc import Sequence
from dataclasses import dataclass

from exporter.status.facts import ColumnFacts


@dataclass(frozen=True, slots=True)
class ModelLine:
    """A model of the list."""

    model: str
    version: str
    verdict: str
    """One of `act`, `watch`, `blind`, `learning` and `healthy`."""
    sentence: str
    """Why, in a line."""


@dataclass(frozen=True, slots=True)
class ModelList:
    """All models that are watched."""

    time: float
    """When it was so."""
    models: Sequence[ModelLine]


@dataclass(frozen=True, slots=True)
class ColumnPage:
    """Some of a side's columns, those with most evidence first."""

    time: float
    """When it was so."""
    model: str
    version: str
    side: str
    """`feature` or `output`."""
    found: int
    """Columns that fit what was asked."""
    page: int
    pages: int
    """At least 1; a page beyond the last has no columns."""
    columns: Sequence[ColumnFacts]


@dataclass(frozen=True, slots=True)
class WindowColumn:
    """What a window holds of a column."""

    name: str
    counts: Sequence[int]
    """Values by bin, in the order of the profile."""
    deviation: float | None
    """Of the finite numbers: the sum of their distances from the reference's mean, in its standard deviation."""


@dataclass(frozen=True, slots=True)
class Window:
    """What a window holds, for those who adopt it as the reference."""

    model: str
    model_version: str
    profile: str
    """SHA-256 of the profile whose bins these are."""
    window: str
    minimum_samples: int
    """Values without which nothing is said of a column."""
    features: Sequence[WindowColumn]
    outputs: Sequence[WindowColumn]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no answer."""

    error: str
    """A sentence."""
