"""The nouns of single exchanges: which checks their rows failed, what is shown and counted of them. Plain data."""

from collections.abc import Mapping
from typing import Final, NamedTuple

CHECKS: Final = ("missing", "nonfinite", "out_of_range", "unseen", "type_error", "unusual", "drifted")
"""What may be found of a value, the last but one of a row, the last of a value that is none of the others."""
MISSING, NONFINITE, OUT_OF_RANGE, UNSEEN, TYPE_ERROR, UNUSUAL, DRIFTED = CHECKS
SPAN_LOSSES: Final = ("queue_full", "collector", "analyser_lost")
"""Why a span was not delivered: the queue was full, the collector did not take it, or the analyser died with it."""
LINE_LOSSES: Final = ("queue_full", "too_large", "no_space", "io", "unreachable", "refused", "analyser_lost")
"""Why a line of the log was not written."""


class Flag(NamedTuple):
    """A check that a row failed."""

    row: int
    side: str
    """`feature` or `output`."""
    column: str
    """As it is called on /metrics; empty where it is of the whole row."""
    check: str
    """One of CHECKS."""


class Example(NamedTuple):
    """A row that failed a check."""

    wall_s: float
    """Unix time of its answer."""
    request_id: str
    trace_id: str
    code: int
    row: int
    """Its place in the request."""
    flags: tuple[tuple[str, str], ...]
    """Column, empty where it is of the whole row, and check."""
    features: Mapping[str, str]
    """Values of the fields that may be shown, in words."""
    outputs: Mapping[str, str]


class Carried(NamedTuple):
    """What became of what was to be carried away: offered = delivered + dropped + what waits."""

    offered: int
    delivered: int
    dropped: Mapping[str, int]


class Witnessed(NamedTuple):
    """What became of single exchanges; None where nobody wants it."""

    spans: Carried | None = None
    lines: Carried | None = None


NOTHING_WITNESSED: Final = Witnessed()
