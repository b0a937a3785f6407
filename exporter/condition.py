"""The nouns of how the exporter and the model server are. Plain data, as in `snapshots`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from exporter.checked import GoldenChecked
from exporter.retrained import Retrained
from exporter.snapshots import Histogram
from exporter.witnessed import NOTHING_WITNESSED, Witnessed


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
class FeedbackCounts:
    """Late truth, counted since start, and where it waits.

    predictions = kept + known + dropped + those that wait; truths = told + lost + those that wait. Of a store that
    is not shared, found + kept = joined since + gone + open, and found early + told early = waited + early.
    """

    store: str
    """Scheme of its address."""
    up: bool
    """Whether it did what it was asked last."""
    open: int
    """In the store now, as are the next three; of one that is shared, all replicas' together."""
    joined: int
    early: int
    bytes: int
    predictions: int
    """Handed over to be kept, as they have an id."""
    found: int
    """Open in the store at the start, and early ones."""
    found_early: int
    kept: int
    known: int
    """Of an id and an owner that were there before."""
    dropped: Mapping[str, int]
    """By PREDICTION_LOSSES."""
    predictions_waiting: int
    """For the store."""
    gone: Mapping[str, int]
    """Kept ones, by GONE: they left the store without truth."""
    truths: int
    """Received, but for those refused."""
    told: Mapping[str, int]
    """By OUTCOMES."""
    told_later: Mapping[str, int]
    """Those of them that nobody waited for any more, as the store was down."""
    lost: int
    """Truths that waited for the store when the analyser died."""
    truths_waiting: int
    refused: int
    """Truths that there was no room for: their senders were asked to come again."""
    waited: Mapping[str, int]
    """Early ones, by WAITED."""
    joined_since: int
    """Predictions that were joined."""
    failures: int
    """Times that the store could not do what it was asked."""
    set_aside: int
    """Times that it could not read what it had kept, and began anew."""
    buffer_bytes: int
    """Of what waits."""
    buffer_limit_bytes: int
    strangers: int = 0
    """Predictions joined here of models that are not watched here: nothing is made of them."""


class ProfilePlace(NamedTuple):
    """What became of looking for the one profile where it lives."""

    found: bool
    """Whether the last look found a usable one."""
    found_wall_s: float
    kept: bool
    """Whether that in force is what an earlier run kept."""


class DependencyState(NamedTuple):
    """What probes say of one thing that the model needs."""

    name: str
    place: str
    """Where it is, without what could be a secret."""
    failure: str | None = ""
    """Of DEPENDENCY_FAILURES, empty where it is up; None before the first probe."""
    detail: str = ""
    """The last failure in words; empty where this process has seen none."""
    duration_s: float = 0.0
    """Of the last probe."""
    success_wall_s: float = 0.0
    """Unix time of the last success; 0 before that."""
    probes: int = 0
    """Since start."""
    failures: Mapping[str, int] = {}
    """Of these, by DEPENDENCY_FAILURES."""
    expiry_wall_s: float = 0.0
    """Unix time at which its certificate ends; 0 where there is none that was verified."""


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


class WebFile(NamedTuple):
    """How the file of `--web.config.file` is."""

    is_fine: bool
    """Whether what was read last is in force."""
    since_wall_s: float
    """When that in force was read; 0 where nothing is, and nobody is served."""
    expires_wall_s: float | None
    """When the certificate expires; None where there is none."""


class Web(NamedTuple):
    """Who was refused on the web side, since start, and on what terms all others are served."""

    refused: Mapping[str, int]
    """By WEB_REFUSALS."""
    file: WebFile | None
    """None where there is no such file."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """How exchanges came to their models."""

    refused: Mapping[str, int] = field(default_factory=dict)
    """Exchanges of no model that is watched, by REFUSALS."""
    profile_errors: int = 0
    """Profiles that could not be had or used."""
    golden: int = 0
    """Exchanges that are golden requests: of no model, and no data."""


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
    profile: ProfilePlace | None = None
    """None where there is no such place."""
    profile_errors: int = 0
    """Looks there that gave nothing usable, since start."""
    events: EventCounts | None = None
    """None where none are taken."""
    relaying: bool = True
    feedback: FeedbackCounts | None = None
    """None where no truth is taken."""
    retrain: Retrained | None = None
    """None where nobody is asked to train again."""
    owner: str | None = None
    """Whose the models are; None where nobody has said it."""
    dependencies: tuple[DependencyState, ...] = ()
    golden: GoldenChecked | None = None
    """None where no golden requests are sent."""
    web: Web | None = None
    witnessed: Witnessed = NOTHING_WITNESSED
