"""A model: its evidence, traffic, coverage, performance, versions and profile."""

from collections.abc import Mapping
from dataclasses import dataclass

from exporter.status.facts.columns import WindowFacts
from exporter.status.facts.judgement import Judgement


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
class ExampleFlag:
    """What a row of an example failed."""

    column: str
    """Empty where it is of the whole row."""
    check: str
    """`missing`, `nonfinite`, `out_of_range`, `unseen`, `type_error`, `unusual` or `drifted`."""


@dataclass(frozen=True, slots=True)
class ExampleFacts:
    """A row that failed a check; of its values those that settings show."""

    time: float
    code: int
    request_id: str
    trace_id: str
    row: int
    """Its place in the request, from 0."""
    flags: tuple[ExampleFlag, ...]
    features: Mapping[str, str]
    outputs: Mapping[str, str]


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
    examples: tuple[ExampleFacts, ...] | None = None
    """Rows that failed a check, the newest first; None where examples.fields shows none."""
