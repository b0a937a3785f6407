"""All of it."""

from dataclasses import dataclass

from exporter.status.facts.models import ModelFacts
from exporter.status.facts.sidecar import SidecarFacts


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """All of it, at one moment."""

    time: float
    """When it was so."""
    refresh_seconds: float
    """How long until there is news."""
    models: tuple[ModelFacts, ...]
    sidecar: SidecarFacts
