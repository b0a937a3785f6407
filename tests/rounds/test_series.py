"""As many series about golden requests as are planned for, whatever comes."""

from collections.abc import Iterator

from exporter.budget import costs
from exporter.budget.shape import Shape
from exporter.collect import golden
from exporter.collect.scene import Page
from exporter.condition import Health
from exporter.handoff import report, ring
from exporter.handoff.ring import Ring
from exporter.records import DURATION_BOUNDS, Label
from exporter.rounds.news import Checked, Loaded, News, Over
from exporter.rounds.standing import Standings


def _everything() -> Iterator[News]:
    """More cases and versions than are shown, many of which fail."""
    names = tuple(f"case {number}" for number in range(300))
    yield Loaded(names)
    for place, name in enumerate(names):
        yield Checked(name, "value" if place % 2 else "", version=f"v{place % 30}")
    yield Over(1000.0, True)


def test_no_more_series_than_are_planned_for() -> None:
    standings = Standings(60.0, {})
    list(standings.count([*_everything()], lambda model, version: Label(model or "m", version)))
    health = Health(0.0, 0, report.relay([Ring(ring.create(1 << 16))], 0, 0), golden=standings.snapshot())
    found = list(golden.collect(Page((), health)))
    histogram = len(DURATION_BOUNDS) + 3
    series = sum(len(one.values) * (histogram if hasattr(one, "bounds") else 1) for one in found)
    planned = costs.own(Shape(golden=True)) - costs.own(Shape())
    assert planned - 20 < series <= planned + 1  # how many came by is among those that are always there
