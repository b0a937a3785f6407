"""Rows that belong together, of which evidence takes one."""

from collections.abc import Iterator

from exporter import catalogue
from exporter.collect.exposition import Samples
from exporter.collect.scene import Scene


def collect(scene: Scene) -> Iterator[Samples]:
    """Families of models whose rows are grouped."""
    found = scene.snapshot.grouped
    if found is not None:
        of = found._asdict().items()
        yield Samples(catalogue.GROUPED_ROWS, [((*scene.profiled, word), rows) for word, rows in of])
