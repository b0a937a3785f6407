"""What becomes different about models that are watched: another version or profile, a server that started anew.

Each is told to the models that it is about, for whoever asks what a drift may have to do with.

Looked at with every scoring, so a change is dated as exactly as these are frequent.
"""

from collections.abc import Iterable

from exporter.condition import ProcessVitals
from exporter.monitor.watched import Watched
from exporter.records import Label


class Chronicle:
    """Remembers a digest for each model and version: as many as may be watched."""

    def __init__(self) -> None:
        self._profiles: dict[Label, str] | None = None
        """As they were at the last look; None before the first."""
        self.server: ProcessVitals | None = None
        """The model server, as it was seen last."""

    def look(self, models: Iterable[Watched], wall_s: float) -> None:
        """Tell the models what has changed since the last look."""
        watched = list(models)
        profiles = {one.label: one.profile.short_digest if one.profile else "" for one in watched}
        before, self._profiles = self._profiles, profiles
        if before is None:
            return
        for one in watched:
            if self.server:
                one.changes.note(self.server.started_wall_s, "the model server started")
            if one.label not in before:
                self._came(one, watched, before, wall_s)
            elif before[one.label] not in {"", profiles[one.label]} and profiles[one.label]:
                one.changes.note(wall_s, f"the profile {profiles[one.label]} came")

    @staticmethod
    def _came(one: Watched, watched: Iterable[Watched], before: Iterable[Label], wall_s: float) -> None:
        """A version that was not there, where another one of its model was."""
        if any(label.model == one.label.model for label in before):
            for other in watched:
                if other.label.model == one.label.model:
                    other.changes.note(wall_s, f"version {one.label.version} came")
