"""The nouns of what is found out about traffic beside its scores. Plain data, as in records."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


FAILURE_CLASSES: Final = ("4xx", "5xx")
"""How a request may have failed, by its code."""


class MatchCounts(NamedTuple):
    """How payloads fit the profile, counted since start."""

    payloads: int
    mismatched: int
    fields: int
    """Columns that the profile has, over all those payloads; and how many of them these had."""
    matched_fields: int


class Unread(NamedTuple):
    """A payload that could not be decoded. Nothing in it is a value of the payload."""

    wall_s: float
    """Unix time."""
    side: str
    reason: str
    protocol: str
    path: str
    detail: str


class RowCounts(NamedTuple):
    """Rows of model input counted since start."""

    observed: int
    """Decoded, of requests that were answered with success."""
    served: float
    """Those, and an estimate of the rows that were not."""
    unknown_fields: int
    predictions_without_id: int
    failed: Mapping[str, int]
    """Decoded, of requests that failed, by FAILURE_CLASSES."""


class FailedScores(NamedTuple):
    """Failed rows of one window and class against the successful ones; arrays have shape (columns,)."""

    window: str
    code: str
    samples: int
    total_variation: "NDArray[np.float64]"
    """NaN where there is no successful row."""
    critical: "NDArray[np.float64]"
    """What the largest of all columns exceeds once in 1000 windows if failing has nothing to do with the values."""
    worst_bin: "NDArray[np.int64]"
    """The bin that failed rows have most, beyond successful ones."""
    excess: "NDArray[np.float64]"
    """Share of the failed rows in it, less that of the successful ones; NaN where the score is within chance."""


class Grouped(NamedTuple):
    """Rows since start, by what became of them where those that belong together count once."""

    first: int
    """The first of their group: they count."""
    again: int
    """Those after it."""
    unknown: int
    """Of groups that could not be told: there was no room for another, or nobody knows the answer's request."""


class SegmentRows(NamedTuple):
    """Rows of one segment."""

    segment: str
    """What divides the traffic, and the value."""
    value: str
    rows: int
    """Of model input, since start."""
    reference: int | None
    """Of the training data; None where these are not divided so."""


class SegmentScores(NamedTuple):
    """Segments in one window beside the same ones of the training data; arrays have shape (values, columns)."""

    segment: str
    window: str
    values: tuple[str | None, ...]
    """None of one that nobody has taken."""
    samples: "NDArray[np.int64]"
    """Shape (values,), as the next."""
    sufficient: "NDArray[np.bool_]"
    total_variation: "NDArray[np.float64]"
    """NaN where one of the sides has no row."""
    critical: "NDArray[np.float64]"
    """What the largest of all values exceeds once in 1000 windows of these very sizes without drift."""


class SegmentSnapshot(NamedTuple):
    """Traffic by segment."""

    rows: tuple[SegmentRows, ...]
    features: tuple[SegmentScores, ...]
    outputs: tuple[SegmentScores, ...]


class FailedSnapshot(NamedTuple):
    """Features of failed requests."""

    totals: Mapping[str, "NDArray[np.int64]"]
    """Counts since start by FAILURE_CLASSES, shape (columns, bins)."""
    scores: tuple[FailedScores, ...]
