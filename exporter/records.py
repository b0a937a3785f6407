"""The nouns that travel between rooms. Plain data: no method here computes, no import here is heavy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from exporter.findings import FailedSnapshot, MatchCounts, RowCounts, Unread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


DURATION_BOUNDS: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip
"""Upper bounds of latency buckets in seconds, the same for every latency histogram of ours."""
HOP_BOUNDS: Final = (5e-06, 1e-05, 2.5e-05, 5e-05, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.025, 0.1)
"""Upper bounds in seconds of what forwarding takes."""
SIZE_BOUNDS: Final = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
"""Upper bounds of size buckets in bytes."""


RESTART_REASONS: Final = ("exited", "signalled", "hung", "memory")
"""Why a process of ours had to be started again."""
SIDES: Final = ("request", "response")
"""Of an exchange: model input and output."""
UNKNOWN_PROTOCOL: Final = "unknown"
"""Label of payloads that no protocol was found for."""
STATE_ERRORS: Final = ("no_space", "read_only", "io", "in_use", "unreadable", "slow", "other")
"""Why windows were not written to disk, or not read from it."""
EVENT_REFUSALS: Final = ("malformed", "too_large", "too_slow", "busy")
"""Why events were not taken: their senders were told so."""
EVENT_LOSSES: Final = ("duplicate", "feedback", "other_type", "analyser_lost")
"""Why events that were taken were not observed."""
EVENT_PAIRS: Final = ("whole", "request", "response")
"""What an event was observed as: one of the two halves of an exchange, or alone."""


REFUSALS: Final = ("name", "unknown_model", "limit", "memory")
"""Why an exchange is of no model that is watched."""


class Capture(IntEnum):
    """What became of the copy of a body."""

    WHOLE = 0
    """All of it is here (an absent body is a whole empty one)."""
    TRUNCATED = 1
    """Longer than the cap, or cut off by the peer: its beginning is here."""
    SHED = 2
    """Dropped to protect memory or because the ring was filling."""
    SKIPPED = 3
    """No model input, by its method or path."""
    SAMPLED = 4
    """Not drawn by lot when the ring was filling."""


class Body(NamedTuple):
    """One direction's body: its true size in bytes, and as many of its bytes as `capture` says."""

    size: int
    capture: Capture
    content: bytes


NO_BODY: Final = Body(-1, Capture.WHOLE, b"")
"""Of a side that nobody told us of."""


class Exchange(NamedTuple):
    """One HTTP request with its response, as they passed. Times are nanoseconds."""

    ended_ns: int
    """Last response byte, CLOCK_MONOTONIC."""
    wall_ns: int
    """The same moment on the wall clock."""
    duration_ns: int
    """First request byte to last response byte; negative where nobody knows it."""
    status: int
    """0 where the answer is not known."""
    method: str
    path: str
    """The request target without its query."""
    request_headers: Mapping[str, str]
    """The few that decoding needs, names in lower case."""
    response_headers: Mapping[str, str]
    request: Body
    response: Body
    halvings: int = 0
    """When it passed, the bodies of one exchange in 2 ** halvings travelled; all else always does."""
    first_byte_ns: int = 0
    """First request byte to first response byte; 0 where nobody knows it."""


class Columns(Protocol):
    """Columns of cells: a tuple of them, or what makes them when they are asked for."""

    def __len__(self) -> int: ...
    def __getitem__(self, place: int, /) -> Sequence[object]: ...
    def __iter__(self) -> Iterator[Sequence[object]]: ...


@dataclass(slots=True)  # frozen ones take thrice as long to make
class Table:
    """Rows of model input or output, column by column; cells are JSON scalars (None is null or absent).

    `names` is None where the protocol sends bare arrays: the columns are then those of the profile, in order.
    """

    rows: int
    names: tuple[str, ...] | None
    columns: Columns
    partial: bool = False
    """These are the complete rows at the beginning of a body that was longer."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one side of an exchange could not be decoded. Never holds a value of the payload."""

    reason: str
    detail: str = ""


@dataclass(slots=True)
class Observation:
    """What one exchange says about the model. A side is None where the exchange was not a prediction."""

    features: Table | Failure | None
    predictions: Table | Failure | None
    protocol: str = ""
    """Whose payload the request was, a name in `decode.PROTOCOLS`; empty where it was not recognised."""
    model: str = ""
    """The model as URL, body or headers name it, and its version; empty where they do not."""
    version: str = ""
    request_id: str = ""
    """By which late truth can find it; empty where nobody gave it one."""
    row_ids: tuple[str, ...] = ()
    """The same for each row, where the operator named key columns; an empty one where a row lacks them."""


