"""What collectors look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from exporter.budget.plan import Shows
from exporter.collect.exposition import Exemplars
from exporter.condition import Attribution, Health, ServerVitals
from exporter.reference import Profile
from exporter.snapshots import BlockSnapshot, Snapshot
from exporter.witnessed import Example

FEATURES, OUTPUTS = range(2)
"""Places of the sides in a plan."""
_ALL: Final = Shows()


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
    shows: Shows = _ALL
    """What the page has of it."""

    def block(self, side: int) -> BlockSnapshot | None:
        """Features, or outputs."""
        return (self.snapshot.features, self.snapshot.outputs)[side]

    def places(self, side: int) -> list[int]:
        """Of the columns that have series: nobody has said to ignore them, and there is room."""
        shown = self.shows.places[side]
        return [place for place in self._wanted(side) if shown is None or place in shown]

    def others(self, side: int) -> list[int]:
        """Of those that have none for want of room."""
        shown = self.shows.places[side]
        return [] if shown is None else [place for place in self._wanted(side) if place not in shown]

    def _wanted(self, side: int) -> list[int]:
        block = self.block(side)
        return [place for place, rule in enumerate(block.said) if not rule.ignore] if block else []

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
    exemplars: Exemplars = field(default_factory=dict)
    examples: Mapping[tuple[str, str], Sequence[Example]] = field(default_factory=dict)
    """Rows that failed a check, the newest first, by model and version."""
