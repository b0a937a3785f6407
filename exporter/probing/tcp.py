"""tcp://HOST:PORT is up where it accepts a connection; nothing is sent."""

from exporter.dependencies import Dependency
from exporter.probing import wire
from exporter.probing.findings import Attempt, Deadline


def attempt(asked: Dependency) -> Attempt:
    """A probe of one place."""

    def connects(deadline: Deadline) -> float:
        wire.connect(asked.place, deadline).close()
        return 0.0

    return connects