class Label(NamedTuple):
    """What a model and its version are called on /metrics."""

    model: str
    version: str


class Owner(NamedTuple):
    """Whose windows they are: nobody else's go on with them."""

    model: str
    version: str
    profile: str
    """Digest of the reference."""


class Scores(NamedTuple):
    """What one window says about a block of columns; arrays have shape (columns,)."""

    window: str
    samples: "NDArray[np.int64]"
    sufficient: "NDArray[np.bool_]"
    values: Mapping[str, "NDArray[np.float64]"]
    """By statistic; NaN where the statistic does not apply or the window is empty."""
    critical: Mapping[str, "NDArray[np.float64]"]
    ratios: Mapping[str, "NDArray[np.float64]"]
    """Shares of missing, nonfinite, out_of_range and unseen values; NaN where not applicable."""
    reach_s: float
    """How long ago its oldest pane began that holds anything; NaN where the window is empty."""


class ColumnTotals(NamedTuple):
    """Counts since start for a block of columns."""

    bins: "NDArray[np.int64]"
    """Shape (columns, bins)."""
    type_errors: "NDArray[np.int64]"


class BlockSnapshot(NamedTuple):
    """Features, or outputs."""

    totals: ColumnTotals
    scores: tuple[Scores, ...]
    match: MatchCounts


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
    generated: GenerationCounts | None = None
    """None where it is no language model, as far as is known."""


@dataclass(frozen=True, slots=True)
class ProcessVitals:
    """What the operating system says of one process, or of a tree of them."""

    cpu_seconds: float
    resident_bytes: int
    started_wall_s: float


@dataclass(frozen=True, slots=True)
class ServerVitals:
    """What is seen of the model server from outside."""

    up: bool = False
    watched: bool = True
    """Whether there is one to look at."""
    visible: bool = False
    """Whether its process can be seen (same host and pid namespace)."""
    processes: int = 0
    process: ProcessVitals | None = None


@dataclass(frozen=True, slots=True)
class Relay:
    """What the workers counted, added up; keys are label values."""

    observing: bool
    offered: int
    dropped: Mapping[str, int]
    bodies_shed: Mapping[str, int]
    sampling: Mapping[str, float]
    ring_queued_bytes: int
    ring_bytes: int
    connections: Mapping[str, int]
    """By worker, as are those open."""
    connections_open: Mapping[str, int]
    connect_errors: int
    accept_errors: Mapping[str, int]
    closed: Mapping[str, int]
    bytes_to_server: int
    bytes_to_client: int
    in_flight: int
    unobservable: Mapping[str, int]
    incomplete: Mapping[str, int]
    codes: Mapping[str, int]
    duration: Histogram
    hop: Histogram
    observer_seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Events counted since start: received = observed + dropped + those that wait."""

    received: int
    observed: Mapping[str, int]
    """By EVENT_PAIRS."""
    dropped: Mapping[str, int]
    """By EVENT_REFUSALS and EVENT_LOSSES."""
    waiting: int


@dataclass(frozen=True, slots=True)
class State:
    """What became of the windows on disk."""

    restored: bool = False
    """Whether they began with what an earlier run had kept."""
    kept_wall_s: float = 0.0
    """Unix time of what was written last, and its size; 0 before that."""
    kept_bytes: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    """By STATE_ERRORS."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """How exchanges came to their models."""

    refused: Mapping[str, int] = field(default_factory=dict)
    """Exchanges of no model that is watched, by REFUSALS."""
    profile_errors: int = 0
    """Profiles of a directory that could not be used."""


@dataclass(frozen=True, slots=True)
class Health:
    """What the exporter knows of itself."""

    started_wall_s: float
    observed: int
    relay: Relay
    snapshot_wall_s: float = 0.0
    snapshot_seconds: float = 0.0
    processes: Mapping[str, ProcessVitals] = field(default_factory=dict)
    """By process name, as is all that follows."""
    restarts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By reason, too."""
    heartbeats: Mapping[str, float] = field(default_factory=dict)
    """Unix times of the last signs of life."""
    ring_fill: Mapping[str, float] = field(default_factory=dict)
    log_lines_lost: Mapping[str, int] = field(default_factory=dict)
    reload_successful: bool = True
    reloaded_wall_s: float = 0.0
    state: State = field(default_factory=State)
    events: EventCounts | None = None
    """None where none are taken."""
    relaying: bool = True
