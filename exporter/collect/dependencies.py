"""What a model needs beside its server."""

from collections.abc import Iterator

from exporter import catalogue
from exporter.collect.exposition import Samples
from exporter.collect.scene import Scene


def collect(scene: Scene) -> Iterator[Samples]:
    """Families of the dependencies, under each of the server's models; none where none are probed.

    What is not known before the first probe is left out, not shown as 0. At most some 14 series for each of
    `dependencies.MOST`, and each model.
    """
    found = scene.health.dependencies
    if scene.is_other or not found:
        return
    labelled = [((*scene.labels, one.name), one) for one in found]
    known = [(labels, one) for labels, one in labelled if one.failure is not None]
    yield Samples(catalogue.DEPENDENCY_UP, [(labels, int(not one.failure)) for labels, one in known])
    yield Samples(catalogue.DEPENDENCY_DURATION, [(labels, one.duration_s) for labels, one in known])
    yield Samples(catalogue.DEPENDENCY_SUCCESS, [(labels, one.success_wall_s) for labels, one in labelled])
    yield Samples(catalogue.DEPENDENCY_PROBES, [(labels, one.probes) for labels, one in labelled])
    failures = [
        ((*labels, reason), count) for labels, one in labelled for reason, count in one.failures.items()
    ]  # fmt: skip
    yield Samples(catalogue.DEPENDENCY_FAILURES, failures)
    expiry = [(labels, one.expiry_wall_s) for labels, one in labelled if one.expiry_wall_s]
    if expiry:
        yield Samples(catalogue.DEPENDENCY_EXPIRY, expiry)
