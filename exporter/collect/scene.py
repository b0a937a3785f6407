"""What collectors look at."""

from dataclasses import dataclass

from exporter.records import Health, ServerVitals, Snapshot
from exporter.reference import Profile


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything one page is made from."""

    model: str
    version: str
    profile: Profile | None
    snapshot: Snapshot
    server: ServerVitals
    health: Health

    @property
    def labels(self) -> tuple[str, str]:
        """Labels of every model series."""
        return self.model, self.version

    @property
    def profiled(self) -> tuple[str, str, str]:
        """Labels of every series that depends on the profile."""
        return self.model, self.version, self.profile.short_digest if self.profile else ""
