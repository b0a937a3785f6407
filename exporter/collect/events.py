"""What was posted as events, and what became of it."""

from collections.abc import Iterator

from exporter import catalogue
from exporter.collect.exposition import Samples
from exporter.collect.scene import Page


def collect(page: Page) -> Iterator[Samples]:
    """Families of events, where they are taken at all."""
    events = page.health.events
    if events is None:
        return
    yield Samples(catalogue.EVENTS_RECEIVED, [((), events.received)])
    yield Samples(catalogue.EVENTS_OBSERVED, [((kind,), count) for kind, count in events.observed.items()])
    yield Samples(catalogue.EVENTS_DROPPED, [((reason,), count) for reason, count in events.dropped.items()])
    yield Samples(catalogue.EVENTS_WAITING, [((), events.waiting)])
