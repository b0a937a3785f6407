"""The features and outputs of a model: what is in them, how much they moved, how they went."""

from dataclasses import dataclass

DRIFTED, MOVED, QUIET, TOO_FEW, IGNORED = STANDINGS = ("drifted", "moved", "quiet", "too_few", "ignored")
"""What is said of a column: it is named by the evidence; a window's score is above chance; neither; no window has
enough values; somebody has said to ignore it."""


@dataclass(frozen=True, slots=True)
class Bin:
    """A bin of a column in the reference and in one window, or at one moment."""

    bin: str
    """Two digits, as on /metrics."""
    text: str
    reference: float
    """Share of the reference's values."""
    live: float | None
    """Share of the live values; None where there are none."""


@dataclass(frozen=True, slots=True)
class Score:
    """One statistic of one column in one window."""

    statistic: str
    """As in the family's name: `psi`."""
    window: str
    value: float | None
    critical: float | None
    """What chance makes of it at most once in 1000 windows; None where there is no such number."""


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """How much a window holds of a column, or of the whole model (the column that has most)."""

    window: str
    samples: int
    sufficient: bool
    since: float | None
    """When the oldest pane begins that holds anything."""


@dataclass(frozen=True, slots=True)
class QualityFacts:
    """A way of values not to be as they should, in one window."""

    what: str
    """`missing`, `nonfinite`, `out_of_range`, `unseen`, `type_error`."""
    window: str
    ratio: float
    reference: float | None
    """Share of the training data."""
    critical: float | None


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One feature or output, on one line of the page."""

    side: str
    """`feature` or `output`."""
    name: str
    kind: str
    standing: str
    """One of STANDINGS."""
    evidence_nats: float | None
    """None where no evidence is gathered."""
    slow_evidence_nats: float | None
    since: float | None
    """Since when it has moved, as far as it is named."""
    happened: str
    """In words; empty where it is not named."""
    diagnosis: str
    """The fault as a sentence; empty where no one explanation fits."""
    diagnosis_code: str
    window: str
    """Of the bins: the shortest with enough values, else the longest; empty where there is none."""
    samples: int
    """Values in that window."""
    total_variation: float | None
    """In that window, and what chance makes of it."""
    total_variation_critical: float | None
    importance: float | None
    owner: str
    bins: tuple[Bin, ...] = ()
    quality: tuple[QualityFacts, ...] = ()
    """Where it is above chance."""


@dataclass(frozen=True, slots=True)
class ColumnDetail:
    """All of one column."""

    column: ColumnFacts
    windows: tuple[WindowFacts, ...]
    scores: tuple[Score, ...]
    quality: tuple[QualityFacts, ...]


@dataclass(frozen=True, slots=True)
class Trail:
    """How a column went, pane by pane; the sparkline of the page."""

    name: str
    samples: tuple[int, ...]
    """By pane, as the next."""
    total_variation: tuple[float | None, ...]
    """Against the reference; None where a pane has no value."""


@dataclass(frozen=True, slots=True)
class Trails:
    """The last panes of some columns, the oldest first."""

    side: str
    starts: tuple[float, ...]
    """When each pane begins."""
    width_seconds: float
    columns: tuple[Trail, ...]


@dataclass(frozen=True, slots=True)
class MomentColumn:
    """A column at one moment."""

    name: str
    samples: int
    total_variation: float | None
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """Some columns in the pane of one moment."""

    side: str
    start: float
    end: float
    columns: tuple[MomentColumn, ...]
