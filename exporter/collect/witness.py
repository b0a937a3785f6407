"""What became of spans and of lines of the prediction log."""

from collections.abc import Iterator

from exporter import catalogue
from exporter.collect.exposition import Samples
from exporter.collect.scene import Page
from exporter.families import Family
from exporter.witnessed import Carried

_OF = catalogue.WITNESS


def collect(page: Page) -> Iterator[Samples]:
    """Families of what is carried away, where anything is."""
    told = page.health.witnessed
    yield from _carried(told.spans, _OF.spans_offered, _OF.spans_exported, _OF.spans_dropped)
    yield from _carried(told.lines, _OF.lines_offered, _OF.lines_written, _OF.lines_dropped)


def _carried(one: Carried | None, offered: Family, delivered: Family, dropped: Family) -> Iterator[Samples]:
    if one is None:
        return
    yield Samples(offered, [((), one.offered)])
    yield Samples(delivered, [((), one.delivered)])
    yield Samples(dropped, [((reason,), count) for reason, count in one.dropped.items()])
