"""Who writes a family: what is by model may be large and is written here, the others by prometheus_client."""

from exporter.collect.exposition import Block, Distributions, Samples, Writer
from exporter.collect.library import Library
from exporter.families import MODEL


class Writing:
    """Writes families page after page, and keeps what pages have alike."""

    def __init__(self) -> None:
        self._writer, self._library = Writer(), Library()

    def block(self, item: Samples | Distributions) -> Block:
        """One family. ValueError where labels are not as many as the family has."""
        return (self._writer if MODEL[0] in item.family.labels else self._library).block(item)
