"""Tokens, ends and beginnings of what language models generate."""

from collections.abc import Iterator

from exporter import catalogue
from exporter.collect.exposition import Distributions, Samples
from exporter.collect.scene import Scene
from exporter.records import DURATION_BOUNDS


def collect(scene: Scene) -> Iterator[Samples | Distributions]:
    """Families of a model that has generated anything."""
    generated, labels = scene.snapshot.generated, scene.labels
    if generated is None:
        return
    yield Samples(catalogue.TOKENS, [((*labels, kind), count) for kind, count in generated.tokens.items()])
    yield Samples(catalogue.FINISHED, [((*labels, reason), count) for reason, count in generated.finished.items()])
    yield Distributions(catalogue.FIRST_BYTE, DURATION_BOUNDS, [(labels, generated.first_byte)])
