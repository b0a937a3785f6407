"""From what is known to what is shown: a table of collectors, each a function from `Scene` to families.

Collectors only render. A collector that fails costs its own families, never the page: see `page`.
"""

import logging
import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from exporter import __version__, catalogue, glance
from exporter.collect import columns, events, exposition, failed, relay, server, traffic
from exporter.collect.exposition import Distributions, Samples
from exporter.collect.scene import Scene

_LOG = logging.getLogger("exporter.collect")
_COMPILED: Final = "no" if glance.__file__.endswith(".py") else "yes"
Collected = Iterable[Samples | Distributions]


@dataclass(frozen=True, slots=True)
class Collector:
    """One entry of the table."""

    name: str
    collect: Callable[[Scene], Collected]


COLLECTORS: Final = (
    Collector("traffic", traffic.collect),
    Collector("server", server.collect),
    Collector("columns", columns.collect),
    Collector("failed", failed.collect),
    Collector("relay", relay.collect),
    Collector("events", events.collect),
)


def page(scene: Scene) -> bytes:
    """The text of /metrics."""
    return exposition.render(_collect(scene))


def _collect(scene: Scene) -> Iterator[Samples | Distributions]:
    yield Samples(catalogue.BUILD_INFO, [((__version__, platform.python_version(), _COMPILED), 1)])
    success = []
    for collector in COLLECTORS:
        try:
            collected = list(collector.collect(scene))
        except Exception:  # noqa: BLE001 (one collector never costs the page)
            _LOG.exception("collector %s failed", collector.name)
            success.append(((collector.name,), 0))
        else:
            success.append(((collector.name,), 1))
            yield from collected
    yield Samples(catalogue.COLLECTOR_SUCCESS, success)
