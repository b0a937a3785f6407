"""Families as they stand on a page."""

from collections.abc import Iterable

from exporter.collect.exposition import Distributions, Samples, Unmade, Writer, made
from exporter.collect.rendered import TEXT, Rendered


def render(collected: Iterable[Samples | Unmade | Distributions]) -> bytes:
    """A page of these alone, as text 0.0.4."""
    writer = Writer()
    return b"".join(Rendered([writer.block(made(item)) for item in collected]).pieces(TEXT))
