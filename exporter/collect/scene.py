"""What collectors look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.condition import Attribution, Health, ServerVitals
from exporter.reference import Profile
from exporter.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that is shown of one model."""

    model: str
    version: str
    profile: Profile | None
    snapshot: Snapshot
    server: ServerVitals
    health: Health
    visible: bool = True
    """Whether it has series of its own; what is added up over models counts in any case."""
    is_other: bool = False
    """Whether it stands for all models that are not watched."""

    @property
    def labels(self) -> tuple[str, str]:
        """Labels of every model series."""
        return self.model, self.version

    @property
    def profiled(self) -> tuple[str, str, str]:
        """Labels of every series that depends on the profile."""
        return self.model, self.version, self.profile.short_digest if self.profile else ""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything one page is made from."""

    scenes: tuple[Scene, ...]
    """One for each model."""
    health: Health
    attribution: Attribution = field(default_factory=Attribution)
    collecting: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Rows that models without a profile have so far for a provisional one, by model and version."""
