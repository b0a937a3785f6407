"""The model server and the model's identity."""

from collections.abc import Iterator

from exporter import __version__, catalogue
from exporter.collect.exposition import Samples
from exporter.collect.scene import Scene


def collect(scene: Scene) -> Iterator[Samples]:
    """Families of the server next door, under each of its models. What cannot be seen is left out, not shown as 0."""
    if scene.is_other:
        return
    labels, server = scene.labels, scene.server
    yield Samples(catalogue.MODEL_INFO, [((*labels, __version__), 1)])
    if scene.health.owner is not None:
        yield Samples(catalogue.OWNER, [((*labels, scene.health.owner), 1)])
    if scene.health.relaying:
        yield Samples(catalogue.IN_FLIGHT, [(labels, scene.health.relay.in_flight)])
    if server.watched:
        yield Samples(catalogue.SERVER_UP, [(labels, int(server.up))])
        yield Samples(catalogue.SERVER_VISIBLE, [(labels, int(server.visible))])
    if server.process is not None:
        yield Samples(catalogue.SERVER_PROCESSES, [(labels, server.processes)])
        yield Samples(catalogue.SERVER_CPU, [(labels, server.process.cpu_seconds)])
        yield Samples(catalogue.SERVER_MEMORY, [(labels, server.process.resident_bytes)])
        yield Samples(catalogue.SERVER_START, [(labels, server.process.started_wall_s)])
