"""The section of the settings about evidence: what is promised, and what it rests on until it is measured.

As in `config`, which puts it in its place.
"""

from dataclasses import dataclass

from exporter.keys import setting
from exporter.planned_windows import PlannedWindow, planned_windows
from exporter.segmentations import Segmentation, grouped_by
from exporter.values import duration, format_duration, integer, number, switch

_DAY_S = 86400.0
_HOUR_S = 3600.0
_HOUR_PANES = 60
_SHORTEST_PANE_S = 10.0
"""Shorter ones are of a clock that runs faster than ours: sixty of them are its hour."""
_FEWEST = 25
"""Panes between two false pages, at least: a page ends 3 nats below their logarithm, which must be above 0."""


def hour_s(pane_s: float) -> float:
    """How wide an hour is where panes are so wide, seconds."""
    return _HOUR_PANES * pane_s if pane_s < _SHORTEST_PANE_S else max(_HOUR_S, pane_s)


@dataclass(frozen=True, slots=True)
class Evidence:
    """When drift is worth a page."""

    enable: bool = setting(True, "Whether evidence of drift is gathered, which pages.", switch, "true")
    false_page_every: float = setting(
        30 * _DAY_S, "Mean time between two false pages of a model, at least.", duration, "30d"
    )
    false_ticket_every: float = setting(
        90 * _DAY_S,
        "The same of tickets about slow drift, for which half the tolerance holds and hours count instead of panes.",
        duration,
        "90d",
    )
    tolerance: float = setting(
        0.03,
        "Share of requests that may change bucket without a page, in each feature (total variation); overrides may say"
        " another one of a feature.",
        number(0.0, 0.5),
    )
    least_panes: int = setting(3, "Fewest panes of evidence that can page.", integer(1, 1000))
    warm_up: float = setting(
        _DAY_S,
        "How long traffic is watched, at least, before what is measured of it counts: how many requests come as one,"
        " how much hours differ, and how training data differ from it. The profile or `profile calibrate` may"
        " say the first two from the start.",
        duration,
        "24h",
    )
    warm_up_rows: int = setting(10_000, "And for how many rows, at least.", integer(100, 10**9))
    learn: float = setting(
        7 * _DAY_S,
        "How long the difference between hours is measured; until then default_tolerance holds where it is larger.",
        duration,
        "7d",
    )
    default_dependence: float = setting(
        5.0, "How many requests are taken to come as one before it is measured.", number(1.0, 1000.0)
    )
    default_tolerance: float = setting(
        0.05, "The tolerance before the difference between hours is measured.", number(0.0, 0.5)
    )
    group_key: Segmentation | None = setting(  # noqa: RUF009 (it makes a field)
        None,
        "What rows have in common that belong together, such as those of one session: a field of a payload's rows, or a"
        " mapping with field or header. Of those that share it within the hour the first one is evidence and no other,"
        " so that no dependence is assumed. It is JSON outside of this file, or a field's name.",
        grouped_by,
    )
    planned: tuple[PlannedWindow, ...] = setting(
        (),
        "When no evidence is gathered because something is planned; afterwards it begins anew. Mappings with name, from"
        " and to, once or by days or monthdays, and zone (UTC where left out). It is JSON outside of this file.",
        planned_windows,
        "[]",
    )

    def refuse_too_often(self, pane_s: float) -> None:
        """ValueError where panes are too wide for false pages or tickets to be counted in them."""
        for name, every, width, what in (
            ("false_page_every", self.false_page_every, pane_s, "windows.pane"),
            ("false_ticket_every", self.false_ticket_every, hour_s(pane_s), "an hour"),
        ):
            if every < _FEWEST * width:
                least = format_duration(_FEWEST * width)
                raise ValueError(f"evidence.{name}: must be at least {_FEWEST} times {what}, which is {least}")
