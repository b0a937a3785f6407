"""The nouns of what is shown: counts and scores as they were at one moment. Plain data, as in `records`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from exporter.aged import Aged
from exporter.findings import FailedSnapshot, Grouped, MatchCounts, RowCounts, SegmentSnapshot, Unread
from exporter.looped import Looped
from exporter.override import Override
from exporter.performed import Estimated, Performed, Valued
from exporter.versioned import Versioned

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from exporter.evidence.verdict import Verdict
    from exporter.reference import Column


IMPACT: Final = "impact_ratio"
"""Among the statistics: importance times the share of values that moved beyond chance."""

DIAGNOSIS: Final = "diagnosis_info"
"""Among what is listed of columns: a code and a sentence."""


class Recent(NamedTuple):
    """What some columns held, pane by pane."""

    columns: "Sequence[Column]"
    """As the reference has them."""
    counts: "NDArray[np.int32]"
    """Values by bin, shape (panes, columns, bins), the oldest pane first; the last one is not over."""
    begun: float
    """When the first pane began, on the clock of exchanges."""
    width_s: float


class Moved(NamedTuple):
    """A bin whose share has changed."""

    column: int
    """Its place in the block."""
    bin: int
    change: float
    """Share of the live values minus that of the reference's."""


class Scores(NamedTuple):
    """What one window says about a block of columns; arrays have shape (columns,)."""

    window: str
    samples: "NDArray[np.int64]"
    sufficient: "NDArray[np.bool_]"
    values: Mapping[str, "NDArray[np.float64]"]
    """By statistic, and IMPACT; NaN where one does not apply or the window is empty."""
    critical: Mapping[str, "NDArray[np.float64]"]
    """Of statistics, and of the shares below under names with `_ratio` behind."""
    ratios: Mapping[str, "NDArray[np.float64]"]
    """Shares of missing, nonfinite, out_of_range and unseen values; NaN where not applicable."""
    reach_s: float
    """How long ago its oldest pane began that holds anything; NaN where the window is empty."""
    counts: "NDArray[np.int64]"
    """Values by bin, shape (columns, bins)."""
    deviation: "NDArray[np.float64]"
    """Of the finite numbers among them: the sum of their distances from the reference's mean, in its sd."""
    moved: tuple[Moved, ...] = ()
    """The bins that moved most, of columns that drifted."""
    spread: "NDArray[np.int64] | None" = None
    """Of outputs that are numbers: words of `sketch.spread`, shape (such outputs, 5)."""


class Compared(NamedTuple):
    """Two live windows against each other; arrays have shape (columns,) and NaN where either holds too little."""

    window: str
    against: str
    """What the other one is: `previous`, `last_week`, `version:NAME`."""
    values: Mapping[str, "NDArray[np.float64]"]
    """By statistic."""
    critical: Mapping[str, "NDArray[np.float64]"]


class ColumnTotals(NamedTuple):
    """Counts since start for a block of columns."""

    bins: "NDArray[np.int64]"
    """Shape (columns, bins)."""
    type_errors: "NDArray[np.int64]"
    quality: Mapping[str, "NDArray[np.float64]"]
    """Missing, nonfinite, out_of_range and unseen values; NaN where not applicable."""


class Measured(NamedTuple):
    """One number of every column: `word` names its family, among those that are of columns."""

    word: str
    values: "NDArray[np.float64]"
    """Shape (columns,); NaN where there is none."""
    window: str = ""
    """Empty for what is of no window."""
    labels: tuple[str, ...] = ()
    """Between those of the column and the window."""


class OfSide(NamedTuple):
    """A number of a whole side; `word` names its family, among those that are of sides."""

    word: str
    value: float
    window: str = ""


class Listed(NamedTuple):
    """A number with labels of its own, of one column; `word` names its family, among those that are of columns."""

    word: str
    column: int
    """Its place in the block."""
    labels: tuple[str, ...]
    """Behind that of the column; a window is the last one."""
    value: float


class BlockSnapshot(NamedTuple):
    """Features, or outputs."""

    totals: ColumnTotals
    scores: tuple[Scores, ...]
    match: MatchCounts
    said: tuple[Override, ...]
    """What people say of each column."""
    aspects: "tuple[Measured | OfSide | Listed, ...]" = ()
    """What is counted of them beside bins and moments."""
    live: tuple[Compared, ...] = ()
    """Windows against other live ones."""
    first_s: float = 0.0
    """When the first row came, on the clock of exchanges; 0 before that."""


class Histogram(NamedTuple):
    """Counts per bucket (not cumulative, the last one is above every bound), and the sum of the values."""

    counts: tuple[int, ...]
    total: float


class GenerationCounts(NamedTuple):
    """Answers of a language model counted since start."""

    tokens: Mapping[str, int]
    """By kind: of prompts, of completions."""
    finished: Mapping[str, int]
    """Answers by the reason for which the first choice ended."""
    first_byte: Histogram
    """Of streams: from the request's first byte to the answer's."""


class Traffic(NamedTuple):
    """Exchanges counted since start."""

    codes: Mapping[str, int]
    duration: Histogram
    """Of those answered with 1xx to 3xx, and of the others."""
    failed_duration: Histogram
    request_size: Histogram
    response_size: Histogram
    last_wall_s: float
    """Unix time of the last request's end; 0 before the first."""
    probes: int


class Decoding(NamedTuple):
    """Payloads counted since start: offered = decoded + Σ undecoded, on each side."""

    offered: Mapping[str, int]
    decoded: Mapping[str, int]
    undecoded: Mapping[tuple[str, str, str], int]
    """By (side, reason, protocol)."""
    partial: Mapping[str, int]
    """Of the decoded ones those that were cut off, and the rows of these."""
    partial_rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is known of one model at one moment. Frozen; scrapes render the last one."""

    traffic: Traffic
    decoding: Decoding
    rows: RowCounts
    unread: tuple[Unread, ...] = ()
    """The last payload of each reason on each side, newest first."""
    features: BlockSnapshot | None = None
    outputs: BlockSnapshot | None = None
    failed: FailedSnapshot | None = None
    segments: SegmentSnapshot | None = None
    evidence: "Verdict | None" = None
    """Of drift; of features first, then of outputs."""
    grouped: Grouped | None = None
    generated: GenerationCounts | None = None
    """None where it is no language model, as far as is known; as above, where there is nothing to say."""
    performed: Performed | None = None
    """None where nobody tells the truth."""
    estimated: tuple[Estimated, ...] = ()
    valued: tuple[Valued, ...] = ()
    aged: Aged | None = None
    looped: Looped | None = None
    """Signs of feedback loops."""
    unreadable: int = 0
    """Columns of the profile that are hashed under another salt, or one that nobody gave us: nothing is counted."""
    versioned: Versioned | None = None
    """None where it is no version of a model that is watched."""
