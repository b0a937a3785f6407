"""Parts of the traffic that a model serves worse than the rest."""

from collections.abc import Iterator

from exporter import catalogue
from exporter.collect.exposition import Samples
from exporter.collect.scene import Scene


def collect(scene: Scene) -> Iterator[Samples]:
    """Families of a model whose traffic is searched; those of parts where any is named."""
    found = scene.snapshot.performed and scene.snapshot.performed.searched
    if not found:
        return
    for word, family in catalogue.SEARCH._asdict().items():
        yield Samples(family, [(scene.profiled, getattr(found, word))])
    if found.worst:
        for word, family in catalogue.WORST._asdict().items():
            yield Samples(family, [((*scene.profiled, one.text), getattr(one, word)) for one in found.worst])
