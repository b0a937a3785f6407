"""What a judgement looks at: one model, what was counted lately, and where alerts draw their lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from exporter.config import Settings
from exporter.status.alarms import SEEN
from exporter.status.facts import Reason
from exporter.status.recent import HOUR_S, MINUTES_S, QUARTER_S, Counts, Recent
from exporter.status.view import View
from exporter.values import duration

Limits = Mapping[str, int | float | str]
"""Thresholds of the alerts, by `section.name`: see `exporter.rules`."""
_RUNBOOKS: Final = "urls.runbooks"


@dataclass(frozen=True)
class Seen:
    """Of one model."""

    view: View
    settings: Settings
    limits: Limits
    recent: Recent

    def limit(self, name: str) -> float:
        """A threshold; of a duration, its seconds."""
        value = self.limits[name]
        return duration(value) if isinstance(value, str) else float(value)

    @cached_property
    def minutes(self) -> Counts:
        """What was counted in the last few minutes."""
        return self._over(MINUTES_S)

    @cached_property
    def quarter(self) -> Counts:
        """In the last quarter of an hour."""
        return self._over(QUARTER_S)

    @cached_property
    def hour(self) -> Counts:
        """In the last hour."""
        return self._over(HOUR_S)

    @cached_property
    def earlier(self) -> Counts | None:
        """Until an hour ago; None where nobody remembers."""
        return self.recent.before(self.view.scene, self.view.page, HOUR_S)

    def _over(self, seconds: float) -> Counts:
        return self.recent.over(self.view.scene, self.view.page, seconds)

    @property
    def reference(self) -> str:
        """What live values are compared with, in a sentence."""
        profile = self.view.scene.profile
        return "its own first traffic" if profile is not None and profile.provisional else "the training data"

    @property
    def is_idle(self) -> bool:
        """Whether nobody has asked it for so long that what was found of it is no news."""
        last = self.view.last_s
        return bool(last) and self.view.now - last > self.limit("drift.idle_seconds")

    def reason(self, code: str, text: str, since: float | None = None, column: str = "", verdict: str = "") -> Reason:
        """One that an alert says; `verdict` where it is another one than the alert's."""
        runbook = f"{self.limits[_RUNBOOKS]}#{code.lower()}"
        return Reason(code, verdict or SEEN[code], text, since, column, runbook)
