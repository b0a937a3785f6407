"""The nouns of who was asked to train a model again. Plain data, as in `condition`."""

from collections.abc import Mapping
from typing import Final, NamedTuple

IDLE, HOLDING, COOLING, FIRED = STATES = ("idle", "holding", "cooling", "fired")
"""Of a model: nothing is found; something is, and nobody was asked yet; nor will be until the cool-down ends; asked."""
SUPPRESSIONS: Final = ("evidence", "advice", "cool_down", "latched", "dry_run", "state")
"""Why a finding that held brought no event, or none that was sent."""
OUTCOMES: Final = ("sent", "undelivered")
"""What became of an event in the end."""
FAILURES: Final = ("unreachable", "timeout", "tls", "status", "local")
"""Why a post was in vain."""
ALERT_OUTCOMES: Final = ("taken", "other", "unknown_model")
"""What became of an alert that was posted."""


class ModelRetrain(NamedTuple):
    """Of one model and version."""

    state: str
    """Of STATES."""
    held_s: float
    """How long something has been found, all in all, in this episode."""
    ratios: Mapping[str, float]
    """By kind of finding: what there is of it over what it takes."""
    advice: str = ""
    """Of the last event; empty where there was none."""
    asked_wall_s: float = 0.0
    """When that was, Unix time; 0 before the first."""


class Retrained(NamedTuple):
    """All models; what is counted, since start."""

    models: Mapping[tuple[str, str], ModelRetrain]
    """By model and version."""
    events: Mapping[str, int]
    """By OUTCOMES; those that wait are not among them."""
    waiting: int
    retried: int
    """Posts beside the first of each event."""
    failures: Mapping[str, int]
    """Posts by FAILURES."""
    suppressed: Mapping[str, int]
    """By SUPPRESSIONS, once an episode each; `latched` once for each time that something was found again."""
    alerts: Mapping[str, int] | None
    """By ALERT_OUTCOMES; None where none are taken."""
