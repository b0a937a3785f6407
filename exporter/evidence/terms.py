"""On what evidence is gathered: what is promised, how long panes and hours are, and what is planned."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Final, NamedTuple

from exporter.evidence.cusum import Guarantee
from exporter.guarantees import Evidence, hour_s

_HOUR_S: Final = 3600.0
WEEK: Final = 168


def nothing_planned(_begin_s: float, _end_s: float) -> str | None:
    """No event, ever."""
    return None


class Terms(NamedTuple):
    """Of one model."""

    settings: Evidence = Evidence()
    pane_s: float = 60.0
    zone: tzinfo = UTC
    """In which hours of a week are counted."""
    planned: Callable[[float, float], str | None] = nothing_planned
    """The name of an event that was planned for any part of the time between two Unix times, None where none was."""
    grouped: bool = False
    """Whether rows that belong together were counted once: then they depend on nothing."""

    @property
    def page(self) -> Guarantee:
        """Of pages."""
        return Guarantee(self.settings.false_page_every / self.pane_s, self.settings.least_panes)

    @property
    def ticket(self) -> Guarantee:
        """Of tickets about slow drift: hours are its panes."""
        return Guarantee(self.settings.false_ticket_every / self.hour_s, self.settings.least_panes)

    @property
    def hour_s(self) -> float:
        """The width of an hour, seconds."""
        return hour_s(self.pane_s)

    def slot(self, wall_s: float) -> int:
        """The hour of a week at a Unix time, from Monday 00:00."""
        if self.hour_s != _HOUR_S:
            return int(wall_s // self.hour_s) % WEEK
        local = datetime.fromtimestamp(wall_s, self.zone)
        return local.weekday() * 24 + local.hour

    @property
    def is_of_a_week(self) -> bool:
        """Whether hours are those of a calendar."""
        return self.hour_s == _HOUR_S
