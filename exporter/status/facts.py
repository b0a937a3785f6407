"""The nouns of the status page and of `/api/v1`: plain data. Times are Unix seconds, shares 0 to 1; None is not known.

A number that is NaN where it comes from is None here: JSON knows no other way to say it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ACT, WATCH, BLIND, LEARNING, HEALTHY = VERDICTS = ("act", "watch", "blind", "learning", "healthy")
"""What is said of a model, the most urgent first: somebody should get up; look in the morning; too little of it is
seen to say; there is not enough yet to compare; nothing is wrong that is looked at."""
DRIFTED, MOVED, QUIET, TOO_FEW, IGNORED = STANDINGS = ("drifted", "moved", "quiet", "too_few", "ignored")
"""What is said of a column: it is named by the evidence; a window's score is above chance; neither; no window has
enough values; somebody has said to ignore it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One of the things that a verdict rests on."""

    code: str
    """The alert that says the same, where there is one: `ModelDrift`; else a word of its own."""
    verdict: str
    """One of VERDICTS: what it would make of the model alone."""
    text: str
    """A sentence."""
    since: float | None = None
    column: str = ""
    """Of what feature or output; empty where it is of the model."""
    runbook: str = ""
    """Where to read on; empty where nothing is written."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be said of one model in a word, and why."""

    verdict: str
    sentence: str
    reasons: tuple[Reason, ...] = ()
    """The most urgent first."""
    unseen: tuple[str, ...] = ()
    """What is not observed, and why, each a sentence."""


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


@dataclass(frozen=True, slots=True)
class EvidenceFacts:
    """How far a model is from a page."""

    nats: float
    threshold_nats: float
    slow_nats: float
    slow_threshold_nats: float
    since: float
    """Since when traffic has been watched."""
    ready: bool
    """Whether it rests on what was measured."""
    rests_on: str
    paused: bool
    """Whether nothing is gathered, because of a planned event."""
    days_between_false_pages: float | None


@dataclass(frozen=True, slots=True)
class LatencyFacts:
    """How long answers took, since the start: quantiles by interpolation in the buckets of the histogram."""

    answered: int
    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None


@dataclass(frozen=True, slots=True)
class TrafficFacts:
    """Requests and rows since the start of this process."""

    requests: int
    failed: int
    """Answered with 4xx or 5xx, or not at all."""
    codes: Mapping[str, int]
    rows: int
    last_request: float | None
    latency: LatencyFacts


@dataclass(frozen=True, slots=True)
class CoverageFacts:
    """How much of the traffic the numbers rest on, since the start."""

    requests_read: int
    """Request payloads that were decoded, of those offered; answers likewise."""
    requests_offered: int
    answers_read: int
    answers_offered: int
    unread: Mapping[str, int]
    """Payloads that were not decoded, by side, reason and protocol, joined by a slash."""
    fields_matched: float | None
    """Share of the profile's fields that payloads had; None where there is no profile or no payload."""
    unknown_fields: int
    predictions_without_id: int


@dataclass(frozen=True, slots=True)
class MeasureFacts:
    """One number that says how good the model is, with its interval."""

    measure: str
    value: float
    lower: float | None
    upper: float | None
    training: float | None


@dataclass(frozen=True, slots=True)
class PerformanceFacts:
    """How good the model turned out to be in one window, as far as the truth is known."""

    task: str
    window: str
    samples: int
    predicted: int
    sufficient: bool
    measures: tuple[MeasureFacts, ...]
    estimated: bool = False
    """Whether nobody knows the truth, and scores say it."""


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """One version of a model beside the others."""

    version: str
    role: str
    deployed: float | None
    requests: int
    verdict: str


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """The reference that live traffic is compared with."""

    digest: str
    """First 8 digits of its SHA-256, as on /metrics."""
    model: str
    version: str
    rows: int
    features: int
    outputs: int
    trained: float | None
    provisional: bool
    source: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the traffic that stands out, by drift or by errors."""

    text: str
    window: str
    samples: int
    why: str
    since: float | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """All that is told of one model and version, but for its columns."""

    model: str
    version: str
    judgement: Judgement
    evidence: EvidenceFacts | None
    traffic: TrafficFacts
    coverage: CoverageFacts
    windows: tuple[WindowFacts, ...]
    features: Mapping[str, int]
    """How many there are by STANDINGS."""
    outputs: Mapping[str, int]
    performance: tuple[PerformanceFacts, ...]
    segments: tuple[Segment, ...]
    versions: tuple[VersionFacts, ...]
    profile: ProfileFacts | None
    collecting: int | None
    """Rows there are for a provisional reference; None where none is being made."""
    due: tuple[str, ...] = ()
    """Why it is due for training, each a sentence."""


@dataclass(frozen=True, slots=True)
class Failing:
    """Something that failed, kept until others push it out."""

    time: float
    where: str
    """`request payload`, `response payload`, `dependency`, `profile`, `state`, `golden request`, `web`."""
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class DependencyFacts:
    """Something that the model needs beside its server."""

    name: str
    place: str
    up: bool | None
    """None before the first probe."""
    detail: str
    last_success: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """What one process costs."""

    name: str
    cpu_seconds: float
    resident_bytes: int
    started: float


@dataclass(frozen=True, slots=True)
class SidecarFacts:
    """How the exporter itself is, and the model server."""

    version: str
    started: float
    observing: bool
    relaying: bool
    offered: int
    observed: int
    dropped: Mapping[str, int]
    server_up: bool | None
    """None where there is none to look at."""
    server: ProcessFacts | None
    processes: tuple[ProcessFacts, ...]
    dependencies: tuple[DependencyFacts, ...]
    failures: tuple[Failing, ...]
    """The newest first; successes are not kept, so that they push out none."""
    notes: tuple[str, ...] = ()
    """Of settings not in force, windows not kept, and the like: each a sentence."""


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """All of it, at one moment."""

    time: float
    """When it was so."""
    refresh_seconds: float
    """How long until there is news."""
    models: tuple[ModelFacts, ...]
    sidecar: SidecarFacts
