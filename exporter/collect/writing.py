"""Who writes a family: what is by model may be large and is written here, the others by prometheus_client."""

from collections.abc import Mapping

from exporter.collect.exposition import NO_EXEMPLARS, Block, Distributions, Labels, Samples, Writer
from exporter.collect.library import Library
from exporter.families import MODEL


class Writing:
    """Writes families page after page, and keeps what pages have alike."""

    def __init__(self) -> None:
        self._writer, self._library = Writer(), Library()

    def block(self, item: Samples | Distributions, exemplars: Mapping[Labels, str] = NO_EXEMPLARS) -> Block:
        """One family. ValueError where labels are not as many as the family has."""
        if MODEL[0] in item.family.labels:
            return self._writer.block(item, exemplars)
        return self._library.block(item)
