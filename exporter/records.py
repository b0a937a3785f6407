"""The nouns that travel between rooms. Plain data: no method here computes, no import here is heavy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple, Protocol

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
DEPENDENCY_FAILURES: Final = ("dns", "refused", "timeout", "unreachable", "tls", "protocol", "status", "local")
"""Why a dependency is down, as it looks from here: see the help of the family that counts them."""

MERGE_ERRORS: Final = (
    "unreachable", "timeout", "status", "format", "encoding", "too_large", "protocol", "cut_off", "late", "other",
)  # fmt: skip
"""Why nothing of the model server's own metrics was passed on."""
MERGE_REFUSALS: Final = ("clash", "duplicate", "malformed", "too_many")
"""Why one of its families was not."""
WEB_REFUSALS: Final = (
    "host", "origin", "rate_limit", "password", "password_put_off", "token", "tls", "slow", "crowded", "unserved",
)  # fmt: skip
"""Why the web side did not answer a request, or let a connection go."""


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
    values: tuple[tuple[float, ...], ...] = ()
    """Of each business value that the operator looks for: one number, one for each row (NaN is none), or nothing."""
    shadow: bool = False
    """Whether it is a copy of a request, whose answer nobody gets."""


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
